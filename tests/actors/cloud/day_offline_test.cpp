#include "core/alert/json_writer.hpp"
#include "tests/actors/cloud/spool_world.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <set>

using namespace iris;
using namespace iris::test;

namespace {

constexpr Timestamp start_of_day = noon;
constexpr Duration step = 30 * second; ///< between two deltas of a service
constexpr std::uint64_t own_key =
    1'000'000; ///< each delta has one behaviour of its own: it can be told in a merged one

struct Made {
  std::map<std::string, Timestamp> findings; ///< cause, when
  std::map<std::uint64_t, std::pair<Timestamp, std::uint64_t>>
      deltas; ///< own key; end of window, observations
  std::uint64_t observations = 0;
};

struct Day {
  TempDir dir, place;
  Cloud cloud{dir};
  SpoolGateway gateway;
  Made made;
  std::set<std::string> came;
  std::set<std::uint64_t> deltas_came;
  std::vector<LossRow> losses;
  std::uint64_t observations_came = 0;
  std::mt19937_64 random{7};

  explicit Day(SpoolLimits limits) : gateway{place.path("spool"), limits} {
    gateway.seen = [this](Lane, std::uint64_t, const std::vector<char>& bytes) {
      auto content = decode_batch(bytes);
      for (const auto& finding : content.findings)
        CHECK(came.insert(finding.cause).second);
      for (const auto& delta : content.deltas) {
        observations_came += delta.observations;
        for (const auto& key : delta.keys)
          if (key.keys[0] >= own_key) CHECK(deltas_came.insert(key.keys[0]).second);
      }
      losses.insert(losses.end(), content.losses.begin(), content.losses.end());
    };
    gateway.connect(cloud);
  }

  ServiceDelta window(Timestamp from, const std::string& service) {
    ServiceDelta delta;
    delta.entity.kind = EntityKind::service;
    delta.entity.name = service;
    delta.from = from;
    delta.until = from + step;
    delta.steady = step;
    for (int i = 0; i < 6; ++i) {
      KeyDelta key;
      key.keys = {1 + random() % 40, 1'000 + random() % 10, 2'000};
      key.count = 1 + random() % 9;
      key.first = key.last = from;
      delta.observations += key.count;
      delta.keys.push_back(key);
    }
    KeyDelta own;
    own.keys = {own_key + made.deltas.size(), 0, 0};
    own.count = 1;
    own.first = own.last = from;
    delta.keys.push_back(own);
    delta.observations += 1;
    made.deltas[own.keys[0]] = {delta.until, delta.observations};
    made.observations += delta.observations;
    return delta;
  }

