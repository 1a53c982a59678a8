#pragma once
#include "cloud/aggregator/batch_codec.hpp"
#include "core/alert/codec.hpp"
#include "node/spool/spool.hpp"
#include "tests/actors/cloud/cloud_fixture.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <memory>

namespace iris::test {

/// A gateway's real spool, and what its uplink does with a cloud, without actors of its own.
struct SpoolGateway {
  std::string path;
  SpoolLimits limits;
  std::unique_ptr<Spool> spool;
  std::uint64_t session = 0;
  std::function<void(Lane, std::uint64_t seq, const std::vector<char>&)> seen; ///< every batch on its way
  std::function<void(Lane, std::uint64_t seq, std::vector<char>&)> meddle;     ///< may change it

  explicit SpoolGateway(std::string at, SpoolLimits given = {})
      : path{std::move(at)}, limits{std::move(given)} {
    limits.sync = false;
    reopen();
  }
  void reopen() {
    spool.reset();
    auto opened = Spool::open(path, limits, noon);
    REQUIRE(opened.ok());
    spool = std::move(*opened);
  }
  void find(const std::string& cause, Timestamp now = noon) {
    REQUIRE(spool->append(Lane::findings, {encode(finding(cause))}, now).ok());
  }
  SessionTerms hello(Cloud& cloud, bool fresh = false) {
    SessionStart start;
    start.number = ++session;
    start.epoch = fresh ? 0 : spool->epoch();
    start.seals = true;
    for (auto lane : {Lane::findings, Lane::counts})
      start.lanes[std::size_t(lane)] = {spool->first_seq(lane), spool->last_seq(lane)};
    return *cloud.ask<Ref<SessionTerms>>(cloud.aggregator(), make_ref(std::move(start)));
  }
  SessionTerms connect(Cloud& cloud) {
    auto terms = hello(cloud);
    auto goes_on = [&] {
      for (auto lane : {Lane::findings, Lane::counts}) {
        const auto resumed = spool->resume(lane, terms.applied[std::size_t(lane)], cloud.clock);
        REQUIRE(resumed.ok());
        if (!*resumed) return false;
      }
      return true;
    };
    if (terms.epoch == spool->epoch() && goes_on()) return terms;
    if (terms.epoch == spool->epoch()) terms = hello(cloud, true);
    REQUIRE(spool->start_epoch({terms.epoch, terms.chain_key, terms.before, "cloud"}).ok());
    return terms;
  }
  /// At most `most` batches of a lane. @returns how many.
  std::size_t deliver(Cloud& cloud, Lane lane, std::size_t most = 1'000'000) {
    auto gateway = cloud.aggregator();
    std::size_t count = 0;
    for (std::uint64_t after = spool->acked_seq(lane); count < most;) {
      auto batches = spool->read(lane, after, std::min<std::size_t>(16, most - count), 1 << 20, cloud.clock);
      if (batches.empty()) break;
      for (auto& batch : batches) {
        if (meddle) meddle(lane, batch.seq, batch.bytes);
        if (seen) seen(lane, batch.seq, batch.bytes);
        const auto ack = cloud.ask<wire::Ack>(
            gateway, make_ref(BatchIn{session, spool->epoch(), std::uint8_t(lane), batch.seq, batch.bytes}));
        REQUIRE(ack.seq == batch.seq);
        after = batch.seq;
        ++count;
      }
      REQUIRE(spool->acknowledge(lane, after, cloud.clock).ok());
    }
    return count;
  }
};

/// Causes of the stored alerts that begin with `start`.
inline std::vector<Alert> alerts_of(Cloud& cloud, const std::string& start) {
  auto alerts = cloud.stored_alerts();
  std::erase_if(alerts, [&](const Alert& alert) { return !alert.finding.cause.starts_with(start); });
  return alerts;
}

} // namespace iris::test
