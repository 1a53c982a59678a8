#include "actors/logging.hpp"

#include <catch2/catch.hpp>
#include <spdlog/spdlog.h>

#include <cstdlib>

using namespace iris;

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
