#include "actors/link/client.hpp"

#include "actors/link/caf_side.hpp"
#include "actors/link/connection.hpp"
#include "actors/link/endpoint.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <ctime>
#include <random>

namespace iris {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds purge_poll{5};
constexpr std::chrono::milliseconds shortest_wait{20};
constexpr std::chrono::seconds files_interval{1};
constexpr std::chrono::seconds counts_as_success{10}; ///< a connection that lasted this long
constexpr unsigned most_doublings = 16;

} // namespace

/// Everything but the counters lives on the pump thread. One attempt, connection or wait at a time.
struct LinkClient::Impl final : public ConnectionOwner {
  Impl(caf::actor_system& system, LinkClientOptions given, LinkClientEvents handlers)
      : caf{system}, options{std::move(given)}, events{std::move(handlers)},
        thread{std::make_unique<PumpThread>()}, timer{thread->io()},
        files_timer{thread->io()}, resolver{thread->io()}, socket{thread->io()} {}

  void attempt();
  void refresh_files();
  void refresh_addresses();
  void watch_files(); ///< also while connected: whoever damaged a file should hear of it now
  void dial(const tcp::resolver::results_type& places);
  void begin();
  void failed(CloseReason reason);
  void wait(bool at_most);
  void after_purge(const NodeId& node, bool at_most);
  void stop();

  void on_established(const std::shared_ptr<Connection>& connection) override;
  void on_node(const std::shared_ptr<Connection>&, const NodeId&) override {
    // nop: only servers are told
  }
  void on_line(const std::shared_ptr<Connection>&, std::string) override {
    // nop: only enrolment speaks in lines
  }
  void on_pong(const std::shared_ptr<Connection>&) override {
    // nop: only servers probe
  }
  void on_closed(const std::shared_ptr<Connection>& connection, const CloseReason& reason) override;

  template <class Task>
  auto if_current(Task task) {
    return [this, task, round = round](auto&&... arguments) {
      if (round == this->round && !stopping) task(std::forward<decltype(arguments)>(arguments)...);
    };
  }

  CafSide caf;
  LinkClientOptions options;
  LinkClientEvents events;
  std::shared_ptr<TlsContext> tls;
  std::unique_ptr<PumpThread> thread;
  asio::steady_timer timer, files_timer;
  tcp::resolver resolver;
  tcp::socket socket;
  std::shared_ptr<Connection> connection;
  Identity server;
  std::string address;
  std::string shown; ///< serial of our certificate that the present connection began with
  std::size_t next_address = 0;
  std::string addresses_fault; ///< as told
  unsigned failures = 0;
  std::uint64_t round = 0; ///< what belongs to an earlier one is ignored
  bool up = false, stopping = false;
  bool later = false; ///< whoever left asked for a long pause
  std::chrono::steady_clock::time_point up_since;
  std::mt19937_64 random{std::random_device{}()};
  std::atomic<std::uint64_t> attempts{0}, ups{0}, downs{0}, failed_attempts{0}, files_refused{0};
  ConnectionCounters traffic;
};

void LinkClient::Impl::refresh_files() {
  auto fresh = tls->refresh();
  if (fresh) return;
  ++files_refused;
  events.failed({CloseCause::tls, Violation::none,
                 "files not reloaded, the old ones stay in use: " + fresh.error().message},
                "");
}

void LinkClient::Impl::refresh_addresses() {
  if (!options.read_addresses) return;
  auto fresh = options.read_addresses();
  if (fresh && !fresh->empty()) {
    addresses_fault.clear();
    options.addresses = std::move(*fresh);
  } else if (!fresh && std::exchange(addresses_fault, fresh.error().message) != fresh.error().message) {
    events.failed({CloseCause::unreachable, Violation::none,
                   "addresses not read again, the old ones stay in use: " + addresses_fault},
                  "");
  }
}

void LinkClient::Impl::watch_files() {
  refresh_files();
  files_timer.expires_after(files_interval);
  files_timer.async_wait([this](const boost::system::error_code& failure) {
    if (!failure && !stopping) watch_files();
  });
}

