#include "core/process/health_check.hpp"
#include "core/process/process_table.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace iris;
using Words = std::vector<std::string>;

TEST_CASE("the engine's probe is recognised by the container's configuration") {
  const Words shell{"CMD-SHELL", "curl -f http://localhost/ || exit 1"};
  CHECK(is_health_check(shell, Words{"/bin/sh", "-c", "curl -f http://localhost/ || exit 1"}));
  CHECK(is_health_check(shell,
                        Words{"/bin/bash", "-o", "pipefail", "-c", "curl -f http://localhost/ || exit 1"}));
  CHECK_FALSE(is_health_check(shell, Words{"/bin/sh", "-c", "curl -f http://elsewhere/ || exit 1"}));
  CHECK_FALSE(is_health_check(shell, Words{"curl -f http://localhost/ || exit 1"}));
  const Words plain{"CMD", "redis-cli", "ping"};
  CHECK(is_health_check(plain, Words{"redis-cli", "ping"}));
  CHECK_FALSE(is_health_check(plain, Words{"redis-cli", "ping", "-h", "x"}));
  CHECK_FALSE(is_health_check(plain, Words{"redis-cli"}));
  CHECK_FALSE(is_health_check(Words{}, Words{"redis-cli"}));
  CHECK_FALSE(is_health_check(Words{"NONE", "x"}, Words{"x"}));
}

TEST_CASE("and by what the engine says that it runs") {
  CHECK(is_health_check(Words{"CMD", "redis-cli", "ping"}, "redis-cli ping"));
  CHECK(is_health_check(Words{"CMD-SHELL", "true"}, "/bin/sh -c true"));
  CHECK_FALSE(is_health_check(Words{"CMD-SHELL", "true"}, "/bin/sh -c nottrue"));
  CHECK_FALSE(is_health_check(Words{}, ""));
}

TEST_CASE("what a health check starts belongs to it, and nothing else does") {
  ProcessTable table;
  const std::string box(64, 'a');
  auto exec = [&](std::uint32_t pid, std::uint32_t parent, const char* exe) {
    ExecFacts facts;
    facts.pid = pid;
    facts.parent_pid = parent;
    facts.exe = exe;
    facts.container = box;
    return table.exec(std::move(facts)).process;
  };
  table.container_started(box, 10);
  (void)exec(10, 1, "/app");
  table.fork(1, 20, 1);
  (void)exec(20, 1, "/bin/sh");
  table.mark_health_check(20);
  table.fork(20, 21, 1);
  CHECK(exec(21, 20, "/usr/bin/curl").health_check);
  table.fork(10, 11, 1);
  CHECK_FALSE(exec(11, 10, "/usr/bin/curl").health_check);
  (void)table.exit(20, 0, 0, 2);
  table.fork(1, 20, 3); // the pid again
  CHECK_FALSE(exec(20, 1, "/bin/sh").health_check);
}
