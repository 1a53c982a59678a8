#include "core/link/protocol.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("peers of one major version and neighbouring minor versions work together") {
  for (const int apart : {-1, 0, 1})
    CHECK(version_refusal(link_major, std::uint16_t(link_minor + apart), "they", "we").empty());
}

TEST_CASE("another version is refused with a line that says which side to upgrade") {
  CHECK(version_refusal(1, 3, "the gateway", "the cloud") ==
        "the gateway speaks link protocol 1.3, the cloud 1.1: upgrade the cloud");
  CHECK(version_refusal(0, 65'535, "the cloud", "this shell") ==
        "the cloud speaks link protocol 0.65535, this shell 1.1: upgrade the cloud");
  CHECK(version_refusal(2, 0, "the cloud", "this gateway") ==
        "the cloud speaks link protocol 2.0, this gateway 1.1: upgrade this gateway");
  CHECK_FALSE(version_refusal(1, 65'535, "they", "we").empty());
  CHECK_FALSE(version_refusal(0, 0, "they", "we").empty());
}