void LinkClient::Impl::attempt() {
  ++round;
  ++attempts;
  connection = nullptr;
  up = false;
  refresh_files();
  refresh_addresses();
  address = options.addresses[next_address++ % options.addresses.size()];
  auto place = parse_endpoint(address);
  if (!place) return failed({CloseCause::unreachable, Violation::none, place.error().message});
  timer.expires_after(options.timing.handshake);
  timer.async_wait(if_current([this](const boost::system::error_code& failure) {
    if (failure) return;
    resolver.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
    failed({CloseCause::unreachable, Violation::none, "no answer in time"});
  }));
  resolver.async_resolve(place->host, std::to_string(place->port),
                         if_current([this](const boost::system::error_code& failure, const auto& places) {
                           if (failure)
                             return failed({CloseCause::unreachable, Violation::none, failure.message()});
                           dial(places);
                         }));
}

void LinkClient::Impl::dial(const tcp::resolver::results_type& places) {
  socket = tcp::socket{thread->io()};
  asio::async_connect(socket, places,
                      if_current([this](const boost::system::error_code& failure, const auto&) {
                        if (failure)
                          return failed({CloseCause::unreachable, Violation::none, failure.message()});
                        begin();
                      }));
}

void LinkClient::Impl::begin() {
  ++round; // ends the attempt's deadline: the connection has its own
  shown = tls->serial();
  auto ssl = tls->make();
  if (!ssl) return failed({CloseCause::tls, Violation::none, "out of memory"});
  connection = std::make_shared<Connection>(round, *thread, std::move(socket), std::move(ssl), options.timing,
                                            *this, traffic);
  connection->start();
}

void LinkClient::Impl::on_established(const std::shared_ptr<Connection>& established) {
  auto certificate = peer_certificate(established->tls().ssl());
  if (!certificate)
    return established->close({CloseCause::tls, Violation::none, certificate.error().message});
  server = certificate->identity;
  if (server.role != Role::cloud)
    return established->close(
        {CloseCause::tls, Violation::none, "the server is " + to_uri(server) + ", not a cloud"});
  if (established->tls().alpn() != alpn_link)
    return established->close({CloseCause::tls, Violation::none, "the server speaks another protocol"});
  auto own = tls->identity().role;
  GuardOptions guard;
  guard.side = Side::client;
  guard.peer = server.role;
  guard.own = caf.own_node();
  guard.inwards = options.from_cloud.empty() ? wire_types(own, false) : options.from_cloud;
  guard.outwards = options.to_cloud.empty() ? wire_types(own, true) : options.to_cloud;
  established->begin_link(std::move(guard));
  auto scribe = caf.make_scribe(established);
  established->attach(scribe);
  caf.connect(scribe, options.timing.handshake,
              [this, round = round](const caf::strong_actor_ptr& session, const std::string& why) {
                asio::post(thread->io(), [this, round, session, why] {
                  if (round != this->round || stopping || !connection || connection->closed()) return;
                  if (!session) return connection->close({CloseCause::unreachable, Violation::none, why});
                  up = true;
                  up_since = std::chrono::steady_clock::now();
                  ++ups;
                  events.up(session, server, address);
                });
              });
}

void LinkClient::Impl::on_closed(const std::shared_ptr<Connection>& closed, const CloseReason& reason) {
  if (closed != connection) return;
  auto was_up = std::exchange(up, false);
  // Whoever is told such a thing gains nothing by asking again soon.
  auto asked = std::exchange(later, false);
  auto at_most = asked || reason.cause == CloseCause::clone || reason.cause == CloseCause::revoked ||
                 reason.cause == CloseCause::refused;
  auto told = reason;
  if (reason.cause == CloseCause::revoked || reason.cause == CloseCause::tls) {
    refresh_files();
    if (was_up && tls->serial() != shown) { // it ended with the certificate before the present one
      at_most = false;
      failures = 0;
      told = {CloseCause::local, Violation::none, "it ends with the certificate that was renewed since"};
    }
  }
  if (was_up && std::chrono::steady_clock::now() - up_since >= counts_as_success) failures = 0;
  if (was_up) {
    ++downs;
    if (!stopping) events.down(told);
  } else {
    ++failed_attempts;
    if (reason.cause == CloseCause::tls || reason.cause == CloseCause::peer_closed)
      told.detail += tls->about_dates(std::time(nullptr));
    if (!stopping) events.failed(told, address);
  }
  const auto* guard = closed->guard();
  if (guard && guard->peer_node()) return after_purge(*guard->peer_node(), at_most);
  wait(at_most);
}

