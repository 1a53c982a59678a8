#pragma once
#include "actors/directory.hpp"
#include "actors/interfaces.hpp"
#include "actors/slot.hpp"
#include "cloud/intelligence/intelligence.hpp"
#include "cloud/store/store.hpp"
#include "core/learn/signed_baseline.hpp"
#include "core/learn/trainer.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace iris {

/// What an operator of the cloud can set about its actors.
struct CloudSettings {
  TrainingPolicy training; ///< with the time scale
  std::uint32_t credit_batches = 64, credit_bytes = 2 << 20;
  std::size_t alerts_per_gateway = 10'000; ///< rows kept; the oldest closed ones go first
  std::size_t profiles_per_gateway = 256;  ///< further ones are counted and not learned
  Duration late_after = 60 * second;       ///< an alert that is older than this on arrival is late
  Duration away_after = 900 * second;      ///< silent for so long: an alert; 0: never
  Duration retire_after = 600 * second;    ///< an aggregator without a session goes home
  Duration query_deadline = 5 * second;    ///< for a gateway's answer to an operator
  std::size_t outbox_limit = 100'000;      ///< revisions that wait for one sink; the oldest are dropped
};

/// Actors that are made when they are first needed, one per key, each looked after by the supervisor.
template <class Handle>
class Cells {
public:
  /// Who is there for this key: empty when `only_live` and no one is, or while a crashed one waits to start
  /// again.
  template <class Make>
  Handle get(const std::string& key, Make&& make) {
    const std::lock_guard lock{mutex_};
    auto [at, fresh] = slots_.try_emplace(key);
    if (fresh) make(at->second);
    return at->second.get();
  }
  [[nodiscard]] Handle peek(const std::string& key) const {
    const std::lock_guard lock{mutex_};
    auto found = slots_.find(key);
    return found == slots_.end() ? Handle{} : found->second.get();
  }
  /// The one of this key goes home; the next get() makes a new one.
  void retire(const std::string& key) {
    const std::lock_guard lock{mutex_};
    slots_.erase(key);
  }
  void clear() {
    const std::lock_guard lock{mutex_};
    slots_.clear();
  }
  [[nodiscard]] std::vector<Handle> all() const {
    const std::lock_guard lock{mutex_};
    std::vector<Handle> result;
    for (const auto& [key, slot] : slots_)
      if (auto handle = slot.get()) result.push_back(handle);
    return result;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return slots_.size();
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, Slot<Handle>> slots_;
};

/// The chain of writes of whoever holds a key now.
class WriteChains {
public:
  /// Ends that of the one before: nothing of it is written after this returns.
  [[nodiscard]] std::shared_ptr<WriteChain> anew(const std::string& key) {
    auto fresh = std::make_shared<WriteChain>();
    std::shared_ptr<WriteChain> before;
    {
      const std::lock_guard lock{mutex_};
      before = std::exchange(chains_[key], fresh);
    }
    if (before) before->end();
    return fresh;
  }

private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<WriteChain>> chains_; ///< one a gateway that was ever here
};

/// Numbers that /metrics shows; counted by whoever it happens to.
struct CloudCounters {
  std::atomic<std::uint64_t> batches{0}, batches_repeated{0}, batches_refused{0}, entries_damaged{0},
      chain_broken{0}, findings{0}, deltas{0}, observations{0}, alerts_opened{0}, alert_revisions{0},
      alerts_dropped{0}, profiles_refused{0}, baselines_published{0}, trainings{0}, known_bad_found{0},
      pushes{0}, pushes_refused{0}, sessions_refused{0}, sessions_cut{0}, store_writes{0}, store_commits{0},
      outbox_delivered{0}, outbox_dropped{0}, outbox_retries{0}, queries{0}, server_renewals{0},
      server_renewal_faults{0};
  std::atomic<std::uint64_t> gateways_connected{0}, gateways_away{0}; ///< now; the others since the start
};

/// One sink as the rest of the cloud sees it.
struct SinkState {
  std::string name, tenant = "*"; ///< whose alerts it gets
  Slot<NotifierActor> notifier;
  std::shared_ptr<std::atomic<std::uint64_t>> waiting = std::make_shared<std::atomic<std::uint64_t>>(0);
};

/// What all actors of the cloud share. Made before them and destroyed after them.
struct CloudWorld {
  caf::actor_system* system = nullptr;
  Directory* directory = nullptr;
  SupervisorActor supervisor;
  CloudSettings settings;
  std::string version;
  Timestamp started = 0; ///< since when this process hears gateways
  std::shared_ptr<Store> store;
  SigningKey signing;
  std::function<Timestamp()> now;
  /// Ends the process at once, as nothing can be kept any more; whoever runs it starts it anew.
  std::function<void(const std::string& why)> fatal;
  /// Runs long work off the scheduler's threads; at once where there is only one (tests).
  std::function<void(std::function<void()>)> run_heavy;

  Slot<StoreActor> writer;
  Slot<AlertManagerActor> alerts;
  Slot<FrontdeskActor> frontdesk;
  Slot<IntelligenceActor> intelligence_actor;
  Slot<InspectorActor> inspector;
  std::vector<SinkState> sinks;
  std::atomic<std::uint64_t> next_outbox{1}, next_session{1}, next_audit{1};
  IntelligenceBox intelligence;
  Cells<AggregatorActor> aggregators; ///< by cell_key(tenant, gateway)
  WriteChains write_chains;           ///< of the aggregators, by the same
  Cells<TrainerActor> trainers;       ///< by cell_key(tenant, profile)
  CloudCounters counters;
};
using WorldPtr = std::shared_ptr<CloudWorld>;

[[nodiscard]] std::string cell_key(const std::string& tenant, const std::string& name);
/// Made when there is none; empty while a crashed one waits to start again.
[[nodiscard]] AggregatorActor aggregator_of(const WorldPtr& world, const std::string& tenant,
                                            const std::string& gateway);
[[nodiscard]] TrainerActor trainer_of(const WorldPtr& world, const std::string& tenant,
                                      const std::string& profile);
/// Counts what waits for each sink and continues the numbers of the outbox behind it, so that nothing is
/// overwritten.
[[nodiscard]] Result<void> load_outbox(CloudWorld& world);
/// A row that says who did what.
void add_audit(CloudWorld& world, StoreWrite& write, const std::string& tenant, const std::string& by,
               const std::string& what, const std::string& target, const std::string& detail);

} // namespace iris
