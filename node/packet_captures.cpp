#include "node/packet_captures.hpp"

#include "node/messages.hpp"
#include "node/sources/node_clock.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

namespace iris {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Hands on what one capture gave, from its thread.
struct ToRouter {
  const SourceOutlet& outlet;
  InterfaceRole role;
  std::string interface;
  std::shared_ptr<PacketFigures> figures;
  std::shared_ptr<TableBudget> waiting;
  std::uint64_t lost = 0; ///< flows and commands since it was told
  Timestamp told = 0;

  void operator()(PacketBatch&& batch) {
    {
      const std::lock_guard lock{figures->mutex};
      figures->stats = batch.stats;
      figures->dropped = batch.kernel_dropped;
    }
    if (!batch.health.empty()) outlet.to_router(HealthBatch{std::move(batch.health), node_clock().now()});
    tell_lost();
    if (batch.harvest.empty()) return;
    FlowBatch out;
    out.role = role;
    out.interface = interface;
    out.flows = std::move(batch.harvest.flows);
    out.alarms = std::move(batch.harvest.alarms);
    out.answers = std::move(batch.harvest.answers);
    out.commands = std::move(batch.harvest.commands);
    out.devices = std::move(batch.harvest.devices);
    if (auto count = out.flows.size() + out.commands.size(); count != 0 && !waiting->take(count)) {
      out.flows.clear();
      out.commands.clear();
      lost += count;
    } else if (count != 0) {
      out.in_flight = {nullptr, [waiting = waiting, count](void*) { waiting->give(count); }};
    }
    outlet.to_router(std::move(out));
  }

  void tell_lost() {
    const auto now = node_clock().now();
    if (lost == 0 || (now - told < second && now >= told)) return;
    told = now;
    outlet.health(
        {"flows:" + interface, "dropped", std::exchange(lost, 0), now, "more was seen than can be judged"});
  }
};

} // namespace

void PacketCaptures::start(const std::string& interface, InterfaceRole role) {
  Capture made;
  made.figures = std::make_shared<PacketFigures>();
  PacketSourceOptions wanted;
  wanted.interface = interface;
  wanted.taps = outlet_.taps(interface);
  wanted.snapshot = std::max(wanted.snapshot, outlet_.snapshot());
  wanted.pipeline.flows.window = window_;
  wanted.pipeline.label_applications = label_applications_;
  std::random_device random; // so that nobody can aim at one place of a table
  wanted.pipeline.flows.seed = std::uint64_t(random()) << 32 | random();
  made.source = std::make_unique<PacketSource>(
      wanted, ToRouter{outlet_, role, interface, made.figures, flows_waiting_});
  made.source->shed(shedding_);
  made.actor =
      outlet_.stand_in("packet_source", interface, [figures = made.figures] { return describe(*figures); });
  captures_.emplace(interface, std::move(made));
  spdlog::info("capturing on {} ({})", interface, role == InterfaceRole::bridge ? "containers" : "LAN");
}

void PacketCaptures::stop(const std::string& interface) {
  auto found = captures_.find(interface);
  if (found == captures_.end()) return;
  found->second.source.reset();
  found->second.actor.with([](const auto& h) { caf::anon_send_exit(h, caf::exit_reason::user_shutdown); });
  captures_.erase(found);
}

void PacketCaptures::stop() {
  while (!captures_.empty())
    stop(std::string{captures_.begin()->first});
}

void PacketCaptures::set_window(Duration window) {
  window_ = window;
  for (auto& [interface, capture] : captures_)
    capture.source->set_window(window);
}

void PacketCaptures::shed(Shedding shedding) {
  shedding_ = shedding;
  for (auto& [interface, capture] : captures_)
    capture.source->shed(shedding);
}

void PacketCaptures::keep(const CapturePlan& plan, const std::vector<std::string>& wanted_lan) {
  for (const auto& wanted : wanted_lan)
    if (contains(plan.lan, wanted))
      told_missing_.erase(wanted);
    else if (told_missing_.insert(wanted).second)
      spdlog::warn("{}: no such interface, or it is down: devices behind it are not seen until it is up",
                   wanted);
  for (auto it = captures_.begin(); it != captures_.end();) {
    const std::string name = (it++)->first;
    if (!contains(plan.bridges, name) && !contains(plan.lan, name)) stop(name);
  }
  for (const auto& name : plan.bridges)
    if (!captures_.contains(name)) start(name, InterfaceRole::bridge);
  for (const auto& name : plan.lan)
    if (!captures_.contains(name)) start(name, InterfaceRole::lan);
}

} // namespace iris
