#include "tests/lab/link/lab.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace linklab {

using namespace std::chrono_literals;

namespace {

constexpr int gateways = 5;
constexpr double floor_ms = 10; ///< below this a p99 is noise of the machine
constexpr double most_memory = 64 << 20;
constexpr double stood_still = 1e9;
constexpr auto patience = 5s; ///< for enough acknowledgements; two thirds of them must have come

/// Whether times are judged and not only printed: `make soak` does, on a machine that has nothing else to do.
bool timed() { return std::getenv("IRIS_LAB_TIMED") != nullptr; }
/// Acknowledgements, for a p99; where it is not judged, as many as show that the healthy ones go on.
std::size_t enough() { return timed() ? 150 : 50; }

} // namespace

Lab::Lab() {
  for (int i = 0; i < gateways; ++i) {
    auto name = "healthy-" + std::to_string(i);
    healthy.push_back(std::make_unique<HealthyGateway>(join(cloud, name), cloud.address(),
                                                       cloud.scratch() + "/" + name + ".spool"));
  }
  await_acks(enough()); // the first ones are of an empty cloud
}

/// Until the healthy ones had so many acknowledgements since times were last taken.
void Lab::await_acks(std::size_t wanted) const {
  const auto until = std::chrono::steady_clock::now() + patience;
  auto had = [&] {
    std::size_t sum = 0;
    for (const auto& gateway : healthy)
      sum += gateway->times();
    return sum;
  };
  while (had() < wanted && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(20ms);
}

double Lab::p99_ms() {
  std::vector<std::uint32_t> all;
  for (auto& gateway : healthy)
    for (auto time : gateway->take_times())
      all.push_back(time);
  if (all.size() < enough() * 2 / 3) return stood_still;
  auto at = all.begin() + std::ptrdiff_t(all.size() * 99 / 100);
  std::nth_element(all.begin(), at, all.end());
  return double(*at) / 1'000;
}

void Lab::measure_quiet() {
  (void)p99_ms();
  await_acks(2 * enough());
  quiet_ms_ = p99_ms();
  if (quiet_bytes_ == 0) {
    quiet_bytes_ = cloud.resident();
    std::printf("quiet: %d gateways, p99 of acks %.1f ms, the cloud holds %.1f MiB\n", gateways, quiet_ms_,
                double(quiet_bytes_) / (1 << 20));
  }
}

std::uint64_t Lab::counted(std::initializer_list<const char*> counters) const {
  auto now = cloud.metrics();
  std::uint64_t sum = 0;
  for (const auto* name : counters)
    sum += now[name];
  return sum;
}

void Lab::check(bool good, const std::string& what) {
  failed_ += !good;
  std::printf("%s%s\n", good ? "" : "FAILED: ", what.c_str());
  std::fflush(stdout);
}

void Lab::attack(const std::string& what, std::initializer_list<const char*> counters,
                 const std::function<std::uint64_t()>& attack) {
  std::uint64_t tries = 0, refused = 0, memory = 0;
  double ms = 0;
  bool good = false;
  // The machine may do something else meanwhile: then quiet is measured anew, and once more.
  for (int round = 0; round < 3 && !good; ++round) {
    if (round > 0) measure_quiet();
    (void)p99_ms();
    const auto before = counted(counters);
    tries = attack();
    await_acks(enough());
    memory = cloud.resident();
    ms = p99_ms();
    for (int i = 0; i < 40 && (refused = counted(counters) - before) < tries; ++i)
      std::this_thread::sleep_for(50ms);
    good = refused >= tries && ms < stood_still && (!timed() || ms <= 2 * std::max(quiet_ms_, floor_ms));
  }
  const auto more = double(memory) - double(quiet_bytes_);
  std::string names;
  for (const auto* name : counters)
    names +=
        std::string{names.empty() ? "" : "+"} + (std::string{name}.rfind("link_", 0) == 0 ? name + 5 : name);
  std::uint64_t downs = 0, failures = 0;
  for (const auto& gateway : healthy) {
    downs += gateway->downs();
    failures += gateway->failures();
  }
  char line[400];
  std::snprintf(line, sizeof line,
                "%-46s %6llu tries, %6llu %-34s p99 %5.1f ms (quiet %.1f)  memory %+.1f MiB", what.c_str(),
                static_cast<unsigned long long>(tries), static_cast<unsigned long long>(refused),
                names.c_str(), ms, quiet_ms_, more / (1 << 20));
  check(good && more < most_memory && downs == 0 && failures == 0 && cloud.alive(), line);
}

std::string source(unsigned stranger, unsigned per_address) {
  const auto host = stranger / per_address + 1;
  return "127.1." + std::to_string(host / 250) + "." + std::to_string(host % 250 + 1);
}

} // namespace linklab
