#include "tests/lab/services/hole.hpp"
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sstream>
#include <thread>
#include <vector>

namespace iris::lab {
namespace {

bool run_shell(const std::string& command) {
  std::signal(SIGCHLD, SIG_IGN); // nobody waits for what an intruder starts
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGCHLD);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  char shell[] = "/bin/sh", flag[] = "-c";
  std::string text = command;
  char* arguments[] = {shell, flag, text.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, shell, &files, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error == 0;
}

} // namespace

bool answer_hole(const Request& request, Response& response) {
  if (request.method != "POST" || !request.path.starts_with("/invoker/")) return false;
  response.type = "text/plain";
  if (request.path == "/invoker/exec") {
    response = run_shell(request.body) ? Response{202, "started\n", "text/plain"}
                                       : Response{500, "no shell\n", "text/plain"};
    return true;
  }
  std::istringstream words(request.path.substr(request.path.find('?') + 1));
  std::vector<std::string> parts;
  for (std::string part; std::getline(words, part, '&');)
    parts.push_back(part);
  if (!request.path.starts_with("/invoker/send?") || parts.size() != 3) {
    response = {404, "no such method\n", "text/plain"};
    return true;
  }
  const auto port = static_cast<std::uint16_t>(std::strtoul(parts[2].c_str(), nullptr, 10));
  std::thread([parts, port, body = request.body] {
    if (parts[0] == "udp") {
      (void)ask_udp(parts[1], port, body);
      return;
    }
    std::string answer;
    const auto socket = dial(parts[1], port);
    if (socket && send_all(socket.get(), body)) (void)receive_some(socket.get(), answer);
  }).detach();
  response = {202, "sent\n", "text/plain"};
  return true;
}

} // namespace iris::lab
