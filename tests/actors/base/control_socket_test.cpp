#include "actors/control_socket.hpp"
#include "actors/query_codec.hpp"
#include "actors/unix_stream.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

using namespace iris;
using namespace std::chrono_literals;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "iris-control-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string socket() const { return (path / "control").string(); }
};

QueryRequest question(std::string verb, std::vector<std::string> arguments = {}) {
  QueryRequest request;
  request.verb = std::move(verb);
  request.arguments = std::move(arguments);
  request.deadline_ms = 1'000;
  return request;
}

QueryAnswer echo(const QueryRequest& request) {
  if (request.verb == "throw") throw std::runtime_error{"out of tokens"};
  if (request.verb == "slow") std::this_thread::sleep_for(300ms);
  QueryAnswer answer;
  answer.lines = request.arguments;
  answer.message = request.verb + (request.admin ? " as admin" : "");
  return answer;
}

std::string raw(const std::string& path, std::string_view text) {
  const auto socket = connect_unix(path);
  REQUIRE(socket);
  const UnixStream stream{socket->get()};
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  REQUIRE(stream.write(text, deadline));
  const auto answer = stream.read_all(1'000'000, deadline);
  return answer ? *answer : answer.error().message;
}

} // namespace

TEST_CASE("a question reaches the running process and its answer comes back") {
  const Folder folder;
  auto server = ControlSocket::listen(folder.socket(), echo);
  REQUIRE(server);
  struct stat mode {};
  REQUIRE(::stat(folder.socket().c_str(), &mode) == 0);
  CHECK((mode.st_mode & 0777) == 0600);
  const auto answer =
      ask_control_socket(folder.socket(), question("token", {"{\"a\":1}", "two\nlines", "ä"}));
  REQUIRE(answer);
  CHECK(answer->status == 0);
  CHECK(answer->message == "token as admin");
  CHECK(answer->lines == std::vector<std::string>{"{\"a\":1}", "two lines", "ä"});
  // As long as a reply over the link may be.
  const auto big = ask_control_socket(folder.socket(),
                                      question("x", std::vector<std::string>(15, std::string(4'000, 'y'))));
  REQUIRE(big);
  CHECK(big->lines.size() == 15);
  CHECK((*server)->served() == 2);
  CHECK((*server)->refused() == 0);
}

TEST_CASE("issue: what a client gave up waiting for is not done later") {
  const Folder folder;
  std::atomic<int> asked{0};
  auto server = ControlSocket::listen(folder.socket(), [&](const QueryRequest& request) {
    ++asked;
    std::this_thread::sleep_for(300ms);
    return echo(request);
  });
  REQUIRE(server);
  std::thread first{[&] { (void)ask_control_socket(folder.socket(), question("first")); }};
  while (asked == 0)
    std::this_thread::sleep_for(1ms);
  {
    const auto impatient = connect_unix(folder.socket());
    REQUIRE(impatient);
    REQUIRE(
        UnixStream{impatient->get()}.write("{\"verb\":\"token\"}\n", std::chrono::steady_clock::now() + 1s));
  }
  first.join();
  CHECK(ask_control_socket(folder.socket(), question("last")));
  CHECK(asked == 2);
  CHECK((*server)->refused() == 1);
}

TEST_CASE("a handler that throws gives an error line, and the socket goes on") {
  const Folder folder;
  auto server = ControlSocket::listen(folder.socket(), echo);
  REQUIRE(server);
  const auto answer = ask_control_socket(folder.socket(), question("throw"));
  REQUIRE(answer);
  CHECK(answer->status == std::uint8_t(Errc::io));
  CHECK(answer->message == "`throw` failed: out of tokens");
  CHECK(ask_control_socket(folder.socket(), question("again")));
}

TEST_CASE("bad input on the control socket gives one line and nothing else") {
  const Folder folder;
  auto server = ControlSocket::listen(folder.socket(), echo);
  REQUIRE(server);
  const auto path = folder.socket();
  CHECK(raw(path, "hello\n").find("not one JSON object") != std::string::npos);
  CHECK(raw(path, "[1]\n").find("not one JSON object") != std::string::npos);
  CHECK(raw(path, "{\"verb\":7}\n").find("`verb`") != std::string::npos);
  CHECK(raw(path, "{\"verb\":\"x\",\"tenant\":\"all\"}\n").find("`tenant`") != std::string::npos);
  CHECK(raw(path, "{\"verb\":\"x\",\"arguments\":[1]}\n").find("`arguments`") != std::string::npos);
  CHECK(raw(path, "{\"verb\":\"x\",\"deadline_ms\":4000000000}\n").find("`deadline_ms`") !=
        std::string::npos);
  CHECK(raw(path, "{\"verb\":\"\"}\n").find("a verb has") != std::string::npos);
  CHECK(raw(path, std::string(ControlSocket::request_limit + 10, 'x')).find("longer than") !=
        std::string::npos);
  CHECK((*server)->refused() == 8);
  CHECK((*server)->served() == 0);
  // Someone who says nothing is sent away, and holds the others up no longer than that.
  const auto begin = std::chrono::steady_clock::now();
  const auto silent = connect_unix(path);
  REQUIRE(silent);
  auto request = question("x");
  request.deadline_ms = 5'000;
  CHECK(ask_control_socket(path, request));
  CHECK(std::chrono::steady_clock::now() - begin < ControlSocket::patience + 2s);
}

TEST_CASE("one process a socket; a dead one's is replaced") {
  const Folder folder;
  {
    auto server = ControlSocket::listen(folder.socket(), echo);
    REQUIRE(server);
    const auto second = ControlSocket::listen(folder.socket(), echo);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::locked);
    CHECK(ask_control_socket(folder.socket(), question("still there")));
  }
  CHECK_FALSE(std::filesystem::exists(folder.socket()));
  CHECK(ask_control_socket(folder.socket(), question("x")).error().code == Errc::unavailable);
  {
    auto dead = listen_unix(folder.socket());
    REQUIRE(dead);
  } // closed, but its file is left
  REQUIRE(std::filesystem::exists(folder.socket()));
  CHECK(ask_control_socket(folder.socket(), question("x")).error().code == Errc::unavailable);
  CHECK(ControlSocket::listen(folder.socket(), echo));
  const auto file = (folder.path / "file").string();
  std::ofstream{file} << "precious";
  CHECK(ControlSocket::listen(file, echo).error().code == Errc::invalid);
  CHECK(std::filesystem::exists(file));
  CHECK(ControlSocket::listen(std::string(200, 'x'), echo).error().code == Errc::invalid);
}

TEST_CASE("a process that does not answer in time is not waited for") {
  const Folder folder;
  auto silent = listen_unix(folder.socket());
  REQUIRE(silent);
  auto request = question("x");
  request.deadline_ms = 50;
  const auto begin = std::chrono::steady_clock::now();
  const auto answer = ask_control_socket(folder.socket(), request);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::unavailable);
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
}
