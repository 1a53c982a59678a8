#include "node/sources/node_clock.hpp"

#include <time.h>

#include <utility>

namespace iris {

namespace {

constexpr std::size_t jumps_limit = 16;

std::int64_t read(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t(time.tv_sec) * second + time.tv_nsec;
}

/// Both clocks at one moment, as near as an interruption between the two allows.
std::pair<std::int64_t, std::int64_t> read_both(const NodeClock::Read& wall, const NodeClock::Read& boot) {
  for (int attempt = 0;; ++attempt) {
    const auto before = boot(), at = wall(), after = boot();
    if (after - before < millisecond / 2 || attempt == 8) return {at, before + (after - before) / 2};
  }
}

} // namespace

NodeClock::NodeClock()
    : NodeClock{[] { return read(CLOCK_REALTIME); }, [] { return read(CLOCK_BOOTTIME); }} {}

NodeClock::NodeClock(Read wall, Read boot)
    : wall_{std::move(wall)}, boot_{std::move(boot)}, line_{wall_(), boot_()} {
  const auto [at, since_boot] = read_both(wall_, boot_);
  line_ = ClockLine{at, since_boot};
}

std::int64_t NodeClock::look() {
  const auto [wall, boot] = read_both(wall_, boot_);
  if (auto jump = line_.look(wall, boot); jump && jumps_.size() < jumps_limit) jumps_.push_back(*jump);
  return boot;
}

Timestamp NodeClock::now() {
  const std::lock_guard lock{mutex_};
  return line_.at(boot_());
}

Duration NodeClock::shift() {
  const std::lock_guard lock{mutex_};
  look();
  return line_.shift();
}

std::int64_t NodeClock::line_minus_boot() const {
  const std::lock_guard lock{mutex_};
  return line_.line_minus_boot();
}

std::vector<ClockLine::Jump> NodeClock::take_jumps() {
  const std::lock_guard lock{mutex_};
  look();
  return std::exchange(jumps_, {});
}

NodeClock& node_clock() {
  static NodeClock clock;
  return clock;
}

} // namespace iris
