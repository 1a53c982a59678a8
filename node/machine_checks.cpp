#include "node/machine_checks.hpp"

#include "actors/disk_space.hpp"
#include "core/inventory/docker_json.hpp"
#include "node/enrolment.hpp"
#include "node/host_interfaces.hpp"
#include "node/sources/http_client.hpp"
#include "node/sources/process_bpf.hpp"
#include "node/sources/process_connector.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace iris {
namespace {

using State = MachineCheck::State;

constexpr std::uint64_t mebibyte = 1ull << 20;
constexpr std::uint64_t reserve = 32 * mebibyte; ///< SpoolOptions::reserve

struct Capability {
  unsigned number; ///< linux/capability.h
  const char* name;
  const char* costs;
};
constexpr std::array<Capability, 5> used{{
    {2, "DAC_READ_SEARCH",
     "files of processes that are not root's are not looked at: their origin is unknown"},
    {12, "NET_ADMIN", "no process connector, the way to see processes on a kernel without BTF"},
    {13, "NET_RAW", "no packets are captured: no flows, scans, floods or devices"},
    {19, "SYS_PTRACE",
     "executables, roots and sockets of other processes are hidden: origins, scripts and who "
     "listens are unknown"},
    {23, "SYS_NICE",
     "nothing with eBPF; the process connector comes too late for the arguments of more of the "
     "shortest-lived processes"},
}};
constexpr unsigned sys_admin = 21, perfmon = 38, bpf = 39;

std::uint64_t effective(std::string_view status) {
  constexpr std::string_view key = "CapEff:\t";
  const auto at = status.find(key);
  std::uint64_t bits = 0;
  if (at != std::string_view::npos)
    (void)std::from_chars(status.data() + at + key.size(), status.data() + status.size(), bits, 16);
  return bits;
}

std::string slurp(const char* path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::uint64_t magic_of(const char* path) {
  struct statfs system {};
  return ::statfs(path, &system) == 0 ? std::uint64_t(system.f_type) : 0;
}

/// Whether processes of the whole machine are visible (kthreadd is process 2 of the host's namespace only).
bool sees_host() {
  std::ifstream second{"/proc/2/comm"};
  std::string name;
  return std::getline(second, name) && name == "kthreadd";
}

/// Whether the root directory of another process can be looked into; otherwise why not.
std::string cannot_look_into() {
  std::string why = "no other process";
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", problem}) {
    const auto pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == std::to_string(::getpid()))
      continue;
    std::ifstream arguments{entry.path() / "cmdline"};
    if (arguments.peek() == std::ifstream::traits_type::eof()) continue; // a kernel thread, or gone
    if (::access((entry.path() / "root" / "").c_str(), X_OK) == 0) return {};
    why = std::strerror(errno);
  }
  return why;
}

class Checking {
public:
  explicit Checking(const CheckOptions& options) : options_{options} {}

  MachineChecks run() {
    kernel();
    processes();
    for (auto& check : missing_capabilities(slurp("/proc/self/status")))
      out_.checks.push_back(std::move(check));
    packets();
    engine();
    groups();
    clock();
    disk();
    enrolment();
    return std::move(out_);
  }

private:
  void add(const char* id, const char* what, State state, std::string found, std::string costs = {},
           bool essential = false) {
    out_.checks.push_back(
        {id, what, state, std::move(found), state == State::ok ? "" : std::move(costs), essential});
  }

  void kernel() {
    utsname system{};
    if (::uname(&system) == 0)
      add("kernel", "kernel", State::ok, std::string{system.release} + " " + system.machine);
    const bool btf = ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    add("btf", "kernel types (BTF)", btf ? State::ok : State::missing,
        btf ? "/sys/kernel/btf/vmlinux" : "none",
        "no eBPF: processes are seen by the proc connector; a kernel with CONFIG_DEBUG_INFO_BTF=y has them");
    const bool traces = magic_of("/sys/kernel/tracing") == 0x74726163; // TRACEFS_MAGIC
    add("tracefs", "tracefs", State::ok, traces ? "mounted" : "not mounted, and not needed");
  }

  void processes() {
    const bool host = sees_host();
    if (auto sensor = open_process_bpf()) {
      out_.process_source = "ebpf";
      add("ebpf", "eBPF programs", State::ok, "loaded and attached, with a ring buffer");
      const auto& why = (*sensor)->without_sockets();
      add("ebpf-sockets", "eBPF for sockets", why.empty() ? State::ok : State::missing,
          why.empty() ? "loaded and attached" : why,
          "who opened a connection is only known for what /proc shows every 30 s");
    } else {
      add("ebpf", "eBPF programs", State::missing, sensor.error().message,
          "arguments of the shortest-lived processes may be missed, and the programs behind connections are "
          "only "
          "known for what /proc shows every 10 s; give SYS_ADMIN, or BPF and PERFMON");
    }
    if (auto sensor = open_process_connector(); sensor && host) {
      if (out_.process_source.empty()) out_.process_source = "connector";
      add("connector", "process connector", State::ok, "subscribed");
    } else {
      add("connector", "process connector", State::missing,
          sensor ? "subscribed, but this is not the host's pid namespace" : sensor.error().message,
          "nothing with eBPF; else processes are looked for in /proc four times a second, and what is gone "
          "by then "
          "is never seen; give NET_ADMIN and run with pid: host");
    }
    add("host-processes", "host processes", host ? State::ok : State::missing,
        host ? "visible" : "only this container's processes are visible",
        "processes of no container are seen; run with pid: host", true);
    if (out_.process_source.empty()) out_.process_source = host ? "procfs" : "none";
    auto hidden = cannot_look_into();
    add("file-origins", "other processes' files", hidden.empty() ? State::ok : State::limited,
        hidden.empty() ? "can be looked at" : hidden,
        "whether a program is of its image is unknown; give SYS_PTRACE and DAC_READ_SEARCH");
  }

