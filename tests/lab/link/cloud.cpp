#include "tests/lab/link/cloud.hpp"

#include "actors/link/enrol.hpp"
#include "cloud/pki/files.hpp"
#include "core/link/token.hpp"
#include "tests/fixtures/link/raw_peer.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace linklab {
namespace {

using namespace std::chrono_literals;

int free_port() {
  auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  ::bind(fd, reinterpret_cast<sockaddr*>(&place), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&place), &size);
  ::close(fd);
  return ntohs(place.sin_port);
}

/// Ends with this process, whatever happens to it.
pid_t spawn(const std::vector<std::string>& arguments, int out, int err) {
  std::vector<char*> argv;
  for (const auto& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const auto pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

std::string slurp(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

Output run(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const auto pid = spawn(arguments, ends[1], 2);
  ::close(ends[1]);
  Output output;
  char piece[4096];
  for (ssize_t count; (count = ::read(ends[0], piece, sizeof piece)) > 0;)
    output.text.append(piece, std::size_t(count));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  output.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return output;
}

CloudProcess::CloudProcess(const std::vector<std::string>& settings) {
  const auto* given = std::getenv("IRIS_BIN");
  binaries_ =
      given != nullptr ? given : std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
  char name[] = "/tmp/iris-lab-link-XXXXXX";
  directory_ = ::mkdtemp(name);
  port_ = free_port();
  health_ = free_port();
  const auto program = binaries_ + "/iris-cloud";
  if (run({program, "init", "--data", data(), "--address", address(), "--listen", address()}).code != 0)
    throw std::runtime_error{"iris-cloud init failed"};
  auto log = ::open((directory_ + "/log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  std::vector<std::string> arguments{program, "run",      "--data",
                                     data(),  "--health", "127.0.0.1:" + std::to_string(health_)};
  arguments.insert(arguments.end(), settings.begin(), settings.end());
  pid_ = spawn(arguments, log, log);
  ::close(log);
  for (int i = 0; i < 200; ++i) {
    if (slurp(directory_ + "/log").find("listening for gateways") != std::string::npos) return;
    if (!alive()) break;
    std::this_thread::sleep_for(50ms);
  }
  throw std::runtime_error{"iris-cloud does not start: " + slurp(directory_ + "/log")};
}

CloudProcess::~CloudProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    int status = 0;
    for (int i = 0; i < 100 && ::waitpid(pid_, &status, WNOHANG) == 0; ++i)
      std::this_thread::sleep_for(100ms);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

bool CloudProcess::alive() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }
std::string CloudProcess::log() const { return slurp(directory_ + "/log"); }

Output CloudProcess::command(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), binaries_ + "/iris-cloud");
  arguments.insert(arguments.end(), {"--data", data()});
  return run(arguments);
}

Output CloudProcess::shell(std::vector<std::string> arguments) {
  const auto bundle = directory_ + "/admin";
  if (!has_operator_)
    has_operator_ = command({"operators", "add", "lab", "--admin", "--out", bundle}).code == 0;
  std::vector<std::string> all{binaries_ + "/iris-shell", "--bundle", bundle};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(all);
}

std::map<std::string, std::uint64_t> CloudProcess::metrics() const {
  std::map<std::string, std::uint64_t> out;
  auto fd = linktest::dial("127.0.0.1:" + std::to_string(health_));
  if (fd < 0) return out;
  const std::string ask = "GET /metrics HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";
  ::send(fd, ask.data(), ask.size(), MSG_NOSIGNAL);
  std::string text;
  char piece[16'384];
  for (ssize_t count; (count = ::recv(fd, piece, sizeof piece, 0)) > 0;)
    text.append(piece, std::size_t(count));
  ::close(fd);
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("iris_", 0) == 0)
      if (auto space = line.rfind(' '); space != std::string::npos)
        out[line.substr(5, space - 5)] = std::strtoull(line.c_str() + space, nullptr, 10);
  return out;
}

std::uint64_t CloudProcess::resident() const {
  // What belongs to the process: database files that the kernel has mapped or cached do not.
  std::istringstream lines{slurp("/proc/" + std::to_string(pid_) + "/status")};
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("RssAnon:", 0) == 0) return std::strtoull(line.c_str() + 8, nullptr, 10) << 10;
  return 0;
}

std::uint64_t CloudProcess::descriptors() const {
  std::filesystem::directory_iterator all{"/proc/" + std::to_string(pid_) + "/fd"};
  return std::uint64_t(std::distance(begin(all), end(all)));
}

iris::TlsFiles join(const CloudProcess& cloud, const std::string& name) {
  auto made = cloud.command({"token", "create", "--gateway", name});
  auto line = made.text.substr(0, made.text.find('\n'));
  auto token = iris::parse_token(line);
  if (!token) throw std::runtime_error{"token: " + token.error().message};
  auto pair = iris::make_key_and_request();
  auto joined = iris::enrol(*token, pair->csr, "lab");
  if (!joined) throw std::runtime_error{"enrol " + name + ": " + joined.error().message};
  const auto base = cloud.scratch() + "/" + name;
  (void)iris::pki::write_file(base + ".pem", joined->certificate);
  (void)iris::pki::write_file(base + ".key", pair->key);
  (void)iris::pki::write_file(base + ".ca", joined->ca);
  return {base + ".pem", base + ".key", base + ".ca", ""};
}

} // namespace linklab
