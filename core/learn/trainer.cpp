#include "core/learn/trainer.hpp"

#include "core/learn/backtest.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace iris {
namespace {

std::string days_text(double days) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", days);
  return text;
}

LearnedKey learned(const LevelKey& key, std::uint32_t gateways) {
  return {.key = key.key,
          .family = key.family,
          .phase = key.phase,
          .level = key.level,
          .hours = key.hours,
          .days = key.days,
          .gateways = gateways,
          .first = key.first,
          .last = key.last,
          .text = key.text,
          .accepted_by = key.accepted_by};
}

void sort_and_bound(std::vector<LearnedKey>& keys) {
  if (keys.size() > Baseline::key_limit) {
    // The coarse ones matter most, then those that were seen in most hours.
    std::sort(keys.begin(), keys.end(), [](const LearnedKey& left, const LearnedKey& right) {
      return std::tuple{right.level, right.hours, left.key} < std::tuple{left.level, left.hours, right.key};
    });
    keys.resize(Baseline::key_limit);
  }
  std::sort(keys.begin(), keys.end(), [](const LearnedKey& left, const LearnedKey& right) {
    return std::pair{left.key, left.phase} < std::pair{right.key, right.phase};
  });
}

class Training {
public:
  Training(const TrustView& view, const TrainingPolicy& policy, const TrainingInput& input, Timestamp now,
           const Baseline* previous)
      : view_{view}, policy_{policy}, input_{input}, now_{now}, previous_{previous} {}

  Baseline run() {
    Baseline baseline;
    baseline.scale = policy_.scale;
    baseline.trained_at = now_;
    baseline.version = previous_ ? previous_->version + 1 : 1;
    for (std::size_t gateway = 0; gateway < view_.gateways(); ++gateway) {
      const auto& evidence = view_.evidence(gateway);
      if (gateway == 0 || evidence.updated > newest_) baseline.entity = evidence.entity;
      newest_ = std::max(newest_, evidence.updated);
      baseline.profile = evidence.profile;
      look(gateway);
    }
    for (std::size_t gateway = 0; gateway < view_.gateways(); ++gateway)
      decide(gateway);
    build_fleet(baseline);
    for (std::size_t gateway = 0; gateway < view_.gateways(); ++gateway)
      build_site(baseline, gateway);
    return baseline;
  }

private:
  const Progress* before(std::size_t gateway) const {
    const auto* site = previous_ ? previous_->site(view_.evidence(gateway).gateway) : nullptr;
    return site ? &site->progress : nullptr;
  }

  /// Counts A and E where a doubling time has passed since the last version; otherwise they stay as they
  /// were.
  void look(std::size_t gateway) {
    const auto& evidence = view_.evidence(gateway);
    Progress progress;
    if (const auto* last = before(gateway)) progress = *last;
    progress.age_days = evidence.age_days(now_);
    progress.weekdays = evidence.weekdays;
    progress.startups = evidence.startups();
    auto number = look_at(progress.age_days, policy_);
    fresh_.push_back(number > progress.looks);
    if (fresh_.back()) {
      progress.looks = number;
      progress.alerts = backtest(view_, gateway, policy_, number).alerts();
      progress.exposure_days = number < evidence.slices.size()
                                   ? double(evidence.slices[number].steady) / double(policy_.scale.day)
                                   : 0;
    }
    auto next = number + 1;
    while (std::exp2(double(next)) < policy_.min_days)
      ++next;
    progress.next_look =
        next > policy_.looks
            ? 0
            : evidence.started + Timestamp(std::exp2(double(next)) * double(policy_.scale.day));
    progress_.push_back(progress);
  }

  RatePrior prior_without(std::size_t gateway) const {
    std::vector<AlertHistory> others;
    for (std::size_t i = 0; i < progress_.size(); ++i)
      if (i != gateway) others.push_back({double(progress_[i].alerts), progress_[i].exposure_days});
    return fleet_prior(others);
  }

  std::uint32_t promise(std::size_t gateway) const {
    const auto& progress = progress_[gateway];
    return promised_alerts({double(progress.alerts), progress.exposure_days}, policy_.horizon_days,
                           policy_.alpha, policy_.looks, prior_without(gateway));
  }

  void decide(std::size_t gateway) {
    auto& progress = progress_[gateway];
    auto horizon = days_text(policy_.horizon_days);
    if (fresh_[gateway]) {
      progress.promise = promise(gateway);
      if (progress.state == LearningState::learning && progress.promise <= policy_.budget) {
        progress.state = LearningState::monitoring;
        progress.promoted_at = now_;
        progress.forced = false;
      }
    }
    auto terms = "at most " + std::to_string(progress.promise) + " alerts in the next " + horizon +
                 " days, from " + std::to_string(progress.alerts) + " in " +
                 days_text(progress.exposure_days) + " days of replay";
    if (input_.force_promotion && progress.state == LearningState::learning) {
      progress.state = LearningState::monitoring;
      progress.promoted_at = now_;
      progress.forced = true;
    }
    if (progress.state == LearningState::monitoring) {
      if (broke_promise(gateway)) return;
      progress.reason =
          progress.forced ? "promoted by " + input_or_operator() + "; " + terms : "promoted: " + terms;
    } else if (progress.looks == 0) {
      progress.reason = "learning for " + days_text(progress.age_days) + " days; the first look comes at " +
                        days_text(std::max(2.0, policy_.min_days)) + " days";
    } else if (progress.promise > policy_.budget && progress.promoted_at == 0) {
      progress.reason = "learning: " + terms + "; the budget is " + std::to_string(policy_.budget) +
                        (progress.next_look ? "" : "; no look is left, an operator decides");
    }
  }

