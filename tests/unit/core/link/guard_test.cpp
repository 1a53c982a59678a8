#include "tests/unit/core/link/frames.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;

namespace {

constexpr std::uint64_t session = 77, uplink = 12;
const NodeId cloud_node = node(1), gateway_node = node(2), stranger = node(3);
using enum Operation;

GuardOptions cloud_options(Role peer) {
  return {Side::server, peer, cloud_node, wire_types(peer, true), wire_types(peer, false)};
}
GuardOptions client_options(Role own, const NodeId& id = gateway_node) {
  return {Side::client, Role::cloud, id, wire_types(own, false), wire_types(own, true)};
}

std::string client_hello(std::uint8_t flags, const NodeId& id = gateway_node) {
  return frame(client_handshake, flags, 0, 0, text_of(id));
}
std::string pair_of(const NodeId& from, const NodeId& to) { return text_of(from) + text_of(to); }

/// The cloud's gate, past both handshakes.
struct CloudGate : Gate {
  explicit CloudGate(Role peer = Role::gateway) : Gate{cloud_options(peer)} {
    REQUIRE(in(client_hello(0)).action == Guard::Inward::pass);
    REQUIRE(out(frame(server_handshake, 0, 0, 0, server_hello(cloud_node, session), 5)) ==
            Guard::Outward::pass);
    REQUIRE(in(client_hello(flag_select_connection)).action == Guard::Inward::pass);
  }
  std::string direct(const std::string& payload, std::uint64_t source = uplink, std::uint64_t dest = session,
                     std::uint64_t id = async_id) {
    return frame(Operation::direct, 0, source, dest, payload, id);
  }
};

/// A gateway's gate, past the handshake, its uplink having spoken.
struct GatewayGate : Gate {
  GatewayGate() : Gate{client_options(Role::gateway)} {
    REQUIRE(out(client_hello(0)) == Guard::Outward::pass);
    REQUIRE(in(frame(server_handshake, 0, 0, 0, server_hello(cloud_node, session), 5)).action ==
            Guard::Inward::pass);
    REQUIRE(out(client_hello(flag_select_connection)) == Guard::Outward::pass);
    REQUIRE(out(frame(direct, 0, uplink, session, hello(), 9)) == Guard::Outward::pass);
  }
};

} // namespace

TEST_CASE("what an honest gateway sends passes", "[guard]") {
  CloudGate gate;
  CHECK(gate.guard.session() == session);
  CHECK(*gate.guard.peer_node() == gateway_node);
  CHECK(gate.in(frame(monitor, 0, 0, session, pair_of(gateway_node, cloud_node))).action ==
        Guard::Inward::pass);
  CHECK(gate.in(gate.direct(hello())).action == Guard::Inward::pass);
  CHECK(gate.in(gate.direct(hello(), 0)).action == Guard::Inward::pass);
  auto batch = number(1, 8) + number(0, 1) + number(9, 8) + text(std::string(70000, 'x'));
  CHECK(gate.in(gate.direct(message("iris::wire::Batch", batch), uplink, session, 5)).action ==
        Guard::Inward::pass);
  CHECK(gate.in(heartbeat_frame(heartbeat_plain)).action == Guard::Inward::absorb);
  CHECK(gate.in(heartbeat_frame(heartbeat_ping)).action == Guard::Inward::ping);
  CHECK(gate.in(heartbeat_frame(heartbeat_pong)).action == Guard::Inward::pong);
  CHECK(gate.in(heartbeat_frame(heartbeat_goodbye + 7)).action == Guard::Inward::goodbye);
  CHECK(gate.in(heartbeat_frame(heartbeat_goodbye + 7)).code == 7);
  auto gone = frame(down, 0, uplink, 0, pair_of(gateway_node, cloud_node) + error(0));
  CHECK(gate.in(gone).action == Guard::Inward::pass);
}

TEST_CASE("what an honest cloud sends passes", "[guard]") {
  GatewayGate gate;
  CHECK(gate.in(frame(monitor, 0, 0, uplink, pair_of(cloud_node, gateway_node))).action ==
        Guard::Inward::pass);
  auto welcome = message("iris::wire::Welcome", text("w"));
  CHECK(gate.in(frame(direct, 0, session, uplink, welcome, 9 | response)).action == Guard::Inward::pass);
  auto push = message("iris::wire::Push", text("p"));
  CHECK(gate.in(frame(direct, 0, session, uplink, push, async_id)).action == Guard::Inward::pass);
  auto gone = frame(down, 0, session, 0, pair_of(cloud_node, gateway_node) + error(3));
  CHECK(gate.in(gone).action == Guard::Inward::pass);
}

