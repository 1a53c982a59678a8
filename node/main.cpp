#include "node/check_command.hpp"
#include "node/enrol_command.hpp"
#include "node/record_command.hpp"
#include "node/replay/replay.hpp"
#include "node/run_command.hpp"
#include "node/status_command.hpp"
#include "node/version.hpp"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <string_view>

namespace {

struct Command {
  std::string_view name;
  int (*main)(int, char**);
  const char* says;
};

constexpr std::array<Command, 6> commands{{
    {"enroll", iris::enrol_main,
     "Join this gateway to a cloud with the line that `iris-cloud token create` printed"},
    {"run", iris::run_main, "Watch, judge and report"},
    {"record", iris::record_main, "Keep all that is seen in a file, with no cloud"},
    {"replay", iris::replay_main, "Judge captures and recordings, with no cloud"},
    {"check", iris::check_main,
     "Say what this kernel and these rights allow, and what each missing thing costs"},
    {"status", iris::status_main, "Ask the running iris-node what it is doing"},
}};

int help(std::FILE* to) {
  std::fprintf(
      to, "iris-node %s: the security monitor of an IoT gateway\n\nUsage: iris-node COMMAND [OPTIONS]\n\n",
      iris::version().c_str());
  for (const auto& command : commands)
    std::fprintf(to, "  %-8s %s\n", command.name.data(), command.says);
  std::fprintf(to, "\n`iris-node COMMAND --help` says more.\n");
  return to == stdout ? 0 : 2;
}

} // namespace

int main(int argc, char** argv) {
  ::umask(077); // keys, and a spool that tells what runs here
  if (argc < 2) return help(stderr);
  std::string_view name{argv[1]};
  if (name == "--help" || name == "-h" || name == "help") return help(stdout);
  if (name == "--version") return std::printf("iris-node %s\n", iris::version().c_str()) > 0 ? 0 : 1;
  for (const auto& command : commands)
    if (command.name == name) return command.main(argc - 1, argv + 1);
  std::fprintf(stderr, "iris-node: no command '%s'\n", argv[1]);
  return help(stderr);
}
