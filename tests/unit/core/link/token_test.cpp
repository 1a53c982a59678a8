#include "core/link/token.hpp"

#include "core/base/hash.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

JoinToken sample() {
  return {{"cloud-0.example:7443", "[2001:db8::1]:7443"},
          sha256("ca"),
          std::string(32, '\x9c'),
          1'800'000'000 * second};
}

} // namespace

TEST_CASE("a token is one line that reads back", "[token]") {
  auto text = format_token(sample());
  CHECK(text.starts_with("iris1."));
  CHECK(text.find_first_of(" \n\t+/=") == std::string::npos);
  auto token = parse_token("  " + text + "\n");
  REQUIRE(token);
  CHECK(*token == sample());
  CHECK(!expired(*token, sample().expires - 1));
  CHECK(expired(*token, sample().expires));
}

TEST_CASE("every cut and every mistyped character of a token is noticed", "[token]") {
  auto text = format_token(sample());
  for (std::size_t i = 0; i < text.size(); ++i) {
    CHECK(!parse_token(text.substr(0, i)));
    auto wrong = text;
    wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
    CHECK(!parse_token(wrong));
  }
}

TEST_CASE("a token of a newer version says what to upgrade", "[token]") {
  auto token = parse_token("iris2.AAAA");
  REQUIRE(!token);
  CHECK(token.error().code == Errc::version);
}

TEST_CASE("base64url and SHA-256 follow their test vectors", "[token]") {
  CHECK(base64url("") == "");
  CHECK(base64url("f") == "Zg");
  CHECK(base64url("foobar") == "Zm9vYmFy");
  CHECK(base64url("\xff\xfe") == "__4");
  for (auto text : {"", "Zg", "Zm8", "Zm9v", "__4"})
    CHECK(base64url(*from_base64url(text)) == text);
  for (auto text : {"Z", "Zh", "Zm9=", "Zm 9"})
    CHECK(!from_base64url(text));
  // FIPS 180-2, appendix B.1
  CHECK(secret_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
