#include "node/remembered.hpp"

#include "node/spool/spool.hpp"
#include "node/uplink/session_messages.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("issue: who enrols anew keeps no signing key and no baselines of the earlier cloud") {
  TempDir dir;
  auto spool = Spool::open(dir.path("spool"), {}, 0);
  REQUIRE(spool);
  LinkTerms terms;
  terms.tenant = "acme";
  terms.baseline_key = std::string(32, 'k');
  CHECK_FALSE(remember(**spool, "first").terms);
  REQUIRE((*spool)->put("terms", encode_terms(terms)));
  REQUIRE((*spool)->put("baseline/web", {'x'}));
  REQUIRE((*spool)->put("indicators", {'y'}));
  auto found = remember(**spool, "first");
  REQUIRE(found.terms);
  CHECK(found.terms->baseline_key == terms.baseline_key);
  for (int start = 0; start < 2; ++start)
    CHECK_FALSE(remember(**spool, "second").terms);
  for (const auto* name : {"terms", "baseline/web", "indicators"})
    for (const auto& [key, bytes] : (*spool)->list(name))
      CHECK(bytes.empty());
  // What the next cloud says is kept again.
  REQUIRE((*spool)->put("terms", encode_terms(terms)));
  CHECK(remember(**spool, "second").terms);
}
