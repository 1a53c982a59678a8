#include "tests/lab/sources/lab.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string_view>
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

int main(int argc, char** argv) {
  using namespace iris;
  // With names, those tests alone.
  const auto wanted = [&](std::string_view name) {
    return argc < 2 || std::any_of(argv + 1, argv + argc, [&](const char* one) { return name == one; });
  };
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
  for (const auto choice : {ProcessSensorChoice::ebpf, ProcessSensorChoice::connector}) {
    if (wanted("processes")) lab::test_processes(choice);
    if (wanted("one_shots")) lab::test_one_shots(choice);
    if (wanted("health_check")) lab::test_health_check(choice);
  }
  if (wanted("check")) lab::test_check();
  if (wanted("polling")) lab::test_polling();
  if (wanted("origins")) lab::test_origins();
  if (wanted("sockets")) lab::test_sockets();
  if (wanted("sockets")) lab::test_socket_looks();
  if (wanted("engine")) lab::test_engine();
  if (wanted("usage")) lab::test_usage();
  std::printf("%s: %d checks failed\n", lab::failures == 0 ? "passed" : "failed", lab::failures);
  return lab::failures == 0 ? 0 : 1;
}
