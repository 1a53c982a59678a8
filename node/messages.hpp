#pragma once
#include "core/base/observation.hpp"
#include "core/detect/traffic_watch.hpp"
#include "core/inventory/edgex_json.hpp"
#include "core/learn/behaviour.hpp"
#include "node/router/attribution.hpp"
#include "node/sources/process_source.hpp"
#include "node/spool/messages.hpp"

#include <memory>
#include <vector>

namespace iris {

/// What the process source saw, and the socket source.
struct ProcessBatch {
  std::vector<ProcessEvent> events;
  std::vector<SocketEvent> sockets{};
};
/// What one packet source saw.
struct FlowBatch {
  InterfaceRole role{};
  std::string interface;
  std::vector<Flow> flows;
  std::vector<TrafficAlarm> alarms;
  std::vector<DnsSeen> answers;
  std::vector<FieldCommand> commands;
  std::vector<DeviceName> devices;
  std::shared_ptr<void> in_flight; ///< counts the flows as waiting for the router as long as the batch lives
};
/// What the engine says about containers: their facts, then what happened to them, in order.
struct ContainerBatch {
  std::vector<ContainerFacts> facts;
  std::vector<ContainerEvent> events;
  bool listing = false; ///< `facts` are all that exist: others are gone
};
/// Counters of all containers for one window.
struct UsageBatch {
  Timestamp at = 0;
  std::vector<std::pair<std::string, Usage>> usages; ///< container id, counters
};
/// LAN devices that EdgeX knows.
struct DeviceList {
  std::vector<EdgexDevice> devices;
};

/// The host's own addresses, the LAN's networks, and core-metadata as the monitor asks it.
struct HostAddresses {
  std::vector<IpAddress> own;
  std::vector<Cidr> lan;
  IpAddress metadata;
  std::uint16_t metadata_port = 0;
};

/// Observations of one entity, and for the scorer the behaviours that the collector derived from them.
struct ObservationBatch {
  std::shared_ptr<const std::vector<Observation>> observations;
  std::vector<std::vector<BehaviourPtr>> behaviours; ///< empty, or one entry an observation
};

} // namespace iris
