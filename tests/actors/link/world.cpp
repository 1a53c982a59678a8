#include "tests/actors/link/world.hpp"

#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "core/link/openssl_ptr.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <ctime>
#include <filesystem>

namespace linktest {

using namespace iris;

namespace {

Timestamp now() { return Timestamp(std::time(nullptr)) * iris::second; }

const std::vector<WireType> to_cloud{{"linktest::Ping", "8b"}}, from_cloud{{"linktest::Pong", "8b"}};

caf::behavior session_actor(caf::event_based_actor* self, std::atomic<std::uint64_t>* pings) {
  auto held = std::make_shared<std::vector<caf::typed_response_promise<Pong>>>();
  return {
      [=](const Ping& ping) -> caf::result<Pong> {
        ++*pings;
        if (ping.number == 555) { // for the peer that only asks: answered all at once, with 556
          held->push_back(self->make_response_promise<Pong>());
          return held->back();
        }
        if (ping.number == 556) {
          for (auto& promise : *held)
            promise.deliver(Pong{555, {}});
          held->clear();
        }
        if (ping.number == 666)
          return caf::make_error(caf::sec::runtime_error, "because of", std::string(30, 'x'));
        // A flood on demand, for the peer that does not read.
        if (ping.number >= 1'000'000)
          for (std::uint64_t i = 1'000'000; i < ping.number; ++i)
            self->send(caf::actor_cast<caf::actor>(self->current_sender()),
                       Pong{i, std::vector<char>(65'536)});
        return Pong{ping.number, {}};
      },
  };
}

} // namespace

Identity gateway(const std::string& name) { return {Role::gateway, "acme", name, false}; }

Config::Config() {
  load<caf::io::middleman>();
  add_message_types<caf::id_block::linktest>();
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", std::size_t{2});
}

Authority::Authority() {
  char name[] = "/tmp/iris-link-XXXXXX";
  directory = mkdtemp(name);
  REQUIRE(pki::make_authority(directory, "Iris test", now()));
}
Authority::~Authority() { std::filesystem::remove_all(directory); }

TlsFiles Authority::cloud(const std::string& shard) {
  REQUIRE(pki::issue_server(directory, shard, {"127.0.0.1"}, now()));
  return {directory + "/server.pem", directory + "/server.key", directory + "/ca.pem",
          directory + "/crl.pem"};
}

TlsFiles Authority::give(const Identity& identity) {
  auto bundle = pki::issue(directory, identity, now());
  REQUIRE(bundle);
  auto base = directory + "/" + identity.name;
  REQUIRE(pki::write_file(base + ".pem", bundle->certificate.pem));
  REQUIRE(pki::write_file(base + ".key", bundle->key));
  return {base + ".pem", base + ".key", directory + "/ca.pem", ""};
}

std::string Authority::serial_of(const Identity& identity) {
  auto cert = ossl::read_cert(*pki::read_file(directory + "/" + identity.name + ".pem"));
  return ossl::serial_hex(X509_get0_serialNumber(cert.get()));
}

Cloud::Cloud(const TlsFiles& files, std::function<void(LinkServerOptions&)> change, EnrolHandler enrol)
    : system{config} {
  LinkServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.tls = files;
  options.to_cloud = to_cloud;
  options.from_cloud = from_cloud;
  options.repeat_pause = 0ms; // each alarm by itself
  if (change) change(options);
  LinkServerEvents events;
  events.open = [this](const ConnectionInfo& info) {
    auto session = system.spawn(session_actor, &pings);
    std::lock_guard lock{mutex_};
    sessions_[info.id] = session;
    opened.add(info);
    return caf::actor_cast<caf::strong_actor_ptr>(session);
  };
  events.closed = [this](const ConnectionInfo& info, const CloseReason& reason) {
    std::lock_guard lock{mutex_};
    caf::anon_send_exit(sessions_[info.id], caf::exit_reason::user_shutdown);
    sessions_.erase(info.id);
    closed.add({info, reason});
  };
  events.alarm = [this](const ConnectionInfo& info, const CloseReason& reason, std::uint64_t) {
    alarms.add({info, reason});
  };
  events.log = [this](std::string line) { lines.add(std::move(line)); };
  events.enrol = std::move(enrol);
  auto started = LinkServer::start(system, std::move(options), std::move(events));
  if (!started) FAIL(started.error().message);
  server = std::move(*started);
}

Cloud::~Cloud() {
  server.reset();
  for (auto& [id, session] : sessions_)
    caf::anon_send_exit(session, caf::exit_reason::user_shutdown);
}

std::string Cloud::address() const { return "127.0.0.1:" + std::to_string(server->ports().front()); }

std::uint64_t Cloud::counter(const std::string& name) const {
  // What ended a moment ago is counted just after its socket was closed: this waits for the thread that
  // counts.
  (void)server->connections();
  for (const auto& [key, value] : server->counters())
    if (key == name) return value;
  FAIL("no counter " + name);
  return 0;
}

Node::Node(const TlsFiles& files, std::vector<std::string> addresses,
           std::function<void(LinkClientOptions&)> change)
    : system{config}, self{system} {
  LinkClientOptions options;
  options.addresses = std::move(addresses);
  options.tls = files;
  options.to_cloud = to_cloud;
  options.from_cloud = from_cloud;
  options.backoff_least = 20ms;
  options.backoff_most = 200ms;
  if (change) change(options);
  LinkClientEvents events;
  events.up = [this](caf::strong_actor_ptr session, const Identity& server, const std::string&) {
    up.add({std::move(session), server});
  };
  events.down = [this](const CloseReason& reason) { down.add(reason); };
  events.failed = [this](const CloseReason& reason, const std::string&) { failed.add(reason); };
  auto started = LinkClient::start(system, std::move(options), std::move(events));
  if (!started) FAIL(started.error().message);
  client = std::move(*started);
}

Node::~Node() { client.reset(); }

caf::actor Node::connect() {
  Up now_up;
  if (!up.wait(now_up)) return {};
  return caf::actor_cast<caf::actor>(now_up.session);
}

std::string Node::ping(const caf::actor& session, std::uint64_t number, std::size_t bytes) {
  std::string answer;
  self->request(session, 3s, Ping{number, std::vector<char>(bytes, 'x')})
      .receive([&](const Pong& pong) { answer = std::to_string(pong.number); },
               [&](const caf::error& error) { answer = system.render(error); });
  return answer;
}

NodeId random_node(caf::actor_system&) { return random_node(); }

} // namespace linktest