TEST_CASE("every other frame is a violation with a name", "[guard]") {
  CloudGate gate;
  auto refused = [&](const std::string& bytes) {
    auto verdict = gate.in(bytes);
    CHECK((verdict.action == Guard::Inward::violation) == (verdict.violation != Violation::none));
    return verdict.violation;
  };
  auto both = pair_of(gateway_node, cloud_node);
  SECTION("routing") {
    CHECK(refused(frame(routed, 0, uplink, session, both + hello())) == Violation::routed);
    CHECK(refused(frame(monitor, 0, 0, session, pair_of(gateway_node, stranger))) == Violation::node);
    CHECK(refused(frame(monitor, 0, 0, session, pair_of(stranger, cloud_node))) == Violation::node);
    CHECK(refused(gate.direct(message("iris::wire::Hello", text("x"), 1))) == Violation::forwarding);
  }
  SECTION("other actors") {
    CHECK(refused(frame(direct, flag_named_receiver, uplink, 0xabc, hello())) == Violation::named_receiver);
    CHECK(refused(gate.direct(hello(), uplink, session + 1)) == Violation::destination);
    CHECK(refused(gate.direct(hello(), uplink, 1)) == Violation::destination);
    CHECK(refused(frame(monitor, 0, 0, 3, both)) == Violation::destination);
    CHECK(refused(frame(down, 0, 999, 0, both + error(1))) == Violation::source);
    CHECK(refused(frame(down, 0, uplink, 0, pair_of(stranger, cloud_node) + error(1))) == Violation::source);
  }
  SECTION("other nodes' proxies") {
    REQUIRE(gate.in(gate.direct(hello())).action == Guard::Inward::pass);
    CHECK(refused(frame(down, 0, uplink, 0, pair_of(stranger, cloud_node) + error(1))) == Violation::node);
  }
  SECTION("messages") {
    CHECK(refused(gate.direct(message("@exit_msg", "x"))) == Violation::message_type);
    CHECK(refused(gate.direct(message("@atom", number(1, 8)))) == Violation::message_type);
    CHECK(refused(gate.direct(message("@message", "x"))) == Violation::message_type);
    CHECK(refused(gate.direct(message("@strong_actor_ptr", "x"))) == Violation::message_type);
    CHECK(refused(gate.direct(message("iris::wire::Welcome", text("x")))) == Violation::message_type);
    CHECK(refused(gate.direct(message("iris::wire::Hello+iris::wire::Hello", text("x") + text("x")))) ==
          Violation::message_type);
    CHECK(refused(gate.direct(message("iris::wire::Hell", text("x")))) == Violation::message_type);
    CHECK(refused(gate.direct(varint(0) + number(0, 2) + text("@<>"))) == Violation::malformed);
    CHECK(refused(gate.direct(varint(0) + number(7, 2) + "x")) == Violation::malformed);
    CHECK(refused(gate.direct(hello(), uplink, session, 1ull << 61)) == Violation::malformed);
  }
  SECTION("lengths that CAF would believe") {
    CHECK(refused(gate.direct(message("iris::wire::Hello", varint(0xffffffff) + "x"))) ==
          Violation::message_layout);
    CHECK(refused(gate.direct(message("iris::wire::Hello", text("x") + "y"))) == Violation::message_layout);
    CHECK(refused(gate.direct(message("iris::wire::Batch", number(1, 8)))) == Violation::message_layout);
    CHECK(refused(gate.direct(std::string(1, '\x80'))) == Violation::malformed);
  }
  SECTION("errors") {
    CHECK(refused(gate.direct(message("@error", error(1)))) == Violation::message_type);
    CHECK(refused(gate.direct(message("@error", error(1)), uplink, session, 4 | response)) ==
          Violation::unsolicited_response);
    REQUIRE(gate.out(frame(direct, 0, session, uplink, message("iris::wire::Query", text("q")), 4)) ==
            Guard::Outward::pass);
    CHECK(refused(gate.direct(message("@error", error(1, "@<>+@strong_actor_ptr")), uplink, session,
                              4 | response)) == Violation::error_context);
    CHECK(gate.in(gate.direct(message("@error", error(1)), uplink, session, 4 | response)).action ==
          Guard::Inward::pass);
    REQUIRE(gate.in(gate.direct(hello())).action == Guard::Inward::pass);
    CHECK(refused(frame(down, 0, uplink, 0, both + error(1, "@<>+@actor_addr") + "x")) ==
          Violation::error_context);
  }
  SECTION("handshakes") {
    CHECK(refused(client_hello(0)) == Violation::order);
    CHECK(refused(client_hello(flag_select_connection)) == Violation::order);
    CHECK(refused(frame(server_handshake, 0, 0, 0, server_hello(gateway_node, 1), 5)) ==
          Violation::operation);
  }
  SECTION("forms") {
    CHECK(refused(frame(direct, 0x80, uplink, session, hello())) == Violation::flags);
    CHECK(refused(frame(monitor, flag_select_connection, 0, session, both)) == Violation::flags);
    CHECK(refused(frame(static_cast<Operation>(7), 0, 0, 0, "")) == Violation::operation);
    CHECK(refused(frame(heartbeat, 0, 0, 0, "x")) == Violation::malformed);
    CHECK(refused(frame(heartbeat, 0, 0, 0, "", 3)) == Violation::malformed);
    CHECK(refused(frame(monitor, 0, 0, session, text_of(gateway_node))) == Violation::malformed);
    CHECK(refused(frame(monitor, 0, 0, session, both + "x")) == Violation::malformed);
    auto padded = gate.direct(hello());
    padded[1] = 1;
    CHECK(refused(padded) == Violation::flags);
  }
}

