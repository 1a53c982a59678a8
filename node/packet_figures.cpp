#include "node/packet_figures.hpp"

#include "core/alert/json_writer.hpp"

namespace iris {

std::string describe(PacketFigures& figures) {
  const std::lock_guard lock{figures.mutex};
  const auto& s = figures.stats;
  JsonWriter json;
  json.object().field("packets", s.frames).field("bytes", s.bytes).field("dropped", figures.dropped);
  json.field("flows", s.flows.flows).field("active", s.flows.active).field("hushed", s.flows.hushed);
  json.field("evicted_half_open", s.flows.evicted_half_open).field("evicted_active", s.flows.evicted_active);
  json.field("alarms", s.watch.alarms).field("suspects_evicted", s.watch.evicted);
  json.field("answers_unasked", s.names.unasked).field("queries_evicted", s.names.evicted);
  json.field("suppressed", s.watch.suppressed).field("answers_dropped", s.answers_dropped);
  json.field("field_requests", s.field.requests).field("field_unread", s.field.unread);
  json.field("field_evicted", s.field.evicted).field("field_dropped", s.field.dropped);
  json.field("labelled", s.labels.labelled).field("unlabelled", s.labels.unknown);
  json.field("labels_no_room", s.labels.no_room);
  json.field("malformed", s.malformed).field("truncated", s.truncated).field("portless", s.flows.portless);
  json.field("hidden", s.flows.hidden).field("tiny_fragments", s.flows.tiny_fragments);
  json.field("fragments_lost", s.flows.fragments_lost).field("orphans", s.flows.orphans);
  json.field("stragglers", s.flows.stragglers).field("resumed", s.flows.resumed);
  json.field("retransmitted", s.flows.retransmitted).field("server_names", s.server_names);
  json.field("server_names_full", s.flows.names_full).field("device_names_dropped", s.devices_dropped);
  json.field("clock_jumps", s.flows.clock_jumps).end_object();
  return json.take();
}

} // namespace iris
