#include "core/learn/evidence.hpp"

#include <algorithm>
#include <bit>

namespace iris {
namespace {

/// Of two texts for the same key the longer, then the smaller: the same whatever the order of merging.
void better_text(std::string& mine, const std::string& other) {
  if (other.size() > mine.size() || (other.size() == mine.size() && other < mine)) mine = other;
}

} // namespace

void KeyRecord::merge(const KeyRecord& other) {
  for (std::size_t level = 0; level < level_count; ++level)
    better_text(texts[level], other.texts[level]);
  site_levels = std::max(site_levels, other.site_levels);
  peer_class = std::max(peer_class, other.peer_class);
  never_learn = never_learn || other.never_learn;
  count += other.count;
  hours += other.hours;
  days += other.days;
  first = first == 0 ? other.first : other.first == 0 ? first : std::min(first, other.first);
  last = std::max(last, other.last);
  std::vector<std::uint32_t> both;
  std::set_union(first_days.begin(), first_days.end(), other.first_days.begin(), other.first_days.end(),
                 std::back_inserter(both));
  if (both.size() > day_limit) both.resize(day_limit);
  first_days = std::move(both);
}

std::optional<std::uint32_t> KeyRecord::day_reached(std::uint32_t distinct) const {
  distinct = std::clamp<std::uint32_t>(distinct, 1, day_limit);
  if (first_days.size() < distinct) return std::nullopt;
  return first_days[distinct - 1];
}

void EvidenceSlice::merge(const EvidenceSlice& other) {
  steady += other.steady;
  startups += other.startups;
  for (const auto& [key, samples] : other.numbers)
    numbers[key].merge(samples);
}

Evidence::Evidence(std::string profile_name, std::string gateway_name, const TimeScale& scale)
    : profile{std::move(profile_name)}, gateway{std::move(gateway_name)}, day{scale.day} {}

std::size_t Evidence::slice_of(Timestamp at) const {
  auto age = at <= started || day <= 0 ? 0 : std::uint64_t((at - started) / day);
  return std::min<std::size_t>(std::size_t(std::bit_width(age)), slice_limit - 1);
}

Evidence::Touched Evidence::apply(const ServiceDelta& delta) {
  Touched touched;
  entity = delta.entity;
  // A gateway whose clock was wrong at its first window would otherwise be ages old for ever.
  if (started == 0) started = delta.from;
  updated = std::max(updated, delta.until);
  auto day_number = [&](Timestamp at) {
    return std::uint32_t(std::clamp<std::int64_t>(at / day, 0, UINT32_MAX));
  };
  auto middle = delta.from + (delta.until - delta.from) / 2;
  weekdays |= std::uint8_t(1u << (day_number(middle) % 7));

  auto index = slice_of(middle);
  if (slices.size() <= index) slices.resize(index + 1);
  EvidenceSlice slice;
  slice.steady = delta.steady;
  slice.startups = delta.startups;
  for (const auto& number : delta.numbers)
    slice.numbers[number.key].merge(number.samples);
  slices[index].merge(slice);
  touched.slices.push_back(index);

  for (const auto& seen : delta.keys) {
    KeyRecord record;
    record.family = seen.family;
    record.phase = seen.phase;
    record.site_levels = seen.site_levels;
    record.peer_class = seen.peer_class;
    record.never_learn = seen.never_learn;
    record.keys = seen.keys;
    record.texts = seen.texts;
    record.count = seen.count;
    record.hours = seen.hours;
    record.days = seen.days;
    record.first = seen.first;
    record.last = seen.last;
    record.first_days.push_back(day_number(seen.first));
    if (auto end = day_number(seen.last); end != record.first_days[0]) record.first_days.push_back(end);
    auto known = keys.find(record.id());
    if (known != keys.end()) {
      known->second.merge(record);
    } else if (keys.size() < key_limit) {
      keys.emplace(record.id(), record);
    } else {
      ++overflow;
      continue;
    }
    touched.keys.push_back(record.id());
  }
  overflow += delta.overflow;
  return touched;
}

void Evidence::merge(const Evidence& other) {
  if (other.updated > updated || (other.updated == updated && profile_of(other.entity) > profile_of(entity)))
    entity = other.entity;
  started = started == 0 ? other.started : other.started == 0 ? started : std::min(started, other.started);
  updated = std::max(updated, other.updated);
  weekdays |= other.weekdays;
  overflow += other.overflow;
  if (slices.size() < other.slices.size()) slices.resize(other.slices.size());
  for (std::size_t i = 0; i < other.slices.size(); ++i)
    slices[i].merge(other.slices[i]);
  for (const auto& [id, record] : other.keys) {
    auto known = keys.find(id);
    if (known != keys.end())
      known->second.merge(record);
    else
      keys.emplace(id, record);
  }
  // At the limit the keys with the smallest hashes stay, whatever the order in which parts were merged.
  if (keys.size() <= key_limit) return;
  std::vector<std::uint64_t> ids;
  for (const auto& entry : keys)
    ids.push_back(entry.first);
  std::nth_element(ids.begin(), ids.begin() + key_limit, ids.end());
  for (auto id = ids.begin() + key_limit; id != ids.end(); ++id)
    keys.erase(*id);
  overflow += ids.size() - key_limit;
}

Duration Evidence::steady() const {
  Duration sum = 0;
  for (const auto& slice : slices)
    sum += slice.steady;
  return sum;
}

std::uint32_t Evidence::startups() const {
  std::uint32_t sum = 0;
  for (const auto& slice : slices)
    sum += slice.startups;
  return sum;
}

} // namespace iris
