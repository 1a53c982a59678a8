#include "node/sources/process_bpf.hpp"

#include "core/process/container_id.hpp"
#include "process_events.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <malloc.h>
#include <mutex>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.skel.h"

namespace iris {
namespace {

constexpr std::size_t drain_limit = 2048; ///< events of one round

/// libbpf complains through one global function; the first warning of a load is the one that helps.
std::mutex log_lock;
std::string first_warning;

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN || !first_warning.empty()) return 0;
  char line[512];
  std::vsnprintf(line, sizeof line, format, arguments);
  first_warning = line;
  while (!first_warning.empty() && first_warning.back() == '\n')
    first_warning.pop_back();
  return 0;
}

/// Names in the event stand nearest the file first.
std::string path_of(const char* names, std::uint32_t length, bool cut) {
  std::string path;
  std::string_view rest{names, length};
  while (!rest.empty()) {
    auto end = std::min(rest.find('\0'), rest.size());
    auto name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    path.insert(0, name);
    path.insert(path.begin(), '/');
  }
  if (path.empty()) return "/";
  return cut ? "<deep>" + path : path;
}

std::vector<std::string> split_args(const char* bytes, std::uint32_t length) {
  std::vector<std::string> args;
  std::string_view rest{bytes, length};
  while (!rest.empty()) {
    auto end = std::min(rest.find('\0'), rest.size());
    args.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return args;
}

std::string container_of(const exec_event& event) {
  for (const auto& hierarchy : event.group) {
    std::array<std::string_view, GROUP_LEVELS> names;
    for (std::size_t level = 0; level < names.size(); ++level)
      names[level] = {hierarchy[level], strnlen(hierarchy[level], GROUP_NAME)};
    if (auto id = container_id_of_names(names); !id.empty()) return id;
  }
  return {};
}

class ProcessBpf final : public ProcessSensor {
public:
  ~ProcessBpf() override {
    if (ring_ != nullptr) ring_buffer__free(ring_);
    if (programs_ != nullptr) process_bpf::destroy(programs_);
  }

  Result<void> open() {
    std::lock_guard guard{log_lock};
    first_warning.clear();
    auto* old = libbpf_set_print(keep_warning);
    auto result = load();
    libbpf_set_print(old);
    malloc_trim(0); // the kernel's type information took some ten megabytes while loading
    return result;
  }

  const char* name() const override { return "ebpf"; }
  int descriptor() const override { return ring_buffer__epoll_fd(ring_); }

  std::size_t drain(ProcessSink& sink) override {
    sink_ = &sink;
    handled_ = 0;
    (void)ring_buffer__consume(ring_);
    sink_ = nullptr;
    return handled_;
  }

  void about_to_sleep() override { __atomic_store_n(&programs_->bss->reader_asleep, 1U, __ATOMIC_SEQ_CST); }

  std::uint64_t take_lost_sockets() override {
    std::uint64_t all = __atomic_load_n(&programs_->bss->dropped_sockets, __ATOMIC_RELAXED);
    return all - std::exchange(lost_sockets_before_, all);
  }
  const std::string& without_sockets() const override { return without_sockets_; }

  std::uint64_t take_lost() override {
    auto* counters = programs_->bss;
    std::uint64_t all = __atomic_load_n(&counters->dropped_forks, __ATOMIC_RELAXED) +
                        __atomic_load_n(&counters->dropped_execs, __ATOMIC_RELAXED) +
                        __atomic_load_n(&counters->dropped_exits, __ATOMIC_RELAXED);
    return all - std::exchange(lost_before_, all);
  }

private:
  Result<void> load() {
    // Kernels before 5.11 count maps as locked memory; later ones ignore the limit.
    rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
    if (auto loaded = load_programs(true); !loaded) {
      // Processes matter more than their sockets, whose tracepoints are others'.
      without_sockets_ = loaded.error().message;
      first_warning.clear();
      if (auto again = load_programs(false); !again) return again;
    }
    ring_ = ring_buffer__new(bpf_map__fd(programs_->maps.events), &ProcessBpf::receive, this, nullptr);
    if (ring_ == nullptr) return failed("map", errno);
    return {};
  }

  Result<void> load_programs(bool with_sockets) {
    if (programs_ != nullptr) process_bpf::destroy(std::exchange(programs_, nullptr));
    programs_ = process_bpf::open();
    if (programs_ == nullptr) return failed("open", errno);
    bpf_program__set_autoload(programs_->progs.on_socket_state, with_sockets);
    bpf_program__set_autoload(programs_->progs.on_packet, with_sockets);
    if (int error = process_bpf::load(programs_); error != 0) return failed("load", -error);
    if (int error = process_bpf::attach(programs_); error != 0) return failed("attach", -error);
    return {};
  }

  static Error failed(const char* step, int error) {
    std::string why =
        first_warning.empty() ? std::strerror(error) : first_warning + " (" + std::strerror(error) + ")";
    return {error == EPERM || error == EACCES ? Errc::refused : Errc::unavailable,
            "cannot " + std::string{step} + " the BPF programs that watch processes: " + why +
                "; they need kernel 5.8 or newer with BTF, and CAP_BPF and CAP_PERFMON"};
  }

  static int receive(void* self, void* bytes, std::size_t size) {
    auto& sensor = *static_cast<ProcessBpf*>(self);
    sensor.handle(static_cast<const char*>(bytes), size);
    // A negative answer ends the round after this event, so that a storm's events are handed on while it
    // lasts.
    return ++sensor.handled_ < drain_limit ? 0 : -EAGAIN;
  }

  void handle(const char* bytes, std::size_t size) {
    if (size < sizeof(process_event)) return;
    const auto& event = *reinterpret_cast<const process_event*>(bytes);
    const auto at = std::int64_t(event.boot_ns);
    switch (event.kind) {
    case PROCESS_FORK:
      sink_->on_fork(event.parent, event.pid, at);
      break;
    case PROCESS_EXIT:
      sink_->on_exit(event.pid, event.exit_code, at);
      break;
    case PROCESS_EXEC:
      if (size >= sizeof(exec_event))
        exec(*reinterpret_cast<const exec_event*>(bytes), size - sizeof(exec_event));
      break;
    case SOCKET_CALL:
    case SOCKET_LISTEN:
    case SOCKET_CLOSED:
      if (size >= sizeof(socket_event)) socket(*reinterpret_cast<const socket_event*>(bytes));
      break;
    default:
      break;
    }
  }

  void exec(const exec_event& event, std::size_t args_room) {
    SensedExec out;
    out.boot_at = std::int64_t(event.head.boot_ns);
    auto& facts = out.facts;
    facts.pid = event.head.pid;
    facts.parent_pid = event.head.parent;
    facts.uid = event.head.uid;
    facts.exe =
        path_of(event.path, std::min<std::uint32_t>(event.path_length, PATH_BYTES), event.path_cut != 0);
    facts.cwd = path_of(event.cwd, std::min<std::uint32_t>(event.cwd_length, CWD_BYTES), event.cwd_cut != 0);
    facts.args = split_args(event.args, std::uint32_t(std::min<std::size_t>(event.args_length, args_room)));
    facts.args_cut = event.args_cut != 0;
    facts.parents_mounts = event.parents_mounts != 0;
    facts.container = container_of(event);
    facts.inode = event.inode;
    facts.tty.assign(event.tty, strnlen(event.tty, TTY_NAME));
    if (facts.tty.starts_with("pts")) facts.tty.insert(3, "/"); // as its device is called
    out.cgroup = event.cgroup;
    out.file = {Timestamp(event.ctime_ns), event.nlink, event.magic, event.memfd != 0, event.inode};
    if (event.interpreted != 0) out.script.assign(event.filename, strnlen(event.filename, FILE_BYTES));
    sink_->on_exec(std::move(out));
  }

  void socket(const socket_event& event) {
    const auto address = [&](const __u8* bytes) {
      IpAddress out;
      if (event.family == AF_INET)
        out = IpAddress::v4(std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 |
                            std::uint32_t(bytes[2]) << 8 | bytes[3]);
      else
        std::copy_n(bytes, out.bytes.size(), out.bytes.begin());
      return out;
    };
    SensedSocket out;
    out.event.action = event.head.kind == SOCKET_CALL     ? SocketAction::called
                       : event.head.kind == SOCKET_LISTEN ? SocketAction::listening
                                                          : SocketAction::closed;
    auto& use = out.event.use;
    use.protocol = event.protocol;
    use.pid = event.head.pid;
    use.listening = event.head.kind != SOCKET_CALL;
    use.local = address(event.local);
    if (event.head.kind == SOCKET_CALL) use.remote = address(event.remote);
    use.local_port = event.local_port;
    use.remote_port = event.remote_port;
    out.event.bound = event.bound != 0;
    out.event.boot_at = std::int64_t(event.head.boot_ns);
    out.net = event.net;
    out.cgroup = event.cgroup;
    sink_->on_socket(std::move(out));
  }

  process_bpf* programs_ = nullptr;
  ring_buffer* ring_ = nullptr;
  ProcessSink* sink_ = nullptr;
  std::size_t handled_ = 0; ///< events of this round
  std::uint64_t lost_before_ = 0, lost_sockets_before_ = 0;
  std::string without_sockets_; ///< the reason
};

} // namespace

Result<std::unique_ptr<ProcessSensor>> open_process_bpf() {
  auto sensor = std::make_unique<ProcessBpf>();
  if (auto opened = sensor->open(); !opened) return opened.error();
  return std::unique_ptr<ProcessSensor>{std::move(sensor)};
}

} // namespace iris
