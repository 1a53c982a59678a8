#include "cloud/aggregator/evidence_store.hpp"
#include "cloud/store/rows.hpp"
#include "cloud/trainer/trainer_actor.hpp"
#include "core/alert/codec.hpp"

#include <algorithm>

namespace iris {
namespace {

/// Keys that open alerts of this profile name: what is under suspicion is not learned.
Result<void> block_open_alerts(const Store& store, const std::string& tenant, const std::string& gateway,
                               const std::string& profile, std::set<std::uint64_t>& blocked) {
  return store.scan(Table::alerts, alert_prefix(tenant, gateway),
                    [&](std::string_view, std::string_view value) {
                      auto alert = decode_alert(value);
                      if (!alert || alert->state == AlertState::closed) return true;
                      if (profile_of(alert->finding.entity) != profile) return true;
                      for (auto key : keys_in_cause(alert->finding.cause))
                        blocked.insert(key);
                      return true;
                    });
}

} // namespace

Duration training_interval(const TimeScale& scale) {
  return std::clamp<Duration>(scale.hour(), 250 * millisecond, 3'600 * second);
}

Trained train_profile(const CloudWorld& world, const std::string& tenant, const std::string& profile,
                      const BaselinePtr& published, Timestamp now) {
  Trained result;
  auto failed = [&](const Error& error) {
    result.error = error.message;
    return result;
  };
  const auto& store = *world.store;
  TrainingInput input;
  auto decided = store.get(Table::baselines, profile_row_key(tenant, profile));
  if (!decided) return failed(decided.error());
  if (decided->has_value()) {
    auto row = decode_profile(**decided);
    if (!row) return failed(row.error());
    input.accepted = std::move(row->accepted);
    input.force_promotion = !row->forced_by.empty();
    input.forced_by = row->forced_by;
  }
  auto gateways = gateways_of(store, tenant, profile);
  if (!gateways) return failed(gateways.error());
  std::vector<Evidence> evidence;
  std::vector<std::string> problems;
  for (const auto& gateway : *gateways) {
    auto loaded = load_evidence(store, tenant, gateway, profile, problems);
    if (!loaded) return failed(loaded.error());
    if (!loaded->has_value()) continue;
    evidence.push_back(std::move(**loaded));
    if (auto blocked = block_open_alerts(store, tenant, gateway, profile, input.blocked); !blocked)
      return failed(blocked.error());
  }
  if (!problems.empty()) result.error = problems.front();
  if (evidence.empty()) return result;
  std::vector<const Evidence*> pointers;
  for (const auto& entry : evidence)
    pointers.push_back(&entry);
  auto candidate =
      std::make_shared<Baseline>(train(pointers, world.settings.training, input, now, published.get()));
  result.changed = published == nullptr || differs(*published, *candidate);
  result.candidate = std::move(candidate);
  result.gateways = std::move(*gateways);
  return result;
}

} // namespace iris
