#pragma once
#include <chrono>
#include <cstdint>

namespace iris {

/// For lines that strangers cause: lets so many through in a second and tells afterwards how many it held
/// back. Not thread-safe.
class LogLimit {
public:
  using Clock = std::chrono::steady_clock;
  explicit LogLimit(std::uint32_t per_second) : per_second_{per_second} {
    // nop
  }

  /// Whether this line may be written.
  [[nodiscard]] bool take(Clock::time_point now) {
    if (now - begin_ >= std::chrono::seconds{1}) {
      begin_ = now;
      taken_ = 0;
    }
    if (taken_ < per_second_) return ++taken_ > 0;
    ++held_back_;
    return false;
  }
  /// How many were held back in a second that is over; 0 after that.
  [[nodiscard]] std::uint64_t held_back(Clock::time_point now) {
    if (now - begin_ < std::chrono::seconds{1}) return 0;
    auto count = held_back_;
    held_back_ = 0;
    return count;
  }

private:
  std::uint32_t per_second_, taken_ = 0;
  std::uint64_t held_back_ = 0;
  Clock::time_point begin_{};
};

} // namespace iris
