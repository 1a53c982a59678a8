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

  void set_gateway(std::string name) { gateway_ = std::move(name); }
  /// These hold from now on, for the pairs that are there too.
  void set_scale(const TimeScale& scale);
  void set_indicators(std::shared_ptr<const IndicatorSet> indicators);
  void set_baseline(const BaselinePtr& baseline);
  /// Each pair looks at its window by its own clock, as often as a live one. Else all do so once a window,
  /// and live since their first observation.
  void set_live_pace() { live_pace_ = true; }

  /// @param now when the observations came, with the live pace; else their own times count.
  void learn(const std::vector<Observation>& observations, Timestamp now);
  void judge(const std::vector<Observation>& observations, Timestamp now, std::vector<Finding>& out);
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
    Timestamp next_look = 0; ///< with the live pace
  };
  Pair* pair_of(const Observation& observation, Timestamp now);
  void look(Pair& pair, Timestamp now, std::vector<Finding>& out);
  void take_delta(Pair& pair, Timestamp now, bool force);

  std::string gateway_ = "replay";
  bool live_pace_ = false;
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
