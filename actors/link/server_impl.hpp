#pragma once
#include "actors/link/server.hpp"

#include "actors/link/caf_side.hpp"
#include "actors/link/connection.hpp"
#include "actors/link/log_limit.hpp"
#include "core/link/repeat_limit.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

namespace iris {

using SharedConnection = std::shared_ptr<Connection>;

/// Everything but the counters lives on the control thread (the first pump thread).
struct LinkServer::Impl final : public ConnectionOwner {
  enum class Stage { stranger, enrolling, authenticated, waiting, admitted };
  struct Peer {
    SharedConnection connection;
    ConnectionInfo info;
    std::string address; ///< see address_group()
    std::string key;     ///< identity without rights; empty for strangers
    NodeId node{};
    Stage stage = Stage::stranger;
    bool has_session = false;
    bool counts_as_stranger = true;
    /// When its certificate has expired; on a clock that nobody sets.
    std::chrono::steady_clock::time_point ends = std::chrono::steady_clock::time_point::max();
    std::uint64_t waits_for = 0; ///< the connection that is probed for this one
    std::chrono::steady_clock::time_point probe_until{};
  };
  struct Acceptor {
    boost::asio::ip::tcp::acceptor socket;
    boost::asio::steady_timer pause;
  };
  enum Count : std::size_t {
    accepted,
    refused_total,
    refused_address,
    strangers_gone,
    tls_failed,
    deadline_missed,
    authenticated,
    enrolments,
    admitted,
    refused_by_limit,
    refused_by_owner,
    clones,
    replaced,
    revoked,
    silent,
    slow,
    accept_failed,
    lines_held_back,
    files_refused,
    counts,
  };

  Impl(caf::actor_system& system, LinkServerOptions options, LinkServerEvents events);

  Result<void> listen();
  void stop();
  void accept(Acceptor& acceptor);
  void take(boost::asio::ip::tcp::socket socket, PumpThread& thread);
  bool make_room(const std::string& address);
  void let_go(std::uint64_t stranger);
  void no_stranger(Peer& peer);
  void remember(const std::string& address);
  [[nodiscard]] bool known(const std::string& address) const;
  void look_after();  ///< four times a second: files, probes
  void cut_revoked(); ///< and who is expired
  [[nodiscard]] std::optional<CloseReason> no_longer_good(const Peer& peer) const;
  [[nodiscard]] std::size_t most_of(const Identity& identity) const;

  void on_established(const SharedConnection& connection) override;
  void on_node(const SharedConnection& connection, const NodeId& node) override;
  void on_line(const SharedConnection& connection, std::string line) override;
  void on_pong(const SharedConnection& connection) override;
  void on_closed(const SharedConnection& connection, const CloseReason& reason) override;

  // server_admission.cpp
  void admit(std::uint64_t id);
  void open_session(Peer& peer);
  void refuse(Peer& peer, CloseReason reason, bool tell = false);
  void await_purge(const NodeId& node);
  void purged(const NodeId& node);

  PumpThread& control() { return *threads.front(); }
  template <class Task>
  void on_control(Task task) {
    boost::asio::dispatch(control().io(), std::move(task));
  }
  void on_thread_of(const Peer& peer, std::function<void(Connection&)> task);
  Peer* find(std::uint64_t id);
  void count(Count what) { ++counters[what]; }
  void log(std::string line);
  void log_end(const Peer& peer, const CloseReason& reason);
  void alarm(const ConnectionInfo& info, const CloseReason& reason);
  void tell(std::vector<RepeatLimit<std::string>::Due> lines);
  void tell(std::vector<RepeatLimit<std::pair<ConnectionInfo, CloseReason>>::Due> alarms);

  CafSide caf;
  LinkServerOptions options;
  LinkServerEvents events;
  std::shared_ptr<TlsContext> tls;
  std::vector<std::unique_ptr<PumpThread>> threads;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::unique_ptr<boost::asio::steady_timer> timer;
  std::unordered_map<std::uint64_t, Peer> peers;
  std::map<std::string, std::set<std::uint64_t>> strangers; ///< by address; the oldest first
  std::set<std::uint64_t> newcomers;    ///< strangers whose address is not known; the oldest first
  std::set<std::string> lately, before; ///< addresses that authenticated, two generations
  std::size_t stranger_count = 0;
  std::map<std::string, std::size_t> of_identity; ///< connections by Peer::key
  std::map<NodeId, std::uint64_t> nodes;          ///< admitted or being admitted
  std::map<NodeId, bool> purging;                 ///< closed, but CAF still knows them
  std::array<std::atomic<std::uint64_t>, counts> counters{};
  std::array<std::atomic<std::uint64_t>, std::size_t(Violation::unanswered) + 1> violations{};
  ConnectionCounters traffic;
  LogLimit stranger_lines{options.stranger_lines};
  RepeatLimit<std::string> peer_lines{options.repeat_pause};
  RepeatLimit<std::pair<ConnectionInfo, CloseReason>> alarms{options.repeat_pause};
  bool stopping = false;
};

} // namespace iris
