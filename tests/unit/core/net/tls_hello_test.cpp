#include "core/net/tls_hello.hpp"

#include "tests/unit/core/net/client_hello.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using iris::frames::Bytes;
using iris::frames::client_hello;

TEST_CASE("a TLS hello names the host that is asked for, in lower case") {
  auto hello = client_hello("Mirror.Example.");
  CHECK(is_client_hello(hello.data(), hello.size()));
  CHECK(parse_server_name(hello) == "mirror.example");
}

TEST_CASE("a TLS hello that is cut gives its name as long as that is whole") {
  const auto hello = client_hello("mirror.example", 1'000); // what comes behind the name is long
  std::size_t whole = 0;
  for (std::size_t size = 0; size <= hello.size(); ++size) {
    auto name = parse_server_name(std::span{hello}.first(size));
    if (name) {
      CHECK(*name == "mirror.example");
      ++whole;
    } else {
      CHECK(whole == 0);
    }
  }
  CHECK(whole > 1'000);
}

TEST_CASE("what is no host name names nobody") {
  for (const char* name :
       {"", ".", "a..b", ".a", "10.0.0.1", "::1", "a b", "a\x1b[31m", "a\nb", "caf\xc3\xa9"})
    CHECK_FALSE(parse_server_name(client_hello(name)));
  CHECK_FALSE(parse_server_name(client_hello(std::string(254, 'a'))));
  CHECK(parse_server_name(client_hello(std::string(253, 'a'))));
  CHECK(parse_server_name(client_hello("_x-1.example")) == "_x-1.example");
  auto server = client_hello("a.example");
  server[5] = 2; // the server's hello
  CHECK_FALSE(parse_server_name(server));
  CHECK_FALSE(parse_server_name(Bytes(300)));
}
