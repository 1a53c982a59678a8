#pragma once
#include "core/alert/finding.hpp"
#include "core/base/result.hpp"
#include "core/learn/behaviour.hpp"
#include "core/learn/numbers.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace iris {

/// One behaviour in one window.
struct KeyDelta {
  Family family{};
  Phase phase = Phase::steady;
  std::uint8_t site_levels = 0;
  EntityKind peer_class = EntityKind::unknown;
  bool never_learn = false;                      ///< on the never-learn list, or from a listed address
  std::array<std::uint64_t, level_count> keys{}; ///< finest first, 0 = no such level
  std::array<std::string, level_count> texts;    ///< empty where the baseline knows them
  std::uint64_t count = 0;                       ///< events
  std::uint32_t hours = 0;                       ///< learning hours first entered in this window
  std::uint32_t days = 0;                        ///< learning days first entered in this window
  Timestamp first = 0, last = 0;
  // Of an internet peer, so that the cloud can match intelligence that comes later:
  IpAddress peer;
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;
  bool contact = false; ///< both sides took part
  std::uint64_t bytes_out = 0, bytes_in = 0;
};

struct NumberDelta {
  NumberKey key;
  NumberSamples samples;
};

/// What one entity did in one window, as it leaves the gateway.
struct ServiceDelta {
  static constexpr std::size_t key_limit = 4096;
  Party entity;
  Timestamp from = 0, until = 0;
  Duration steady = 0;        ///< exposure: time in the steady phase
  std::uint32_t startups = 0; ///< exposure: starts seen
  std::vector<KeyDelta> keys; ///< at most key_limit
  std::vector<NumberDelta> numbers;
  std::uint64_t observations = 0;
  std::uint64_t overflow = 0; ///< observations whose behaviour found no room
};

/// Cap'n Proto, schemas/delta.capnp ServiceDelta.
[[nodiscard]] std::vector<char> encode(const ServiceDelta& delta);
[[nodiscard]] Result<ServiceDelta> decode_delta(const char* data, std::size_t size);
/// The profile that the delta belongs to, as profile_of(Entity).
[[nodiscard]] std::string profile_of(const Party& entity);

/// Moves all times in it, and the learning days of length `day` that numbers were seen on.
void shift_times(ServiceDelta& delta, Duration by, Duration day);

} // namespace iris
