#include "tests/unit/core/link/frames.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;

namespace {

constexpr std::uint64_t session = 4'711;

/// A cloud's guard with the session 4711, after the handshakes of a gateway.
Gate after_handshake() {
  GuardOptions options;
  options.own = node('c');
  options.inwards = wire_types(Role::gateway, true);
  options.outwards = wire_types(Role::gateway, false);
  Gate gate{options};
  (void)gate.in(frame(Operation::client_handshake, 0, 0, 0, text_of(node('g'))));
  (void)gate.out(frame(Operation::server_handshake, 0, 0, 0, server_hello(node('c'), session)));
  (void)gate.in(frame(Operation::client_handshake, flag_select_connection, 0, 0, text_of(node('g'))));
  return gate;
}

} // namespace

TEST_CASE("a gateway can kill, link, monitor and message none of 10,000 actors, each tried by itself") {
  const auto kill = message("@exit_msg", number(0, 8) + number(1, 8) + error(1));
  const auto atom = message("@atom", number(7, 8));
  const auto pair = text_of(node('g')) + text_of(node('c'));
  const auto fresh = after_handshake();
  REQUIRE(Gate{fresh}.in(frame(Operation::direct, 0, 5, session, hello(), async_id)).action ==
          Guard::Inward::pass);
  REQUIRE(Gate{fresh}.in(frame(Operation::monitor, 0, 0, session, pair)).action == Guard::Inward::pass);
  std::uint64_t refused = 0;
  for (std::uint64_t id = 1; id <= 10'000; ++id) {
    for (const auto& bytes :
         {frame(Operation::direct, 0, 0, id, kill, async_id),
          frame(Operation::direct, 0, 5, id, kill, async_id),
          frame(Operation::direct, 0, 5, id, atom, async_id), frame(Operation::monitor, 0, 0, id, pair),
          frame(Operation::direct, 0, 5, id, hello(), async_id)}) {
      Gate gate{fresh};
      auto verdict = gate.in(bytes);
      refused += verdict.action == Guard::Inward::violation;
      if (id != session && verdict.violation != Violation::destination) FAIL("actor " << id);
    }
  }
  CHECK(refused == 5 * 10'000 - 2); // to monitor and to message its own session it may
}