TEST_CASE("a handshake binds one node id and none of ours", "[guard]") {
  Gate gate{cloud_options(Role::gateway)};
  auto odd = node(2);
  odd[0] = 9;
  SECTION("before it, nothing passes") {
    CHECK(gate.in(frame(direct, 0, uplink, session, hello())).violation == Violation::order);
    CHECK(gate.in(client_hello(flag_select_connection)).violation == Violation::flags);
    CHECK(gate.guard.peer_node() == nullptr);
  }
  SECTION("ours") { CHECK(gate.in(client_hello(0, cloud_node)).violation == Violation::node_taken); }
  SECTION("another kind") { CHECK(gate.in(client_hello(0, odd)).violation == Violation::node); }
  SECTION("empty host") { CHECK(gate.in(client_hello(0, node(0))).violation == Violation::node); }
  SECTION("changed") {
    REQUIRE(gate.in(client_hello(0)).action == Guard::Inward::pass);
    CHECK(gate.in(client_hello(flag_select_connection, stranger)).violation == Violation::node);
  }
  SECTION("with more to read") {
    CHECK(gate.in(frame(client_handshake, 0, 0, 0, text_of(gateway_node) + "x")).violation ==
          Violation::malformed);
  }
}

TEST_CASE("at most sixteen actors of a peer speak at a time", "[guard]") {
  CloudGate gate;
  for (std::uint64_t i = 1; i <= 16; ++i)
    REQUIRE(gate.in(gate.direct(hello(), i)).action == Guard::Inward::pass);
  CHECK(gate.in(gate.direct(hello(), 17)).violation == Violation::sources);
  REQUIRE(gate.in(frame(down, 0, 3, 0, pair_of(gateway_node, cloud_node) + error(0))).action ==
          Guard::Inward::pass);
  CHECK(gate.in(gate.direct(hello(), 17)).action == Guard::Inward::pass);
}

TEST_CASE("an operator may ask, but not deliver", "[guard]") {
  CloudGate gate{Role::operator_};
  CHECK(gate.in(gate.direct(message("iris::wire::Query", text("q")))).action == Guard::Inward::pass);
  CHECK(gate.in(gate.direct(message("iris::wire::Reply", text("q")))).violation == Violation::message_type);
  auto batch = message("iris::wire::Batch", number(1, 8) + number(0, 1) + number(9, 8) + text("x"));
  CHECK(gate.in(gate.direct(batch)).violation == Violation::message_type);
}

TEST_CASE("the cloud reaches only actors of the gateway that spoke to it", "[guard]") {
  GatewayGate gate;
  auto push = message("iris::wire::Push", text("p"));
  CHECK(gate.in(frame(direct, 0, session, uplink + 1, push, async_id)).violation == Violation::destination);
  CHECK(gate.in(frame(direct, 0, session + 1, uplink, push, async_id)).violation == Violation::source);
  CHECK(gate.in(frame(direct, flag_named_receiver, session, uplink, push)).violation ==
        Violation::named_receiver);
  CHECK(gate.in(frame(monitor, 0, 0, uplink + 1, pair_of(cloud_node, gateway_node))).violation ==
        Violation::destination);
  CHECK(gate.in(frame(down, 0, uplink, 0, pair_of(cloud_node, gateway_node) + error(0))).violation ==
        Violation::source);
  CHECK(gate.in(client_hello(0, cloud_node)).violation == Violation::operation);
  auto batch = message("iris::wire::Batch", number(1, 8) + number(0, 1) + number(9, 8) + text("x"));
  CHECK(gate.in(frame(direct, 0, session, uplink, batch, async_id)).violation == Violation::message_type);
}

TEST_CASE("an answer passes once, and only to a question", "[guard]") {
  GatewayGate gate;
  auto welcome = frame(direct, 0, session, uplink, message("iris::wire::Welcome", text("w")), 9 | response);
  CHECK(gate.in(welcome).action == Guard::Inward::pass);
  CHECK(gate.in(welcome).violation == Violation::unsolicited_response);
}

