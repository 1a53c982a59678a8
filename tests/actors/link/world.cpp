#include "tests/actors/link/world.hpp"

#include "actors/link/caf_side.hpp"
#include "actors/link/endpoint.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "core/link/openssl_ptr.hpp"
#include "tests/unit/core/link/frames.hpp"

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <random>

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
  events.alarm = [this](const ConnectionInfo& info, const CloseReason& reason) {
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

int dial(const std::string& address) {
  auto endpoint = *parse_endpoint(address);
  auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(endpoint.port);
  inet_pton(AF_INET, endpoint.host.c_str(), &to.sin_addr);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  timeval patience{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

NodeId random_node(caf::actor_system& system) {
  auto id = CafSide{system}.own_node();
  static std::random_device random;
  for (auto i = id.begin() + 8; i != id.end(); ++i)
    *i = char(random());
  return id;
}

RawPeer::RawPeer(const TlsFiles& files, const std::string& address, const NodeId& id)
    : context{*TlsContext::load(TlsContext::Use::client, files)}, tls{context->make()}, node{id},
      fd{dial(address)} {}
RawPeer::~RawPeer() { ::close(fd); }

namespace {

bool push(RawPeer& peer) {
  std::string out;
  peer.tls.drain(out);
  return ::send(peer.fd, out.data(), out.size(), MSG_NOSIGNAL) == ssize_t(out.size());
}
bool pull(RawPeer& peer) {
  char piece[16384];
  auto count = ::recv(peer.fd, piece, sizeof piece, 0);
  if (count <= 0) return false;
  peer.tls.feed({piece, std::size_t(count)});
  return true;
}

} // namespace

bool RawPeer::tls_handshake() {
  for (;;) {
    auto good = tls.handshake();
    if (!push(*this) || !good) return false;
    if (tls.established()) return true;
    if (!pull(*this)) return false;
  }
}

bool RawPeer::handshake() {
  if (!tls_handshake()) return false;
  send(test::frame(Operation::client_handshake, 0, 0, 0, test::text_of(node)));
  std::string frame;
  do {
    if (!next_frame(frame)) return false;
  } while (frame[0] != 0);
  PayloadReader in{std::string_view{frame}.substr(frame_header_size)};
  std::uint32_t count = 0;
  std::string_view text;
  if (!in.node(cloud) || !in.varint(count)) return false;
  for (; count > 0; --count)
    if (!in.text(text)) return false;
  if (!in.u64(session)) return false;
  send(test::frame(Operation::client_handshake, flag_select_connection, 0, 0, test::text_of(node)));
  return true;
}

void RawPeer::send(const std::string& plain) {
  (void)tls.write(plain);
  push(*this);
}

bool RawPeer::next_frame(std::string& frame) {
  for (;;) {
    Frame view;
    if (reader.next(view) == FrameReader::Status::frame) {
      frame = view.bytes;
      return true;
    }
    std::string_view plain;
    switch (tls.read(plain)) {
    case TlsStream::Read::data:
      reader.feed(plain);
      break;
    case TlsStream::Read::more:
      if (!pull(*this)) return false;
      break;
    default:
      return false;
    }
  }
}

std::optional<CloseCause> RawPeer::farewell() {
  std::optional<CloseCause> cause;
  std::string frame;
  while (next_frame(frame)) {
    auto header = decode_header(frame.data());
    if (header.operation == 6 && header.data >= heartbeat_goodbye)
      cause = CloseCause(header.data - heartbeat_goodbye);
  }
  return cause;
}

} // namespace linktest
