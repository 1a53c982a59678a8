#pragma once
#include "core/alert/finding.hpp"

#include <deque>
#include <mutex>

namespace iris {

/// Whether the report says that `count` things were not seen: dropped, unread, unreadable, forgotten,
/// oversized, or blind (packets of which could not be told whose they are).
[[nodiscard]] bool is_loss(const SensorHealth& report);

/// What the sources lost lately, so that every finding says what may be missing around it.
class LossLedger {
public:
  static constexpr Duration span = 60 * second;
  static constexpr std::size_t limit = 256; ///< entries; the oldest are forgotten first

  void note(const SensorHealth& report, Timestamp at);
  [[nodiscard]] Loss around(Timestamp at) const;

private:
  struct Entry {
    Timestamp at = 0;
    Loss loss;
  };
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
};

} // namespace iris
