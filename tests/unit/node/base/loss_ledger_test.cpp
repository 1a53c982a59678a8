#include "node/packet_figures.hpp"
#include "node/router/loss_ledger.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("regression: every kind of loss is in the losses around a finding, not only what was dropped") {
  LossLedger ledger;
  constexpr Timestamp now = 1'800'000'000 * second;
  for (const char* what : {"dropped", "unread", "forgotten", "up", "down", "evasive"})
    ledger.note({"process", what, 3, now, ""}, now);
  for (const char* what : {"dropped", "blind"})
    ledger.note({"packet:eth0", what, 5, now, ""}, now);
  for (const char* what : {"oversized", "unreadable"})
    ledger.note({"docker", what, 7, now, ""}, now);
  auto loss = ledger.around(now + 30 * second);
  CHECK(loss.processes == 9);
  CHECK(loss.packets == 10);
  CHECK(loss.observations == 14);
  CHECK_FALSE(ledger.around(now + 61 * second).any());
}

TEST_CASE("regression: the figures of a packet source show all that was not seen") {
  PacketFigures figures;
  figures.stats.flows.portless = 1;
  figures.stats.flows.fragments_lost = 2;
  figures.stats.flows.stragglers = 3;
  figures.stats.flows.orphans = 4;
  figures.stats.flows.clock_jumps = 5;
  figures.stats.watch.suppressed = 6;
  figures.stats.answers_dropped = 7;
  figures.stats.flows.tiny_fragments = 8;
  figures.stats.flows.hidden = 9;
  figures.stats.flows.resumed = 10;
  auto text = describe(figures);
  for (const char* field : {"\"portless\":1,", "\"fragments_lost\":2,", "\"stragglers\":3,", "\"orphans\":4,",
                            "\"clock_jumps\":5", "\"suppressed\":6,", "\"answers_dropped\":7,",
                            "\"tiny_fragments\":8,", "\"hidden\":9,", "\"resumed\":10,"})
    CHECK(text.find(field) != std::string::npos);
}

TEST_CASE("a sensor that cannot tell packets apart says so once a minute, and says who evades it") {
  BlindWatch watch;
  PipelineStats stats;
  Timestamp now = 1'800'000'000 * second;
  CHECK(watch.look(stats, now).empty());
  stats.frames = 100'000;
  stats.flows.portless = 50;
  stats.truncated = 40;
  CHECK(watch.look(stats, now += 61 * second).empty()); // few
  stats.frames += 100'000;
  stats.flows.portless += 900;
  CHECK(watch.look(stats, now += 61 * second).empty()); // a small share
  stats.frames += 100'000;
  stats.flows.portless += 700;
  stats.flows.fragments_lost += 400;
  stats.flows.tiny_fragments += 20;
  CHECK(watch.look(stats, now + 30 * second).empty());
  auto reports = watch.look(stats, now += 61 * second);
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].what == "blind");
  CHECK(reports[0].count == 1'100);
  CHECK(is_loss(reports[0]));
  CHECK(reports[1].what == "evasive");
  CHECK_FALSE(is_loss(reports[1]));
  CHECK(watch.look(stats, now += 61 * second).empty());
}

TEST_CASE("what one harvest had no room for is told as a loss once a minute") {
  BlindWatch watch;
  PipelineStats stats;
  Timestamp now = 1'800'000'000 * second;
  CHECK(watch.look(stats, now).empty());
  stats.answers_dropped = 3;
  stats.field.dropped = 4;
  CHECK(watch.look(stats, now + 30 * second).empty());
  auto reports = watch.look(stats, now += 61 * second);
  REQUIRE(reports.size() == 1);
  CHECK(is_loss(reports[0]));
  CHECK(reports[0].count == 7);
  CHECK(watch.look(stats, now + 61 * second).empty());
}
