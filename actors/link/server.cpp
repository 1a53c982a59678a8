#include "actors/link/server_impl.hpp"

#include "actors/link/enrol_codec.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace iris {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds look_after_interval{250};

} // namespace

LinkServer::Impl::Impl(caf::actor_system& system, LinkServerOptions given, LinkServerEvents handlers)
    : caf{system}, options{std::move(given)}, events{std::move(handlers)} {
  for (unsigned i = 0; i < std::max(1u, options.threads); ++i)
    threads.push_back(std::make_unique<PumpThread>());
  timer = std::make_unique<asio::steady_timer>(control().io());
}

void LinkServer::Impl::on_thread_of(const Peer& peer, std::function<void(Connection&)> task) {
  asio::post(peer.connection->thread().io(),
             [connection = peer.connection, task = std::move(task)] { task(*connection); });
}

LinkServer::Impl::Peer* LinkServer::Impl::find(std::uint64_t id) {
  auto i = peers.find(id);
  return i == peers.end() ? nullptr : &i->second;
}

void LinkServer::Impl::on_established(const SharedConnection& connection) {
  auto* ssl = connection->tls().ssl();
  auto protocol = connection->tls().alpn();
  if (protocol != alpn_link) {
    connection->begin_line();
    on_control([this, id = connection->id()] {
      if (auto* peer = find(id)) peer->stage = Stage::enrolling; // stays a stranger to the limits
    });
    return;
  }
  auto certificate = peer_certificate(ssl);
  if (!certificate) return connection->close({CloseCause::tls, Violation::none, certificate.error().message});
  if (tls->revoked(certificate->serial))
    return connection->close({CloseCause::revoked, Violation::none, "certificate"});
  auto role = certificate->identity.role;
  auto types = [&](const std::vector<WireType>& given, bool to_cloud) {
    return given.empty() ? wire_types(role, to_cloud) : given;
  };
  GuardOptions guard;
  guard.side = Side::server;
  guard.peer = role;
  guard.own = caf.own_node();
  guard.inwards = types(options.to_cloud, true);
  guard.outwards = types(options.from_cloud, false);
  guard.max_unanswered = options.max_unanswered;
  guard.tap = options.tap;
  connection->begin_link(std::move(guard));
  count(authenticated);
  on_control([this, id = connection->id(), certificate = *certificate] {
    auto* peer = find(id);
    if (!peer) return;
    peer->info.identity = certificate.identity;
    peer->info.serial = certificate.serial;
    peer->info.authority = certificate.authority;
    peer->info.issued = certificate.issued;
    const auto left =
        std::chrono::seconds{certificate.expires} - std::chrono::system_clock::now().time_since_epoch();
    peer->ends =
        std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::milliseconds>(left);
    auto identity = certificate.identity;
    identity.admin = false;
    peer->key = to_uri(identity);
    peer->stage = Stage::authenticated;
    no_stranger(*peer);
    remember(peer->address);
    // admit() counts those that are in; one that never names its node never comes there.
    if (++of_identity[peer->key] > most_of(peer->info.identity))
      refuse(*peer, {CloseCause::limit, Violation::none, "too many connections of this identity"});
  });
}

std::size_t LinkServer::Impl::most_of(const Identity& identity) const {
  return (identity.role == Role::operator_ ? options.max_per_operator : 0) + options.max_pending_per_identity;
}

void LinkServer::Impl::on_node(const SharedConnection& connection, const NodeId& node) {
  on_control([this, id = connection->id(), node] {
    if (auto* peer = find(id)) {
      peer->node = node;
      admit(id);
    }
  });
}

void LinkServer::Impl::on_line(const SharedConnection& connection, std::string line) {
  auto request = decode_enrol_request(line);
  if (!request) return connection->send_line(encode(EnrolResponse{request.error().message, {}, {}, {}}));
  request->remote = connection->remote();
  if (connection->tls().alpn() == alpn_renew) {
    auto certificate = peer_certificate(connection->tls().ssl());
    if (!certificate)
      return connection->send_line(encode(EnrolResponse{certificate.error().message, {}, {}, {}}));
    request->renews = certificate->identity;
    request->serial = certificate->serial;
    request->renewable = certificate->renewable;
    request->secret.clear();
  } else if (request->secret.empty()) {
    return connection->send_line(encode(EnrolResponse{"enrolment: no secret", {}, {}, {}}));
  }
  count(enrolments);
  std::weak_ptr<Connection> weak = connection;
  events.enrol(*request, [weak](EnrolResponse response) {
    auto alive = weak.lock();
    if (!alive) return;
    asio::post(alive->thread().io(), [alive, line = encode(response)] { alive->send_line(line); });
  });
}

