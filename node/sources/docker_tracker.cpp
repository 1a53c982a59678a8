#include "node/sources/docker_tracker.hpp"

#include <algorithm>
#include <csignal>

namespace iris {
namespace {
constexpr std::size_t recent_limit = 512; ///< the engine itself keeps 256
constexpr std::size_t known_limit = 4096;

/// Of a stopped container the engine no longer tells the addresses; late flows still need them.
void update(ContainerFacts& facts, ContainerFacts fresh) {
  const bool without =
      !fresh.running &&
      std::all_of(fresh.networks.begin(), fresh.networks.end(), [](const ContainerNetwork& network) {
        return network.address == IpAddress{} && network.address6 == IpAddress{};
      });
  if (without) fresh.networks = std::move(facts.networks);
  facts = std::move(fresh);
}

/// Signals that a process draws upon itself; to stop a container, engines send others.
bool own_fault(int signal) {
  return signal == SIGILL || signal == SIGTRAP || signal == SIGABRT || signal == SIGBUS || signal == SIGFPE ||
         signal == SIGSEGV || signal == SIGSYS;
}

bool deadly(int signal, const ContainerFacts& facts) {
  return signal == 0 || signal == 2 || signal == 3 || signal == 9 || signal == 15 ||
         signal == facts.stop_signal;
}
} // namespace

ContainerReport DockerTracker::report(const ContainerFacts& facts, ContainerEvent event) const {
  event.change.privileged = facts.privileged;
  for (const auto& port : facts.ports)
    event.change.published.push_back(to_string(port));
  if (event.name.empty()) event.name = facts.name;
  return {facts, std::move(event)};
}

bool DockerTracker::told_before(const ContainerEvent& event) {
  for (const auto& told : recent_)
    if (told.at == event.at && told.id == event.id && told.change.action == event.change.action &&
        told.network == event.network)
      return true;
  recent_.push_back(event);
  if (recent_.size() > recent_limit) recent_.pop_front();
  return false;
}

void DockerTracker::leave_out(const std::string& id) {
  if (refused_.size() < recent_limit * 8 && refused_.insert(id).second) ++left_out_;
}

void DockerTracker::settle_death(Known& known, ContainerEvent& event) {
  auto& change = event.change;
  auto& facts = known.facts;
  change.asked_for = known.asked != 0 && event.at - known.asked <= asked_window_;
  change.out_of_memory =
      (known.oom != 0 && event.at - known.oom <= asked_window_) || (!facts.running && facts.out_of_memory);
  // A label of the image may pose as the event's exit code. The engine's own record is believed instead, as
  // long as the container was not started again meanwhile.
  if (facts.shadows_events && !facts.running && !facts.status.empty()) change.exit_code = facts.exit_code;
  change.signal = change.exit_code > 128 && change.exit_code <= 128 + 64 ? change.exit_code - 128 : 0;
  if (!tells_stops_ && !change.asked_for && !change.out_of_memory && change.signal != 0 &&
      deadly(change.signal, facts)) {
    change.asked_for = true;
    change.detail = "the engine does not tell whether it was told to stop";
  }
  known.oom = 0;
}

std::optional<ContainerReport> DockerTracker::on_event(ContainerEvent event) {
  if (told_before(event)) return std::nullopt;
  last_event_ = std::max(last_event_, event.at);
  const auto action = event.change.action;
  if (!known_.contains(event.id) && known_.size() >= known_limit) {
    leave_out(event.id);
    return std::nullopt;
  }
  auto& known = known_[event.id];
  if (known.facts.id.empty()) {
    known.facts.id = event.id;
    known.facts.name = known.facts.service = event.name;
  }
  const bool look = action == ContainerAction::created || action == ContainerAction::started ||
                    action == ContainerAction::died || action == ContainerAction::connected ||
                    action == ContainerAction::disconnected || action == ContainerAction::renamed ||
                    known.facts.image.empty();
  if (action == ContainerAction::renamed) event.before = known.facts.service;
  if (look && action != ContainerAction::removed) {
    if (auto facts = inspect_(event.id)) {
      update(known.facts, std::move(facts.value()));
    } else if (action == ContainerAction::died) { // removed at once (--rm)
      known.facts.running = false;
      known.facts.pid = 0;
    }
  }
  if (known.facts.image.empty()) known.facts.image = event.image; // gone before it could be looked at
  switch (action) {
  case ContainerAction::killed:
    event.change.asked_for = deadly(event.change.signal, known.facts);
    if (event.change.asked_for) known.asked = event.at;
    break;
  case ContainerAction::stopped:
    known.asked = event.at;
    break;
  case ContainerAction::oom:
    known.oom = event.at;
    break;
  case ContainerAction::died:
    settle_death(known, event);
    break;
  case ContainerAction::started:
    known.asked = known.oom = 0;
    break;
  default:
    break;
  }
  auto out = report(known.facts, std::move(event));
  if (action == ContainerAction::removed) known_.erase(out.event.id);
  return out;
}

std::vector<ContainerReport> DockerTracker::on_list(const std::vector<ContainerListing>& list, Timestamp now,
                                                    bool resumed) {
  std::vector<ContainerReport> out;
  std::set<std::string> there;
  auto made_up = [&](const std::string& id, ContainerAction action, std::string detail) {
    ContainerEvent event;
    event.id = id;
    event.at = now;
    event.change.action = action;
    event.change.detail = std::move(detail);
    return event;
  };
  for (const auto& listing : list) {
    there.insert(listing.id);
    auto found = known_.find(listing.id);
    const bool running = listing.state == "running" || listing.state == "paused";
    if (found != known_.end() && found->second.facts.running == running && !found->second.facts.image.empty())
      continue;
    if (found == known_.end() && known_.size() >= known_limit) {
      leave_out(listing.id);
      continue;
    }
    auto facts = inspect_(listing.id);
    if (!facts) continue; // gone since the list was made
    const bool fresh = found == known_.end();
    auto& known = known_[listing.id];
    const bool was_running = known.facts.running;
    update(known.facts, std::move(facts.value()));
    if (fresh) {
      out.push_back(report(known.facts, made_up(listing.id, ContainerAction::listed,
                                                listed_ ? "its events were missed" : "")));
    } else if (was_running && !known.facts.running) {
      auto event = made_up(listing.id, ContainerAction::died, "its end was missed");
      event.change.exit_code = known.facts.exit_code;
      settle_death(known, event);
      if (resumed && !event.change.asked_for && !event.change.out_of_memory &&
          !own_fault(event.change.signal)) {
        ++unexplained_;
        event.change.action = ContainerAction::stopped;
        event.change.detail =
            "its end was missed: the engine was away, and does not say whether it was told to";
      }
      out.push_back(report(known.facts, std::move(event)));
    } else if (!was_running && known.facts.running) {
      out.push_back(
          report(known.facts, made_up(listing.id, ContainerAction::started, "its start was missed")));
    }
  }
  for (auto known = known_.begin(); known != known_.end();) {
    if (there.contains(known->first)) {
      ++known;
      continue;
    }
    out.push_back(report(known->second.facts,
                         made_up(known->first, ContainerAction::removed, "its removal was missed")));
    known = known_.erase(known);
  }
  listed_ = true;
  std::erase_if(refused_, [&](const std::string& id) { return !there.contains(id) || known_.contains(id); });
  return out;
}

} // namespace iris
