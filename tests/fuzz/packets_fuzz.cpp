// libFuzzer entry: a sequence of frames through decoder, flow table, traffic watch and name service. Nothing
// that a decoded packet points at lies outside of the frame, and of what was counted nothing gets lost: what
// the flows report, and what the counters say belongs to none, is all that came.
#include "node/sources/packet_pipeline.hpp"
#include "tests/fuzz/packet_sequence.hpp"

#include <cstdlib>

namespace {

using namespace iris;

void check(bool good) {
  if (!good) std::abort();
}

bool inside(const std::uint8_t* at, std::uint64_t size, std::span<const std::uint8_t> frame) {
  return size == 0 || (at >= frame.data() && at + size <= frame.data() + frame.size());
}

void check_view(const PacketView& view, std::span<const std::uint8_t> frame) {
  check(inside(view.ip, view.ip_captured, frame));
  check(view.payload == nullptr ? view.payload_captured == 0
                                : inside(view.payload, view.payload_captured, frame));
  check(view.payload_captured <= view.payload_length && view.payload_length <= view.ip_length);
  check(view.ip_captured <= view.ip_length);
  check(!view.first_fragment || view.fragment);
  check(view.ports_known || (view.sport == 0 && view.dport == 0));
}

struct Totals {
  std::uint64_t packets = 0, bytes = 0;
  std::uint64_t frames = 0, ip = 0;
  bool exact = true; ///< no fragment, whose bytes count with the first one, and no quoted flow
};

void take(PacketPipeline& pipeline, PacketHarvest& harvest, Totals& totals) {
  pipeline.take(harvest);
  for (const auto& flow : harvest.flows) {
    check(flow.first <= flow.last);
    check(flow.payload_out <= flow.bytes_out && flow.payload_in <= flow.bytes_in);
    totals.packets += flow.packets_out + flow.packets_in;
    totals.bytes += flow.bytes_out + flow.bytes_in;
  }
  for (const auto& alarm : harvest.alarms) {
    check(alarm.samples.size() <= Finding::evidence_limit && alarm.first <= alarm.last);
    const auto finding = finding_of(alarm, {}, {});
    check(!finding.detector.empty() && !finding.act.empty());
  }
  for (const auto& seen : harvest.answers)
    check(!seen.answer.name.empty() && seen.answer.addresses.size() <= dns_address_limit);
}

constexpr int links[] = {1, 1, 1, 1, 1, 1, 0, 12, 14, 101, 108, 113, 228, 229, 276, 999};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes in{data, size};
  const auto link = links[in.number(1) & 15];
  const auto form = in.number(1);
  PipelineOptions options;
  options.flows.capacity = 16U << (form & 3);
  options.flows.seed = 1;
  options.flows.burst = 8;
  options.limits.scan_ports = options.limits.sweep_hosts = options.limits.ping_hosts = 3;
  options.limits.arp_hosts = options.limits.flood_unanswered = options.limits.flood_refused = 4;
  options.limits.flood_sources = 3;
  options.limits.flood_distributed = 6;
  options.limits.dhcp_requests = 4;
  options.limits.icmp_rate = options.limits.small_rate = options.limits.large_rate = 8;
  PacketPipeline pipeline{options};
  PacketHarvest harvest;
  Totals totals;
  PacketView view;
  Timestamp at = 1'800'000'000 * second;
  while (!in.empty()) {
    auto frame = fuzz::next_frame(in);
    at += frame.gap;
    // A buffer that ends with the frame, so that reading on is seen.
    const std::vector<std::uint8_t> bytes{frame.bytes.begin(), frame.bytes.end()};
    ++totals.frames;
    if (decode(link, bytes, frame.wire_length, view) == Decoded::ip) {
      check_view(view, bytes);
      ++totals.ip;
      totals.exact = totals.exact && !view.fragment && !view.quotes;
    }
    pipeline.packet(link, bytes, frame.wire_length, at);
    if (totals.frames % 4 == (form >> 2 & 3)) take(pipeline, harvest, totals);
  }
  pipeline.flush();
  take(pipeline, harvest, totals);

  const auto stats = pipeline.stats();
  const auto& flows = stats.flows;
  check(stats.frames == totals.frames && flows.packets == totals.ip && flows.active == 0);
  check(stats.frames ==
        flows.packets + stats.arp + stats.other + stats.truncated + stats.malformed + stats.unsupported);
  check(totals.bytes <= flows.bytes);
  if (!totals.exact || flows.hushed != 0) return 0;
  check(totals.packets + flows.portless + flows.orphans + flows.stragglers == flows.packets);
  return 0;
}
