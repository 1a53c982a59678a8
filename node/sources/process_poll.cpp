#include "node/sources/process_poll.hpp"

#include "core/base/hash.hpp"
#include "node/sources/process_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fstream>
#include <string_view>
#include <sys/timerfd.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace iris {
namespace {

constexpr long look_every = 250'000'000;    ///< ns
constexpr int looks_of_round = 4;           ///< every so many looks, those that are known are read again
constexpr std::size_t known_limit = 65'536; ///< processes; beyond it new ones are not told, but counted

class ProcessPoll final : public ProcessSensor {
public:
  ~ProcessPoll() override {
    if (timer_ >= 0) ::close(timer_);
  }

  Result<void> open() {
    if (::access("/proc/self/stat", R_OK) != 0)
      return Error{Errc::unavailable, std::string{"cannot look at /proc: "} + std::strerror(errno)};
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    itimerspec every{{0, look_every}, {0, look_every}};
    if (timer_ < 0 || ::timerfd_settime(timer_, 0, &every, nullptr) != 0)
      return Error{Errc::unavailable, std::string{"cannot make a timer: "} + std::strerror(errno)};
    for (const auto& process : read_all_processes())
      known_[process.facts.pid] = {process.start_ticks, mark(process), true};
    forks_ = count_forks();
    return {};
  }

  const char* name() const override { return "procfs"; }
  int descriptor() const override { return timer_; }
  std::uint64_t take_lost() override { return 0; }
  std::uint64_t take_unread() override { return std::exchange(unread_, 0); }
  std::uint64_t take_unseen() override { return std::exchange(unseen_, 0); }
  const std::string& without_sockets() const override {
    static const std::string why = "/proc tells of processes only";
    return why;
  }

  std::size_t drain(ProcessSink& sink) override {
    std::uint64_t expirations = 0;
    if (::read(timer_, &expirations, sizeof expirations) != sizeof expirations) return 0;
    told_ = 0;
    for (auto& [pid, one] : known_)
      one.there = false;
    const bool all = ++looks_ % looks_of_round == 0;
    std::uint64_t begun = 0;
    std::vector<std::uint32_t> fresh;
    if (DIR* proc = ::opendir("/proc"); proc != nullptr) {
      while (const dirent* entry = ::readdir(proc)) {
        char* end = nullptr;
        const auto pid = std::uint32_t(std::strtoul(entry->d_name, &end, 10));
        if (end == entry->d_name || *end != '\0') continue;
        auto found = known_.find(pid);
        if (found == known_.end())
          fresh.push_back(pid);
        else
          found->second.there = true;
        if (found == known_.end() || !all) continue;
        begun += again(pid, found->second, sink);
      }
      ::closedir(proc);
    }
    // Who ended goes first: its pid may be one of the new ones' parents'.
    const auto now = boot_now();
    for (auto it = known_.begin(); it != known_.end();) {
      if (it->second.there) {
        ++it;
        continue;
      }
      if (it->second.mark != 0) {
        sink.on_exit(it->first, 0, now); // how it ended is not to be seen any more
        ++told_;
      }
      it = known_.erase(it);
    }
    std::sort(fresh.begin(), fresh.end()); // mostly parents first
    for (auto pid : fresh)
      begun += begin(pid, sink);
    const auto forks = count_forks();
    if (forks > forks_ + begun) unseen_ += forks - forks_ - begun;
    forks_ = forks;
    return told_;
  }

private:
  struct Known {
    std::uint64_t start_ticks = 0;
    std::uint64_t mark = 0; ///< of what it runs; 0 for a kernel thread
    bool there = false;
  };

  /// The arguments are no part of it, since processes rewrite theirs.
  static std::uint64_t mark(const ProcessFiles& process) {
    if (process.kernel_thread) return 0;
    const auto hash = hash64(process.facts.exe, process.file.inode);
    return hash == 0 ? 1 : hash;
  }

  static std::int64_t boot_now() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::int64_t(now.tv_sec) * second + now.tv_nsec;
  }

  /// Of the whole machine since its start, threads too.
  static std::uint64_t count_forks() {
    std::ifstream stat{"/proc/stat"};
    std::string word;
    while (stat >> word)
      if (word == "processes") {
        std::uint64_t count = 0;
        stat >> count;
        return count;
      }
    return 0;
  }

  void exec(ProcessFiles&& process, ProcessSink& sink, std::int64_t at) {
    SensedExec out;
    // Without CAP_SYS_PTRACE the file is hidden, but not the arguments: the name is the process's own word
    // then.
    if (process.facts.exe.empty() && !process.facts.args.empty())
      process.facts.exe = process.facts.args.front();
    out.unread = process.facts.exe.empty();
    if (out.unread) ++unread_;
    out.facts = std::move(process.facts);
    if (out.unread) out.facts.container.reset();
    out.file = process.file;
    out.boot_at = at;
    sink.on_exec(std::move(out));
    ++told_;
  }

  /// @returns how many it accounts for
  std::uint64_t begin(std::uint32_t pid, ProcessSink& sink) {
    auto process = read_process(pid);
    if (process.start_ticks == 0) return 0; // gone already
    if (known_.size() >= known_limit) return 0;
    known_[pid] = {process.start_ticks, mark(process), true};
    if (process.kernel_thread) return 1;
    const auto at = std::int64_t(process.start_ticks) * (second / ::sysconf(_SC_CLK_TCK));
    sink.on_fork(process.facts.parent_pid, pid, at);
    exec(std::move(process), sink, at);
    return 1;
  }

  /// One that was there: it may run another program now, or its pid may be another process's.
  std::uint64_t again(std::uint32_t pid, Known& known, ProcessSink& sink) {
    auto process = read_process(pid);
    if (process.start_ticks == 0 || process.kernel_thread) return 0;
    if (process.start_ticks != known.start_ticks) {
      sink.on_exit(pid, 0, boot_now());
      known = {process.start_ticks, mark(process), true};
      const auto at = std::int64_t(process.start_ticks) * (second / ::sysconf(_SC_CLK_TCK));
      sink.on_fork(process.facts.parent_pid, pid, at);
      exec(std::move(process), sink, at);
      return 1;
    }
    if (process.facts.exe.empty() && known.mark != mark(process)) return 0; // about to end
    if (const auto now = mark(process); now != known.mark) {
      known.mark = now;
      exec(std::move(process), sink, boot_now());
    }
    return 0;
  }

  int timer_ = -1;
  int looks_ = 0;
  std::uint64_t forks_ = 0, unseen_ = 0, unread_ = 0;
  std::size_t told_ = 0;
  std::unordered_map<std::uint32_t, Known> known_;
};

} // namespace

Result<std::unique_ptr<ProcessSensor>> open_process_poll() {
  auto sensor = std::make_unique<ProcessPoll>();
  if (auto opened = sensor->open(); !opened) return opened.error();
  return std::unique_ptr<ProcessSensor>{std::move(sensor)};
}

} // namespace iris
