#include "cloud/aggregator/silent.hpp"
#include "cloud/aggregator/ledger.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace iris {

void look_for_silent(const WorldPtr& world) {
  const auto now = world->now();
  std::uint64_t away = 0;
  std::vector<std::pair<std::string, std::string>> due;
  const auto scanned = world->store->scan(
      Table::gateways, KeyBuilder{}.u8('e').str(), [&](std::string_view key, std::string_view value) {
        KeyReader reader{key.substr(1)};
        auto tenant = reader.text();
        auto gateway = reader.text();
        const auto enrolment = decode_enrolment(value);
        if (!reader.ok() || !enrolment || enrolment->revoked) return true;
        GatewayRow row;
        if (const auto stored = world->store->get(Table::gateways, gateway_key(tenant, gateway));
            stored && *stored)
          if (auto decoded = decode_gateway(**stored)) row = std::move(*decoded);
        if (row.away_since != 0)
          ++away;
        else if (silent_for_too_long(*world, row, *enrolment, now))
          due.emplace_back(std::move(tenant), std::move(gateway));
        return true;
      });
  if (!scanned) return spdlog::error("gateways that are away: {}", scanned.error().message);
  world->counters.gateways_away = away;
  for (const auto& [tenant, gateway] : due) // also those that are connected and have nothing to tell
    (void)aggregator_of(world, tenant, gateway);
}

Duration silent_look_every(const CloudSettings& settings) {
  return std::clamp<Duration>(settings.away_after / 4, second, 60 * second);
}

} // namespace iris
