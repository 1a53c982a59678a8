#include "tests/actors/cloud/cloud_fixture.hpp"

#include "actors/query_codec.hpp"
#include "cloud/session/session_codec.hpp"
#include "core/link/protocol.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;

TEST_CASE("a peer of another version is told which side to upgrade, and cut off after that") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  struct Case {
    std::uint16_t major, minor;
    std::string says;
  };
  for (const auto& [major, minor, says] : {Case{0, 9, "upgrade the gateway"}, Case{2, 0, "upgrade the cloud"},
                                           Case{link_major, link_minor + 2, "upgrade the cloud"}}) {
    closed.clear();
    auto session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
    auto welcome =
        read_welcome(cloud.ask<wire::Welcome>(session, wire::Hello{hello_bytes(major, minor)}).bytes);
    CHECK(welcome.refusal.find("the gateway speaks link protocol " + std::to_string(major)) == 0);
    CHECK(welcome.refusal.find(says) != std::string::npos);
    CHECK(welcome.epoch == 0);
    CHECK(closed.empty()); // the refusal travels first
    cloud.pass(std::chrono::seconds{1}, std::chrono::milliseconds{500});
    CHECK(closed.size() == 1);
  }
  CHECK(cloud.rows(Table::gateways) == 0);
}

TEST_CASE("an operator's shell of another version is refused and told which side to upgrade") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  QueryRequest question;
  question.verb = "gateways";
  struct Case {
    std::uint16_t major, minor;
    std::string side;
  };
  for (const auto& [major, minor, side] :
       {Case{link_major - 1, 9, "the shell"}, Case{link_major + 1, 0, "the cloud"},
        Case{link_major, link_minor + 2, "the cloud"}}) {
    closed.clear();
    auto session = cloud.open_session(Role::operator_, "acme", "ann", closed);
    auto welcome =
        read_welcome(cloud.ask<wire::Welcome>(session, wire::Hello{hello_bytes(major, minor)}).bytes);
    CHECK(welcome.refusal == "the shell speaks link protocol " + std::to_string(major) + "." +
                                 std::to_string(minor) + ", the cloud " + std::to_string(link_major) + "." +
                                 std::to_string(link_minor) + ": upgrade " + side);
    auto reply = decode_reply(cloud.ask<wire::Reply>(session, wire::Query{encode_query(question)}).bytes);
    CHECK(reply->status == std::uint8_t(Errc::refused));
    cloud.pass(std::chrono::seconds{1}, std::chrono::milliseconds{500});
    CHECK(closed.size() == 1);
  }
  for (const int apart : {-1, 0, 1}) {
    auto session = cloud.open_session(Role::operator_, "acme", "ann", closed);
    auto hello = hello_bytes(link_major, std::uint16_t(link_minor + apart));
    CHECK(read_welcome(cloud.ask<wire::Welcome>(session, wire::Hello{hello}).bytes).refusal.empty());
    CHECK(decode_reply(cloud.ask<wire::Reply>(session, wire::Query{encode_query(question)}).bytes)->status ==
          0);
  }
}

TEST_CASE("a gateway is welcomed with epoch, credit and tenant, and its batches are acknowledged") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  auto session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  auto welcome = read_welcome(cloud.ask<wire::Welcome>(session, wire::Hello{hello_bytes(1, 0)}).bytes);
  CHECK(welcome.refusal.empty());
  CHECK(welcome.epoch == 1);
  CHECK(welcome.tenant == "acme");
  CHECK(welcome.credit_batches == cloud.world->settings.credit_batches);
  CHECK(cloud.ask<wire::Ack>(session, wire::Batch{1, 0, 1, findings({"a"})}).seq == 1);
  auto gateways = cloud.query("gateways");
  REQUIRE(gateways.lines.size() == 1);
  CHECK(gateways.lines[0].find("\"connected\":true") != std::string::npos);
  cloud.self->send(session, atom::down_v, std::string{"gone"});
  cloud.settle();
  CHECK(cloud.query("gateways").lines[0].find("\"connected\":false") != std::string::npos);
}

