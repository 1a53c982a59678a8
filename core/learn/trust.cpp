#include "core/learn/trust.hpp"

#include <algorithm>
#include <cmath>

namespace iris {
namespace {

std::uint64_t id_of(std::uint64_t key, Phase phase) {
  return key * 2 + std::uint64_t(phase == Phase::steady);
}

const std::string* accepted_by(const TrainingInput& input, const KeyRecord& record) {
  for (auto key : record.keys)
    if (key != 0)
      if (auto found = input.accepted.find(key); found != input.accepted.end()) return &found->second;
  return nullptr;
}

} // namespace

double surprise_bits(const FamilyStat& stat) {
  if (!(stat.exposure > 0)) return 0;
  return -std::log2(std::min(1.0, (double(stat.fresh) + 0.5) / stat.exposure));
}

TrustView::TrustView(std::span<const Evidence* const> evidence, const TrainingPolicy& policy,
                     const TrainingInput& input, const Baseline* previous)
    : evidence_{evidence.begin(), evidence.end()}, policy_{policy}, input_{input}, previous_{previous},
      keys_(evidence.size()) {
  for (std::uint32_t gateway = 0; gateway < evidence_.size(); ++gateway) {
    auto& mine = keys_[gateway];
    for (const auto& [id, record] : evidence_[gateway]->keys) {
      if (held(gateway, record)) continue;
      for (std::uint8_t level = 0; level < level_count; ++level) {
        auto key = record.keys[level];
        if (key == 0) continue;
        auto& sum = mine[id_of(key, record.phase)];
        bool fresh = sum.key == 0;
        sum.key = key;
        sum.family = record.family;
        sum.phase = record.phase;
        sum.level = level;
        sum.site = level < record.site_levels;
        sum.hours = std::max(sum.hours, record.hours);
        sum.first = fresh ? record.first : std::min(sum.first, record.first);
        sum.last = std::max(sum.last, record.last);
        std::vector<std::uint32_t> days;
        std::set_union(sum.first_days.begin(), sum.first_days.end(), record.first_days.begin(),
                       record.first_days.end(), std::back_inserter(days));
        if (days.size() > KeyRecord::day_limit) days.resize(KeyRecord::day_limit);
        sum.first_days = std::move(days);
        sum.days = std::max({sum.days, record.days, std::uint32_t(sum.first_days.size())});
        if (record.texts[level].size() > sum.text.size()) sum.text = record.texts[level];
        if (input_.accepted.empty()) continue;
        // Accepting a coarse key accepts what is finer, not the other way round.
        for (auto coarser = level; coarser < level_count; ++coarser)
          if (auto by = input_.accepted.find(record.keys[coarser]); by != input_.accepted.end())
            sum.accepted_by = by->second;
      }
    }
    for (const auto& [id, key] : mine) {
      auto& all = fleet_[id];
      all.sightings.push_back({key.first, gateway});
      all.accepted = all.accepted || !key.accepted_by.empty();
    }
  }
  for (auto& [id, key] : fleet_)
    std::sort(key.sightings.begin(), key.sightings.end(), [](const Sighting& left, const Sighting& right) {
      return std::pair{left.first, left.gateway} < std::pair{right.first, right.gateway};
    });
}

bool TrustView::held(std::size_t gateway, const KeyRecord& record) const {
  bool blocked = record.never_learn;
  if (!blocked && !input_.blocked.empty())
    blocked = std::any_of(record.keys.begin(), record.keys.end(),
                          [&](std::uint64_t key) { return key != 0 && input_.blocked.contains(key); });
  if (!blocked || accepted_by(input_, record)) return false;
  if (record.never_learn || !previous_) return true;
  const auto* site = previous_->site(evidence_[gateway]->gateway);
  return !previous_->fleet.find(record.keys[0], record.phase) &&
         !(site && site->find(record.keys[0], record.phase));
}

bool TrustView::fleet_trusts(std::uint64_t key, Phase phase, Timestamp at) const {
  auto known = fleet_.find(id_of(key, phase));
  if (known == fleet_.end()) return false;
  if (known->second.accepted) return true;
  auto quorum = std::max(policy_.quorum, 1u);
  return known->second.sightings.size() >= quorum && known->second.sightings[quorum - 1].first <= at;
}

bool TrustView::site_trusts(std::size_t gateway, std::uint64_t key, Phase phase, Timestamp at,
                            bool today) const {
  auto known = keys_[gateway].find(id_of(key, phase));
  if (known == keys_[gateway].end()) return false;
  const auto& days = known->second.first_days;
  if (phase == Phase::startup) return known->second.first <= at;
  auto wanted = std::clamp<std::size_t>(policy_.days, 1, KeyRecord::day_limit);
  if (days.size() < wanted) return false;
  return today ? days[wanted - 1] <= day_number(at) : days[wanted - 1] < day_number(at);
}

bool TrustView::knows(std::size_t gateway, std::uint64_t key, Phase phase, Timestamp at, bool today) const {
  if (fleet_trusts(key, phase, at) || site_trusts(gateway, key, phase, at, today)) return true;
  return phase == Phase::startup && knows(gateway, key, Phase::steady, at, today);
}

std::uint32_t TrustView::showing(std::uint64_t key, Phase phase) const {
  auto known = fleet_.find(id_of(key, phase));
  return known == fleet_.end() ? 0 : std::uint32_t(known->second.sightings.size());
}

std::uint32_t TrustView::day_number(Timestamp at) const {
  return std::uint32_t(std::clamp<std::int64_t>(at / policy_.scale.day, 0, UINT32_MAX));
}

bool TrustView::is_late(std::size_t gateway, Timestamp first) const {
  return first > evidence_[gateway]->started + policy_.scale.day;
}

double TrustView::exposure(std::size_t gateway, Timestamp at) const {
  const auto& one = *evidence_[gateway];
  auto age = double(at - one.started) / double(policy_.scale.day);
  double sum = 0;
  for (std::size_t i = 1; i < one.slices.size(); ++i) {
    auto begin = std::exp2(double(i) - 1), end = std::exp2(double(i));
    if (age <= begin) break;
    // The last slice is still being filled; it is cut only where it reaches beyond `at`.
    auto filled = std::min(end, std::max(one.age_days(one.updated), begin + 1e-9));
    auto share = std::min(1.0, (age - begin) / (filled - begin));
    sum += share * double(one.slices[i].steady) / double(policy_.scale.day);
  }
  return sum;
}

void TrustView::add_exposure(Stats& stats, std::size_t gateway, Timestamp at) const {
  auto days = exposure(gateway, at);
  auto starts = evidence_[gateway]->startups();
  for (std::size_t family = 0; family < family_count; ++family)
    for (std::size_t level = 0; level < level_count; ++level) {
      stats[BaselinePart::stat_index(Family(family), Phase::steady, level)].exposure += days;
      if (starts > 1)
        stats[BaselinePart::stat_index(Family(family), Phase::startup, level)].exposure += double(starts - 1);
    }
}

TrustView::Stats TrustView::fleet_stats(Timestamp at) const {
  Stats stats{};
  for (std::size_t gateway = 0; gateway < gateways(); ++gateway)
    add_exposure(stats, gateway, at);
  for (const auto& [id, key] : fleet_) {
    const auto& earliest = key.sightings.front();
    if (key.accepted || earliest.first > at || !is_late(earliest.gateway, earliest.first)) continue;
    const auto& where = keys_[earliest.gateway].at(id);
    if (!where.site) ++stats[BaselinePart::stat_index(where.family, where.phase, where.level)].fresh;
  }
  return stats;
}

TrustView::Stats TrustView::site_stats(std::size_t gateway, Timestamp at) const {
  Stats stats{};
  add_exposure(stats, gateway, at);
  for (const auto& [id, key] : keys_[gateway])
    if (key.accepted_by.empty() && key.first <= at && is_late(gateway, key.first))
      ++stats[BaselinePart::stat_index(key.family, key.phase, key.level)].fresh;
  return stats;
}

} // namespace iris
