#include "node/sources/socket_source.hpp"

#include "core/process/container_id.hpp"
#include "node/sources/node_clock.hpp"
#include "node/sources/proc_net.hpp"
#include "node/sources/process_files.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <pthread.h>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>

namespace iris {
namespace {

constexpr std::size_t file_limit = 8u << 20;     ///< bytes of one table of sockets
constexpr std::size_t descriptor_limit = 65'536; ///< looked at for owners, one look
constexpr std::size_t member_limit = 4'096;      ///< processes of containers

struct Member {
  std::uint32_t pid = 0;
  std::string container;
};
struct Owner {
  std::uint32_t pid = 0;
  const std::string* container = nullptr;
};

std::string read_file(const std::string& path, std::size_t limit) {
  std::string out;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return out;
  std::size_t used = 0;
  while (used < limit) {
    out.resize(std::min(limit, used + 65'536));
    const auto count = ::read(file, out.data() + used, out.size() - used);
    if (count <= 0) break;
    used += std::size_t(count);
  }
  out.resize(used);
  ::close(file);
  return out;
}

std::string link(const std::string& path) {
  char buffer[4096];
  const auto count = ::readlink(path.c_str(), buffer, sizeof buffer);
  return count > 0 ? std::string(buffer, std::size_t(count)) : std::string{};
}

template <class Visit>
void each_number(const std::string& folder, Visit visit) {
  DIR* all = ::opendir(folder.c_str());
  if (all == nullptr) return;
  while (const dirent* entry = ::readdir(all)) {
    char* end = nullptr;
    const auto number = std::strtoul(entry->d_name, &end, 10);
    if (end != entry->d_name && *end == '\0' && !visit(std::uint32_t(number))) break;
  }
  ::closedir(all);
}

std::string proc(std::uint32_t pid, const char* what) { return "/proc/" + std::to_string(pid) + what; }

class Look {
public:
  Look(SocketSourceStatistics& statistics, std::unordered_set<std::uint64_t>& unconnected)
      : statistics_{statistics}, before_{unconnected} {}

  std::vector<SocketEvent> take() {
    gather();
    const auto host_net = host_network_namespace();
    for (auto& [net, members] : spaces_) {
      const bool host = net == host_net;
      const bool alone = std::all_of(members.begin(), members.end(), [&](const Member& member) {
        return member.container == members.front().container;
      });
      look(members, host, alone && !host);
    }
    statistics_.namespaces = spaces_.size();
    statistics_.sockets = out_.size();
    ++statistics_.looks;
    if (cut_) ++statistics_.cut;
    before_ = std::move(unconnected_);
    return std::move(out_);
  }

private:
  /// The processes of containers, by the inode of their network namespace. Where that may not be looked at,
  /// each container counts as one.
  void gather() {
    std::map<std::string, std::uint64_t> hidden;
    std::size_t members = 0;
    each_number("/proc", [&](std::uint32_t pid) {
      if (pid == std::uint32_t(::getpid())) return true;
      auto container = container_id_of_proc(read_file(proc(pid, "/cgroup"), 65'536));
      if (container.empty()) return true;
      struct stat status {};
      std::uint64_t net = 0;
      if (::stat(proc(pid, "/ns/net").c_str(), &status) == 0)
        net = status.st_ino;
      else
        net = hidden.try_emplace(container, ~std::uint64_t(hidden.size())).first->second;
      spaces_[net].push_back({pid, std::move(container)});
      cut_ |= ++members >= member_limit;
      return members < member_limit;
    });
  }

  void look(const std::vector<Member>& members, bool host, bool alone) {
    std::vector<ProcSocket> sockets;
    for (const auto& [name, protocol] : {std::pair{"/net/tcp", 6}, std::pair{"/net/tcp6", 6},
                                         std::pair{"/net/udp", 17}, std::pair{"/net/udp6", 17}}) {
      const auto file = read_file(proc(members.front().pid, name), file_limit);
      cut_ |= file.size() >= file_limit;
      for (const auto& socket : parse_proc_net(file, std::uint8_t(protocol)))
        if (socket.inode != 0 && (awaits_callers(socket) || (host && socket.remote_port != 0)))
          sockets.push_back(socket);
    }
    if (sockets.empty()) return;
    const auto owners = owners_of(members);
    for (const auto& socket : sockets) {
      if (socket.protocol == 17 && socket.remote_port == 0) {
        unconnected_.insert(socket.inode);
        if (!before_.contains(socket.inode)) continue;
      }
      const auto owner = owners.find(socket.inode);
      if (owner == owners.end() && !alone) continue; // the host's own, or hidden
      SocketEvent event;
      event.looked_up = true;
      event.action = awaits_callers(socket) ? SocketAction::listening : SocketAction::called;
      auto& use = event.use;
      use.protocol = socket.protocol;
      use.host_network = host;
      use.listening = event.action == SocketAction::listening;
      use.local = socket.local;
      use.local_port = socket.local_port;
      if (!use.listening) use.remote = socket.remote, use.remote_port = socket.remote_port;
      use.container = owner == owners.end() ? members.front().container : *owner->second.container;
      if (owner != owners.end()) {
        use.pid = owner->second.pid;
        use.exe = link(proc(use.pid, "/exe"));
      }
      use.at = node_clock().now();
      out_.push_back(std::move(event));
    }
  }

  /// Who has which socket, by the descriptors of these processes. Needs CAP_SYS_PTRACE.
  std::unordered_map<std::uint64_t, Owner> owners_of(const std::vector<Member>& members) {
    std::unordered_map<std::uint64_t, Owner> owners;
    for (const auto& member : members) {
      const auto folder = proc(member.pid, "/fd/");
      each_number(folder, [&](std::uint32_t descriptor) {
        if (++descriptors_ > descriptor_limit) {
          cut_ = true;
          return false;
        }
        const auto target = link(folder + std::to_string(descriptor));
        if (target.starts_with("socket:["))
          owners.try_emplace(std::strtoull(target.c_str() + 8, nullptr, 10),
                             Owner{member.pid, &member.container});
        return true;
      });
    }
    return owners;
  }

  SocketSourceStatistics& statistics_;
  std::unordered_set<std::uint64_t>&before_, unconnected_;
  std::map<std::uint64_t, std::vector<Member>> spaces_;
  std::vector<SocketEvent> out_;
  std::size_t descriptors_ = 0;
  bool cut_ = false;
};

class Source final : public SocketSource {
public:
  Source(const SocketSourceOptions& options, std::function<void(std::vector<SocketEvent>)> deliver)
      : window_{options.window}, windows_{options.windows}, deliver_{std::move(deliver)}, thread_{[this] {
          run();
        }} {
    ::pthread_setname_np(thread_.native_handle(), "iris-sockets");
  }
  ~Source() override {
    {
      const std::lock_guard guard{lock_};
      stop_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  void set_window(Duration window) override {
    const std::lock_guard guard{lock_};
    window_ = std::max(window, millisecond);
  }
  void look_soon() override {
    const std::lock_guard guard{lock_};
    soon_ = 2;
    changed_.notify_one();
  }
  SocketSourceStatistics statistics() const override {
    const std::lock_guard guard{lock_};
    return shown_;
  }

private:
  void run() {
    SocketSourceStatistics statistics;
    std::unordered_set<std::uint64_t> unconnected;
    std::unique_lock guard{lock_};
    while (!stop_) {
      guard.unlock();
      auto sockets = look_at_sockets(statistics, unconnected);
      if (!sockets.empty()) deliver_(std::move(sockets));
      guard.lock();
      shown_ = statistics;
      const bool hurried = soon_ > 0;
      if (hurried) --soon_;
      changed_.wait_for(guard,
                        std::chrono::nanoseconds{hurried ? std::min(window_, soon) : window_ * windows_},
                        [&] { return stop_ || (!hurried && soon_ > 0); });
    }
  }

  static constexpr Duration soon = 2 * second;
  Duration window_;
  int windows_;
  int soon_ = 1; ///< looks that follow on this one without a long pause
  std::function<void(std::vector<SocketEvent>)> deliver_;
  mutable std::mutex lock_;
  std::condition_variable changed_;
  bool stop_ = false;
  SocketSourceStatistics shown_;
  std::thread thread_; ///< last: it uses all of the above
};

} // namespace

std::vector<SocketEvent> look_at_sockets(SocketSourceStatistics& statistics,
                                         std::unordered_set<std::uint64_t>& unconnected) {
  return Look{statistics, unconnected}.take();
}

std::unique_ptr<SocketSource> SocketSource::start(const SocketSourceOptions& options,
                                                  std::function<void(std::vector<SocketEvent>)> deliver) {
  return std::make_unique<Source>(options, std::move(deliver));
}

} // namespace iris