void LinkClient::Impl::failed(CloseReason reason) {
  ++failed_attempts;
  ++round;
  events.failed(reason, address);
  wait(false);
}

/// CAF must have forgotten the server, else it would take the next connection for a redundant one.
void LinkClient::Impl::after_purge(const NodeId& node, bool at_most) {
  caf.ask_purged(node, [this, node, at_most](bool gone) {
    asio::post(thread->io(), [this, node, at_most, gone] {
      if (stopping) return;
      if (gone) return wait(at_most);
      timer.expires_after(purge_poll);
      timer.async_wait([this, node, at_most](const boost::system::error_code&) {
        if (!stopping) after_purge(node, at_most);
      });
    });
  });
}

void LinkClient::Impl::wait(bool at_most) {
  if (stopping) return;
  auto most = options.backoff_most;
  auto ceiling = at_most ? most : std::min(most, options.backoff_least * (std::int64_t{1} << failures));
  failures = std::min(failures + 1, most_doublings);
  std::uniform_int_distribution<std::int64_t> spread{0, std::max<std::int64_t>(ceiling.count(), 1)};
  auto pause = std::max(shortest_wait, std::chrono::milliseconds{spread(random)});
  timer.expires_after(pause);
  timer.async_wait([this, round = round](const boost::system::error_code&) {
    if (!stopping && round == this->round) attempt();
  });
}

void LinkClient::Impl::stop() {
  thread->run_and_wait([this] {
    stopping = true;
    boost::system::error_code ignored;
    timer.cancel(ignored);
    files_timer.cancel(ignored);
    resolver.cancel();
    socket.close(ignored);
    if (connection) connection->close({CloseCause::local, Violation::none, "shutting down"});
  });
  caf.cut();
  thread->stop();
}

LinkClient::LinkClient(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
LinkClient::~LinkClient() { impl_->stop(); }

Result<std::unique_ptr<LinkClient>> LinkClient::start(caf::actor_system& system, LinkClientOptions options,
                                                      LinkClientEvents events) {
  if (options.addresses.empty()) return Error{Errc::invalid, "link: no address of a cloud to connect to"};
  if (auto fit = CafSide::check(system); !fit) return fit.error();
  auto context = TlsContext::load(TlsContext::Use::client, options.tls);
  if (!context) return context.error();
  auto impl = std::make_unique<Impl>(system, std::move(options), std::move(events));
  impl->tls = *context;
  asio::post(impl->thread->io(), [impl = impl.get()] {
    impl->watch_files();
    impl->attempt();
  });
  return std::unique_ptr<LinkClient>{new LinkClient{std::move(impl)}};
}

void LinkClient::leave(std::string why, bool later) {
  asio::post(impl_->thread->io(), [impl = impl_.get(), why = std::move(why), later] {
    if (!impl->connection || impl->connection->closed()) return;
    impl->later = later;
    impl->connection->close({CloseCause::local, Violation::none, why});
  });
}

Identity LinkClient::identity() const { return impl_->tls->identity(); }

LinkCounters LinkClient::counters() const {
  const auto& traffic = impl_->traffic;
  return {{"attempts", impl_->attempts},
          {"up", impl_->ups},
          {"down", impl_->downs},
          {"failed", impl_->failed_attempts},
          {"files.refused", impl_->files_refused},
          {"bytes.in", traffic.bytes_in},
          {"bytes.out", traffic.bytes_out},
          {"frames.in", traffic.frames_in},
          {"frames.out", traffic.frames_out},
          {"frames.dropped", traffic.frames_dropped}};
}

} // namespace iris
