#include "tests/lab/sources/lab.hpp"

#include <cstdio>
#include <cstring>
#include <unistd.h>

// The node's sources against a real Docker engine. Exit code 77: cannot run here (not root, no engine, no
// image).

namespace iris::lab {

int failures = 0;

void check(bool good, const char* what, const char* file, int line, const std::string& detail) {
  if (good) return;
  ++failures;
  std::printf("FAILED %s:%d: %s %s\n", file, line, what, detail.c_str());
  std::fflush(stdout);
}

std::string shell(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[4096];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    out.append(buffer, count);
  ::pclose(pipe);
  while (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

Container::Container(const std::string& options, const std::string& command) {
  static int number = 0;
  const auto name = "iris-lab-sources-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
  id_ = shell("docker run -d --name " + name + " " + options + " iris-lab-base:bookworm " + command);
  LAB_CHECK_SAY(id_.size() == 64, "docker run: " + id_);
}

Container::~Container() { shell("docker rm -f " + id_ + " >/dev/null 2>&1"); }

void Container::wait() const { shell("docker wait " + id_); }

} // namespace iris::lab

int main() {
  using namespace iris;
  const char* reason = nullptr;
  if (::geteuid() != 0)
    reason = "it needs root";
  else if (lab::shell("docker version --format '{{.Server.Version}}' 2>/dev/null").empty())
    reason = "no Docker engine answers";
  else if (lab::shell("docker image inspect --format ok iris-lab-base:bookworm 2>/dev/null") != "ok")
    reason = "there is no image iris-lab-base:bookworm (the lab's set-up makes it)";
  if (reason != nullptr) {
    std::printf("skipped: %s\n", reason);
    return 77;
  }
  // What a run left behind that crashed; names hold the process that made them.
  lab::shell("docker ps -a --format '{{.Names}}' --filter name=iris-lab-sources- | while IFS=- read -r a b c "
             "pid n; do "
             "[ -d /proc/$pid ] || docker rm -f $a-$b-$c-$pid-$n; done >/dev/null 2>&1");
  lab::test_processes(ProcessSensorChoice::ebpf);
  lab::test_processes(ProcessSensorChoice::connector);
  lab::test_origins();
  lab::test_engine();
  lab::test_usage();
  std::printf("%s: %d checks failed\n", lab::failures == 0 ? "passed" : "failed", lab::failures);
  return lab::failures == 0 ? 0 : 1;
}