void LinkServer::Impl::on_closed(const SharedConnection& connection, const CloseReason& reason) {
  on_control([this, connection, reason] {
    auto node = peers.extract(connection->id());
    if (node.empty()) return;
    auto& peer = node.mapped();
    connection->thread().give_load();
    no_stranger(peer);
    if (auto i = of_identity.find(peer.key); i != of_identity.end() && --i->second == 0) of_identity.erase(i);
    switch (reason.cause) {
    case CloseCause::tls:
      count(tls_failed);
      break;
    case CloseCause::deadline:
      count(deadline_missed);
      break;
    case CloseCause::silent:
      count(silent);
      break;
    case CloseCause::slow:
      count(slow);
      break;
    case CloseCause::revoked:
      count(revoked);
      break;
    case CloseCause::replaced:
      count(replaced);
      break;
    case CloseCause::violation:
      ++violations[std::size_t(reason.violation)];
      break;
    case CloseCause::limit: // counted where it was decided
      break;
    default:
      if (peer.stage == Stage::stranger) count(strangers_gone);
    }
    log_end(peer, reason);
    if (reason.cause == CloseCause::violation) alarm(peer.info, reason);
    if (peer.stage == Stage::waiting || peer.stage == Stage::admitted) {
      if (auto i = nodes.find(peer.node); i != nodes.end() && i->second == peer.info.id) nodes.erase(i);
      if (peer.stage == Stage::admitted)
        await_purge(peer.node);
      else if (auto i = purging.find(peer.node); i != purging.end() && !i->second)
        purged(peer.node); // CAF never met it
    }
    if (peer.has_session && events.closed) events.closed(peer.info, reason);
    // Whoever waited for this one to answer goes on.
    std::vector<std::uint64_t> waiting;
    for (auto& [id, other] : peers)
      if (other.waits_for == peer.info.id) waiting.push_back(id);
    for (auto id : waiting)
      admit(id);
  });
}

void LinkServer::Impl::look_after() {
  auto changed = tls->refresh();
  if (!changed) {
    count(files_refused);
    log("certificates not reloaded, the old ones stay in use: " + changed.error().message);
  }
  cut_revoked();
  auto now = std::chrono::steady_clock::now();
  if (auto more = stranger_lines.held_back(now); more > 0)
    log(std::to_string(more) + " more strangers came and went");
  tell(peer_lines.due(now));
  tell(alarms.due(now));
  std::vector<std::uint64_t> silent_ones;
  for (auto& [id, peer] : peers)
    if (peer.waits_for != 0 && now > peer.probe_until) silent_ones.push_back(peer.waits_for);
  for (auto id : silent_ones)
    if (auto* old = find(id))
      on_thread_of(*old, [](Connection& connection) {
        connection.close(
            {CloseCause::replaced, Violation::none, "does not answer, and the same identity connects anew"});
      });
  timer->expires_after(look_after_interval);
  timer->async_wait([this](const boost::system::error_code& failure) {
    if (!failure && !stopping) look_after();
  });
}

void LinkServer::Impl::cut_revoked() {
  for (auto& [id, peer] : peers)
    if (auto reason = no_longer_good(peer))
      on_thread_of(peer, [reason = std::move(*reason)](Connection& connection) { connection.close(reason); });
}

std::optional<CloseReason> LinkServer::Impl::no_longer_good(const Peer& peer) const {
  if (peer.info.serial.empty()) return {};
  if (!tls->trusts(peer.info.authority))
    return CloseReason{CloseCause::tls, Violation::none, "the authority of its certificate is retired"};
  if (tls->revoked(peer.info.serial))
    return CloseReason{CloseCause::revoked, Violation::none, "certificate revoked"};
  if (std::chrono::steady_clock::now() >= peer.ends)
    return CloseReason{CloseCause::tls, Violation::none, "its certificate has expired"};
  return {};
}

