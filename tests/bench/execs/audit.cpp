#include "tests/bench/execs/audit.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace iris {
namespace {
constexpr const char* rule = " always,exit -F arch=b64 -S execve,execveat -k iris-bench >/dev/null 2>&1";
bool runs(const std::string& command) { return std::system(command.c_str()) == 0; }
} // namespace

Audit::Audit() {
  if (!runs("command -v auditctl >/dev/null && command -v auditd >/dev/null")) {
    why_not_ = "auditd is not installed";
    return;
  }
  if (!runs("auditctl -s 2>/dev/null | grep -q '^pid 0'")) {
    why_not_ = "an auditd runs already, or the kernel has no audit; it is left alone";
    return;
  }
  char name[] = "/tmp/iris-bench-audit-XXXXXX";
  folder_ = ::mkdtemp(name);
  std::ofstream{folder_ + "/auditd.conf"}
      << "log_file = " << folder_ << "/audit.log\nlog_format = RAW\n"
      << "flush = INCREMENTAL_ASYNC\nfreq = 50\nnum_logs = 2\nmax_log_file = 64\n"
      << "max_log_file_action = ROTATE\nlocal_events = yes\n"
      << "space_left = 75\nspace_left_action = IGNORE\nadmin_space_left = 50\nadmin_space_left_action = "
         "IGNORE\n"
      << "disk_full_action = SUSPEND\ndisk_error_action = SUSPEND\n";
  daemon_ = ::fork();
  if (daemon_ == 0) {
    ::execlp("auditd", "auditd", "-n", "-c", folder_.c_str(), nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 50 && runs("auditctl -s 2>/dev/null | grep -q '^pid 0'"); ++i)
    ::usleep(100'000);
  // Room enough that the kernel loses none, as an operator would set it.
  if (!runs("auditctl -b 65536 -e 1 >/dev/null 2>&1") || !runs(std::string{"auditctl -a"} + rule) ||
      ::waitpid(daemon_, nullptr, WNOHANG) != 0)
    why_not_ = "auditd does not start, or takes no rule";
}

Audit::~Audit() {
  if (daemon_ <= 0) return;
  (void)runs(std::string{"auditctl -d"} + rule);
  (void)runs("auditctl -e 0 >/dev/null 2>&1");
  ::kill(daemon_, SIGTERM);
  ::waitpid(daemon_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

} // namespace iris
