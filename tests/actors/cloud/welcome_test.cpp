#include "cloud/session/session_codec.hpp"
#include "node/uplink/session_messages.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("a gateway reads in Welcome what the cloud has of an earlier epoch") {
  WelcomeOut out;
  out.scale = {86'400 * second, 60 * second, 60 * second, 60 * second};
  out.terms.epoch = 7;
  out.gateway = "gw-1";
  if (GENERATE(true, false)) out.terms.before = EpochTaken{5, {{{1, 2, 3, 4}, {UINT64_MAX, 6, 7, -8}}}};
  const auto in = decode_welcome(encode_welcome(out));
  REQUIRE(in.ok());
  CHECK(in->epoch == 7);
  CHECK(in->gateway == "gw-1");
  CHECK(in->before == out.terms.before);
}
