#pragma once
#include "core/base/result.hpp"
#include "core/inventory/docker_json.hpp"
#include "node/sources/docker_source.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace iris {

/// The part of DockerSource that knows no socket: what events and lists mean, given a way to inspect a
/// container.
class DockerTracker {
public:
  using Inspect = std::function<Result<ContainerFacts>(const std::string& id)>;

  DockerTracker(Inspect inspect, Duration asked_window)
      : inspect_{std::move(inspect)}, asked_window_{asked_window} {}

  /// Compares with the engine's list: the first time everything is `listed`, later what the events did not
  /// tell. `resumed`: the first list of a new connection, after the engine was asked for what was missed.
  /// Whatever it does not tell then, it does not know any more, since it was itself away: it stops containers
  /// when it ends, and their deaths look like crashes. They are told as stopped (`unexplained`), unless by
  /// what no engine sends: a fault of their own, or no memory.
  [[nodiscard]] std::vector<ContainerReport> on_list(const std::vector<ContainerListing>& list, Timestamp now,
                                                     bool resumed = false);
  /// nullopt for what is no change, and for an event that was told before.
  [[nodiscard]] std::optional<ContainerReport> on_event(ContainerEvent event);

  /// Time of the last event, 0 for none: where to go on after a disconnect.
  [[nodiscard]] Timestamp last_event() const { return last_event_; }
  [[nodiscard]] std::size_t containers() const { return known_.size(); }
  [[nodiscard]] bool knows(const std::string& id) const { return known_.contains(id); }
  /// Whether the engine's events say that a container was told to stop; podman's do not always. Then an end
  /// by the signals that a stop sends counts as asked for: a killer inside is told by his own deeds.
  void set_tells_stops(bool tells) { tells_stops_ = tells; }
  /// Ends since the last call that nobody can explain, for a word about them.
  [[nodiscard]] std::uint64_t take_unexplained() { return std::exchange(unexplained_, 0); }
  /// Containers since the last call that were left out at the limit; a later list takes them up when there is
  /// room.
  [[nodiscard]] std::uint64_t take_left_out() { return std::exchange(left_out_, 0); }
  [[nodiscard]] bool listed() const { return listed_; }

private:
  struct Known {
    ContainerFacts facts;
    Timestamp asked = 0; ///< last stop or deadly kill by the engine's users
    Timestamp oom = 0;
  };

  [[nodiscard]] ContainerReport report(const ContainerFacts& facts, ContainerEvent event) const;
  void settle_death(Known& known, ContainerEvent& event);
  void leave_out(const std::string& id);
  [[nodiscard]] bool told_before(const ContainerEvent& event);

  Inspect inspect_;
  Duration asked_window_;
  std::map<std::string, Known> known_;
  std::deque<ContainerEvent> recent_; ///< events are sent again when we resubscribe
  Timestamp last_event_ = 0;
  bool listed_ = false, tells_stops_ = true;
  std::uint64_t unexplained_ = 0, left_out_ = 0;
  std::set<std::string> refused_; ///< ids that are left out now, so that each is counted once
};

} // namespace iris
