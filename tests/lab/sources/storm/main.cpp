// Runs a program many times, one after the other, as fast as it can; for the benches and the lab.
// lab_storm COUNT MARK PROGRAM [WAIT_FOR]: `PROGRAM MARK-<i> end` COUNT times; prints the nanoseconds that
// took. With WAIT_FOR it starts when that file is there. As its own PROGRAM it ends at once. Static, so that
// it runs in any image.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

int main(int argc, char** argv) {
  if (argc == 3 && std::string{argv[2]} == "end") return 0;
  if (argc < 4) {
    std::fprintf(stderr, "usage: lab_storm COUNT MARK PROGRAM [WAIT_FOR]\n");
    return 2;
  }
  const long count = std::strtol(argv[1], nullptr, 10);
  for (int looks = 0; argc > 4 && ::access(argv[4], F_OK) != 0; ++looks) {
    if (looks > 6000) return 3;
    ::usleep(10'000);
  }
  const auto begin = std::chrono::steady_clock::now();
  std::string program = argv[3], end = "end";
  for (long i = 0; i < count; ++i) {
    std::string mark = std::string{argv[2]} + "-" + std::to_string(i);
    char* arguments[] = {program.data(), mark.data(), end.data(), nullptr};
    pid_t child = 0;
    if (const int error = ::posix_spawn(&child, argv[3], nullptr, nullptr, arguments, environ); error != 0) {
      errno = error;
      std::perror(argv[3]);
      return 1;
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
      // again
    }
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  std::printf("%lld\n", (long long)std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
}
