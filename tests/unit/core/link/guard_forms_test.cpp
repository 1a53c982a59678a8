#include "tests/unit/core/link/frames.hpp"

#include <catch2/catch.hpp>

// Checks of the guard that are a second line behind another one, or that only a peer meets which knows CAF
// well.
using namespace iris;
using namespace iris::test;

namespace {

constexpr std::uint64_t session = 77, uplink = 12;
const NodeId cloud_node = node(1), gateway_node = node(2);

/// The cloud's gate towards a gateway that has shaken hands.
struct Admitted : Gate {
  Admitted()
      : Gate{{Side::server, Role::gateway, cloud_node, wire_types(Role::gateway, true),
              wire_types(Role::gateway, false)}} {
    for (std::uint8_t flags : {std::uint8_t{0}, flag_select_connection})
      REQUIRE(in(frame(Operation::client_handshake, flags, 0, 0, text_of(gateway_node))).action ==
              Guard::Inward::pass);
    REQUIRE(out(frame(Operation::server_handshake, 0, 0, 0, server_hello(cloud_node, session), 5)) ==
            Guard::Outward::pass);
  }
};

GuardOptions of_gateway() {
  return {Side::client, Role::cloud, gateway_node, wire_types(Role::gateway, false),
          wire_types(Role::gateway, true)};
}

} // namespace

TEST_CASE("the guard itself judges the length, whoever reads the frames", "[guard]") {
  Admitted gate;
  FrameHeader header{2, 0, 0, 0, std::uint32_t(largest_payload) + 1, async_id, uplink, session};
  CHECK(gate.in(encode_header(header)).violation == Violation::oversized);
  const auto large = message("iris::wire::Welcome", text(std::string(largest_payload, 'x')));
  CHECK(gate.out(frame(Operation::direct, 0, session, uplink, large, 5 | response)) == Guard::Outward::drop);
}

TEST_CASE("forms that no honest peer writes are violations, too", "[guard]") {
  Admitted gate;
  CHECK(gate.in(frame(Operation::heartbeat, 1, 0, 0, "")).violation == Violation::flags);
  const auto both = text_of(gateway_node) + text_of(cloud_node);
  CHECK(gate.in(frame(Operation::monitor, 0, 0, session, both, 1)).violation == Violation::malformed);
  const auto question = message("iris::wire::Query", text("q"));
  CHECK(gate.in(frame(Operation::direct, 0, uplink, session, question, async_id)).violation ==
        Violation::message_type);
  REQUIRE(gate.out(frame(Operation::direct, 0, session, uplink, question, 4)) == Guard::Outward::pass);
  CHECK(gate.in(frame(Operation::direct, 0, uplink, session, message("@error", error(1) + "x"), 4 | response))
            .violation == Violation::message_layout);
}

TEST_CASE("a server has one node id, not ours, and a session", "[guard]") {
  Gate gate{of_gateway()};
  auto hello = [&](const NodeId& id, std::uint64_t actor) {
    return gate.in(frame(Operation::server_handshake, 0, 0, 0, server_hello(id, actor), 5)).violation;
  };
  auto odd = cloud_node;
  odd[0] = 9;
  CHECK(hello(odd, session) == Violation::node);
  CHECK(hello(gateway_node, session) == Violation::node_taken);
  CHECK(hello(cloud_node, 0) == Violation::destination);
  CHECK(hello(cloud_node, session) == Violation::none);
}

TEST_CASE("what is remembered of our questions is bounded, and the answer to a forgotten one is refused",
          "[guard]") {
  auto options = of_gateway();
  options.max_requests = 3;
  Gate gate{options};
  REQUIRE(gate.in(frame(Operation::server_handshake, 0, 0, 0, server_hello(cloud_node, session), 5)).action ==
          Guard::Inward::pass);
  for (std::uint64_t id = 1; id <= 4; ++id)
    REQUIRE(gate.out(frame(Operation::direct, 0, uplink, session, hello(), id)) == Guard::Outward::pass);
  const auto welcome = message("iris::wire::Welcome", text("w"));
  auto answer = [&](std::uint64_t id) {
    return gate.in(frame(Operation::direct, 0, session, uplink, welcome, id | response)).violation;
  };
  CHECK(answer(1) == Violation::unsolicited_response);
  CHECK(answer(2) == Violation::none);
  CHECK(answer(4) == Violation::none);
}
