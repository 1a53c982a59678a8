#include "node/router/routing.hpp"

#include "core/base/clock_line.hpp"

namespace iris {
namespace {

Party party_at(Attribution& attribution, const IpAddress& address, const IpAddress& other, std::uint16_t port,
               std::uint8_t protocol) {
  if (address == IpAddress{}) return {};
  auto party = party_of(*attribution.entity_at(address, other));
  party.address = address;
  party.port = port;
  party.protocol = protocol;
  return party;
}

/// A clock that was set makes what others wrote down hard to put in order: a person should know.
Finding jump_finding(const std::string& gateway, const SensorHealth& report) {
  Finding finding;
  finding.detector = "sensor.health";
  finding.entity.kind = EntityKind::gateway;
  finding.entity.name = gateway;
  finding.cause = "clock jumped";
  finding.severity = Severity::low;
  finding.first = finding.last = report.since;
  finding.act = "had its clock set " + report.detail;
  finding.expected = "a clock that only goes on";
  finding.observed = "the wall clock went " + report.detail + " against the time since boot";
  return finding;
}

/// What the node no longer watches is what an attacker would like it not to watch.
Finding shedding_finding(const std::string& gateway, const SensorHealth& report) {
  Finding finding;
  finding.detector = "sensor.health";
  finding.entity.kind = EntityKind::gateway;
  finding.entity.name = gateway;
  finding.cause = "node sheds work";
  finding.severity = Severity::low;
  finding.first = finding.last = report.since;
  finding.act = report.what == load_shedding ? "sheds work of its monitor" : "is watched in full again";
  finding.expected = "a node that needs less than its share of memory and processor";
  finding.observed = report.detail;
  return finding;
}

} // namespace

void Routing::take(const ProcessBatch& batch, Timestamp now, Out& out) {
  for (const auto& event : batch.events) {
    if (!event.container.empty() && !attribution_.inventory().by_container(event.container) &&
        waiting_.size() < waiting_limit)
      waiting_.emplace_back(now, event);
    else
      attribution_.process(event.container, event.at, event.boot_at, event.what, out.observations);
  }
  for (const auto& event : batch.sockets)
    attribution_.socket(event, out.observations);
}

void Routing::release(Timestamp now, Out& out) {
  if (waiting_.empty()) return;
  const auto since = now - waiting_time;
  std::deque<std::pair<Timestamp, ProcessEvent>> rest;
  for (auto& [arrived, event] : waiting_)
    if (arrived > since && !attribution_.inventory().by_container(event.container))
      rest.emplace_back(arrived, std::move(event));
    else
      attribution_.process(event.container, event.at, event.boot_at, event.what, out.observations);
  waiting_ = std::move(rest);
}

void Routing::take(const FlowBatch& batch, Out& out) {
  for (const auto& device : batch.devices)
    attribution_.device_name(device);
  for (const auto& answer : batch.answers)
    attribution_.lookup(answer, batch.role, out.observations);
  // Scans and floods were judged in the capture thread; here their addresses become names.
  for (const auto& alarm : batch.alarms) {
    if (attribution_.is_other_copy(alarm.src, alarm.dst, alarm.port, alarm.protocol, batch.role)) continue;
    ++alarms_;
    out.findings.push_back(
        finding_of(alarm, party_at(attribution_, alarm.src, alarm.dst, 0, alarm.protocol),
                   party_at(attribution_, alarm.dst, alarm.src, alarm.port, alarm.protocol)));
  }
  for (const auto& flow : batch.flows)
    attribution_.flow(flow, batch.role, out.observations);
  for (const auto& command : batch.commands)
    attribution_.command(command, batch.role, out.observations);
}

void Routing::take(const ContainerBatch& batch, Timestamp now, Out& out) {
  auto& inventory = attribution_.inventory();
  for (const auto& facts : batch.facts) {
    if (facts.running) attribution_.phases().started(facts.id, facts.started_at);
    inventory.set_container(facts);
  }
  for (const auto& event : batch.events) {
    attribution_.container(event, out.observations);
    if (event.change.action == ContainerAction::removed || event.change.action == ContainerAction::died) {
      attribution_.phases().gone(event.id);
      attribution_.sockets_gone(event.id);
    }
    if (event.change.action == ContainerAction::removed) inventory.remove_container(event.id);
  }
  release(now, out);
}

void Routing::take(const UsageBatch& batch, Out& out) {
  for (const auto& [container, usage] : batch.usages)
    attribution_.usage(container, batch.at, usage, out.observations);
}

void Routing::take(const DeviceList& list) { attribution_.inventory().set_devices(list.devices); }

void Routing::take(const HostAddresses& addresses) {
  attribution_.set_own_addresses(gateway_, addresses.own);
  attribution_.inventory().set_lan(addresses.lan);
  attribution_.set_own_target(addresses.metadata, addresses.metadata_port);
}

void Routing::take(const HealthBatch& batch, Out& out) {
  for (const auto& report : batch.reports)
    if (report.what == clock_jump)
      out.findings.push_back(jump_finding(gateway_, report));
    else if (report.what == load_shedding || report.what == load_restored)
      out.findings.push_back(shedding_finding(gateway_, report));
}

} // namespace iris
