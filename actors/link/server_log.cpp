#include "actors/link/server_impl.hpp"

/// What the server says of its peers: lines of the log, and alarms; each a limited number of times.
namespace iris {

void LinkServer::Impl::log(std::string line) {
  if (events.log) events.log(std::move(line));
}

void LinkServer::Impl::log_end(const Peer& peer, const CloseReason& reason) {
  if (reason.cause == CloseCause::local && reason.detail == answered) return; // whoever answered has told it
  const auto now = std::chrono::steady_clock::now();
  auto line = " at " + peer.info.remote + ": " + to_string(reason);
  if (!peer.key.empty()) {
    auto who = to_uri(peer.info.identity); // with its rights
    return tell(peer_lines.take(peer.key + " " + to_string(reason.cause), who + line, now));
  }
  if (stranger_lines.take(now)) return log("stranger" + line);
  count(lines_held_back);
}

void LinkServer::Impl::tell(std::vector<RepeatLimit<std::string>::Due> lines) {
  for (auto& due : lines)
    log(due.count == 1 ? due.last
                       : due.last + " (" + std::to_string(due.count) + " times, the last one shown)");
}

void LinkServer::Impl::alarm(const ConnectionInfo& info, const CloseReason& reason) {
  auto key = to_uri(info.identity) + " " + to_string(reason.cause) + " " + to_string(reason.violation);
  tell(alarms.take(key, {info, reason}, std::chrono::steady_clock::now()));
}

void LinkServer::Impl::tell(std::vector<RepeatLimit<std::pair<ConnectionInfo, CloseReason>>::Due> due) {
  if (!events.alarm) return;
  for (const auto& [last, count] : due)
    events.alarm(last.first, last.second, count);
}

} // namespace iris
