#include "core/detect/service_collector.hpp"

#include "core/detect/bounded_table.hpp"
#include "core/detect/tools.hpp"
#include "core/detect/window_numbers.hpp"
#include "core/intel/indicator_set.hpp"

#include <algorithm>

namespace iris {
namespace {

/// What of a key was already told, so that hours and days are counted once.
struct Habit {
  std::int64_t hour = -1, day = -1, texts_sent = -1;
};

} // namespace

struct ServiceCollector::State {
  EntityPtr entity;
  std::string gateway;
  TimeScale scale;
  BaselinePtr baseline;
  std::shared_ptr<const IndicatorSet> indicators;
  BehaviourCache cache;
  WindowNumbers numbers;
  BoundedTable<std::uint64_t, Habit> habits;
  std::unordered_map<std::uint64_t, KeyDelta> keys;
  std::size_t key_limit;
  BudgetShare key_share;
  std::uint64_t overflow = 0, in_window = 0;
  Counters counters;
  Timestamp from;
  // Exposure: the entity is alive; `steady_since` 0 while it is in its startup phase or gone.
  Timestamp steady_since = 0, startup_until = 0;
  Duration steady = 0;
  std::uint32_t startups = 0;

  State(EntityPtr of, std::string on, const TimeScale& with, Timestamp now, const PairLimits& limits)
      : entity{std::move(of)}, gateway{std::move(on)}, scale{with}, cache{limits.behaviours, limits.budget},
        numbers{limits.flows, limits.peers, with.day, limits.budget}, habits{limits.habits, limits.budget},
        key_limit{std::min(limits.keys, ServiceDelta::key_limit)}, key_share{limits.budget}, from{now},
        steady_since{now} {}

  void stop_steady(Timestamp at) {
    if (steady_since != 0) steady += std::max<Duration>(0, at - std::max(steady_since, from));
    steady_since = 0;
  }

  void life(const ContainerChange& change, Timestamp at) {
    switch (change.action) {
    case ContainerAction::started:
      stop_steady(at);
      ++startups;
      startup_until = at + scale.startup;
      break;
    case ContainerAction::died:
    case ContainerAction::stopped:
    case ContainerAction::removed:
      stop_steady(at);
      startup_until = 0;
      break;
    case ContainerAction::listed:
      if (steady_since == 0 && startup_until == 0) steady_since = at;
      break;
    default:
      break;
    }
  }

  bool never_learn(const Observation& observation) const {
    if (const auto* start = std::get_if<ProcessStart>(&observation.what))
      return runs_from_memory(start->process) ||
             (!start->process.health_check && match_tool(start->process).has_value());
    const auto* flow = std::get_if<Flow>(&observation.what);
    if (!flow || !indicators) return false;
    const auto& peer = flow->inbound ? flow->src : flow->dst;
    return scope_of(peer) == AddressScope::global && indicators->contains(peer);
  }

  bool baseline_knows(const Behaviour& behaviour) const {
    if (!baseline) return false;
    const auto* site = baseline->site(gateway);
    return baseline->fleet.find(behaviour.keys[0], behaviour.phase) ||
           (site && site->find(behaviour.keys[0], behaviour.phase));
  }

  KeyDelta* row_of(const Behaviour& behaviour, const Observation& observation) {
    if (auto known = keys.find(behaviour.id()); known != keys.end()) return &known->second;
    constexpr std::size_t least = 64; // keys that each may have whatever the budget says
    auto cost = sizeof(KeyDelta) + 64;
    for (const auto& text : behaviour.texts)
      cost += text.size();
    if (keys.size() >= key_limit || !key_share.grow(cost, keys.size() < least)) {
      ++overflow;
      ++counters.overflow;
      return nullptr;
    }
    auto& row = keys[behaviour.id()];
    row.family = behaviour.family;
    row.phase = behaviour.phase;
    row.site_levels = behaviour.site_levels;
    row.peer_class = behaviour.peer_class;
    row.keys = behaviour.keys;
    row.first = observation.at;
    row.never_learn = never_learn(observation);
    // A text goes out once a day at most, and not at all where the baseline has it already.
    auto day = observation.at / scale.day;
    auto& habit = habits.get(behaviour.id()).first;
    if (habit.texts_sent != day && !baseline_knows(behaviour)) {
      row.texts = behaviour.texts;
      habit.texts_sent = day;
    }
    return &row;
  }

