#include "node/check_command.hpp"

#include "core/alert/json_writer.hpp"
#include "node/machine_checks.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace iris {
namespace {

void print_json(const MachineChecks& machine) {
  for (const auto& check : machine.checks) {
    JsonWriter line;
    line.object()
        .field("check", check.id)
        .field("state", to_string(check.state))
        .field("essential", check.essential)
        .field("found", check.found)
        .field("costs", check.costs)
        .end_object();
    std::printf("%s\n", line.str().c_str());
  }
  JsonWriter last;
  last.object()
      .field("check", "result")
      .field("state", machine.good() ? "ok" : "missing")
      .field("process_source", machine.process_source)
      .end_object();
  std::printf("%s\n", last.str().c_str());
}

void print_text(const MachineChecks& machine) {
  for (const auto& check : machine.checks) {
    std::printf("%-8s %-24s %s\n", to_string(check.state), check.what.c_str(), check.found.c_str());
    if (!check.costs.empty()) std::printf("%-8s %-24s -> %s\n", "", "", check.costs.c_str());
  }
  std::printf("\nProcesses would be seen by: %s\n", machine.process_source.c_str());
  std::string missing;
  for (const auto& check : machine.checks)
    if (check.essential && check.state == MachineCheck::State::missing)
      missing += (missing.empty() ? "" : ", ") + check.what;
  if (missing.empty())
    std::printf("All that Iris cannot do without is there.\n");
  else
    std::printf("Iris cannot do without: %s\n", missing.c_str());
}

} // namespace

int check_main(int argc, char** argv) {
  CLI::App app{
      "Says what this kernel and these rights allow, and what each missing thing costs. Exit code 1 where "
      "something is missing that Iris cannot do without.",
      "iris-node check"};
  CheckOptions options;
  bool json = false;
  app.add_option("--data", options.data, "Data directory")->envname("IRIS_DATA")->capture_default_str();
  app.add_option("--docker-socket", options.docker_socket, "Unix socket of the Docker engine")
      ->envname("IRIS_DOCKER_SOCKET")
      ->capture_default_str();
  app.add_option("--lan-interface", options.lan_interfaces, "Network interface towards the field devices")
      ->envname("IRIS_LAN_INTERFACE")
      ->delimiter(',');
  app.add_option("--spool-bytes", options.spool_bytes, "Bound of what waits for the cloud, bytes")
      ->envname("IRIS_SPOOL_BYTES")
      ->capture_default_str();
  app.add_flag("--json", json, "One JSON object a line");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  const auto machine = check_machine(options);
  if (json)
    print_json(machine);
  else
    print_text(machine);
  return machine.good() ? 0 : 1;
}

} // namespace iris
