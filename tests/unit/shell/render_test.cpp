#include "core/base/terminal_text.hpp"
#include "shell/render.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

using namespace iris;

namespace {

std::string shown(std::vector<std::string> lines, std::string_view verb, RenderOptions options = {}) {
  QueryAnswer answer;
  answer.lines = std::move(lines);
  return render(answer, find_command(verb), options);
}

const std::string two_gateways[] = {
    R"({"gateway":"gw-1","tenant":"t","site":"","connected":true,"services":12345,"last_seen":"2026-11-24T09:08:31.123456Z"})",
    R"({"gateway":"gateway-two","tenant":"t","site":"","connected":false,"services":7,"last_seen":""})"};

} // namespace

TEST_CASE("a table aligns its columns and leaves out those in which nothing stands") {
  CHECK(shown({two_gateways[0], two_gateways[1]}, "gateways") ==
        "GATEWAY      TENANT  UP   SERVICES  LAST SEEN\n"
        "gw-1         t       yes    12 345  2026-11-24 09:08:31\n"
        "gateway-two  t                   7\n");
  CHECK(shown({}, "gateways").empty());
}

TEST_CASE("losses and a gateway's name have columns of their own") {
  CHECK(
      shown(
          {R"({"gateway":"gw-1","gateway_name":"press-7","tenant":"t","kind":"deltas","count":1234,"lost_by":"spool","since":"2026-11-24T09:08:31.5Z","until":"2026-11-24T09:09:00Z","received":"","reason":"the disk was full"})"},
          "losses") ==
      "GATEWAY  CALLED   KIND    COUNT  SINCE                UNTIL                LOST BY  WHY\n"
      "gw-1     press-7  deltas  1 234  2026-11-24 09:08:31  2026-11-24 09:09:00  spool    the disk was "
      "full\n");
  CHECK(shown({R"({"gateway":"gw-1","gateway_name":"press-7"})"}, "gateways") ==
        "GATEWAY  CALLED\ngw-1     press-7\n");
}

TEST_CASE("the last column is clipped to a terminal, never to a pipe") {
  const auto line = R"({"id":"A-1","severity":"high","title":")" + std::string(300, 'x') + "\"}";
  RenderOptions narrow;
  narrow.width = 60;
  std::istringstream text{shown({line}, "alerts", narrow)};
  for (std::string row; std::getline(text, row);)
    CHECK(display_width(row) <= 60);
  CHECK(shown({line}, "alerts").find(std::string(300, 'x')) != std::string::npos);
}

TEST_CASE("json lines come out as they came in") {
  RenderOptions json;
  json.json = true;
  const std::string line = R"({"b":1.50,"a":"ä"})";
  CHECK(shown({line, line}, "alerts", json) == line + "\n" + line + "\n");
  CHECK(shown({"{\"a\":\n1}"}, "alerts", json) == "{\"a\":1}\n");
  CHECK(shown({"no \x1b json"}, "alerts", json) == "no \\x1b json\n");
}

TEST_CASE("colour only where it is asked for, and hostile text never acts") {
  const std::string line = R"({"id":"A-1","severity":"critical","title":"ran \u001b]0;owned\u0007"})";
  CHECK(shown({line}, "alerts").find('\x1b') == std::string::npos);
  RenderOptions colour;
  colour.colour = true;
  const auto text = shown({line}, "alerts", colour);
  CHECK(text.find("\x1b[1;31mcritical\x1b[0m") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\x1b') == 2);
  CHECK(text.find('\x07') == std::string::npos);
}

TEST_CASE("a command that changes an alert answers with one line") {
  CHECK(shown({R"({"id":"A-1","revision":2,"title":"gw-1 is away","state":"closed","evidence":{}})"},
              "close") == "A-1 is closed: gw-1 is away\n");
}

