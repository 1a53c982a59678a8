#pragma once
#include "tests/lab/sources/lab.hpp"

#include <memory>

namespace iris::lab {

inline const ProcessInfo* start_of(const ProcessEvent& event) {
  const auto* start = std::get_if<ProcessStart>(&event.what);
  return start == nullptr ? nullptr : &start->process;
}

/// A process source, and all that it tells.
struct Watch {
  Heard<ProcessEvent> events;
  Heard<SensorHealth> health;
  Heard<SocketEvent> sockets;
  std::unique_ptr<ProcessSource> source;

  explicit Watch(ProcessSensorChoice choice) {
    ProcessSourceOptions options;
    options.sensor = choice;
    auto started = ProcessSource::start(
        options, {[this](std::vector<ProcessEvent> batch) { events.add(std::move(batch)); },
                  [this](std::vector<SocketEvent> batch) { sockets.add(std::move(batch)); },
                  [this](SensorHealth what) { health.add(std::move(what)); }});
    LAB_CHECK_SAY(started.ok(), started ? "" : started.error().message);
    if (started) source = std::move(started.value());
    events.wait([](const ProcessEvent&) { return true; }, 0);
    health.wait([](const SensorHealth& what) { return what.what == "up"; });
  }
  bool exited(const std::string& container, std::size_t times = 1) {
    return events.wait(
        [&](const ProcessEvent& event) { return event.container == container && event.what.index() == 1; },
        times);
  }
  /// The first start in the container of which this holds.
  ProcessInfo find(const std::string& container, const std::function<bool(const ProcessInfo&)>& test) const {
    for (const auto& event : events.all())
      if (const auto* process = start_of(event);
          process != nullptr && event.container == container && test(*process))
        return *process;
    return {};
  }
};

} // namespace iris::lab
