#include "core/learn/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace iris {
namespace {

/// The order in which the largest days are kept: by value, the earlier day first where they are equal.
bool larger(const DayMax& left, const DayMax& right) {
  return left.value != right.value ? left.value > right.value : left.day < right.day;
}

} // namespace

const char* to_string(NumberFamily family) {
  switch (family) {
  case NumberFamily::flow_bytes_out:
    return "flow-bytes-out";
  case NumberFamily::window_bytes_out:
    return "window-bytes-out";
  case NumberFamily::window_flows:
    return "window-flows";
  case NumberFamily::window_peers:
    return "window-peers";
  case NumberFamily::window_ports:
    return "window-ports";
  case NumberFamily::exec_rate:
    return "exec-rate";
  case NumberFamily::cpu:
    return "cpu";
  case NumberFamily::memory:
    return "memory";
  case NumberFamily::pids:
    return "pids";
  }
  return "unknown";
}

std::string describe(const NumberKey& key) {
  std::string whom = "peers";
  switch (key.peer_class) {
  case EntityKind::service:
    whom = "a sibling service";
    break;
  case EntityKind::device:
    whom = "a LAN device";
    break;
  case EntityKind::gateway:
    whom = "the gateway";
    break;
  case EntityKind::internet:
    whom = "an internet address";
    break;
  case EntityKind::unknown:
    whom = "an unlisted local address";
    break;
  }
  switch (key.family) {
  case NumberFamily::flow_bytes_out:
    return "bytes sent to " + whom + " in one flow";
  case NumberFamily::window_bytes_out:
    return "bytes sent to " + whom + " in one window";
  case NumberFamily::window_flows:
    return "flows opened in one window";
  case NumberFamily::window_peers:
    return "distinct peers called in one window";
  case NumberFamily::window_ports:
    return "distinct ports called in one window";
  case NumberFamily::exec_rate:
    return "programs started in one window";
  case NumberFamily::cpu:
    return "use of the processor";
  case NumberFamily::memory:
    return "memory";
  case NumberFamily::pids:
    return "tasks";
  }
  return "numbers";
}

std::string describe_value(NumberFamily family, double value) {
  switch (family) {
  case NumberFamily::flow_bytes_out:
  case NumberFamily::window_bytes_out:
  case NumberFamily::memory:
    return human_bytes(std::uint64_t(std::clamp(value, 0.0, 9e18)));
  default:
    break;
  }
  char text[32];
  std::snprintf(text, sizeof text, family == NumberFamily::cpu ? "%.0f %%" : "%.0f", value);
  return text;
}

double floor_of(NumberFamily family) {
  switch (family) {
  case NumberFamily::flow_bytes_out:
    return 1024.0 * 1024;
  case NumberFamily::window_bytes_out:
    return 1024.0 * 1024;
  case NumberFamily::window_flows:
    return 100;
  case NumberFamily::window_peers:
    return 20;
  case NumberFamily::window_ports:
    return 20;
  case NumberFamily::exec_rate:
    return 50;
  case NumberFamily::cpu:
    return 80;
  case NumberFamily::memory:
    return 256.0 * 1024 * 1024;
  case NumberFamily::pids:
    return 100;
  }
  return 0;
}

bool is_reported(NumberFamily family) {
  return family == NumberFamily::flow_bytes_out || family == NumberFamily::window_bytes_out;
}

void NumberSamples::add(double value, std::uint32_t day) {
  sketch.add(value);
  if (!(value > 0)) value = 0;
  auto known = std::find_if(days.begin(), days.end(), [&](const DayMax& one) { return one.day == day; });
  if (known != days.end()) {
    if (value <= known->value) return;
    known->value = value;
  } else {
    if (days.size() == day_limit && !larger({day, value}, days.back())) return;
    days.push_back({day, value});
  }
  std::sort(days.begin(), days.end(), larger);
  if (days.size() > day_limit) days.resize(day_limit);
}

void NumberSamples::merge(const NumberSamples& other) {
  sketch.merge(other.sketch);
  for (const auto& one : other.days) {
    auto known =
        std::find_if(days.begin(), days.end(), [&](const DayMax& mine) { return mine.day == one.day; });
    if (known == days.end())
      days.push_back(one);
    else
      known->value = std::max(known->value, one.value);
  }
  std::sort(days.begin(), days.end(), larger);
  if (days.size() > day_limit) days.resize(day_limit);
}

double NumberSamples::trusted_max(std::uint32_t distinct) const {
  if (days.empty()) return 0;
  return days[std::min<std::size_t>(std::max(distinct, 1u), days.size()) - 1].value;
}

std::uint32_t NumberSamples::days_above(double threshold) const {
  return std::uint32_t(
      std::count_if(days.begin(), days.end(), [&](const DayMax& one) { return one.value > threshold; }));
}

namespace {

/// Hill's estimator over the values above the 90 % quantile, and the value that is exceeded with probability
/// `wanted` a sample: x = u (n_u / (n wanted))^(1/alpha). 0 where there is too little to fit. A bucket's
/// values are spread over it evenly (dithering, here without randomness): all at one edge would bias alpha by
/// up to the bucket's width.
double tail_value(const DDSketch& sketch, double wanted) {
  constexpr std::uint64_t least_samples = 200, least_tail = 20;
  auto n = sketch.count();
  if (n < least_samples || wanted <= 0) return 0;
  auto limit = sketch.quantile(0.9);
  if (limit <= 0) return 0;
  double logs = 0;
  std::uint64_t tail = 0;
  for (const auto& [index, count] : sketch.buckets()) {
    auto low = DDSketch::lower_edge(index);
    if (low < limit) continue;
    // The mean of log(x/u) over a bucket whose values are spread evenly in log x is that of its middle.
    logs += double(count) * (std::log(low / limit) + 0.5 * std::log(DDSketch::gamma()));
    tail += count;
  }
  if (tail < least_tail || logs <= 0) return 0;
  auto alpha = double(tail) / logs;
  auto share = double(tail) / (double(n) * wanted);
  if (share <= 1) return limit;
  return limit * std::exp(std::min(std::log(share) / alpha, 40.0));
}

} // namespace

Threshold threshold_of(NumberFamily family, const NumberSamples& samples, double days,
                       std::uint32_t trust_days, double exceedances_per_day) {
  Threshold threshold;
  threshold.max = samples.trusted_max(trust_days);
  threshold.value = 1.5 * threshold.max;
  threshold.source = Threshold::Source::maximum;
  if (days > 0 && !samples.sketch.empty()) {
    auto tail = tail_value(samples.sketch, exceedances_per_day * days / double(samples.sketch.count()));
    tail = std::min(tail, 10 * threshold.max);
    if (tail > threshold.value) {
      threshold.value = tail;
      threshold.source = Threshold::Source::tail;
    }
  }
  if (auto floor = floor_of(family); threshold.value < floor) {
    threshold.value = floor;
    threshold.source = Threshold::Source::floor;
  }
  return threshold;
}

} // namespace iris
