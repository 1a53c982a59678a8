#include "node/sources/packet_pipeline.hpp"

#include "core/net/tls_hello.hpp"

#include <algorithm>

namespace iris {

namespace {

constexpr Duration watch_pace = second / 2;
constexpr std::uint32_t hello_packets = 16; ///< of a flow, among which its TLS hello is

} // namespace

std::vector<SensorHealth> BlindWatch::look(const PipelineStats& stats, Timestamp now) {
  std::vector<SensorHealth> reports;
  if (now < next_ && now > next_ - 2 * pace) return reports;
  next_ = now + pace;
  // A fragment whose first one came later is no longer lost, so that one counter can go back.
  auto since = [](std::uint64_t value, std::uint64_t before) { return value > before ? value - before : 0; };
  auto frames = since(stats.frames, last_.frames);
  auto portless = since(stats.flows.portless, last_.flows.portless);
  auto fragments = since(stats.flows.fragments_lost, last_.flows.fragments_lost);
  auto cut = since(stats.truncated, last_.truncated);
  auto malformed = since(stats.malformed, last_.malformed);
  auto tiny = since(stats.flows.tiny_fragments, last_.flows.tiny_fragments);
  auto hidden = since(stats.flows.hidden, last_.flows.hidden);
  auto answers = since(stats.answers_dropped, last_.answers_dropped);
  auto requests = since(stats.field.dropped, last_.field.dropped);
  last_ = stats;
  if (answers + requests != 0)
    reports.push_back({{},
                       "dropped",
                       answers + requests,
                       now,
                       std::to_string(answers) + " DNS answers and " + std::to_string(requests) +
                           " requests to field devices were more than is told at once"});
  auto blind = portless + fragments + cut + malformed;
  if (blind >= least && blind * share >= frames)
    reports.push_back({{},
                       "blind",
                       blind,
                       now,
                       "of " + std::to_string(frames) + " packets could not be told whose they are: " +
                           std::to_string(portless) + " cut before the ports, " + std::to_string(fragments) +
                           " fragments without their first, " + std::to_string(cut) +
                           " cut before the addresses, " + std::to_string(malformed) + " malformed"});
  if (tiny + hidden >= least_evasive)
    reports.push_back(
        {{},
         "evasive",
         tiny + hidden,
         now,
         std::to_string(tiny) + " TCP headers came in tiny fragments and " + std::to_string(hidden) +
             " behind more IPv6 extension headers than are kept of a packet: someone evades monitors"});
  return reports;
}

PacketPipeline::PacketPipeline(const PipelineOptions& options)
    : watch_{options.limits, options.flows.interface, options.flows.seed}, flows_{options.flows, &watch_},
      queries_{options.flows.seed}, field_{options.flows.seed} {
  if (options.label_applications) labeller_ = std::make_unique<ApplicationLabeller>(flows_);
}

PacketPipeline::~PacketPipeline() = default;

void PacketPipeline::packet(int link, std::span<const std::uint8_t> captured, std::uint32_t wire_length,
                            Timestamp at) {
  ++stats_.frames;
  stats_.bytes += wire_length;
  advance(at);
  auto& view = view_;
  const auto decoded = decode(link, captured, wire_length, view);
  was_ip_ = decoded == Decoded::ip;
  switch (decoded) {
  case Decoded::ip:
    break;
  case Decoded::arp:
    ++stats_.arp;
    watch_.arp(view, at);
    return;
  case Decoded::other:
    ++stats_.other;
    return;
  case Decoded::truncated:
    ++stats_.truncated;
    return;
  case Decoded::malformed:
    ++stats_.malformed;
    return;
  case Decoded::unsupported:
    ++stats_.unsupported;
    return;
  }
  auto place = flows_.add(view, at, harvest_.flows);
  if (labeller_ && place != FlowTable::none && shedding_ < Shedding::labels)
    labeller_->packet(place, view, at);
  // A segment that belongs to no conversation commands nothing: whoever can send one could make it up.
  const bool spoken =
      view.protocol != ip_protocol::tcp || (place != FlowTable::none && flows_.completed(place));
  if (spoken && shedding_ < Shedding::content) field_.packet(view, at, harvest_.commands);
  if (view.payload == nullptr) return;
  if (view.protocol == ip_protocol::tcp) {
    if (place == FlowTable::none || !is_client_hello(view.payload, view.payload_captured) ||
        flows_.packets_of(place) > hello_packets)
      return;
    if (auto name = parse_server_name({view.payload, std::size_t(view.payload_captured)})) {
      ++stats_.server_names;
      flows_.name(place, view, *name, harvest_.flows);
    }
  } else if (view.protocol == ip_protocol::udp) {
    if (view.dport == 67) {
      watch_.dhcp(view, at);
      device_name(parse_dhcp_name(view), at);
    } else if (view.sport == 53 || view.dport == 53) {
      name_service(at);
    } else if (view.sport == 5'353) {
      device_name(parse_mdns_name(view), at);
    }
  }
}

/// Keeps what was asked, and what was answered to whom had asked it.
void PacketPipeline::name_service(Timestamp at) {
  const auto& view = view_;
  const std::span payload{view.payload, std::size_t(view.payload_captured)};
  if (view.dport == 53)
    if (auto name = parse_dns_query(payload)) {
      queries_.asked({view.src, view.dst, view.sport, dns_id(payload)}, *name, at);
      return;
    }
  if (view.sport != 53) return;
  auto answer = parse_dns_answer(payload);
  if (!answer || !queries_.answered({view.dst, view.src, view.dport, dns_id(payload)}, answer->name, at))
    return;
  if (harvest_.answers.size() >= answer_limit)
    ++stats_.answers_dropped;
  else
    harvest_.answers.push_back({view.dst, view.src, at, std::move(*answer)});
}

void PacketPipeline::device_name(std::optional<DeviceName> name, Timestamp at) {
  if (!name) return;
  name->at = at;
  if (harvest_.devices.size() >= device_limit)
    ++stats_.devices_dropped;
  else
    harvest_.devices.push_back(std::move(*name));
}

void PacketPipeline::advance(Timestamp now) {
  flows_.advance(now, harvest_.flows);
  field_.advance(now, harvest_.commands);
  if (now >= next_watch_ || now < next_watch_ - 2 * watch_pace) {
    next_watch_ = now + watch_pace;
    watch_.advance(now);
  }
  now_ = now;
}

void PacketPipeline::flush() {
  flows_.flush(harvest_.flows);
  field_.flush(harvest_.commands);
  watch_.flush(now_);
  watch_.take(harvest_.alarms);
}

PipelineStats PacketPipeline::stats() const {
  auto stats = stats_;
  stats.flows = flows_.stats();
  stats.watch = watch_.stats();
  stats.names = queries_.stats();
  stats.field = field_.stats();
  if (labeller_) stats.labels = labeller_->stats();
  return stats;
}

} // namespace iris