TEST_CASE("an alert is a block with its evidence") {
  const auto text = shown(
      {R"({"id":"A-0011","revision":2,"detector":"network.lateral","title":"edgex-support-logging connected to kmc-thermostat","severity":"high","score":11.5,"tenant":"t","site":"s","gateway":"gw","entity":{"kind":"service","name":"edgex-support-logging","image":"logging:1","container":"0123456789abcdef"},"peer":{"kind":"device","name":"kmc-thermostat","address":"10.77.0.21","port":47808,"country":"DE","network":""},"first":"2026-11-24T09:00:00.000000Z","last":"2026-11-24T09:00:01.000000Z","count":3,"expected":"e","observed":"o","attack":["T1021","T0886"],"evidence":{"processes":[{"pid":7,"exe":"/bin/python3","args":["python3","x.py"],"args_cut":false,"ancestors":["/bin/sh","/init"],"origin":"upper","entered":true}],"flows":[{"src":"172.20.0.5","sport":40000,"dst":"10.77.0.21","dport":47808,"proto":"udp","packets":3,"bytes_out":300,"bytes_in":2048,"first":"f","last":"l"}]},"loss":{"packets":4,"processes":0,"observations":0},"state":"open","incident":"I-1","late":true})"},
      "alert");
  for (const char* part :
       {"[high] edgex-support-logging connected to kmc-thermostat\n",
        "  id        A-0011 revision 2, open, incident I-1\n", "  where     t/s/gw\n",
        "  detector  network.lateral, 11.5 bits\n", ", count 3, arrived late\n",
        "  entity    service edgex-support-logging, image logging:1, container 0123456789ab\n",
        "  peer      device kmc-thermostat, 10.77.0.21, port 47808, Germany (DE)\n",
        "  ATT&CK    T1021 T0886\n",
        "  process   pid 7: python3 x.py  [/init > /bin/sh > /bin/python3]  (file from upper)  (entered from "
        "outside of the container)\n",
        "  flow      172.20.0.5:40000 -> 10.77.0.21:47808 udp, 3 packets, 300 B out, 2.0 KiB in, f to l\n",
        "  not seen  4 packets, 0 processes, 0 observations\n"}) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("an actor is a tree with its last messages") {
  const auto text = shown(
      {R"({"node":"cloud","id":7,"kind":"spool","name":"","inspect":{"held":3,"lanes":[{"lane":0,"last":5}],"empty":[]},"recent":[{"number":2,"type":"FindingBatch","flow":"send","bytes":null,"us":12.34,"at":"t"}]})"},
      "actor");
  CHECK(text == "node  cloud\nid    7\nkind  spool\nname\n"
                "says of itself\n  held   3\n  lanes\n    -\n      lane  0\n      last  5\n  empty  none\n"
                "last messages, newest first\n"
                "NUMBER  AT  MICROSECONDS  AS    MESSAGE\n     2  t           12.3  send  FindingBatch\n");
  CHECK(shown({R"({"id":7,"inspect":null,"inspect_error":"did not answer within a second"})"}, "actor")
            .find("says nothing of itself: did not answer within a second") != std::string::npos);
}

TEST_CASE("a baseline is a head and a table for each kind of content") {
  const auto text =
      shown({R"({"kind":"baseline","service":"edgex-mongo","version":3})",
             R"({"kind":"key","gateway":"","family":"exec","phase":"steady","text":"exec mongod","hours":9})",
             R"({"kind":"key","gateway":"gw","family":"peer-in","phase":"steady","text":"x","hours":1})",
             R"({"kind":"number","gateway":"","text":"bytes out","threshold_text":"1.0 KiB"})"},
            "baseline");
  CHECK(text.find("service  edgex-mongo\n") != std::string::npos);
  CHECK(text.find("Learned behaviours\nFAMILY   PHASE   GATEWAY  HOURS  BEHAVIOUR\nexec     steady  fleet    "
                  "    9  exec mongod\n") != std::string::npos);
  CHECK(text.find("Learned numbers\nGATEWAY  THRESHOLD  NUMBER\nfleet    1.0 KiB    bytes out\n") !=
        std::string::npos);
}

TEST_CASE("answers of unknown shape are shown as well as they can be") {
  QueryAnswer answer;
  answer.lines = {R"({"uptime":"5 s","sources":{"packet":"up"}})"};
  CHECK(render(answer, nullptr, {}) == "uptime  5 s\nsources\n  packet  up\n");
  answer.lines = {R"({"a":1,"b":"x"})", R"({"a":22})"};
  CHECK(render(answer, nullptr, {}) == " A  B\n 1  x\n22\n");
  answer.lines = {"plain words", "[1]"};
  CHECK(render(answer, nullptr, {}) == "plain words\n[1]\n");
  // Wrong types where the table expects others must not throw.
  CHECK_NOTHROW(
      shown({R"({"id":{"x":1},"severity":7,"title":null,"count":"many","last":3,"state":[]})"}, "alerts"));
  CHECK_NOTHROW(
      shown({R"({"evidence":7,"entity":"x","peer":[],"attack":{},"loss":[1],"late":"no"})"}, "alert"));
  CHECK_NOTHROW(shown({R"({"kind":7})"}, "baseline"));
}