  void packets() {
    const int socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    const std::string why = socket < 0 ? std::strerror(errno) : "";
    if (socket >= 0) ::close(socket);
    add("packets", "packet capture", socket < 0 ? State::missing : State::ok, socket < 0 ? why : "allowed",
        "no flows are seen, and so no scans, floods or devices; give NET_RAW", true);
    auto plan = plan_capture(host_interfaces(), {}, options_.lan_interfaces);
    std::string names;
    for (const auto& name : plan.lan)
      names += (names.empty() ? "" : ", ") + name;
    add("lan", "LAN interface", names.empty() ? State::missing : State::ok,
        names.empty() ? "none is up" : names,
        "devices are not seen; run with network: host, or name it by --lan-interface");
  }

  void engine() {
    HttpEndpoint endpoint;
    endpoint.unix_path = options_.docker_socket;
    std::string why;
    auto reply = http_get(endpoint, "/version", 5 * second, mebibyte, -1);
    if (!reply)
      why = reply.error().message;
    else if (reply->status != 200)
      why = options_.docker_socket + " answers with status " + std::to_string(reply->status);
    if (why.empty()) {
      if (auto version = parse_engine_version(reply->body)) {
        add("engine", "container engine", State::ok, version->engine + ", API " + version->api);
        return;
      } else {
        why = version.error().message;
      }
    }
    add("engine", "container engine", State::missing, why,
        "containers are called by their main process and id; images, settings and exit codes are not known; "
        "mount " +
            options_.docker_socket);
  }

  void groups() {
    const bool readable = ::access("/sys/fs/cgroup", R_OK | X_OK) == 0;
    const bool unified = magic_of("/sys/fs/cgroup") == 0x63677270; // CGROUP2_SUPER_MAGIC
    const bool any = readable && !std::filesystem::is_empty("/sys/fs/cgroup", ignored_);
    add("cgroups", "control groups", any ? State::ok : State::missing,
        !any      ? "/sys/fs/cgroup is empty or not readable"
        : unified ? "version 2"
                  : "version 1",
        "no figures of CPU and memory; mount /sys/fs/cgroup read-only");
  }

  void clock() {
    timex now{};
    const int state = ::adjtimex(&now);
    const bool kept = state >= 0 && state != TIME_ERROR && (now.status & STA_UNSYNC) == 0;
    add("clock", "clock", kept ? State::ok : State::limited, kept ? "kept by NTP" : "nobody keeps it",
        "alerts bear this gateway's own time, as wrong as it is (the cloud measures by how much); run chrony "
        "or "
        "systemd-timesyncd");
  }

  void disk() {
    std::error_code problem;
    const bool there = std::filesystem::is_directory(options_.data, problem);
    if (!there || ::access(options_.data.c_str(), W_OK) != 0) {
      add("disk", "data directory", State::missing,
          options_.data + ": " + (there ? std::strerror(errno) : "no such directory"),
          "nothing that waits for the cloud survives; mount a volume there, or name another by --data", true);
      return;
    }
    const auto free = free_bytes(options_.data);
    const auto wanted = options_.spool_bytes + reserve;
    add("disk", "data directory", free >= wanted ? State::ok : State::limited,
        options_.data + ": " + std::to_string(free / mebibyte) + " MiB are free",
        "less than " + std::to_string(wanted / mebibyte) +
            " MiB: a long time without the cloud loses more; make room, or lower --spool-bytes");
  }

  void enrolment() {
    const bool done = EnrolmentFiles{options_.data}.complete();
    add("enrolment", "enrolment", done ? State::ok : State::missing, done ? "done" : "not enrolled yet",
        "nothing is reported; run `iris-node enroll --join TOKEN --data " + options_.data + "`");
  }

  const CheckOptions& options_;
  MachineChecks out_;
  std::error_code ignored_;
};

} // namespace

const char* to_string(MachineCheck::State state) {
  switch (state) {
  case State::ok:
    return "ok";
  case State::limited:
    return "limited";
  case State::missing:
    return "missing";
  }
  return "unknown";
}

bool MachineChecks::good() const {
  return std::none_of(checks.begin(), checks.end(), [](const MachineCheck& check) {
    return check.essential && check.state == State::missing;
  });
}

std::vector<MachineCheck> missing_capabilities(std::string_view status) {
  std::vector<MachineCheck> out;
  const auto bits = effective(status);
  const auto has = [&](unsigned number) { return (bits >> number & 1) != 0; };
  const auto miss = [&](std::string name, std::string costs) {
    std::string id = "cap-" + name;
    std::transform(id.begin(), id.end(), id.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c == '_' ? '-' : c;
    });
    out.push_back({std::move(id), "right " + name, State::limited, "not given", std::move(costs), false});
  };
  if (!has(sys_admin) && !(has(bpf) && has(perfmon)))
    miss("SYS_ADMIN", "no eBPF (Docker 23 and later: BPF and PERFMON are enough)");
  for (const auto& one : used)
    if (!has(one.number)) miss(one.name, one.costs);
  return out;
}

MachineChecks check_machine(const CheckOptions& options) { return Checking{options}.run(); }

} // namespace iris
