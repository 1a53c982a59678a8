#include "node/sources/process_files.hpp"

#include "core/process/container_id.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace iris {
namespace {

constexpr std::size_t args_limit = 32768; ///< bytes, as in the BPF programs

struct Descriptor {
  int fd;
  explicit Descriptor(int f) : fd{f} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::string read_at(int directory, const char* name, std::size_t limit) {
  Descriptor file{::openat(directory, name, O_RDONLY | O_CLOEXEC)};
  std::string out;
  if (file.fd < 0) return out;
  char buffer[4096];
  while (out.size() < limit) {
    auto count = ::read(file.fd, buffer, std::min(sizeof buffer, limit - out.size()));
    if (count <= 0) break;
    out.append(buffer, std::size_t(count));
  }
  return out;
}

std::string link_at(int directory, const char* name) {
  char buffer[4096];
  auto count = ::readlinkat(directory, name, buffer, sizeof buffer);
  return count > 0 ? std::string(buffer, std::size_t(count)) : std::string{};
}

FileFacts facts_of(int fd) {
  struct stat status {};
  FileFacts facts;
  if (::fstat(fd, &status) == 0) {
    facts.changed = Timestamp(status.st_ctim.tv_sec) * second + status.st_ctim.tv_nsec;
    facts.links = std::uint32_t(status.st_nlink);
    facts.inode = status.st_ino;
  }
  struct statfs file_system {};
  if (::fstatfs(fd, &file_system) == 0) facts.magic = std::uint64_t(file_system.f_type);
  return facts;
}

/// The fields of /proc/PID/stat behind the command's name, which may hold anything: 0 is the state.
std::vector<std::string_view> stat_fields(std::string_view stat) {
  std::vector<std::string_view> fields;
  auto close = stat.rfind(')');
  if (close == std::string_view::npos) return fields;
  stat.remove_prefix(close + 1);
  while (true) {
    auto begin = stat.find_first_not_of(" \n");
    if (begin == std::string_view::npos) return fields;
    stat.remove_prefix(begin);
    auto end = std::min(stat.find_first_of(" \n"), stat.size());
    fields.push_back(stat.substr(0, end));
    stat.remove_prefix(end);
  }
}

/// The device's name of proc(5)'s tty_nr, as far as people sit at it.
std::string terminal_name(std::uint32_t number) {
  const auto major = number >> 8 & 0xfff, minor = (number & 0xff) | (number >> 12 & 0xfff00);
  if (number == 0) return {};
  if (major >= 136 && major <= 143) return "pts/" + std::to_string((major - 136) * 256 + minor);
  if (major == 4 && minor < 64) return "tty" + std::to_string(minor);
  if (major == 4) return "ttyS" + std::to_string(minor - 64);
  return std::to_string(major) + ":" + std::to_string(minor);
}

std::uint64_t number(std::string_view text) { return std::strtoull(std::string{text}.c_str(), nullptr, 10); }

} // namespace

ProcessFiles read_process(std::uint32_t pid) {
  ProcessFiles out;
  out.facts.pid = pid;
  const std::string path = "/proc/" + std::to_string(pid);
  Descriptor directory{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (directory.fd < 0) return out;
  std::string args = read_at(directory.fd, "cmdline", args_limit + 1);
  out.facts.args_cut = args.size() > args_limit;
  args.resize(std::min(args.size(), args_limit));
  std::string exe = link_at(directory.fd, "exe");
  out.facts.cwd = link_at(directory.fd, "cwd");
  if (auto groups = read_at(directory.fd, "cgroup", 65536); !groups.empty())
    out.facts.container = container_id_of_proc(groups);
  if (!exe.empty()) {
    Descriptor file{
        ::openat(directory.fd, "exe", O_PATH | O_CLOEXEC)}; // follows the magic link, also into other roots
    if (file.fd >= 0) out.file = facts_of(file.fd);
    if (exe.starts_with("/memfd:")) out.file.memory = true;
    constexpr std::string_view gone = " (deleted)";
    if (exe.ends_with(gone)) {
      exe.resize(exe.size() - gone.size());
      out.file.links = 0;
    }
  }
  auto stat = read_at(directory.fd, "stat", 4096);
  if (auto fields = stat_fields(stat); fields.size() > 19) {
    out.facts.parent_pid = std::uint32_t(number(fields[1]));
    out.facts.tty = terminal_name(std::uint32_t(number(fields[4])));
    out.start_ticks = number(fields[19]);
    out.kernel_thread = (number(fields[6]) & 0x00200000U) != 0; // PF_KTHREAD
  }
  if (auto status = read_at(directory.fd, "status", 4096); !status.empty())
    if (auto uid = status.find("\nUid:\t"); uid != std::string::npos)
      out.facts.uid = std::uint32_t(number(std::string_view{status}.substr(uid + 6, 12)));
  const auto mine = link_at(directory.fd, "ns/mnt");
  if (!mine.empty() && out.facts.parent_pid != 0)
    out.facts.parents_mounts =
        mine == link_at(directory.fd, ("../" + std::to_string(out.facts.parent_pid) + "/ns/mnt").c_str());
  for (std::string_view rest{args}; !rest.empty();) {
    auto end = std::min(rest.find('\0'), rest.size());
    out.facts.args.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  out.facts.inode = out.file.inode;
  out.complete = !args.empty() && !exe.empty();
  out.facts.exe = std::move(exe);
  return out;
}

std::uint32_t host_network_namespace() {
  struct stat status {};
  if (::stat("/proc/1/ns/net", &status) != 0 && ::stat("/proc/self/ns/net", &status) != 0) return 0;
  return std::uint32_t(status.st_ino);
}

std::vector<ProcessFiles> read_all_processes() {
  std::vector<ProcessFiles> out;
  DIR* all = ::opendir("/proc");
  if (all == nullptr) return out;
  while (const dirent* entry = ::readdir(all)) {
    char* end = nullptr;
    auto pid = std::strtoul(entry->d_name, &end, 10);
    if (end == entry->d_name || *end != '\0') continue;
    auto process = read_process(std::uint32_t(pid));
    if (process.start_ticks > 0 && !process.kernel_thread) out.push_back(std::move(process));
  }
  ::closedir(all);
  std::sort(out.begin(), out.end(), [](const ProcessFiles& a, const ProcessFiles& b) {
    return a.start_ticks != b.start_ticks ? a.start_ticks < b.start_ticks : a.facts.pid < b.facts.pid;
  });
  return out;
}

std::optional<FileFacts> look_into_root(std::uint32_t pid, const std::string& path) {
  const std::string root_path = "/proc/" + std::to_string(pid) + "/root";
  Descriptor root{::open(root_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (root.fd < 0) return std::nullopt;
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  Descriptor file{int(::syscall(SYS_openat2, root.fd, path.c_str(), &how, sizeof how))};
  if (file.fd >= 0) return facts_of(file.fd);
  if (errno == ENOENT) {
    FileFacts gone;
    gone.links = 0;
    return gone;
  }
  return std::nullopt;
}

} // namespace iris
