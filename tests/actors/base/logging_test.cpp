#include "actors/logging.hpp"

#include <catch2/catch.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

using namespace iris;

TEST_CASE("issue: what a peer wrote cannot look like a line of the log") {
  const auto before = spdlog::default_logger();
  REQUIRE(start_logging("info"));
  char name[] = "/tmp/iris-log-XXXXXX";
  const int file = ::mkstemp(name), standard_error = ::dup(STDERR_FILENO);
  ::dup2(file, STDERR_FILENO);
  spdlog::warn("version {}", "9\n2026-11-24T08:20:00Z critical FORGED\x1b[2J \u00e4");
  ::dup2(standard_error, STDERR_FILENO);
  ::close(standard_error);
  std::string text(1'000, 0);
  text.resize(std::size_t(::pread(file, text.data(), text.size(), 0)));
  ::close(file);
  ::unlink(name);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.find(" warning version 9\\x0a2026-11-24T08:20:00Z critical FORGED\\x1b[2J \u00e4\n") !=
        std::string::npos);
  spdlog::set_default_logger(before);
}

TEST_CASE("the level comes from the flag, then the environment, and an unknown one is named") {
  const auto before = spdlog::default_logger();
  ::setenv("IRIS_LOG_LEVEL", "error", 1);
  REQUIRE(start_logging("debug"));
  CHECK(spdlog::default_logger()->level() == spdlog::level::debug);
  REQUIRE(start_logging(""));
  CHECK(spdlog::default_logger()->level() == spdlog::level::err);
  ::setenv("IRIS_LOG_LEVEL", "loud", 1);
  const auto bad = start_logging("");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message == "IRIS_LOG_LEVEL: `loud` is none of trace, debug, info, warn, error, off");
  ::unsetenv("IRIS_LOG_LEVEL");
  REQUIRE(start_logging(""));
  CHECK(spdlog::default_logger()->level() == spdlog::level::info);
  CHECK_FALSE(start_logging("lots"));
  REQUIRE(start_logging("off"));
  spdlog::set_default_logger(before);
}
