#pragma once
#include "node/sources/packet_pipeline.hpp"
#include "node/sources/packet_tap.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace iris {

struct PacketSourceOptions {
  std::string interface;
  PipelineOptions pipeline; ///< flows.interface is the index that goes into every flow
  int snapshot = 512;       ///< bytes kept of a frame: headers, most DNS answers, TLS and DHCP names
  int buffer = 4 << 20;     ///< bytes of the kernel's ring; the kernel drops what does not fit
  bool promiscuous = true;
  std::string filter;                 ///< BPF expression, "" = all; e.g. leave out our own link to the cloud
  Duration flush = 100 * millisecond; ///< what was seen is handed on this often at most
  Duration retry = 2 * second;        ///< after an interface went away or could not be opened
  std::vector<std::shared_ptr<PacketTap>> taps; ///< see every frame, in the capture's thread
};

/// What one interface gave since the last time.
struct PacketBatch {
  PacketHarvest harvest;
  std::vector<SensorHealth> health; ///< drops of the kernel, interface gone or back
  PipelineStats stats;              ///< since the source started
  std::uint64_t kernel_dropped = 0; ///< since the source started
  [[nodiscard]] bool empty() const { return harvest.empty() && health.empty(); }
};

/// Captures on one interface in a thread of its own (libpcap over TPACKET_V3), which holds the flow table and
/// the traffic watch. An interface that is not there yet or goes away is reported once and tried again.
class PacketSource {
public:
  /// Called in the capture thread; should hand the batch on and return.
  using Sink = std::function<void(PacketBatch&&)>;

  PacketSource(PacketSourceOptions options, Sink sink);
  ~PacketSource(); ///< ends all flows, hands on what is left, joins the thread
  PacketSource(const PacketSource&) = delete;
  PacketSource& operator=(const PacketSource&) = delete;

  /// Long flows report their deltas this often from now on; from any thread.
  void set_window(Duration window);
  /// What is not done from now on; from any thread.
  void shed(Shedding shedding);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace iris
