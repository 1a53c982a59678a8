#pragma once
#include "tests/lab/services/net.hpp"
#include <functional>

namespace iris::lab {

/// How much faster than life the lab runs: the environment's LAB_SPEED (0.01 to 1000), 1 without it.
[[nodiscard]] double speed();

/// Sleeps so many seconds of the gateway's life, each time 5 % more or less as a busy JVM does.
void pause(Seconds life);

/// Runs the task every so many seconds of life on a thread of its own, for ever, first at a random moment of
/// the first period so that not everything beats at once.
void every(Seconds life, std::function<void()> task);

} // namespace iris::lab