  std::string input_or_operator() const {
    return input_.forced_by.empty() ? "an operator" : input_.forced_by;
  }

  /// After promotion only later data counts. Keys of open alerts are held back and do not count: an attack
  /// that makes noise must not switch its own detection off.
  bool broke_promise(std::size_t gateway) {
    auto& progress = progress_[gateway];
    auto days = double(now_ - progress.promoted_at) / double(policy_.scale.day);
    if (progress.forced || days <= 0) return false;
    auto alerts = replay_novelties(view_, gateway, policy_, progress.promoted_at, now_, true);
    auto allowed =
        double(std::max(progress.promise, policy_.budget)) * std::max(1.0, days / policy_.horizon_days);
    if (double(alerts) <= allowed) return false;
    progress.state = LearningState::learning;
    progress.promoted_at = 0;
    progress.reason = "demoted: " + std::to_string(alerts) + " alerts in the " + days_text(days) +
                      " days since it was promoted, where at most " + std::to_string(progress.promise) +
                      " in " + days_text(policy_.horizon_days) + " days were promised";
    return true;
  }

  void vouch(TrustView::Stats& stats) const {
    for (std::size_t family = 0; family < family_count; ++family)
      for (std::size_t level = 0; level < level_count; ++level) {
        auto& exposure = stats[BaselinePart::stat_index(Family(family), Phase::steady, level)].exposure;
        exposure = std::max(exposure, policy_.vouched_days);
      }
  }

  void build_fleet(Baseline& baseline) const {
    auto& part = baseline.fleet;
    part.gateways = std::uint32_t(view_.gateways());
    part.stats = view_.fleet_stats(now_);
    if (std::any_of(progress_.begin(), progress_.end(), [](const Progress& one) { return one.forced; }))
      vouch(part.stats);
    std::unordered_map<std::uint64_t, LearnedKey> keys;
    std::map<NumberKey, NumberSamples> numbers;
    std::map<NumberKey, std::uint32_t> number_gateways;
    double days = 0;
    auto& progress = part.progress;
    std::uint32_t monitoring = 0;
    for (std::size_t gateway = 0; gateway < view_.gateways(); ++gateway) {
      const auto& evidence = view_.evidence(gateway);
      for (const auto& [id, key] : view_.keys(gateway)) {
        if (key.site || !view_.fleet_trusts(key.key, key.phase, now_)) continue;
        auto [place, fresh] = keys.emplace(id, learned(key, view_.showing(key.key, key.phase)));
        if (fresh) continue;
        auto& sum = place->second;
        sum.hours += key.hours;
        sum.days = std::max(sum.days, key.days);
        sum.first = std::min(sum.first, key.first);
        sum.last = std::max(sum.last, key.last);
        if (sum.text.empty()) sum.text = key.text;
        if (sum.accepted_by.empty()) sum.accepted_by = key.accepted_by;
      }
      days += double(evidence.steady()) / double(policy_.scale.day);
      std::set<NumberKey> shown;
      for (const auto& slice : evidence.slices)
        for (const auto& [key, samples] : slice.numbers) {
          numbers[key].merge(samples);
          shown.insert(key);
        }
      for (const auto& key : shown)
        ++number_gateways[key];
      const auto& site = progress_[gateway];
      progress.alerts += site.alerts;
      progress.exposure_days += site.exposure_days;
      progress.age_days = std::max(progress.age_days, site.age_days);
      progress.looks = std::max(progress.looks, site.looks);
      progress.weekdays |= site.weekdays;
      progress.startups += site.startups;
      monitoring += site.state == LearningState::monitoring;
    }
    for (auto& [id, key] : keys)
      part.keys.push_back(std::move(key));
    sort_and_bound(part.keys);
    for (auto& [key, samples] : numbers)
      add_number(part, key, samples, days, number_gateways[key]);
    progress.promise = promised_alerts({}, policy_.horizon_days, policy_.alpha, policy_.looks,
                                       prior_without(view_.gateways()));
    if (monitoring >= std::max(policy_.quorum, 1u)) {
      progress.state = LearningState::monitoring;
      progress.promoted_at =
          previous_ && previous_->fleet.progress.promoted_at ? previous_->fleet.progress.promoted_at : now_;
      progress.reason =
          std::to_string(monitoring) + " gateways were promoted: a new one is judged from its first minute";
    } else {
      progress.reason = std::to_string(monitoring) + " of the " + std::to_string(policy_.quorum) +
                        " gateways that a fleet part needs were promoted";
    }
  }

