#include "core/detect/window_numbers.hpp"

#include <algorithm>

namespace iris {
namespace {

/// Flows that end in one window and are kept as samples; the sketches need no more.
constexpr std::size_t ended_limit = 4096;

EntityKind class_of(const Observation& observation, const IpAddress& address) {
  auto kind = observation.peer ? observation.peer->kind : EntityKind::unknown;
  return kind == EntityKind::unknown && scope_of(address) == AddressScope::global ? EntityKind::internet
                                                                                  : kind;
}

} // namespace

WindowNumbers::WindowNumbers(std::size_t flow_limit, std::size_t peer_limit, Duration day,
                             std::shared_ptr<TableBudget> budget)
    : flow_limit_{flow_limit}, peer_limit_{peer_limit}, day_{day}, flows_{flow_limit, budget},
      peer_share_{std::move(budget)} {}

WindowNumbers::Volume WindowNumbers::add(const Observation& observation, const Flow& flow) {
  const auto& peer = flow.inbound ? flow.src : flow.dst;
  auto sent = double(flow.inbound ? flow.bytes_in : flow.bytes_out);
  Volume volume{class_of(observation, peer)};

  auto finish = [&](const FlowTotal& total) {
    if (ended_.size() < std::min(ended_limit, flow_limit_))
      ended_.push_back({{NumberFamily::flow_bytes_out, volume.peer_class}, total.bytes, observation.at});
  };
  auto add_to = [&](FlowTotal& total) {
    total.bytes += sent;
    total.packets += std::uint64_t(flow.packets_out) + flow.packets_in;
    total.bytes_out += flow.bytes_out;
    total.bytes_in += flow.bytes_in;
    volume.flow_bytes = total.bytes;
    volume.packets = total.packets;
    volume.bytes_out = total.bytes_out;
    volume.bytes_in = total.bytes_in;
    volume.first = total.first;
    if (flow.last_report) finish(total);
  };
  FlowTotal begun{0, 0, 0, 0, observation.at, flow.first ? flow.first : observation.at};
  if (flow.first_report && flow.last_report) {
    add_to(begun); // over with its only report: nothing to remember
  } else {
    FlowKey key{flow.src, flow.dst, std::uint32_t(flow.sport) << 16 | flow.dport, flow.protocol};
    auto [total, fresh] = flows_.get(key);
    if (fresh) total = begun;
    if (observation.at - total.since >= day_) {
      finish(total);
      total = {0, 0, 0, 0, observation.at, observation.at};
    }
    add_to(total);
    if (flow.last_report) flows_.erase(key);
  }

  auto known = peers_.find(peer);
  constexpr std::size_t cost = sizeof(IpAddress) + sizeof(PeerTotal) + 40, least = 16;
  if (known == peers_.end() &&
      (peers_.size() >= peer_limit_ || !peer_share_.grow(cost, peers_.size() < least))) {
    ++peers_dropped_;
  } else {
    auto& of_peer = known != peers_.end() ? known->second : peers_[peer];
    of_peer.peer_class = volume.peer_class;
    of_peer.bytes += sent;
    volume.window_bytes = of_peer.bytes;
  }
  if (!flow.inbound && flow.first_report) {
    ++flows_opened_;
    insert(called_, peer);
    insert(ports_, std::uint32_t(flow.protocol) << 16 | flow.dport);
  }
  return volume;
}

void WindowNumbers::add(const Usage& usage) {
  used_ = true;
  cpu_ = usage.span > 0 ? 100.0 * double(usage.cpu) / double(usage.span) : 0;
  memory_ = double(usage.memory);
  pids_ = double(usage.pids);
}

std::vector<NumberSample> WindowNumbers::close(Timestamp at) {
  auto samples = std::move(ended_);
  ended_.clear();
  for (const auto& [address, total] : peers_)
    samples.push_back({{NumberFamily::window_bytes_out, total.peer_class}, total.bytes, at});
  auto put = [&](NumberFamily family, double value) {
    if (value > 0) samples.push_back({{family, EntityKind::unknown}, value, at});
  };
  put(NumberFamily::window_flows, double(flows_opened_));
  put(NumberFamily::window_peers, double(called_.size()));
  put(NumberFamily::window_ports, double(ports_.size()));
  put(NumberFamily::exec_rate, double(execs_));
  if (used_) {
    put(NumberFamily::cpu, cpu_);
    put(NumberFamily::memory, memory_);
    put(NumberFamily::pids, pids_);
  }
  peers_.clear();
  called_.clear();
  ports_.clear();
  peer_share_.clear();
  flows_opened_ = execs_ = 0;
  used_ = false;
  return samples;
}

} // namespace iris