  void count(const Behaviour& behaviour, const Observation& observation) {
    auto* row = row_of(behaviour, observation);
    if (!row) return;
    ++row->count;
    row->first = std::min(row->first, observation.at);
    row->last = std::max(row->last, observation.at);
    auto& habit = habits.get(behaviour.id()).first;
    // Time that goes back (captures out of order) enters no hour twice.
    if (auto hour = observation.at / std::max<Duration>(1, scale.hour()); hour > habit.hour) {
      ++row->hours;
      habit.hour = hour;
    }
    if (auto day = observation.at / scale.day; day > habit.day) {
      ++row->days;
      habit.day = day;
    }
    const auto* flow = std::get_if<Flow>(&observation.what);
    if (!flow || behaviour.peer_class != EntityKind::internet) return;
    row->peer = flow->inbound ? flow->src : flow->dst;
    row->port = flow->dport;
    row->protocol = flow->protocol;
    row->contact = row->contact || is_contact(*flow);
    row->bytes_out += flow->inbound ? flow->bytes_in : flow->bytes_out;
    row->bytes_in += flow->inbound ? flow->bytes_out : flow->bytes_in;
  }
};

ServiceCollector::ServiceCollector(EntityPtr entity, std::string gateway, const TimeScale& scale,
                                   Timestamp now, const PairLimits& limits)
    : state_{std::make_unique<State>(std::move(entity), std::move(gateway), scale, now, limits)} {}
ServiceCollector::~ServiceCollector() = default;
ServiceCollector::ServiceCollector(ServiceCollector&&) noexcept = default;
ServiceCollector& ServiceCollector::operator=(ServiceCollector&&) noexcept = default;

void ServiceCollector::set_baseline(BaselinePtr baseline) { state_->baseline = std::move(baseline); }
void ServiceCollector::set_indicators(std::shared_ptr<const IndicatorSet> indicators) {
  state_->indicators = std::move(indicators);
}
void ServiceCollector::set_scale(const TimeScale& scale) {
  if (scale.day != state_->scale.day) state_->habits.clear(); // hours and days are numbered anew
  state_->scale = scale;
  state_->numbers.set_day(scale.day);
}

const std::vector<BehaviourPtr>& ServiceCollector::observe(const Observation& observation) {
  auto& state = *state_;
  ++state.counters.observations;
  ++state.in_window;
  if (observation.entity && observation.entity != state.entity) state.entity = observation.entity;
  const auto& behaviours = state.cache.derive(observation);
  for (const auto& behaviour : behaviours)
    state.count(*behaviour, observation);
  if (const auto* flow = std::get_if<Flow>(&observation.what))
    (void)state.numbers.add(observation, *flow);
  else if (const auto* start = std::get_if<ProcessStart>(&observation.what);
           start && !start->process.health_check)
    state.numbers.add(*start);
  else if (const auto* usage = std::get_if<Usage>(&observation.what))
    state.numbers.add(*usage);
  else if (const auto* change = std::get_if<ContainerChange>(&observation.what))
    state.life(*change, observation.at);
  return behaviours;
}

std::optional<ServiceDelta> ServiceCollector::close_window(Timestamp now, bool force) {
  auto& state = *state_;
  if (now < state.from) state.from = now; // the clock went back
  if (!force && now - state.from < state.scale.window) return std::nullopt;
  if (state.startup_until != 0 && now >= state.startup_until) {
    state.steady_since = state.startup_until;
    state.startup_until = 0;
  }
  if (auto since = state.steady_since; since != 0) {
    state.stop_steady(now);
    state.steady_since = now;
  }
  ServiceDelta delta;
  delta.entity = party_of(*state.entity);
  delta.from = state.from;
  delta.until = now;
  delta.steady = std::clamp<Duration>(state.steady, 0, now - state.from);
  delta.startups = state.startups;
  delta.observations = state.in_window;
  delta.overflow = state.overflow;
  delta.keys.reserve(state.keys.size());
  for (auto& [id, row] : state.keys)
    delta.keys.push_back(std::move(row));
  std::sort(delta.keys.begin(), delta.keys.end(), [](const KeyDelta& left, const KeyDelta& right) {
    return std::pair{left.keys[0], left.phase} < std::pair{right.keys[0], right.phase};
  });
  std::map<NumberKey, NumberSamples> numbers;
  for (const auto& sample : state.numbers.close(now))
    numbers[sample.key].add(sample.value, std::uint32_t(std::max<Timestamp>(0, sample.at / state.scale.day)));
  for (auto& [key, samples] : numbers)
    delta.numbers.push_back({key, std::move(samples)});
  state.keys.clear();
  state.key_share.clear();
  state.overflow = state.in_window = 0;
  state.steady = 0;
  state.startups = 0;
  state.from = now;
  ++state.counters.windows;
  if (delta.steady == 0 && delta.startups == 0 && delta.observations == 0) return std::nullopt;
  return delta;
}

ServiceCollector::Counters ServiceCollector::counters() const {
  auto counters = state_->counters;
  counters.keys = state_->keys.size();
  counters.overflow += state_->numbers.evicted();
  return counters;
}

} // namespace iris
