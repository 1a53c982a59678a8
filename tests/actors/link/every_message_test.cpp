#include "actors/actor_config.hpp"
#include "actors/interfaces.hpp"
#include "actors/link/client.hpp"
#include "actors/link/server.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "tests/fixtures/link/raw_peer.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <ctime>
#include <mutex>
#include <set>
#include <thread>

using namespace iris;
using namespace std::chrono_literals;

namespace {

/// Every frame at the server's end, and what it would be called.
struct Recorder {
  std::mutex mutex;
  std::vector<std::pair<std::string, bool>> frames;
  std::set<std::string> kinds() {
    static const char* operations[] = {"server-hello", "client-hello", "direct",   "routed",
                                       "monitor",      "down",         "heartbeat"};
    const std::lock_guard lock{mutex};
    std::set<std::string> out;
    for (const auto& [bytes, inward] : frames) {
      auto header = decode_header(bytes.data());
      auto kind = std::string{inward ? "in " : "out "} + operations[header.operation];
      if (header.operation == 6) kind += " " + std::to_string(header.data);
      for (const auto* type : {"Hello", "Welcome", "Batch", "Ack", "Push", "PushAck", "Query", "Reply"})
        if (bytes.find(std::string{"@<>+iris::wire::"} + type) != std::string::npos &&
            bytes[bytes.find(std::string{"@<>+iris::wire::"} + type) - 1] ==
                char(16 + std::string{type}.size()))
          kind += std::string{" "} + type;
      if (bytes.find("@<>+@error") != std::string::npos) kind += " error";
      out.insert(kind);
    }
    return out;
  }
};

/// The cloud's side: answers all that a client may say, and for a gateway pushes and asks.
caf::behavior a_session(caf::event_based_actor* self) {
  return {
      [=](const wire::Hello& hello) {
        if (!hello.bytes.empty()) {
          auto uplink = caf::actor_cast<caf::actor>(self->current_sender());
          self->monitor(uplink);
          self->request(uplink, 5s, wire::Push{{'p'}}).then([=](const wire::PushAck&) {
            self->request(uplink, 5s, wire::Query{{'q'}}).then([](const wire::Reply&) {});
          });
        }
        return wire::Welcome{{'w'}};
      },
      [=](const wire::Batch& batch) -> caf::result<wire::Ack> {
        if (batch.seq == 99) return caf::make_error(caf::sec::runtime_error, "not now", std::string(30, 'x'));
        return wire::Ack{batch.epoch, batch.lane, batch.seq};
      },
      [=](const wire::Query&) { return wire::Reply{std::vector<char>(900'000, 'r')}; },
      [=](const caf::down_msg&) {},
  };
}

TlsFiles files_of(const std::string& directory, const Identity& identity) {
  auto bundle = pki::issue(directory, identity, Timestamp(std::time(nullptr)) * iris::second);
  REQUIRE(bundle);
  const auto base = directory + "/" + identity.name;
  REQUIRE(pki::write_file(base + ".pem", bundle->certificate.pem));
  REQUIRE(pki::write_file(base + ".key", bundle->key));
  return {base + ".pem", base + ".key", directory + "/ca.pem", ""};
}

/// A client whose actor says and answers all that its role may.
struct Client {
  ActorConfig config{ActorConfig::Options{.remote = true}};
  caf::actor_system system{config};
  std::mutex mutex;
  caf::strong_actor_ptr session;
  std::unique_ptr<LinkClient> link;
  Client(const TlsFiles& files, const std::string& address) {
    close_registry(system);
    LinkClientOptions options;
    options.addresses = {address};
    options.tls = files;
    options.timing.heartbeat = 50ms;
    LinkClientEvents events;
    events.up = [this](caf::strong_actor_ptr up, const Identity&, const std::string&) {
      const std::lock_guard lock{mutex};
      session = std::move(up);
    };
    events.down = [](const CloseReason&) {};
    events.failed = [](const CloseReason& reason, const std::string&) { WARN(to_string(reason)); };
    auto started = LinkClient::start(system, options, std::move(events));
    REQUIRE(started);
    link = std::move(*started);
  }
  ~Client() {
    session = nullptr;
    link.reset();
  }
  caf::actor connect() {
    for (int i = 0; i < 500; ++i, std::this_thread::sleep_for(10ms)) {
      const std::lock_guard lock{mutex};
      if (session) return caf::actor_cast<caf::actor>(session);
    }
    return {};
  }
};

} // namespace

TEST_CASE("every frame of a session with all kinds of messages is recorded, and none is refused", "[link]") {
  TempDir directory;
  const auto path = directory.path();
  const auto now = Timestamp(std::time(nullptr)) * iris::second;
  REQUIRE(pki::make_authority(path, "Iris test", now));
  REQUIRE(pki::issue_server(path, "shard-0", {"127.0.0.1"}, now));
  ActorConfig config{ActorConfig::Options{.remote = true}};
  caf::actor_system system{config};
  close_registry(system);
  Recorder recorder;
  std::mutex mutex;
  std::vector<caf::actor> sessions;
  LinkServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.tls = {path + "/server.pem", path + "/server.key", path + "/ca.pem", path + "/crl.pem"};
  options.timing.heartbeat = 50ms;
  options.tap = [&](const Frame& frame, bool inward) {
    const std::lock_guard lock{recorder.mutex};
    recorder.frames.emplace_back(frame.bytes, inward);
  };
  LinkServerEvents events;
  events.open = [&](const ConnectionInfo&) {
    const std::lock_guard lock{mutex};
    sessions.push_back(system.spawn(a_session));
    return caf::actor_cast<caf::strong_actor_ptr>(sessions.back());
  };
  auto started = LinkServer::start(system, options, std::move(events));
  REQUIRE(started);
  auto& server = *started;
  const auto address = "127.0.0.1:" + std::to_string(server->ports().front());
  const Identity gateway{Role::gateway, "acme", "gw-1", false}, person{Role::operator_, "acme", "eve", true};
  const auto gateway_files = files_of(path, gateway);
  {
    Client node{gateway_files, address};
    auto session = node.connect();
    REQUIRE(session);
    std::atomic<int> pushed{0}, asked{0}, acked{0}, errors{0};
    auto uplink = node.system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
      self->monitor(session);
      self->request(session, 5s, wire::Hello{{'h'}}).then([=, &acked, &errors](const wire::Welcome&) {
        for (std::uint8_t lane = 0; lane < 2; ++lane)
          for (std::uint64_t seq = 1; seq <= 20; ++seq)
            self->request(session, 5s, wire::Batch{1, lane, seq, std::vector<char>(50'000)})
                .then([&acked](const wire::Ack&) { ++acked; });
        self->request(session, 5s, wire::Batch{1, 0, 99, {}})
            .then([](const wire::Ack&) {}, [&errors](const caf::error&) { ++errors; });
      });
      return {
          [&pushed](const wire::Push&) { return ++pushed, wire::PushAck{{'a'}}; },
          [&asked](const wire::Query&) { return ++asked, wire::Reply{{'r'}}; },
          [](const caf::down_msg&) {},
      };
    });
    Client shell{files_of(path, person), address};
    auto desk = shell.connect();
    REQUIRE(desk);
    caf::scoped_actor self{shell.system};
    std::string answered;
    self->request(desk, 5s, wire::Hello{})
        .receive([&](const wire::Welcome&) { answered += "w"; }, [](const caf::error&) {});
    self->request(desk, 5s, wire::Query{{'q'}})
        .receive([&](const wire::Reply&) { answered += "r"; }, [](const caf::error&) {});
    CHECK(answered == "wr");
    for (int i = 0; i < 500 && (acked < 40 || pushed == 0 || asked == 0 || errors == 0); ++i)
      std::this_thread::sleep_for(10ms);
    CHECK(acked == 40);
    CHECK(pushed == 1);
    CHECK(asked == 1);
    CHECK(errors == 1);
    // A clone: the first is asked whether it still lives, and answers.
    linktest::RawPeer clone{gateway_files, address, linktest::random_node()};
    CHECK(!clone.handshake());
    caf::anon_send_exit(uplink, caf::exit_reason::user_shutdown); // DOWN for who monitors it
    std::this_thread::sleep_for(300ms);
    CHECK(server->connections().size() == 2);
  }
  std::this_thread::sleep_for(200ms);
  const auto kinds = recorder.kinds();
  for (const auto* kind :
       {"in client-hello", "out server-hello", "in monitor", "out monitor", "in direct Hello",
        "out direct Welcome", "in direct Batch", "out direct Ack", "out direct Push", "in direct PushAck",
        "out direct Query", "in direct Reply", "in direct Query", "out direct Reply", "out direct error",
        "in heartbeat 0", "in heartbeat 2", "in down"}) {
    INFO(kind);
    CHECK(kinds.count(kind) == 1);
  }
  for (const auto& [name, value] : server->counters())
    if (name.rfind("violation.", 0) == 0) {
      INFO(name);
      CHECK(value == 0);
    }
  CHECK(recorder.frames.size() > 100);
  server.reset();
  for (auto& session : sessions)
    caf::anon_send_exit(session, caf::exit_reason::user_shutdown);
}
