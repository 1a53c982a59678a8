#pragma once
#include "core/detect/traffic_watch.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace iris {

/// The last distinct things seen, exactly, with their times. Fixed size, scanned in full: 32 words are two
/// cache lines, cheaper than any structure.
class RecentSet {
public:
  static constexpr std::size_t capacity = 32;
  /// @returns true for one that was not there.
  bool insert(std::uint32_t hash, Timestamp now) {
    auto stamp = std::uint32_t(now / millisecond);
    std::size_t oldest = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if (hashes_[i] == hash) return stamps_[i] = stamp, false;
      if (std::int32_t(stamps_[i] - stamps_[oldest]) < 0) oldest = i;
    }
    auto at = size_ < capacity ? size_++ : oldest;
    hashes_[at] = hash;
    stamps_[at] = stamp;
    return true;
  }
  [[nodiscard]] std::uint32_t count_since(Timestamp from) const {
    auto stamp = std::uint32_t(from / millisecond);
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < size_; ++i)
      count += std::int32_t(stamps_[i] - stamp) >= 0;
    return count;
  }
  [[nodiscard]] bool is_since(std::size_t i, Timestamp from) const {
    return std::int32_t(stamps_[i] - std::uint32_t(from / millisecond)) >= 0;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint32_t hash(std::size_t i) const { return hashes_[i]; }
  void clear() { size_ = 0; }

private:
  std::uint8_t size_ = 0;
  std::array<std::uint32_t, capacity> hashes_;
  std::array<std::uint32_t, capacity> stamps_; ///< milliseconds, wrapping
};

/// HyperLogLog (Flajolet et al. 2007) with 1024 registers: 3.3 % standard error, linear counting below 2560.
class DistinctCounter {
public:
  void insert(std::uint32_t hash) {
    auto mixed = (hash + 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
    mixed ^= mixed >> 31;
    auto& slot = registers_[mixed >> 54];
    slot = std::max(slot, std::uint8_t(std::countl_zero(mixed << 10 | 512) + 1));
  }
  [[nodiscard]] std::uint64_t estimate() const {
    double sum = 0;
    int zeros = 0;
    for (auto value : registers_) {
      sum += std::ldexp(1.0, -int(value));
      zeros += value == 0;
    }
    constexpr double m = 1024;
    double raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (raw <= 2.5 * m && zeros != 0) raw = m * std::log(m / zeros);
    return std::uint64_t(std::llround(raw));
  }
  void clear() { registers_.fill(0); }

private:
  std::array<std::uint8_t, 1024> registers_{};
};

/// What is suspected: `a` is who does it, or the victim of many.
struct SuspectKey {
  IpAddress a, b;
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;
  TrafficKind kind{};
  friend bool operator==(const SuspectKey&, const SuspectKey&) = default;
};

/// Tries within a window that begins with the first event after the last one ran out.
struct WindowCount {
  Timestamp start = 0;
  std::uint32_t unanswered = 0, refused = 0, answered = 0;
};

/// A flow as it is kept before anything is certain.
struct Sample {
  IpAddress src, dst;
  std::uint16_t sport, dport;
  std::uint32_t packets, bytes_out, bytes_in;
  Timestamp first, last;
  std::uint32_t retransmitted;
  std::array<char, 16> history; ///< as Flow::history
};

/// One cause that may become an alarm. All but `recent` counts from the beginning of `window`, or of the
/// alarm.
struct Suspect {
  static constexpr std::size_t sample_limit = 3;
  static constexpr std::uint16_t no_alarm = 0xffff;
  SuspectKey key;
  std::uint16_t alarm = no_alarm; ///< place of the active alarm
  std::uint8_t samples_used = 0;
  MacAddress mac{};
  Timestamp last = 0;
  Timestamp covered_until = 0; ///< victim: the alarm about the whole network tells of it
  std::uint64_t packets = 0, bytes = 0;
  WindowCount window;
  Timestamp rate_start = 0; ///< packets a second are counted from here
  std::uint64_t rate_packets = 0, rate_bytes = 0;
  RecentSet recent;
  std::array<Sample, sample_limit> samples;

  [[nodiscard]] bool alarmed() const { return alarm != no_alarm; }
};
static_assert(std::is_trivially_destructible_v<Suspect>);

/// 512 sets of 8, least recently used gives way; one with an active alarm stays. About 600 B each, touched
/// only when used.
class SuspectTable {
public:
  explicit SuspectTable(std::uint64_t seed)
      : seed_{seed}, memory_{std::make_unique_for_overwrite<Storage[]>(sets * ways)} {}
  [[nodiscard]] Suspect* find(const SuspectKey& key);
  /// @returns null when all eight of the set have an active alarm.
  Suspect* find_or_make(const SuspectKey& key, Timestamp now, std::uint64_t& evicted);

private:
  static constexpr std::size_t sets = 512;
  static constexpr std::size_t ways = 8;
  struct alignas(Suspect) Storage {
    std::byte bytes[sizeof(Suspect)];
  };
  [[nodiscard]] std::uint64_t hash_of(const SuspectKey& key) const;
  [[nodiscard]] Suspect& at(std::size_t index) { return *reinterpret_cast<Suspect*>(memory_[index].bytes); }
  std::uint64_t seed_;
  std::array<std::uint32_t, sets * ways> tags_{}; ///< part of the hash, 0 = unused
  std::unique_ptr<Storage[]> memory_;
};

} // namespace iris
