#pragma once
#include "cloud/world.hpp"

namespace iris {

/// Looks through all enrolled gateways and has an aggregator made for each that is silent for longer than
/// `alerts.away_after`: that one judges, and tells once (GatewayLedger::away). Also counts those that are
/// told of as away. Cheap enough for once a minute with 100,000 gateways; reads the store on the caller's
/// thread.
void look_for_silent(const WorldPtr& world);

/// How often it is worth a look: four times in that span, at the most once a second.
[[nodiscard]] Duration silent_look_every(const CloudSettings& settings);

} // namespace iris
