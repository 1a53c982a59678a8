// One program with many names: in the lab's images it is `java`, `mongod`, `mongo` and `consul`; on the LAN
// and outside it is called by its own name. See docs/lab.md.
#include "tests/lab/services/devices.hpp"
#include "tests/lab/services/flood.hpp"
#include "tests/lab/services/gateway.hpp"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

int usage() {
  std::fputs("usage: lab_services thermostat ADDRESS | outside DOWNLOAD-FOLDER |\n"
             "       flood connect|syn ADDRESS PORT RATE SECONDS\n"
             "       (as java: -jar NAME.jar; as mongod, mongo, consul: any arguments)\n",
             stderr);
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  using namespace iris::lab;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM,
              [](int) { _exit(143); }); // as a JVM ends when asked to; also as the container's first process
  std::signal(SIGINT, [](int) { _exit(130); });
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max; // floods hold and are held thousands of connections
  setrlimit(RLIMIT_NOFILE, &files);
  std::string_view name = argv[0];
  name = name.substr(name.rfind('/') + 1);
  const std::vector<std::string> arguments(argv + 1, argv + argc);

  if (name == "mongod") return run_mongod();
  if (name == "mongo") return run_mongo_shell();
  if (name == "consul") return run_consul();
  if (name == "java") {
    for (const auto& argument : arguments)
      if (argument.ends_with(".jar")) return run_java(argument.substr(argument.rfind('/') + 1));
    return usage();
  }
  if (arguments.size() == 2 && arguments[0] == "thermostat") return run_thermostat(arguments[1]);
  if (arguments.size() == 2 && arguments[0] == "outside") return run_outside(arguments[1]);
  if (arguments.size() == 6 && arguments[0] == "flood") {
    const auto number = [&](std::size_t i) {
      return static_cast<unsigned>(std::strtoul(arguments[i].c_str(), nullptr, 10));
    };
    return run_flood(
        {arguments[2], static_cast<std::uint16_t>(number(3)), arguments[1] == "syn", number(4), number(5)});
  }
  return usage();
}
