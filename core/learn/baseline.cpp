#include "core/learn/baseline.hpp"

#include <algorithm>
#include <utility>

namespace iris {

const char* to_string(LearningState state) {
  return state == LearningState::learning ? "learning" : "monitoring";
}

const LearnedKey* BaselinePart::find(std::uint64_t key, Phase phase) const {
  auto place = std::lower_bound(keys.begin(), keys.end(), std::pair{key, phase},
                                [](const LearnedKey& one, const std::pair<std::uint64_t, Phase>& wanted) {
                                  return std::pair{one.key, one.phase} < wanted;
                                });
  if (place == keys.end() || place->key != key) return nullptr;
  return place->phase == phase ? &*place : nullptr;
}

const LearnedNumber* BaselinePart::find(const NumberKey& key) const {
  auto place =
      std::lower_bound(numbers.begin(), numbers.end(), key,
                       [](const LearnedNumber& one, const NumberKey& wanted) { return one.key < wanted; });
  return place == numbers.end() || place->key != key ? nullptr : &*place;
}

const BaselinePart* Baseline::site(const std::string& gateway) const {
  auto known = sites.find(gateway);
  return known == sites.end() ? nullptr : &known->second;
}

const Progress& Baseline::progress_for(const std::string& gateway) const {
  const auto* own = site(gateway);
  if (own &&
      (own->progress.state == LearningState::monitoring || fleet.progress.state == LearningState::learning))
    return own->progress;
  return fleet.progress;
}

LearningState Baseline::state_for(const std::string& gateway) const { return progress_for(gateway).state; }

} // namespace iris