TEST_CASE("a node that is told to trust a gateway as its server takes nothing", "[guard]") {
  auto options = client_options(Role::gateway);
  options.peer = Role::gateway;
  Gate gate{options};
  CHECK(gate.in(frame(server_handshake, 0, 0, 0, server_hello(cloud_node, session), 5)).violation ==
        Violation::operation);
}

TEST_CASE("what the other side would take for an attack does not leave", "[guard]") {
  CloudGate cloud;
  auto answer = message("iris::wire::Welcome", text("w"));
  CHECK(cloud.out(frame(direct, 0, session, uplink, answer, 5 | response)) == Guard::Outward::pass);
  CHECK(cloud.out(frame(direct, flag_named_receiver, 4, 0xabc, message("@atom", "x"))) ==
        Guard::Outward::drop);
  CHECK(cloud.out(frame(direct, 0, session + 1, uplink, answer)) == Guard::Outward::drop);
  CHECK(cloud.out(frame(direct, 0, session, uplink, message("@atom", "x"))) == Guard::Outward::drop);
  CHECK(cloud.out(frame(routed, 0, session, uplink, answer)) == Guard::Outward::drop);
  CHECK(cloud.out(frame(down, 0, 5, 0, pair_of(cloud_node, gateway_node) + error(0))) ==
        Guard::Outward::drop);
  CHECK(cloud.out(frame(monitor, 0, 0, uplink, pair_of(cloud_node, stranger))) == Guard::Outward::drop);
  GatewayGate gateway;
  CHECK(gateway.out(frame(direct, 0, uplink, session + 1, hello())) == Guard::Outward::drop);
  CHECK(gateway.out(frame(monitor, 0, 0, session + 1, pair_of(gateway_node, cloud_node))) ==
        Guard::Outward::drop);
}

TEST_CASE("an error leaves without its context and then passes on the other side", "[guard]") {
  CloudGate cloud;
  GatewayGate gateway;
  auto content = message("@error", error(7, "@<>+@str") + text("because"));
  REQUIRE(cloud.out(frame(direct, 0, session, uplink, content, 9 | response)) == Guard::Outward::rewritten);
  CHECK(cloud.rewritten == frame(direct, 0, session, uplink, message("@error", error(7)), 9 | response));
  CHECK(gateway.in(cloud.rewritten).action == Guard::Inward::pass);
  auto gone =
      frame(down, 0, session, 0, pair_of(cloud_node, gateway_node) + error(7, "@<>+@str") + text("because"));
  REQUIRE(cloud.out(gone) == Guard::Outward::rewritten);
  CHECK(gateway.in(cloud.rewritten).action == Guard::Inward::pass);
}

TEST_CASE("issue: a peer has only so much under way that is not answered", "[guard]") {
  CloudGate gate;
  auto ask = [&](std::uint64_t id, std::uint64_t source = uplink) {
    return gate.in(gate.direct(hello(), source, session, id)).action == Guard::Inward::pass;
  };
  auto answer = [&](std::uint64_t id, std::uint64_t dest = uplink) {
    auto welcome = message("iris::wire::Welcome", text("w"));
    return gate.out(frame(direct, 0, session, dest, welcome, id == async_id ? id : id | response));
  };
  for (std::uint64_t id = 1; id <= 256; ++id) {
    CHECK_FALSE(gate.guard.crowded());
    REQUIRE(ask(id));
  }
  CHECK(gate.guard.crowded());
  CHECK(answer(999) == Guard::Outward::pass); // answers nothing that was asked
  CHECK(answer(1, uplink + 1) == Guard::Outward::pass);
  CHECK(gate.guard.crowded());
  CHECK(answer(200) == Guard::Outward::pass);
  CHECK_FALSE(gate.guard.crowded());
  CHECK(answer(200) == Guard::Outward::pass); // answered once
  CHECK(gate.guard.unanswered() == 255);
  // Nobody is left to answer to: they count until one that came later was answered.
  REQUIRE(ask(7, uplink + 1));
  REQUIRE(gate.in(frame(down, 0, uplink, 0, pair_of(gateway_node, cloud_node) + error(0))).action ==
          Guard::Inward::pass);
  CHECK(gate.guard.crowded());
  CHECK(answer(7, uplink + 1) == Guard::Outward::pass);
  CHECK(gate.guard.unanswered() == 0);
  // By bytes; and a question without a number is answered without one.
  auto large = message("iris::wire::Hello", text(std::string((1 << 20) - 100, 'x')));
  for (int i = 0; i < 9; ++i)
    REQUIRE(gate.in(gate.direct(large, uplink + 1)).action == Guard::Inward::pass);
  CHECK(gate.guard.crowded());
  for (int i = 0; i < 9; ++i)
    CHECK(answer(async_id, uplink + 1) == Guard::Outward::pass);
  CHECK_FALSE(gate.guard.crowded());
  CHECK(gate.guard.unanswered() == 0);
}
