#include "core/link/chain.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("a seal holds for one place of one epoch and lane") {
  const auto link = ChainLink::first(std::string(32, 'k'), 0);
  const auto mac = link.mac({4, 0, 7}, {}, {});
  CHECK(link.mac({4, 0, 7}, {}, {}) == mac);
  CHECK(link.mac({4, 0, 8}, {}, {}) != mac);
  CHECK(link.mac({4, 1, 7}, {}, {}) != mac);
  CHECK(link.mac({5, 0, 7}, {}, {}) != mac);
}

TEST_CASE("counts cannot be said to have gone into a batch that came before") {
  LaneChain chain;
  chain.active = true;
  chain.link = ChainLink::first(std::string(32, 'k'), 1);
  BatchSeal seal;
  seal.entries = 2;
  seal.observations = 20;
  seal.mac = chain.link.mac({1, 1, 5}, seal, {});
  seal.state = BatchSeal::State::merged; // not under the mac: a thief may write what he likes here
  seal.into = 4;
  CHECK(chain.take({1, 1, 5}, seal, {}, 0) == "was merged into an older one");
}
