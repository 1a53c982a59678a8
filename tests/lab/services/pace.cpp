#include "tests/lab/services/pace.hpp"
#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

namespace iris::lab {
namespace {

double random_between(double low, double high) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<double>(low, high)(random);
}

} // namespace

double speed() {
  static const double value = [] {
    const char* text = std::getenv("LAB_SPEED");
    const double parsed = text != nullptr ? std::strtod(text, nullptr) : 1.0;
    return parsed > 0 ? std::clamp(parsed, 0.01, 1000.0) : 1.0;
  }();
  return value;
}

void pause(Seconds life) { std::this_thread::sleep_for(life / speed() * random_between(0.95, 1.05)); }

void every(Seconds life, std::function<void()> task) {
  std::thread([life, task = std::move(task)] {
    std::this_thread::sleep_for(life / speed() * random_between(0, 1));
    for (;;) {
      task();
      pause(life);
    }
  }).detach();
}

} // namespace iris::lab
