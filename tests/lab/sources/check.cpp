#include "tests/lab/sources/lab.hpp"

#include <filesystem>

namespace iris::lab {

/// `iris-node check` in a container with the rights of deploy/gateway-compose.yml, and in one with none. The
/// libraries are this machine's.
void test_check() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "iris-node";
  const auto run = [&](const std::string& options) {
    return shell("docker run --rm -v /usr:/usr:ro -v " + program.string() + ":/iris-node:ro " + options +
                 " iris-lab-base:bookworm /iris-node check --data /tmp --json 2>&1; echo exit $?");
  };
  const auto says = [](const std::string& answer, const std::string& check, const std::string& state) {
    return answer.find("{\"check\":\"" + check + "\",\"state\":\"" + state + "\"") != std::string::npos;
  };
  const auto all = run("--cap-drop ALL --cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add NET_RAW "
                       "--cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH --security-opt no-new-privileges "
                       "--pid host --network host -v /var/run/docker.sock:/var/run/docker.sock");
  for (const auto* check :
       {"ebpf", "ebpf-sockets", "connector", "host-processes", "packets", "engine", "disk"})
    LAB_CHECK_SAY(says(all, check, "ok"), all);
  LAB_CHECK_SAY(says(all, "result", "ok"), all);
  LAB_CHECK_SAY(all.find("\"process_source\":\"ebpf\"") != std::string::npos, all);
  LAB_CHECK_SAY(all.ends_with("exit 0"), all);

  const auto none = run("--network none --cap-drop ALL --user 65534");
  for (const auto* check : {"ebpf", "connector", "host-processes", "packets", "engine"})
    LAB_CHECK_SAY(says(none, check, "missing"), none);
  LAB_CHECK_SAY(says(none, "cap-sys-admin", "limited"), none);
  LAB_CHECK_SAY(says(none, "result", "missing"), none);
  LAB_CHECK_SAY(none.find("\"process_source\":\"none\"") != std::string::npos, none);
  LAB_CHECK_SAY(none.ends_with("exit 1"), none);

  // What is left without rights, but with the host's processes in sight: polling.
  const auto sight = run("--network none --cap-drop ALL --pid host");
  LAB_CHECK_SAY(sight.find("\"process_source\":\"procfs\"") != std::string::npos, sight);
}

} // namespace iris::lab
