#include "actors/link/server_impl.hpp"

#include "actors/link/endpoint.hpp"

#include <algorithm>

/// Listens, and takes strangers as far as there is room.
namespace iris {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds pause_after_failed_accept{100};
constexpr std::size_t most_known = 8192; ///< addresses of a generation

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

} // namespace

Result<void> LinkServer::Impl::listen() {
  auto context = TlsContext::load(TlsContext::Use::server, options.tls, bool(events.enrol));
  if (!context) return context.error();
  tls = *context;
  if (tls->identity().role != Role::cloud)
    return Error{Errc::refused,
                 options.tls.certificate + ": is of " + to_uri(tls->identity()) + ", not of a cloud"};
  for (const auto& text : options.listen) {
    auto place = parse_endpoint(text);
    if (!place) return place.error();
    boost::system::error_code failure;
    auto address = asio::ip::make_address(place->host, failure);
    if (failure)
      return Error{Errc::invalid, "listen address " + text + ": the host must be a numeric address"};
    auto acceptor = std::make_unique<Acceptor>(
        Acceptor{tcp::acceptor{control().io()}, asio::steady_timer{control().io()}});
    tcp::endpoint endpoint{address, place->port};
    acceptor->socket.open(endpoint.protocol(), failure);
    if (!failure) acceptor->socket.set_option(tcp::acceptor::reuse_address{true}, failure);
    if (!failure) acceptor->socket.bind(endpoint, failure);
    if (!failure) acceptor->socket.listen(1024, failure);
    if (failure) return Error{Errc::unavailable, "cannot listen on " + text + ": " + failure.message()};
    acceptors.push_back(std::move(acceptor));
  }
  on_control([this] {
    for (auto& acceptor : acceptors)
      accept(*acceptor);
    look_after();
  });
  return {};
}

void LinkServer::Impl::accept(Acceptor& acceptor) {
  auto& thread = *std::min_element(threads.begin(), threads.end(), [](const auto& a, const auto& b) {
                    return a->load() < b->load();
                  })->get();
  acceptor.socket.async_accept(
      thread.io(), [this, &acceptor, &thread](const boost::system::error_code& failure, tcp::socket socket) {
        if (stopping || failure == asio::error::operation_aborted) return;
        if (!failure) {
          take(std::move(socket), thread);
          return accept(acceptor);
        }
        // Mostly out of descriptors: what is open may close meanwhile.
        count(accept_failed);
        acceptor.pause.expires_after(pause_after_failed_accept);
        acceptor.pause.async_wait([this, &acceptor](const boost::system::error_code& aborted) {
          if (!aborted && !stopping) accept(acceptor);
        });
      });
}

void LinkServer::Impl::take(tcp::socket socket, PumpThread& thread) {
  count(accepted);
  boost::system::error_code failure;
  auto end = socket.remote_endpoint(failure);
  if (failure) return count(strangers_gone);
  const auto address = address_group(end.address().to_string());
  if (peers.size() >= options.max_connections || !make_room(address)) return count(refused_total);
  auto ssl = tls->make();
  if (!ssl) return count(tls_failed);
  thread.take_load();
  Peer peer;
  peer.info.id = next_id();
  strangers[address].insert(peer.info.id);
  if (!known(address)) newcomers.insert(peer.info.id);
  ++stranger_count;
  peer.address = address;
  peer.connection = std::make_shared<Connection>(peer.info.id, thread, std::move(socket), std::move(ssl),
                                                 options.timing, *this, traffic);
  peer.info.remote = peer.connection->remote();
  peer.info.buffered = peer.connection->buffered();
  on_thread_of(peer, [](Connection& connection) { connection.start(); });
  peers.emplace(peer.info.id, std::move(peer));
}

/// At a limit the oldest goes: whoever is honest needs milliseconds, and who is silent would stay for ten
/// seconds. Those whose address authenticated lately make no room for others.
bool LinkServer::Impl::make_room(const std::string& address) {
  if (auto i = strangers.find(address);
      i != strangers.end() && i->second.size() >= options.max_strangers_per_address) {
    count(refused_address);
    let_go(*i->second.begin());
  }
  if (stranger_count < options.max_strangers) return true;
  if (newcomers.empty()) return false;
  count(refused_total);
  let_go(*newcomers.begin());
  return true;
}

void LinkServer::Impl::let_go(std::uint64_t stranger) {
  auto* peer = find(stranger);
  if (!peer) return;
  no_stranger(*peer);
  on_thread_of(*peer, [](Connection& connection) {
    connection.close({CloseCause::limit, Violation::none, "said nothing for longest when there was no room"});
  });
}

void LinkServer::Impl::no_stranger(Peer& peer) {
  if (!std::exchange(peer.counts_as_stranger, false)) return;
  --stranger_count;
  newcomers.erase(peer.info.id);
  auto i = strangers.find(peer.address);
  if (i == strangers.end()) return;
  i->second.erase(peer.info.id);
  if (i->second.empty()) strangers.erase(i);
}

void LinkServer::Impl::remember(const std::string& address) {
  if (lately.contains(address)) return;
  if (lately.size() >= most_known) {
    before = std::move(lately);
    lately.clear();
  }
  lately.insert(address);
}

bool LinkServer::Impl::known(const std::string& address) const {
  return lately.contains(address) || before.contains(address);
}

} // namespace iris
