#include "core/alert/alert.hpp"
#include "core/alert/json_writer.hpp"

namespace iris {
namespace {

std::string address_or_empty(const IpAddress& address) {
  return address == IpAddress{} ? std::string{} : to_string(address);
}

void write_texts(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).array();
  for (const auto& entry : texts)
    out.text(entry);
  out.end_array();
}

const char* protocol_name(std::uint8_t number) {
  switch (number) {
  case 1:
    return "icmp";
  case 6:
    return "tcp";
  case 17:
    return "udp";
  case 58:
    return "icmp6";
  case 132:
    return "sctp";
  default:
    return nullptr;
  }
}

void write_protocol(JsonWriter& out, std::uint8_t number) {
  out.key("proto");
  if (const auto* name = protocol_name(number))
    out.text(name);
  else
    out.text(std::to_string(number));
}

void write_process(JsonWriter& out, const ProcessInfo& process) {
  out.object();
  out.field("pid", process.pid).field("parent_pid", process.parent_pid).field("uid", process.uid);
  out.field("exe", process.exe);
  write_texts(out, "args", process.args);
  out.field("args_cut", process.args_cut).field("cwd", process.cwd).field("parent_exe", process.parent_exe);
  write_texts(out, "ancestors", process.ancestors);
  out.field("started", rfc3339(process.started)).field("origin", to_string(process.origin));
  out.field("script", process.script).field("script_origin", to_string(process.script_origin));
  out.field("entered", process.entered).field("health_check", process.health_check);
  out.field("tty", process.tty).field("inode", process.inode).field("fresh", process.fresh);
  out.end_object();
}

void write_flow(JsonWriter& out, const FlowEvidence& flow) {
  out.object();
  out.field("src", to_string(flow.src)).field("sport", std::uint32_t(flow.sport));
  out.field("dst", to_string(flow.dst)).field("dport", std::uint32_t(flow.dport));
  write_protocol(out, flow.protocol);
  out.field("packets", flow.packets).field("bytes_out", flow.bytes_out).field("bytes_in", flow.bytes_in);
  out.field("first", rfc3339(flow.first)).field("last", rfc3339(flow.last));
  out.field("history", flow.history).field("retransmitted", flow.retransmitted);
  out.field("server_name", flow.server_name).end_object();
}

} // namespace

const char* to_string(AlertState state) {
  switch (state) {
  case AlertState::open:
    return "open";
  case AlertState::acknowledged:
    return "acknowledged";
  case AlertState::closed:
    return "closed";
  }
  return "unknown";
}

std::string to_json(const Alert& alert) {
  const auto& finding = alert.finding;
  JsonWriter out;
  out.object();
  out.field("id", alert.id).field("revision", alert.revision).field("detector", finding.detector);
  out.field("title", title_of(alert))
      .field("severity", to_string(finding.severity))
      .field("score", finding.score);
  out.field("tenant", alert.tenant).field("site", alert.site).field("gateway", alert.gateway);
  out.key("entity").object();
  out.field("kind", to_string(finding.entity.kind)).field("name", finding.entity.name);
  out.field("alias", finding.entity.alias)
      .field("image", finding.entity.image)
      .field("container", finding.entity.container)
      .end_object();
  out.key("peer");
  if (finding.peer.kind == EntityKind::unknown) {
    out.null();
  } else {
    out.object();
    out.field("kind", to_string(finding.peer.kind)).field("name", finding.peer.name);
    out.field("alias", finding.peer.alias)
        .field("address", address_or_empty(finding.peer.address))
        .field("port", std::uint32_t(finding.peer.port));
    out.field("country", finding.peer.country).field("network", finding.peer.network).end_object();
  }
  out.field("first", rfc3339(finding.first))
      .field("last", rfc3339(finding.last))
      .field("count", finding.count);
  out.field("expected", finding.expected).field("observed", finding.observed);
  write_texts(out, "attack", finding.attack);
  write_texts(out, "also", finding.also);
  out.key("evidence").object().key("processes").array();
  for (const auto& process : finding.processes)
    write_process(out, process);
  out.end_array().key("flows").array();
  for (const auto& flow : finding.flows)
    write_flow(out, flow);
  out.end_array().end_object();
  out.key("loss").object().field("packets", finding.loss.packets).field("processes", finding.loss.processes);
  out.field("observations", finding.loss.observations).end_object();
  out.field("state", to_string(alert.state)).field("incident", alert.incident);
  out.field("received", rfc3339(alert.received)).field("late", alert.late);
  out.end_object();
  return out.take();
}

} // namespace iris
