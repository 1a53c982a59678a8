#include "core/process/script.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("the script file of an interpreter's command line") {
  struct Row {
    const char* exe;
    std::vector<std::string> args;
    const char* expected;
  };
  const Row rows[] = {
      {"/usr/bin/python3.11", {"python3", "FlaskController.py", "-p", "5002"}, "FlaskController.py"},
      {"/usr/bin/python3.11", {"python3", "-u", "-W", "ignore", "/tmp/x.py"}, "/tmp/x.py"},
      {"/usr/bin/python3.11", {"python3", "-m", "http.server"}, ""},
      {"/usr/bin/python3.11", {"python3", "-c", "print(1)", "x.py"}, ""},
      {"/usr/bin/python3.11", {"python3"}, ""},
      {"/usr/bin/python3.11", {"python3", "-"}, ""},
      {"/usr/bin/dash", {"/bin/sh", "launch-edgex-mongo.sh"}, "launch-edgex-mongo.sh"},
      {"/usr/bin/dash", {"sh", "-c", "ping x"}, ""},
      {"/usr/bin/dash", {"sh", "-ec", "ping x"}, ""},
      {"/usr/bin/bash", {"bash", "-x", "--rcfile", "/r", "a.sh", "b"}, "a.sh"},
      {"/usr/bin/bash", {"-bash"}, ""},
      {"/usr/bin/bash", {"bash", "-o", "pipefail", "a.sh"}, "a.sh"},
      {"/bin/busybox", {"busybox", "sh", "a.sh"}, "a.sh"},
      {"/bin/busybox", {"sh", "a.sh"}, "a.sh"},
      {"/bin/busybox", {"ping", "a.sh"}, ""},
      {"/usr/bin/perl", {"perl", "-w", "x.pl", "-e"}, "x.pl"},
      {"/usr/bin/perl", {"perl", "-we", "print"}, ""},
      {"/usr/bin/node", {"node", "--require", "a.js", "app.js"}, "app.js"},
      {"/usr/bin/node", {"node", "-e", "1"}, ""},
      {"/usr/lib/jvm/bin/java",
       {"java", "-Djava.security.egd=file:/dev/urandom", "-Xmx150M", "-jar", "core-metadata.jar"},
       "core-metadata.jar"},
      {"/usr/lib/jvm/bin/java", {"java", "-cp", "a.jar", "org.x.Main"}, ""},
      {"/usr/bin/lua5.4", {"lua5.4", "x.lua"}, "x.lua"},
      {"/usr/bin/php8.2", {"php", "-f", "x.php"}, "x.php"},
      {"/usr/bin/mawk", {"awk", "-f", "x.awk", "data"}, "x.awk"},
      {"/usr/bin/mawk", {"awk", "{print}", "data"}, ""},
      {"/core-metadata", {"/core-metadata", "x.py"}, ""},
      {"/usr/bin/python3", {}, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.exe, row.args);
    CHECK(script_of(row.exe, row.args) == row.expected);
  }
}

TEST_CASE("paths are made absolute in the container's terms") {
  CHECK(absolute_path("/edgex/x", "a.py") == "/edgex/x/a.py");
  CHECK(absolute_path("/edgex/x", "./../a.py") == "/edgex/a.py");
  CHECK(absolute_path("", "/tmp//./a") == "/tmp/a");
  CHECK(absolute_path("/", "../../etc/x") == "/etc/x");
  CHECK(absolute_path("", "a.py").empty());
  CHECK(absolute_path("/x", "").empty());
  CHECK(absolute_path("", "/") == "/");
}
