#pragma once
#include "core/alert/finding.hpp"
#include "core/detect/pair_limits.hpp"
#include "core/learn/baseline.hpp"

#include <memory>
#include <string>
#include <vector>

namespace iris {

class IndicatorSet;

struct JudgePolicy {
  double report_bits = 3; ///< novelties below this surprise are counted, not reported
  PairLimits limits;      ///< causes that are remembered, flows whose bytes are added up
};

/// Judges one entity's observations at once. Without a baseline only the detectors that need none speak. The
/// first finding of a cause comes at once; later ones at most once a window. Everything in a finding adds up
/// with the previous ones of its cause: its count and the bytes of its flows are what happened since.
class ServiceJudge {
public:
  struct Counters {
    std::uint64_t observations = 0, findings = 0,
                  quiet_novelties = 0; ///< quiet = below report_bits or while learning
    std::uint64_t evicted = 0;         ///< causes or flows forgotten at their limit
    std::size_t causes = 0, flows = 0;
  };

  ServiceJudge(EntityPtr entity, std::string gateway, const TimeScale& scale, Timestamp now,
               JudgePolicy policy = {});
  ~ServiceJudge();
  ServiceJudge(ServiceJudge&&) noexcept;
  ServiceJudge& operator=(ServiceJudge&&) noexcept;

  void set_baseline(BaselinePtr baseline); ///< null: day 0
  void set_indicators(std::shared_ptr<const IndicatorSet> indicators);
  void set_scale(const TimeScale& scale);
  /// Appends at most one finding of what was done, and one of how much was sent. `behaviours` as
  /// ServiceCollector::observe gave them, or derived here when left out.
  void judge(const Observation& observation, const std::vector<BehaviourPtr>& behaviours,
             std::vector<Finding>& out);
  void judge(const Observation& observation, std::vector<Finding>& out);
  /// Appends the repeats of causes of the window that is over, and what was new in a startup.
  void close_window(Timestamp now, std::vector<Finding>& out, bool force = false);
  [[nodiscard]] Counters counters() const;
  [[nodiscard]] BaselinePtr baseline() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace iris
