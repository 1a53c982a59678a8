#include "actors/query.hpp"
#include "actors/spawn.hpp"
#include "node/spool_actor.hpp"
#include "tests/fixtures/deterministic.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;

namespace {

/// A spool actor on a volume whose room the test decides.
struct Volume : Deterministic {
  TempDir dir;
  std::uint64_t room = UINT64_MAX;
  std::shared_ptr<Spool> store;
  SpoolActor spool;
  std::size_t told = 0, kept = 0, refused = 0;

  Volume() {
    SpoolLimits limits;
    limits.free_bytes = [this] { return room; };
    auto opened = Spool::open(dir.path("spool"), limits, 0);
    REQUIRE(opened.ok());
    store = std::move(*opened);
    SpoolEvents events;
    events.wake = [] {};
    events.finding = [this](const Finding&) { ++told; };
    events.settled = [this](const Finding&, bool on_disk) { ++(on_disk ? kept : refused); };
    spool = spawn_in<SpoolActor, SpoolActorState>(
        system, directory, {.kind = "spool"}, spool_actor, store,
        std::function<Timestamp()>{[] { return Timestamp{1'000 * second}; }}, std::move(events));
  }
  ~Volume() {
    caf::anon_send_exit(spool, caf::exit_reason::kill);
    spool = nullptr;
    settle();
  }
  void find(std::size_t count, std::size_t text = 10) {
    FindingBatch batch;
    for (std::size_t i = 0; i < count; ++i) {
      Finding finding;
      finding.detector = "process.novel";
      finding.entity.name = "core-data";
      finding.act = std::string(text, 'x');
      batch.findings.push_back(finding);
    }
    self->send(spool, make_ref(std::move(batch)));
    settle();
  }
  std::string inspect() { return ask<Ref<InspectAnswer>>(spool, atom::inspect_v)->json; }
};

} // namespace

TEST_CASE("findings of a time when the disk was full are not lost") {
  Volume volume;
  volume.find(1);
  CHECK(volume.kept == 1);
  volume.room = 0;
  volume.find(3);
  volume.pass(2s);
  CHECK(volume.told == 4); // a local syslog need not wait
  CHECK(volume.kept == 1);
  CHECK(volume.refused == 0);
  CHECK(volume.inspect().find("\"held_findings\":3") != std::string::npos);
  volume.room = UINT64_MAX;
  volume.pass(500ms);
  CHECK(volume.kept == 4);
  CHECK(volume.told == 4);
  CHECK_FALSE(volume.store->has_losses());
}

TEST_CASE("findings that came while others waited for room do not overtake them") {
  Volume volume;
  volume.room = 0;
  volume.find(1);
  volume.room = UINT64_MAX;
  volume.find(1); // before the next attempt
  CHECK(volume.kept == 0);
  volume.pass(500ms);
  CHECK(volume.kept == 2);
  CHECK(volume.store->last_seq(Lane::findings) == 1);
}

TEST_CASE("what waits for room on a full disk is bounded, and what is beyond it is told as a loss") {
  Volume volume;
  volume.room = 0;
  constexpr std::size_t text = 4'000, many = SpoolActorState::held_bytes / text + 100;
  volume.find(many, text);
  volume.pass(500ms);
  CHECK(volume.told == many);
  CHECK(volume.refused >= 100);
  CHECK(volume.refused < 300);
  CHECK(volume.store->has_losses());
  volume.room = UINT64_MAX;
  volume.pass(2s);
  CHECK(volume.kept + volume.refused == many);
  CHECK_FALSE(volume.store->has_losses());
  for (const auto& batch : volume.store->read(Lane::findings, 0, 1'000, 64 << 20, 0))
    CHECK(batch.bytes.size() < (1 << 20) - 4096); // a message of the link holds 1 MiB
}
