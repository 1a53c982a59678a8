#include "actors/link/server_impl.hpp"

#include <boost/asio/post.hpp>

namespace iris {

namespace {

constexpr std::chrono::milliseconds purge_poll{5};

} // namespace

/// Decides about a peer that is authenticated and has named its node. Called again whenever something that it
/// waited for has happened; its own handshake deadline ends the waiting at the latest.
void LinkServer::Impl::admit(std::uint64_t id) {
  auto* peer = find(id);
  if (!peer || peer->stage == Stage::admitted || stopping) return;
  peer->waits_for = 0;
  if (peer->stage != Stage::waiting) {
    peer->stage = Stage::waiting;
    if (auto same_node = nodes.find(peer->node); same_node != nodes.end()) {
      auto* old = find(same_node->second);
      if (old && old->key != peer->key)
        return refuse(*peer, {CloseCause::violation, Violation::node_taken, "node id of " + old->key});
      if (old) {
        nodes.erase(same_node);
        on_thread_of(*old, [](Connection& connection) {
          connection.close({CloseCause::replaced, Violation::none, "the same process connected anew"});
        });
        purging[old->node] = false; // until on_closed() of the old one starts asking
      }
    }
    nodes[peer->node] = id;
  }
  if (purging.contains(peer->node)) return; // purged() comes back here
  std::size_t others = 0;
  Peer* old = nullptr;
  for (auto& [other_id, other] : peers) {
    if (other_id == id || other.key != peer->key || other.node == peer->node) continue;
    if (other.stage != Stage::admitted && other.stage != Stage::waiting) continue;
    ++others;
    old = &other;
  }
  if (peer->info.identity.role == Role::operator_) {
    if (others >= options.max_per_operator)
      return refuse(*peer, {CloseCause::limit, Violation::none, "too many connections of this operator"});
    return open_session(*peer);
  }
  if (!old) return open_session(*peer);
  if (old->stage == Stage::waiting)
    return refuse(
        *peer, {CloseCause::limit, Violation::none, "another connection of this identity is being admitted"});
  peer->waits_for = old->info.id;
  peer->probe_until = std::chrono::steady_clock::now() + options.timing.probe;
  on_thread_of(*old, [](Connection& connection) { connection.ping(); });
}

void LinkServer::Impl::on_pong(const SharedConnection& connection) {
  on_control([this, id = connection->id()] {
    for (auto& [other_id, peer] : peers) {
      if (peer.waits_for != id) continue;
      peer.waits_for = 0;
      count(clones);
      refuse(peer,
             {CloseCause::clone, Violation::none, "a machine with this identity is connected and answers"},
             true);
      return;
    }
  });
}

void LinkServer::Impl::open_session(Peer& peer) {
  // The list may have changed since the handshake, when this thread did not know the serial yet.
  if (auto reason = no_longer_good(peer)) return refuse(peer, std::move(*reason));
  auto session = events.open(peer.info);
  if (!session) {
    count(refused_by_owner);
    return refuse(peer, {CloseCause::refused, Violation::none, "no session for it"});
  }
  peer.has_session = true;
  peer.stage = Stage::admitted;
  count(admitted);
  auto scribe = caf.make_scribe(peer.connection);
  on_thread_of(peer, [scribe](Connection& connection) { connection.attach(scribe); });
  caf.publish(scribe, std::move(session));
}

void LinkServer::Impl::refuse(Peer& peer, CloseReason reason, bool tell) {
  if (reason.cause == CloseCause::limit) count(refused_by_limit);
  if (tell) alarm(peer.info, reason);
  on_thread_of(peer, [reason = std::move(reason)](Connection& connection) { connection.close(reason); });
}

void LinkServer::Impl::await_purge(const NodeId& node) {
  purging[node] = true;
  caf.ask_purged(node, [this, node](bool gone) {
    on_control([this, node, gone] {
      if (gone) return purged(node);
      if (stopping) return;
      auto wait = std::make_shared<boost::asio::steady_timer>(control().io(), purge_poll);
      wait->async_wait([this, node, wait](const boost::system::error_code& failure) {
        if (!failure && !stopping) await_purge(node);
      });
    });
  });
}

void LinkServer::Impl::purged(const NodeId& node) {
  purging.erase(node);
  if (auto i = nodes.find(node); i != nodes.end()) admit(i->second);
}

} // namespace iris