TEST_CASE("who breaks the order of the session is cut off") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  auto early = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  CHECK_THROWS(cloud.ask<wire::Ack>(early, wire::Batch{1, 0, 1, findings({"a"})}));
  CHECK(closed.size() == 1);
  closed.clear();
  auto shell = cloud.open_session(Role::operator_, "acme", "ann", closed);
  (void)cloud.ask<wire::Welcome>(shell, wire::Hello{hello_bytes(1, 0)});
  CHECK_THROWS(cloud.ask<wire::Ack>(shell, wire::Batch{1, 0, 1, findings({"a"})}));
  CHECK(closed.size() == 1);
  closed.clear();
  auto greedy = cloud.open_session(Role::gateway, "acme", "gw-2", closed);
  (void)cloud.ask<wire::Welcome>(greedy, wire::Hello{hello_bytes(1, 0)});
  cloud.writes_hang = true;
  for (std::uint64_t seq = 1; seq <= cloud.world->settings.credit_batches + 1; ++seq)
    cloud.self->send(greedy, wire::Batch{1, 0, seq, findings({"a"})});
  cloud.settle();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0] == "more under way than its credit allows");
}

TEST_CASE("a gateway asks no questions, and an operator's rights come from his certificate") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  QueryRequest question;
  question.verb = "gateways";
  auto bytes = encode_query(question);
  auto gateway = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  (void)cloud.ask<wire::Welcome>(gateway, wire::Hello{hello_bytes(1, 0)});
  auto refused = decode_reply(cloud.ask<wire::Reply>(gateway, wire::Query{bytes}).bytes);
  CHECK(refused->status == std::uint8_t(Errc::refused));
  auto ann = cloud.open_session(Role::operator_, "acme", "ann", closed);
  CHECK(decode_reply(cloud.ask<wire::Reply>(ann, wire::Query{bytes}).bytes)->status ==
        std::uint8_t(Errc::refused));
  (void)cloud.ask<wire::Welcome>(ann, wire::Hello{hello_bytes(1, 0)});
  CHECK(decode_reply(cloud.ask<wire::Reply>(ann, wire::Query{bytes}).bytes)->lines.size() == 1);
  auto bob = cloud.open_session(Role::operator_, "other", "bob", closed);
  (void)cloud.ask<wire::Welcome>(bob, wire::Hello{hello_bytes(1, 0)});
  auto nothing = decode_reply(cloud.ask<wire::Reply>(bob, wire::Query{bytes}).bytes);
  CHECK(nothing->status == 0);
  CHECK(nothing->lines.empty());
  auto broken = decode_reply(cloud.ask<wire::Reply>(ann, wire::Query{std::vector<char>(16, 'x')}).bytes);
  CHECK(broken->status != 0);
}

TEST_CASE("issue: a second hello gets a new epoch, a third one cuts the gateway off") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  auto session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  auto hello = [&] {
    return read_welcome(cloud.ask<wire::Welcome>(session, wire::Hello{hello_bytes(1, 0)}).bytes).epoch;
  };
  CHECK(hello() == 1);
  CHECK(hello() == 2); // as the uplink does when its spool cannot go on
  CHECK(closed.empty());
  CHECK_THROWS(hello());
  CHECK_THROWS(hello());
  CHECK(closed == std::vector<std::string>{"says hello again and again"});
  auto again = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  auto epoch = read_welcome(cloud.ask<wire::Welcome>(again, wire::Hello{hello_bytes(1, 0)}).bytes).epoch;
  CHECK(epoch == 3); // the refused ones made none
}

TEST_CASE("issue: a gateway that leaves right after Hello does not stay connected") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  auto session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  cloud.self->send(session, wire::Hello{hello_bytes(1, 0)});
  cloud.self->send(session, atom::down_v, std::string{"gone"}); // while the Hello is being written
  cloud.settle();
  CHECK(cloud.query("gateways").lines[0].find("\"connected\":false") != std::string::npos);
  auto seen = cloud.ask<Ref<InspectAnswer>>(cloud.aggregator(), atom::inspect_v);
  CHECK(seen->json.find("\"connected\":false") != std::string::npos);
  cloud.clock += cloud.world->settings.retire_after + 60 * second;
  cloud.pass(std::chrono::seconds{11}, std::chrono::seconds{1});
  cloud.clock += cloud.world->settings.retire_after + 60 * second;
  cloud.pass(std::chrono::seconds{11}, std::chrono::seconds{1});
  CHECK(cloud.world->aggregators.size() == 0);
}
