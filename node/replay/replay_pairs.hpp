#pragma once
#include "core/detect/service_collector.hpp"
#include "core/detect/service_judge.hpp"
#include "core/learn/evidence.hpp"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace iris {

/// The collectors and judges of a replay, a pair for each service and device, and what they learned. Captures
/// that were declared normal are learned from as if one gateway had shown them; each profile is then promoted
/// at once.
class ReplayPairs {
public:
  static constexpr std::size_t limit =
      1'024; ///< pairs; observations of further entities are counted, not judged
  static constexpr const char* gateway = "replay";

  void set_scale(const TimeScale& scale) { scale_ = scale; }
  void set_indicators(std::shared_ptr<const IndicatorSet> indicators) { indicators_ = std::move(indicators); }

  void learn(const std::vector<Observation>& observations);
  void judge(const std::vector<Observation>& observations, std::vector<Finding>& out);
  /// Closes windows that are over at `now`.
  void pass(Timestamp now, std::vector<Finding>& out);
  /// A capture is over: closes all windows and forgets the pairs, not what was learned.
  void end(Timestamp now, std::vector<Finding>& out);
  /// Makes a baseline of all that was learned.
  void train();

  [[nodiscard]] std::uint64_t without_pair() const { return without_pair_; }
  [[nodiscard]] std::size_t profiles_learned() const { return baselines_.size(); }

private:
  struct Pair {
    ServiceCollector collector;
    ServiceJudge judge;
  };
  Pair* pair_of(const Observation& observation);
  void take_delta(Pair& pair, Timestamp now, bool force);

  TimeScale scale_;
  std::shared_ptr<TableBudget> budget_ = std::make_shared<TableBudget>(PairLimits::all_pairs);
  std::shared_ptr<const IndicatorSet> indicators_;
  std::map<std::string, Pair> pairs_; ///< by profile, in an order that is the same in every run
  struct Known {
    EntityPtr entity; ///< keeps the address from being used again
    Pair* pair = nullptr;
  };
  std::unordered_map<const Entity*, Known> known_;
  std::map<std::string, Evidence> evidence_;
  std::map<std::string, BaselinePtr> baselines_;
  Timestamp next_window_ = 0, learned_until_ = 0;
  bool learning_ = false;
  std::uint64_t without_pair_ = 0;
};

} // namespace iris
