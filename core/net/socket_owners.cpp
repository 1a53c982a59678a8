#include "core/net/socket_owners.hpp"

#include "core/base/hash.hpp"

#include <algorithm>

namespace iris {
namespace {

/// How well an entry fits, 0: not at all.
int fit(const SocketUse& use, const IpAddress& local, const IpAddress& remote, std::uint16_t remote_port) {
  int score = 1;
  if (use.local != IpAddress{}) {
    if (use.local != local) return 0;
    score += 2;
  }
  if (use.remote_port == 0) return score;
  if (use.remote == remote && use.remote_port == remote_port) return score + 4;
  // One port can be the local one of several: of calls, and of what is masqueraded behind the gateway's
  // address. A UDP socket is told once for each remote side.
  return 0;
}

} // namespace

std::uint64_t SocketOwners::key(std::string_view container, std::uint8_t protocol, std::uint16_t port) {
  return hash64(container, std::uint64_t(protocol) << 16 | port);
}

void SocketOwners::forget(std::unordered_map<std::uint64_t, Port>::iterator port) {
  size_ -= port->second.entries.size();
  ages_.erase(port->second.age);
  ports_.erase(port);
}

void SocketOwners::opened(SocketUse use) {
  if (use.local_port == 0) return;
  if (use.exe.size() > exe_limit) use.exe.resize(exe_limit);
  // ::ffff:0.0.0.0 is "any" too.
  if (use.local == IpAddress::v4(0)) use.local = {};
  const auto id = key(use.host_network ? std::string_view{} : use.container, use.protocol, use.local_port);
  auto port = ports_.find(id);
  if (port == ports_.end()) {
    port = ports_.emplace(id, Port{}).first;
    port->second.age = ages_.insert(ages_.end(), id);
  } else {
    ages_.splice(ages_.end(), ages_, port->second.age);
  }
  auto& entries = port->second.entries;
  auto same = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    const auto& known = entry.use;
    return known.local == use.local && known.remote == use.remote && known.remote_port == use.remote_port &&
           known.container == use.container && (known.pid == use.pid || use.pid == 0) && entry.until == 0;
  });
  if (same != entries.end()) return;
  if (entries.size() >= uses_of_port) {
    entries.erase(entries.begin());
    --size_;
  }
  entries.push_back({std::move(use), 0});
  ++size_;
  while (size_ > limit_ && ages_.front() != id) {
    auto oldest = ports_.find(ages_.front());
    evicted_ += oldest->second.entries.size();
    forget(oldest);
  }
}

void SocketOwners::closed(const SocketUse& use) {
  auto port =
      ports_.find(key(use.host_network ? std::string_view{} : use.container, use.protocol, use.local_port));
  if (port == ports_.end()) return;
  for (auto& entry : port->second.entries)
    if (entry.use.listening && entry.until == 0 && entry.use.container == use.container &&
        (entry.use.local == use.local || use.local == IpAddress::v4(0) || use.local == IpAddress{}))
      entry.until = use.at;
}

void SocketOwners::container_gone(std::string_view container) {
  if (container.empty()) return;
  for (auto it = ports_.begin(); it != ports_.end();) {
    auto port = it++;
    auto& entries = port->second.entries;
    size_ -= std::erase_if(entries, [&](const Entry& entry) { return entry.use.container == container; });
    if (entries.empty()) forget(port);
  }
}

const SocketUse* SocketOwners::find(std::string_view container, std::uint8_t protocol, const IpAddress& local,
                                    std::uint16_t local_port, const IpAddress& remote,
                                    std::uint16_t remote_port, Timestamp at) const {
  auto port = ports_.find(key(container, protocol, local_port));
  if (port == ports_.end()) return nullptr;
  const SocketUse* best = nullptr;
  int best_fit = 0;
  for (const auto& entry : port->second.entries) {
    if (entry.use.at > at + slack || (entry.until != 0 && entry.until + slack < at)) continue;
    const int how = fit(entry.use, local, remote, remote_port);
    if (how == 0 || how < best_fit || (how == best_fit && best->at > entry.use.at)) continue;
    best = &entry.use;
    best_fit = how;
  }
  return best;
}

} // namespace iris