  void build_site(Baseline& baseline, std::size_t gateway) const {
    const auto& evidence = view_.evidence(gateway);
    auto& part = baseline.sites[evidence.gateway];
    part.gateways = 1;
    part.progress = progress_[gateway];
    part.stats = view_.site_stats(gateway, now_);
    if (part.progress.forced) vouch(part.stats);
    bool alone = view_.gateways() < policy_.quorum;
    for (const auto& [id, key] : view_.keys(gateway)) {
      if (!key.site && view_.fleet_trusts(key.key, key.phase, now_)) continue;
      if (!view_.site_trusts(gateway, key.key, key.phase, now_, true) && key.accepted_by.empty()) continue;
      auto own = learned(key, view_.showing(key.key, key.phase));
      own.unconfirmed = alone && key.level == 0 && key.accepted_by.empty() &&
                        key.first <= evidence.started + policy_.scale.day;
      part.keys.push_back(std::move(own));
    }
    sort_and_bound(part.keys);
    std::map<NumberKey, NumberSamples> numbers;
    for (const auto& slice : evidence.slices)
      for (const auto& [key, samples] : slice.numbers)
        numbers[key].merge(samples);
    auto days = double(evidence.steady()) / double(policy_.scale.day);
    for (auto& [key, samples] : numbers)
      add_number(part, key, samples, days, 1);
  }

  void add_number(BaselinePart& part, const NumberKey& key, NumberSamples& samples, double days,
                  std::uint32_t gateways) const {
    LearnedNumber number;
    number.key = key;
    number.threshold = threshold_of(key.family, samples, days, policy_.days);
    number.samples = samples.sketch.count();
    number.gateways = gateways;
    number.sketch = std::move(samples.sketch);
    part.numbers.push_back(std::move(number));
  }

  const TrustView& view_;
  const TrainingPolicy& policy_;
  const TrainingInput& input_;
  Timestamp now_, newest_ = 0;
  const Baseline* previous_;
  std::vector<Progress> progress_;
  std::vector<bool> fresh_;
};

bool differs(const BaselinePart& old, const BaselinePart& part) {
  if (old.progress.state != part.progress.state || old.progress.looks != part.progress.looks) return true;
  if (old.keys.size() != part.keys.size() || old.numbers.size() != part.numbers.size()) return true;
  for (std::size_t i = 0; i < part.keys.size(); ++i)
    if (old.keys[i].key != part.keys[i].key || old.keys[i].accepted_by != part.keys[i].accepted_by)
      return true;
  for (std::size_t i = 0; i < part.numbers.size(); ++i) {
    auto was = old.numbers[i].threshold.value, is = part.numbers[i].threshold.value;
    if (old.numbers[i].key != part.numbers[i].key || std::abs(is - was) > 0.1 * std::max(was, is))
      return true;
  }
  // Exposure is what scores and explanations rest on: a quarter more is worth a version.
  auto index = BaselinePart::stat_index(Family::exec, Phase::steady, 0);
  return part.stats[index].exposure > 1.25 * old.stats[index].exposure;
}

} // namespace

Baseline train(std::span<const Evidence* const> evidence, const TrainingPolicy& policy,
               const TrainingInput& input, Timestamp now, const Baseline* previous) {
  // By name of gateway, so that the order in which they are given does not matter.
  std::vector<const Evidence*> ordered;
  for (const auto* one : evidence)
    if (one && one->started != 0) ordered.push_back(one);
  std::sort(ordered.begin(), ordered.end(),
            [](const Evidence* left, const Evidence* right) { return left->gateway < right->gateway; });
  TrustView view{ordered, policy, input, previous};
  return Training{view, policy, input, now, previous}.run();
}

bool differs(const Baseline& published, const Baseline& candidate) {
  if (published.scale != candidate.scale || published.sites.size() != candidate.sites.size()) return true;
  if (differs(published.fleet, candidate.fleet)) return true;
  for (const auto& [gateway, part] : candidate.sites) {
    const auto* old = published.site(gateway);
    if (!old || differs(*old, part)) return true;
  }
  return false;
}

std::uint32_t gateway_promise(std::span<const Progress* const> services, const TrainingPolicy& policy) {
  AlertHistory sum;
  for (const auto* one : services) {
    sum.alerts += one->alerts;
    sum.days = std::max(sum.days, one->exposure_days);
  }
  return promised_alerts(sum, policy.horizon_days, policy.alpha, policy.looks);
}

std::vector<std::uint64_t> keys_in_cause(std::string_view cause) {
  std::vector<std::uint64_t> keys;
  for (auto at = cause.find('#'); at != std::string_view::npos; at = cause.find('#', at + 1)) {
    auto digits = cause.substr(at + 1, 16);
    std::uint64_t key = 0;
    auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), key, 16);
    if (failure == std::errc{} && digits.size() == 16 && end == digits.data() + 16) keys.push_back(key);
  }
  return keys;
}

} // namespace iris
