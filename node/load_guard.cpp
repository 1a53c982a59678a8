#include "node/load_guard.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <unistd.h>

namespace iris {
namespace {

Timestamp clock_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return Timestamp(now.tv_sec) * second + now.tv_nsec;
}

/// What is not done at this step, for people.
const char* consequence(Shedding shedding) {
  switch (shedding) {
  case Shedding::labels:
    return "application protocols of new flows are not named";
  case Shedding::content:
    return "nor are commands to field devices read";
  case Shedding::packets:
    return "captures rest, so that flows, scans and floods are not seen";
  case Shedding::nothing:
    break;
  }
  return "everything is watched again";
}

} // namespace

const char* to_string(Shedding shedding) {
  switch (shedding) {
  case Shedding::nothing:
    return "nothing";
  case Shedding::labels:
    return "labels";
  case Shedding::content:
    return "content";
  case Shedding::packets:
    return "packets";
  }
  return "unknown";
}

LoadSample sample_load() {
  LoadSample sample;
  sample.at = clock_now(CLOCK_MONOTONIC);
  sample.cpu = clock_now(CLOCK_PROCESS_CPUTIME_ID);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen("/proc/self/statm", "re"),
                                                             std::fclose};
  unsigned long size = 0, resident = 0;
  if (file && std::fscanf(file.get(), "%lu %lu", &size, &resident) == 2)
    sample.memory = resident * std::uint64_t(::sysconf(_SC_PAGESIZE));
  return sample;
}

std::optional<SensorHealth> LoadGuard::look(const LoadSample& sample) {
  const auto span = sample.at - last_.at;
  const bool first = last_.at == 0 || span <= 0;
  if (!first)
    cpu_percent_ = std::uint32_t(std::clamp<Duration>((sample.cpu - last_.cpu) * 100 / span, 0, 100'000));
  last_ = sample;
  if (first) return std::nullopt;

  const bool much_memory = sample.memory > limits_.memory, much_cpu = cpu_percent_ > limits_.cpu_percent;
  const bool high = much_memory || much_cpu;
  const bool low =
      !much_memory && std::uint64_t(cpu_percent_) * 100 < std::uint64_t(limits_.cpu_percent) * low_percent;
  if (!high) high_since_ = 0;
  if (!low) low_since_ = 0;
  if (high && high_since_ == 0) high_since_ = sample.at;
  if (low && low_since_ == 0) low_since_ = sample.at;

  const auto before = shedding_;
  // Captures at rest spare the processor, and not a byte: their tables stay.
  const auto most = much_cpu ? Shedding::packets : Shedding::content;
  if (high && sample.at - high_since_ >= patience && shedding_ < most)
    shedding_ = Shedding(std::uint8_t(shedding_) + 1);
  else if (low && sample.at - low_since_ >= relief && shedding_ != Shedding::nothing)
    shedding_ = Shedding(std::uint8_t(shedding_) - 1);
  if (shedding_ == before) return std::nullopt;
  high_since_ = low_since_ = 0; // the step has to show what it does

  SensorHealth report;
  report.sensor = "load";
  report.what = shedding_ == Shedding::nothing ? load_restored : load_shedding;
  const auto used = much_memory ? std::to_string(sample.memory >> 20) + " MiB of memory (the limit is " +
                                      std::to_string(limits_.memory >> 20) + ")"
                                : std::to_string(cpu_percent_) + " % of a core (the limit is " +
                                      std::to_string(limits_.cpu_percent) + ")";
  report.detail = "the node uses " + used + ": " + consequence(shedding_);
  return report;
}

} // namespace iris