  void pass(Duration time, Duration finding_every) {
    for (Timestamp at = start_of_day; at < start_of_day + time; at += step) {
      std::vector<std::vector<char>> entries;
      for (const char* service : {"edgex-mongo", "edgex-core-data"})
        entries.push_back(encode(window(at, service)));
      REQUIRE(gateway.spool->append(Lane::counts, entries, at + step).ok());
      if ((at - start_of_day) % finding_every == 0) {
        const auto cause = "cause " + std::to_string(made.findings.size());
        made.findings[cause] = at + step;
        gateway.find(cause, at + step);
      }
      CHECK(gateway.spool->counters().bytes <= gateway.limits.bytes + 64 * 1'024);
    }
    cloud.clock = start_of_day + time;
  }

  std::uint64_t told(const std::string& kind) const {
    std::uint64_t sum = 0;
    for (const auto& loss : losses)
      sum += loss.kind == kind ? loss.count : 0;
    return sum;
  }

  void settle_accounts(const char* name) {
    const auto counters = gateway.spool->counters();
    gateway.connect(cloud);
    const auto batches = gateway.deliver(cloud, Lane::findings) + gateway.deliver(cloud, Lane::counts);

    // Findings: each report names the one that was made at its time, and no other is missing.
    std::map<Timestamp, std::uint64_t> missing;
    std::uint64_t findings_lost = 0, deltas_lost = 0, observations_lost = 0, exact = 0;
    for (const auto& [cause, at] : made.findings)
      if (came.count(cause) == 0) {
        ++missing[at];
        ++findings_lost;
      }
    std::vector<std::pair<Timestamp, std::uint64_t>> windows; ///< lost deltas: end of window, observations
    for (const auto& [key, what] : made.deltas)
      if (deltas_came.count(key) == 0) {
        windows.push_back(what);
        ++deltas_lost;
        observations_lost += what.second;
      }
    for (const auto& loss : losses) {
      if (loss.kind == "findings") {
        CHECK(loss.since == loss.until);
        CHECK(missing[loss.since] == loss.count);
        missing.erase(loss.since);
        continue;
      }
      // Those of batches that were not merged are apart from each other, and exact one by one; spans of
      // merged ones may overlap, and are exact together (below).
      std::uint64_t within = 0, observations = 0;
      for (const auto& [end, count] : windows)
        if (end > loss.since && end <= loss.until) {
          ++within;
          observations += count;
        }
      const auto there = loss.kind == "deltas" ? within : observations;
      CHECK(loss.count <= there);
      const bool single = loss.until - loss.since == step;
      const bool alone = single && std::none_of(losses.begin(), losses.end(), [&](const LossRow& other) {
                           return &other != &loss && other.kind == loss.kind && other.since < loss.until &&
                                  loss.since < other.until;
                         });
      if (alone) {
        CHECK(loss.count == there);
        ++exact;
      }
    }
    CHECK(missing.empty());
    CHECK(told("findings") == findings_lost);
    CHECK(told("deltas") == deltas_lost);
    CHECK(told("observations") == observations_lost);
    CHECK(observations_came + observations_lost == made.observations);
    CHECK(counters.shed_findings == findings_lost);
    CHECK(counters.shed_counts == deltas_lost);

    // And the cloud took all that for good: what it counted, and what it keeps of losses.
    CHECK(cloud.world->counters.chain_broken == 0);
    CHECK(cloud.world->counters.observations == observations_came);
    std::map<std::string, std::uint64_t> kept;
    REQUIRE(cloud.world->store
                ->scan(Table::observations, "",
                       [&](std::string_view, std::string_view value) {
                         const auto row = decode_loss(value);
                         REQUIRE(row.ok());
                         kept[row->kind] += row->count;
                         return true;
                       })
                .ok());
    CHECK(kept["findings"] == findings_lost);
    CHECK(kept["deltas"] == deltas_lost);
    CHECK(kept["observations"] == observations_lost);
    std::printf(
        "a day offline, %s: made %zu findings, %zu deltas, %llu observations; %llu batches merged; dropped "
        "and told %llu findings, %llu deltas, %llu observations in %zu reports (%llu of them exact by "
        "itself); %zu batches, %llu KiB\n",
        name, made.findings.size(), made.deltas.size(), (unsigned long long)made.observations,
        (unsigned long long)counters.merged_batches, (unsigned long long)findings_lost,
        (unsigned long long)deltas_lost, (unsigned long long)observations_lost, losses.size(),
        (unsigned long long)(exact + told("findings")), batches,
        (unsigned long long)(counters.bytes / 1'024));
  }
};

} // namespace

TEST_CASE(
    "a day offline with the spool at its limit: what was dropped is exactly what the reports of loss say") {
  SpoolLimits limits;
  SECTION("counts are merged and nothing is lost") {
    limits.bytes = 4 << 20;
    Day day{limits};
    day.pass(86'400 * second, 60 * second);
    day.settle_accounts("4 MiB");
    CHECK(day.gateway.spool->counters().merged_batches > 0);
    CHECK(day.losses.empty());
  }
  SECTION("the oldest counts go, no finding does") {
    limits.bytes = 2 << 20;
    Day day{limits};
    day.pass(86'400 * second, 60 * second);
    day.settle_accounts("2 MiB");
    CHECK(day.told("deltas") > 0);
    CHECK(day.told("findings") == 0);
  }
  SECTION("all counts, and the oldest findings") {
    limits.bytes = 1 << 20;
    Day day{limits};
    day.pass(40'000 * second, 30 * second);
    day.settle_accounts("1 MiB and many findings");
    CHECK(day.told("findings") > 0);
  }
  SECTION("what waits for longer than the limit of age") {
    limits.age = 3'600 * second;
    Day day{limits};
    day.pass(4 * 3'600 * second, 60 * second);
    day.settle_accounts("an age of one hour of four");
    CHECK(day.told("findings") > 170);
    CHECK(day.told("findings") < 185);
    CHECK(day.came.size() + day.told("findings") == day.made.findings.size());
  }
}
