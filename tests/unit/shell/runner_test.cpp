#include "shell/runner.hpp"

#include "core/link/protocol.hpp"
#include "schemas/link.capnp.h"
#include "shell/bundle.hpp"
#include "shell/greeting.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace iris;

namespace {

/// Answers as the test says.
struct FakeChannel final : Channel {
  Result<QueryAnswer> next = QueryAnswer{};
  std::vector<QueryRequest> asked;
  bool hands_on = false;
  Result<QueryAnswer> ask(const QueryRequest& request) override {
    asked.push_back(request);
    return next;
  }
  bool open() const override { return hands_on; }
  std::string name() const override { return "fake"; }
};

struct Shell {
  FakeChannel channel;
  Runner runner{channel, {}, 1'500};
};

} // namespace

TEST_CASE("a command is asked with its arguments and deadline, its answer shown") {
  Shell shell;
  QueryAnswer answer;
  answer.lines = {R"({"gateway":"gw-1"})"};
  shell.channel.next = answer;
  const auto outcome = shell.runner.run("gateways");
  CHECK(outcome.exit == Exit::ok);
  CHECK(outcome.out == "GATEWAY\ngw-1\n");
  CHECK(outcome.err.empty());
  REQUIRE(shell.channel.asked.size() == 1);
  CHECK(shell.channel.asked[0].deadline_ms == 1'500);
  CHECK(shell.runner.run("   # nothing").out.empty());
  CHECK(shell.channel.asked.size() == 1);
}

TEST_CASE("exit codes tell failure, wrong use and nobody there apart") {
  Shell shell;
  const auto exit_with = [&](Result<QueryAnswer> answer) {
    shell.channel.next = std::move(answer);
    return shell.runner.run("alert A-1");
  };
  CHECK(exit_with(Error{Errc::unavailable, "away"}).exit == Exit::unreachable);
  CHECK(exit_with(Error{Errc::unavailable, "away"}).err == "iris-shell: away\n");
  CHECK(exit_with(answer_error(Errc::not_found, "no such alert")).exit == Exit::failed);
  CHECK(exit_with(answer_error(Errc::invalid, "what?")).exit == Exit::usage);
  CHECK(exit_with(answer_error(Errc::unavailable, "the gateway is away")).exit == Exit::unreachable);
  CHECK(exit_with(answer_error(Errc(200), "")).exit == Exit::failed);
  CHECK(shell.runner.run("alert").exit == Exit::usage);
  CHECK(shell.runner.run("status").exit == Exit::usage); // not the shell's, and the cloud is not asked
  shell.channel.hands_on = true;
  shell.channel.next = QueryAnswer{};
  CHECK(shell.runner.run("status").exit == Exit::ok);
  QueryAnswer partial;
  partial.partial = true;
  partial.lines = {"{\"id\":\"A\"}"};
  const auto outcome = exit_with(partial);
  CHECK(outcome.exit == Exit::ok);
  CHECK(outcome.err.find("not complete") != std::string::npos);
}

TEST_CASE("detectors, help and quit need nobody") {
  Shell shell;
  shell.channel.next = Error{Errc::unavailable, "away"};
  CHECK(shell.runner.run("detectors").out.find("network.known-bad") != std::string::npos);
  CHECK(shell.runner.run("help").out.find("actors [NODE]") != std::string::npos);
  CHECK(shell.runner.run("help alert").out == "alert ID\n  one alert with its evidence\n");
  CHECK(shell.runner.run("help dance").exit == Exit::failed);
  CHECK(shell.runner.run("quit").quit);
  CHECK(shell.runner.run("exit").quit);
  CHECK(shell.channel.asked.empty());
}

TEST_CASE("completion offers verbs, options, and names that were seen") {
  Shell shell;
  CHECK(shell.runner.completions("al") == std::vector<std::string>{"alert", "alerts"});
  CHECK(shell.runner.completions("alerts --se") == std::vector<std::string>{"--severity"});
  CHECK(shell.runner.completions("help basel") == std::vector<std::string>{"baseline"});
  CHECK(shell.runner.completions("alert A").empty());
  CHECK(shell.runner.completions("actor cl") == std::vector<std::string>{"cloud"});
  QueryAnswer answer;
  answer.lines = {R"({"id":"A-17"})", R"({"id":"A-18"})", R"({"gateway":"gw-9"})"};
  shell.channel.next = answer;
  (void)shell.runner.run("alerts");
  CHECK(shell.runner.completions("alert A-") == std::vector<std::string>{"A-17", "A-18"});
  CHECK(shell.runner.completions("actors gw") == std::vector<std::string>{"gw-9"});
  answer.lines.clear();
  for (int i = 0; i < 5'000; ++i)
    answer.lines.push_back("{\"id\":\"B-" + std::to_string(i) + "\"}");
  shell.channel.next = answer;
  (void)shell.runner.run("alerts");
  CHECK(shell.runner.completions("alert ").size() == Runner::names_limit);
}

TEST_CASE("a bundle is checked before anything is sent") {
  std::string pattern = (std::filesystem::temp_directory_path() / "iris-bundle-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const auto write = [&](const char* name, const char* text) {
    std::ofstream{folder / name} << text;
    std::filesystem::permissions(folder / name,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  };
  CHECK(read_bundle(folder.string(), true).error().code == Errc::not_found);
  for (const char* name : {"ca.pem", "cert.pem", "key.pem"})
    write(name, "x");
  CHECK(read_bundle(folder.string(), true).error().message.find("addresses.txt") != std::string::npos);
  CHECK(read_bundle(folder.string(), false));
  write("addresses.txt", "# none\n\n");
  CHECK(read_bundle(folder.string(), true).error().code == Errc::invalid);
  write("addresses.txt", "iris.example:7443 # first\n  [2001:db8::1]:7443\r\n");
  const auto bundle = read_bundle(folder.string(), true);
  REQUIRE(bundle);
  CHECK(bundle->addresses == std::vector<std::string>{"iris.example:7443", "[2001:db8::1]:7443"});
  std::filesystem::permissions(folder / "key.pem", std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  CHECK(read_bundle(folder.string(), true).error().code == Errc::refused);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a cloud of another version is refused by the shell, which says which side to upgrade") {
  auto welcome = [](std::uint16_t major, std::uint16_t minor, const char* refusal = "") {
    capnp::MallocMessageBuilder message;
    auto root = message.initRoot<schema::Welcome>();
    root.setProtocolMajor(major);
    root.setProtocolMinor(minor);
    root.setVersion("9.9");
    root.setRefusal(refusal);
    const auto words = capnp::messageToFlatArray(message);
    return decode_operator_welcome({words.asChars().begin(), words.asChars().end()});
  };
  const auto ours = std::to_string(link_major) + "." + std::to_string(link_minor);
  for (const int apart : {-1, 0, 1})
    CHECK(welcome(link_major, std::uint16_t(link_minor + apart)));
  const auto newer = welcome(link_major, link_minor + 2);
  REQUIRE_FALSE(newer);
  CHECK(newer.error().code == Errc::version);
  CHECK(newer.error().message == "the cloud speaks link protocol 1.3, this shell " + ours +
                                     ": upgrade this shell (it is iris-cloud 9.9)");
  CHECK(welcome(link_major + 1, 0).error().message.find(": upgrade this shell") != std::string::npos);
  CHECK(welcome(link_major - 1, 9).error().message.find(": upgrade the cloud") != std::string::npos);
  CHECK(welcome(link_major, link_minor + 2, "the shell is old: upgrade the shell").error().message ==
        "the cloud refused: the shell is old: upgrade the shell");
}

TEST_CASE("a welcome that is damaged is an error") {
  CHECK(decode_operator_welcome({}).error().code == Errc::corrupt);
  CHECK(decode_operator_welcome(std::vector<char>(24, '\xff')).error().code == Errc::corrupt);
  // An empty struct: no version at all.
  CHECK(decode_operator_welcome(std::vector<char>(16)).error().code != Errc::refused);
  CHECK(encode_operator_hello("0.1.0").size() % 8 == 0);
}

TEST_CASE("evidence is shown by its kinds, and heads of packets go to a file that other tools read") {
  Shell shell;
  QueryAnswer answer;
  answer.message = "the beginning is gone";
  answer.lines = {R"({"kind":"evidence","observations":1,"gone":""})",
                  R"({"kind":"process","at":"2026-11-24T21:00:00.000000Z","exe":"/usr/bin/nmap"})",
                  R"({"kind":"packet","ns":1,"interface":"br-edgex","link":1,"length":90,"header":"0a0b"})",
                  R"({"kind":"packet","ns":2,"interface":"br-edgex","link":1,"length":90,"header":"zz"})"};
  shell.channel.next = answer;
  char name[] = "/tmp/iris-evidence-XXXXXX";
  const auto file = ::mkstemp(name);
  REQUIRE(file >= 0);
  ::close(file);
  const auto outcome = shell.runner.run(std::string{"evidence A-1 --pcap "} + name);
  CHECK(outcome.exit == Exit::ok);
  CHECK(shell.channel.asked.back().arguments == std::vector<std::string>{"A-1", "packets=1"});
  CHECK(outcome.out.find("Processes\n") != std::string::npos);
  CHECK(outcome.out.find("0a0b") == std::string::npos);
  CHECK(outcome.err == std::string{"iris-shell: the beginning is gone; "} + name +
                           ": the headers of 1 packets, without what they carried\n");
  std::ifstream in{name, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  CHECK(bytes.substr(0, 4) == "\x0a\x0d\x0d\x0a");
  CHECK(bytes.find("br-edgex") != std::string::npos);
  CHECK(bytes.size() % 4 == 0);
  std::filesystem::remove(name);

  answer.lines.resize(1);
  shell.channel.next = answer;
  CHECK(shell.runner.run(std::string{"evidence A-1 --pcap "} + name).err.find("no file was made") !=
        std::string::npos);
  CHECK(!std::filesystem::exists(name));
  shell.channel.next = answer;
  shell.channel.next->lines.push_back(
      R"({"kind":"packet","ns":1,"interface":"br-edgex","link":1,"length":90,"header":"0a0b"})");
  CHECK(shell.runner.run("evidence A-1 --pcap /nonexistent/x").exit == Exit::failed);
  (void)shell.runner.run("evidence A-1");
  CHECK(shell.channel.asked.back().arguments == std::vector<std::string>{"A-1"});
}
