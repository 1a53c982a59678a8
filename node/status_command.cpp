#include "node/status_command.hpp"

#include "actors/control_socket.hpp"
#include "node/enrolment.hpp"
#include "node/host_interfaces.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace iris {
namespace {

/// One line of `check`: what, whether it is there, and what it costs where it is not.
bool report(const char* what, bool good, const std::string& otherwise) {
  std::printf("%-10s %-22s %s\n", good ? "ok" : "missing", what, good ? "" : otherwise.c_str());
  return good;
}

bool can_open_socket(int family, int type, int protocol) {
  int socket = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (socket < 0) return false;
  ::close(socket);
  return true;
}

bool connects(const std::string& path) {
  int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  bool good = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return good;
}

/// Whether processes of the whole machine are visible (kthreadd is process 2 of the host's namespace only)
/// and the root directory of at least one other can be looked into. Empty: yes; otherwise why not.
std::string host_processes() {
  std::ifstream second{"/proc/2/comm"};
  std::string name;
  if (!std::getline(second, name) || name != "kthreadd")
    return "only this container's processes are visible; run with pid: host";
  std::string why = "no other process";
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", problem}) {
    const auto pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == std::to_string(::getpid()))
      continue;
    if (::access((entry.path() / "exe").c_str(), F_OK) != 0) continue; // a kernel thread, or gone
    if (::access((entry.path() / "root" / "").c_str(), X_OK) == 0) return {};
    why = std::strerror(errno);
  }
  return "origins of files are unknown (" + why + "); give CAP_SYS_PTRACE";
}

} // namespace

int status_main(int argc, char** argv) {
  CLI::App app{"Asks the running iris-node: one JSON object a line.", "iris-node status"};
  std::string data = "/var/lib/iris";
  std::vector<std::string> question{"actors"};
  app.add_option("--data", data, "Data directory of the running program")
      ->envname("IRIS_DATA")
      ->capture_default_str();
  app.add_option("question", question, "actors, or actor KIND/NAME")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  QueryRequest request;
  request.verb = question.front();
  request.arguments.assign(question.begin() + 1, question.end());
  request.admin = true;
  auto answer = ask_control_socket(data + "/control.sock", request);
  if (!answer) {
    std::fprintf(stderr, "iris-node: %s\n", answer.error().message.c_str());
    return answer.error().code == Errc::unavailable ? 3 : 1;
  }
  for (const auto& line : answer->lines)
    std::printf("%s\n", line.c_str());
  if (answer->status == 0) return 0;
  std::fprintf(stderr, "iris-node: %s\n", answer->message.c_str());
  return 1;
}

int check_main(int argc, char** argv) {
  CLI::App app{"Says what this kernel and these rights allow, and what each missing thing costs.",
               "iris-node check"};
  std::string data = "/var/lib/iris", docker = "/var/run/docker.sock";
  app.add_option("--data", data, "Data directory")->envname("IRIS_DATA")->capture_default_str();
  app.add_option("--docker-socket", docker, "Unix socket of the Docker engine")
      ->envname("IRIS_DOCKER_SOCKET")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  bool btf =
      report("kernel types (BTF)", ::access("/sys/kernel/btf/vmlinux", R_OK) == 0,
             "processes are seen by the proc connector: arguments of the shortest-lived ones may be missed");
  bool connector = report("proc connector", can_open_socket(AF_NETLINK, SOCK_DGRAM, NETLINK_CONNECTOR),
                          "no fallback for a kernel without BTF; give CAP_NET_ADMIN");
  bool packets = report("packet capture", can_open_socket(AF_PACKET, SOCK_RAW, 0),
                        "no flows are seen; give CAP_NET_RAW");
  auto hidden = host_processes();
  report("host processes", hidden.empty(), hidden);
  report("control groups", ::access("/sys/fs/cgroup", R_OK) == 0,
         "no usage figures; mount /sys/fs/cgroup read-only");
  const bool other = ::access(docker.c_str(), F_OK) != 0 && connects("/run/podman/podman.sock");
  bool engine = report(
      "container engine", other || connects(docker),
      "containers are known by their control groups, without names, images and settings; mount " + docker);
  auto plan = plan_capture(host_interfaces(), {}, {});
  report("LAN interface", !plan.lan.empty(),
         "devices are not seen; run with network: host, or name it by --lan-interface");
  report("enrolment", EnrolmentFiles{data}.complete(),
         "run `iris-node enroll --join TOKEN --data " + data + "`");
  return (btf || connector) && packets && engine ? 0 : 1;
}

} // namespace iris
