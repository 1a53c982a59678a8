#pragma once
#include "core/learn/delta.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace iris {

/// What one gateway has shown of one behaviour. A row of its own in the store.
struct KeyRecord {
  static constexpr std::size_t day_limit = 8;
  Family family{};
  Phase phase = Phase::steady;
  std::uint8_t site_levels = 0;
  EntityKind peer_class = EntityKind::unknown;
  bool never_learn = false;
  std::array<std::uint64_t, level_count> keys{};
  std::array<std::string, level_count> texts;
  std::uint64_t count = 0;
  std::uint32_t hours = 0, days = 0;
  Timestamp first = 0, last = 0;
  std::vector<std::uint32_t>
      first_days; ///< the earliest distinct learning days, ascending, at most day_limit

  [[nodiscard]] std::uint64_t id() const { return keys[0] * 2 + std::uint64_t(phase == Phase::steady); }
  void merge(const KeyRecord& other); ///< commutative and associative
  /// The number of the learning day on which it had been seen on `distinct` days (1..day_limit), if it has.
  [[nodiscard]] std::optional<std::uint32_t> day_reached(std::uint32_t distinct) const;
};

/// Time and samples between two doublings of a gateway's age: slice 0 is the first learning day, slice i the
/// days [2^(i-1), 2^i). So a look at a doubling time finds its two halves apart without keeping every day.
struct EvidenceSlice {
  Duration steady = 0;
  std::uint32_t startups = 0;
  std::map<NumberKey, NumberSamples> numbers;
  void merge(const EvidenceSlice& other);
};

/// Everything that one gateway has shown of one profile.
struct Evidence {
  static constexpr std::size_t key_limit = 20'000;
  static constexpr std::size_t slice_limit = 16;
  std::string profile, gateway;
  Party entity;                       ///< as last seen
  Timestamp started = 0, updated = 0; ///< start of the first window, end of the last
  Duration day = TimeScale{}.day;
  std::uint8_t weekdays = 0;                         ///< bit i: learning day number i modulo 7 was seen
  std::uint64_t overflow = 0;                        ///< key deltas for which there was no room
  std::unordered_map<std::uint64_t, KeyRecord> keys; ///< by KeyRecord::id()
  std::vector<EvidenceSlice> slices;                 ///< at most slice_limit

  Evidence() = default;
  Evidence(std::string profile_name, std::string gateway_name, const TimeScale& scale);
  /// What has to be written to the store after a delta was applied.
  struct Touched {
    std::vector<std::uint64_t> keys; ///< ids
    std::vector<std::size_t> slices;
  };
  Touched apply(const ServiceDelta& delta);
  void merge(const Evidence& other); ///< same profile and gateway; commutative and associative
  [[nodiscard]] Duration steady() const;
  [[nodiscard]] std::uint32_t startups() const;
  [[nodiscard]] double age_days(Timestamp now) const {
    return started ? double(now - started) / double(day) : 0;
  }
  [[nodiscard]] std::size_t slice_of(Timestamp at) const;
};

/// Rows for the store: one head (all but keys and slices), one a key, one a slice.
[[nodiscard]] std::vector<char> encode_head(const Evidence& evidence);
[[nodiscard]] std::vector<char> encode(const KeyRecord& record);
[[nodiscard]] std::vector<char> encode(const EvidenceSlice& slice);
[[nodiscard]] Result<Evidence> decode_head(const char* data, std::size_t size);
[[nodiscard]] Result<KeyRecord> decode_key(const char* data, std::size_t size);
[[nodiscard]] Result<EvidenceSlice> decode_slice(const char* data, std::size_t size);

} // namespace iris
