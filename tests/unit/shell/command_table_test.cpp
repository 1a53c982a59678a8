#include "shell/command_table.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using Words = std::vector<std::string>;

TEST_CASE("a line is split as a person means it") {
  CHECK(*split_words("  alert   A-1\n") == Words{"alert", "A-1"});
  CHECK(*split_words("accept 'edgex core' \"a \\\" b\" c\\ d ''") ==
        Words{"accept", "edgex core", "a \" b", "c d", ""});
  CHECK(*split_words("alerts # all of them") == Words{"alerts"});
  CHECK(*split_words("a#b") == Words{"a#b"});
  CHECK(split_words("")->empty());
  CHECK(split_words("alert 'A").error().message == "a ' is not closed");
  CHECK_FALSE(split_words("alert \\"));
}

TEST_CASE("options become name=value wherever they stand") {
  const auto command = parse_command("alerts --severity high --limit=5", false);
  REQUIRE(command);
  CHECK(command->arguments == Words{"severity=high", "limit=5"});
  REQUIRE(command->info);
  CHECK(command->info->verb == "alerts");
  CHECK(parse_command("losses --gateway press-7 --limit 9", false)->arguments ==
        Words{"gateway=press-7", "limit=9"});
  CHECK(parse_command("losses --kind x", false).error().message ==
        "there is no option --kind; usage: losses [--gateway GATEWAY] [--limit N]");
  CHECK(parse_command("", false)->verb.empty());
  CHECK(parse_command("actor edgex-gw 12", false)->arguments == Words{"edgex-gw", "12"});
}

TEST_CASE("a wrong command is one line that says how it is right") {
  CHECK(parse_command("alert", false).error().message == "something is missing; usage: alert ID");
  CHECK(parse_command("alert a b", false).error().message == "`b` is too much; usage: alert ID");
  CHECK(parse_command("gateways --limit 3", false).error().message ==
        "there is no option --limit; usage: gateways");
  CHECK(parse_command("alerts --limit", false).error().message.find("--limit takes a value") == 0);
  CHECK(parse_command("alrets", false).error().message ==
        "there is no command `alrets`, did you mean `alerts`?; `help` lists them");
  CHECK(parse_command("frobnicate", false).error().message ==
        "there is no command `frobnicate`; `help` lists them");
  CHECK(parse_command("frobnicate", false).error().code == Errc::invalid);
  const auto handed_on = parse_command("status now", true);
  REQUIRE(handed_on);
  CHECK(handed_on->info == nullptr);
  CHECK(handed_on->arguments == Words{"now"});
}

TEST_CASE("the table is whole: every command has a usage that begins with it and a way to be shown") {
  for (const auto& info : command_table()) {
    CHECK(info.usage.substr(0, info.verb.size()) == info.verb);
    CHECK_FALSE(info.says.empty());
    CHECK(info.least <= info.most);
    CHECK((info.layout != Layout::table || !info.columns.empty()));
    CHECK(find_command(info.verb) == &info);
  }
}
