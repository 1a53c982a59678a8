#include "core/link/identity.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("an identity is what its URI says", "[identity]") {
  auto gateway = parse_identity("iris://gateway/acme/plant-7.gw_1");
  REQUIRE(gateway);
  CHECK(*gateway == Identity{Role::gateway, "acme", "plant-7.gw_1", false});
  auto cloud = parse_identity("iris://cloud/shard-0");
  REQUIRE(cloud);
  CHECK(*cloud == Identity{Role::cloud, "", "shard-0", false});
  auto viewer = parse_identity("iris://operator/acme/eve?role=viewer");
  REQUIRE(viewer);
  CHECK(*viewer == Identity{Role::operator_, "acme", "eve", false});
  auto admin = parse_identity("iris://operator/*/root?role=admin");
  REQUIRE(admin);
  CHECK(*admin == Identity{Role::operator_, "*", "root", true});
  for (const auto* identity : {&*gateway, &*cloud, &*viewer, &*admin})
    CHECK(*parse_identity(to_uri(*identity)) == *identity);
}

TEST_CASE("anything else is refused with a reason", "[identity]") {
  auto uri =
      GENERATE(as<std::string>{}, "", "iris://", "iris://cloud", "iris://cloud/", "iris://cloud/a/b",
               "iris://gateway/acme", "iris://gateway/acme/", "iris://gateway//gw", "iris://gateway/*/gw",
               "iris://gateway/Acme/gw", "iris://gateway/acme/gw/x", "iris://gateway/acme/g w",
               "iris://gateway/acme/gw?role=admin", "iris://operator/acme/eve",
               "iris://operator/acme/eve?role=root", "iris://operator/acme/eve?role=admin&x",
               "iris://operator/**/eve?role=admin", "http://cloud/a", "IRIS://cloud/a", "iris://admin/a/b",
               "iris://cloud/" + std::string(65, 'a'), std::string{"iris://cloud/a\0b", 16});
  auto parsed = parse_identity(uri);
  REQUIRE(!parsed);
  CHECK(parsed.error().code == Errc::invalid);
  CHECK(parsed.error().message.size() > 20);
}

TEST_CASE("a refused identity is shown printable and bounded", "[identity]") {
  auto parsed = parse_identity("\x1b[31m" + std::string(5000, 'x'));
  REQUIRE(!parsed);
  CHECK(parsed.error().message.size() < 300);
  CHECK(parsed.error().message.find('\x1b') == std::string::npos);
}
