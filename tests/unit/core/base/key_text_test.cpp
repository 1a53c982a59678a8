#include "core/base/key_text.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("a key is # and 16 hex digits of either case, and nothing around them") {
  CHECK(is_key_text("#0123456789abcdef"));
  CHECK(is_key_text("#0123456789ABCDEF"));
  for (const auto* text :
       {"", "#", "0123456789abcdef", "#0123456789abcde", "#0123456789abcdef0", "#0123456789abcdeg",
        " #0123456789abcdef", "#0123456789abcde#", "##123456789abcdef"})
    CHECK_FALSE(is_key_text(text));
}