void LinkServer::Impl::stop() {
  control().run_and_wait([this] {
    stopping = true;
    boost::system::error_code ignored;
    timer->cancel(ignored);
    for (auto& acceptor : acceptors) {
      acceptor->socket.close(ignored);
      acceptor->pause.cancel(ignored);
    }
  });
  for (auto& thread : threads)
    thread->run_and_wait([&] {
      for (const auto& connection : thread->connections())
        connection->close({CloseCause::local, Violation::none, "shutting down"});
    });
  // Everything that the closing sent to the control thread is done when this is.
  control().run_and_wait([] {});
  caf.cut();
  for (auto& thread : threads)
    thread->stop();
}

LinkServer::LinkServer(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
LinkServer::~LinkServer() { impl_->stop(); }

Result<std::unique_ptr<LinkServer>> LinkServer::start(caf::actor_system& system, LinkServerOptions options,
                                                      LinkServerEvents events) {
  if (auto fit = CafSide::check(system); !fit) return fit.error();
  std::unique_ptr<LinkServer> server{
      new LinkServer{std::make_unique<Impl>(system, std::move(options), std::move(events))}};
  auto listening = server->impl_->listen();
  if (!listening) return listening.error();
  return server;
}

std::vector<std::uint16_t> LinkServer::ports() const {
  std::vector<std::uint16_t> out;
  for (const auto& acceptor : impl_->acceptors) {
    boost::system::error_code failure;
    out.push_back(acceptor->socket.local_endpoint(failure).port());
  }
  return out;
}

void LinkServer::close(std::uint64_t connection, std::string why) {
  impl_->on_control([impl = impl_.get(), connection, why = std::move(why)] {
    if (auto* peer = impl->find(connection))
      impl->on_thread_of(*peer, [why](Connection& c) { c.close({CloseCause::local, Violation::none, why}); });
  });
}

void LinkServer::close_identity(const Identity& identity, CloseCause cause, std::string why) {
  auto plain = identity;
  plain.admin = false;
  impl_->on_control([impl = impl_.get(), key = to_uri(plain), cause, why = std::move(why)] {
    for (auto& [id, peer] : impl->peers)
      if (peer.key == key)
        impl->on_thread_of(peer, [=](Connection& c) { c.close({cause, Violation::none, why}); });
  });
}

Result<void> LinkServer::reload() {
  auto done = impl_->tls->reload();
  if (!done) impl_->count(Impl::files_refused);
  if (done) impl_->on_control([impl = impl_.get()] { impl->cut_revoked(); });
  return done;
}

std::vector<ConnectionInfo> LinkServer::connections() const {
  std::vector<ConnectionInfo> out;
  impl_->control().run_and_wait([&] {
    for (const auto& [id, peer] : impl_->peers)
      if (peer.has_session) out.push_back(peer.info);
  });
  return out;
}

LinkCounters LinkServer::counters() const {
  static constexpr const char* names[] = {
      "accepted",      "refused.strangers", "refused.address", "strangers.gone",
      "tls.failed",    "deadline",          "authenticated",   "enrolments",
      "admitted",      "refused.identity",  "refused.session", "clones",
      "replaced",      "revoked",           "silent",          "slow",
      "accept.failed", "log.held_back",     "files.refused"};
  static_assert(std::size(names) == Impl::counts);
  LinkCounters out;
  for (std::size_t i = 0; i < Impl::counts; ++i)
    out.emplace_back(names[i], impl_->counters[i]);
  for (std::size_t i = 1; i < impl_->violations.size(); ++i)
    out.emplace_back(std::string{"violation."} + to_string(Violation(i)), impl_->violations[i]);
  const auto& traffic = impl_->traffic;
  out.emplace_back("bytes.in", traffic.bytes_in);
  out.emplace_back("bytes.out", traffic.bytes_out);
  out.emplace_back("frames.in", traffic.frames_in);
  out.emplace_back("frames.out", traffic.frames_out);
  out.emplace_back("frames.dropped", traffic.frames_dropped);
  return out;
}

} // namespace iris
