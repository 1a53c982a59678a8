#include "cloud/commands/commands.hpp"

#include <array>
#include <cstdio>
#include <string_view>
#include <sys/stat.h>

namespace {

struct Command {
  std::string_view name;
  int (*main)(int, char**);
  const char* says;
};

constexpr std::array<Command, 9> commands{{
    {"init", iris::init_main, "Make a certificate authority, a configuration and an empty database"},
    {"run", iris::run_main, "Run the cloud"},
    {"token", iris::token_main, "create, list or revoke join tokens of gateways"},
    {"operators", iris::operators_main, "add, list or revoke operators"},
    {"gateways", iris::gateways_main, "list, rename or revoke gateways"},
    {"ca", iris::ca_main, "list, roll or retire the certificate authority"},
    {"check", iris::check_main, "Say whether everything is there"},
    {"backup", iris::backup_main, "Add a backup of the database to a directory"},
    {"restore", iris::restore_main, "Make the database from a backup"},
}};

int help(std::FILE* to) {
  std::fprintf(to,
               "iris-cloud %s: learns from gateways, keeps and sends alerts\n\nUsage: iris-cloud COMMAND "
               "[OPTIONS]\n\n",
               IRIS_VERSION);
  for (const auto& command : commands)
    std::fprintf(to, "  %-10s %s\n", command.name.data(), command.says);
  std::fprintf(to, "\n`iris-cloud COMMAND --help` says more.\n");
  return to == stdout ? 0 : 2;
}

} // namespace

int main(int argc, char** argv) {
  ::umask(077); // databases, backups and bundles hold what is nobody else's business
  if (argc < 2) return help(stderr);
  const std::string_view name{argv[1]};
  if (name == "--help" || name == "-h" || name == "help") return help(stdout);
  if (name == "--version") return std::printf("iris-cloud %s\n", IRIS_VERSION) > 0 ? 0 : 1;
  for (const auto& command : commands)
    if (command.name == name) return command.main(argc - 1, argv + 1);
  std::fprintf(stderr, "iris-cloud: there is no command \"%s\"\n", argv[1]);
  return help(stderr);
}
