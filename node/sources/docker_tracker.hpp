#pragma once
#include "core/base/result.hpp"
#include "core/inventory/docker_json.hpp"
#include "node/sources/docker_source.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace iris {

/// The part of DockerSource that knows no socket: what events and lists mean, given a way to inspect a
/// container.
class DockerTracker {
public:
  using Inspect = std::function<Result<ContainerFacts>(const std::string& id)>;

  DockerTracker(Inspect inspect, Duration asked_window)
      : inspect_{std::move(inspect)}, asked_window_{asked_window} {}

  /// Compares with the engine's list: the first time everything is `listed`, later what the events did not
  /// tell.
  [[nodiscard]] std::vector<ContainerReport> on_list(const std::vector<ContainerListing>& list,
                                                     Timestamp now);
  /// nullopt for what is no change, and for an event that was told before.
  [[nodiscard]] std::optional<ContainerReport> on_event(ContainerEvent event);

  /// Time of the last event, 0 for none: where to go on after a disconnect.
  [[nodiscard]] Timestamp last_event() const { return last_event_; }
  [[nodiscard]] std::size_t containers() const { return known_.size(); }

private:
  struct Known {
    ContainerFacts facts;
    Timestamp asked = 0; ///< last stop or deadly kill by the engine's users
    Timestamp oom = 0;
  };

  [[nodiscard]] ContainerReport report(const ContainerFacts& facts, ContainerEvent event) const;
  void settle_death(Known& known, ContainerEvent& event);
  [[nodiscard]] bool told_before(const ContainerEvent& event);

  Inspect inspect_;
  Duration asked_window_;
  std::map<std::string, Known> known_;
  std::deque<ContainerEvent> recent_; ///< events are sent again when we resubscribe
  Timestamp last_event_ = 0;
  bool listed_ = false;
};

} // namespace iris
