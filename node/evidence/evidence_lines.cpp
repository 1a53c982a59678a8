#include "node/evidence/evidence_lines.hpp"

#include "node/evidence/evidence_answer.hpp"

#include <algorithm>
#include <array>

namespace iris {
namespace {

enum Kind : int { process_line, flow_line, name_line, command_line, container_line, health_line };
constexpr std::array<const char*, 6> kind_names{"process", "flow", "name", "command", "container", "health"};
constexpr std::size_t args_limit = 2'048; ///< bytes of one process's arguments

bool holds(const std::vector<IpAddress>& list, const IpAddress& address) {
  return std::find(list.begin(), list.end(), address) != list.end();
}

void add_args(JsonWriter& json, const ProcessInfo& process) {
  std::size_t bytes = 0;
  bool cut = process.args_cut;
  json.key("args").array();
  for (const auto& argument : process.args) {
    const auto room = args_limit - std::min(bytes, args_limit);
    if (room == 0) {
      cut = true;
      break;
    }
    json.text(std::string_view{argument}.substr(0, room));
    cut = cut || argument.size() > room;
    bytes += argument.size() + 1;
  }
  json.end_array().field("args_cut", cut);
}

} // namespace

bool EvidenceLines::wants(Timestamp wall) {
  if (wall < question_.first - evidence_margin || wall > question_.last + evidence_margin) return false;
  if (found_.size() < limit) return true;
  ++beyond_;
  return false;
}

bool EvidenceLines::between(const IpAddress& one, const IpAddress& other) const {
  return (holds(question_.addresses, one) && holds(question_.peers, other)) ||
         (holds(question_.addresses, other) && holds(question_.peers, one));
}

JsonWriter EvidenceLines::begin(int kind, Timestamp wall, bool between) {
  line_ = {wall, between, kind, {}};
  JsonWriter json;
  json.object().field("kind", kind_names[std::size_t(kind)]).field("at", rfc3339(wall));
  json.field("between", between);
  return json;
}

void EvidenceLines::keep(JsonWriter& json) {
  line_.json = json.end_object().take();
  found_.push_back(std::move(line_));
}

void EvidenceLines::add(const RecordedFrame& frame) {
  shift_ = frame.shift;
  std::visit([this](const auto& what) { take(what); }, frame.what);
}

void EvidenceLines::take(const ProcessBatch& batch) {
  if (question_.container.empty()) return;
  for (const auto& event : batch.events) {
    const auto wall = event.at + shift_;
    if (event.container != question_.container || !wants(wall)) continue;
    const bool during = wall >= question_.first && wall <= question_.last;
    auto json = begin(process_line, wall, during);
    if (const auto* start = std::get_if<ProcessStart>(&event.what)) {
      const auto& process = start->process;
      json.field("what", "started").field("pid", process.pid).field("parent_pid", process.parent_pid);
      json.field("uid", process.uid).field("exe", process.exe);
      add_args(json, process);
      json.field("cwd", process.cwd).field("parent_exe", process.parent_exe);
      json.field("origin", to_string(process.origin)).field("script", process.script);
      json.field("entered", process.entered);
    } else {
      const auto& exit = std::get<ProcessExit>(event.what);
      json.field("what", "ended").field("pid", exit.pid).field("exe", exit.exe);
      json.field("exit_code", std::int64_t(exit.exit_code)).field("signal", std::int64_t(exit.signal));
      json.field("lifetime_ms", std::int64_t(exit.lifetime / millisecond));
    }
    keep(json);
  }
}

void EvidenceLines::take(const FlowBatch& batch) {
  const auto concerns = [this](const IpAddress& one, const IpAddress& other) {
    return holds(question_.addresses, one) || holds(question_.addresses, other);
  };
  for (const auto& flow : batch.flows) {
    const auto wall = flow.last + shift_;
    if (!concerns(flow.src, flow.dst) || !wants(wall)) continue;
    const bool both = between(flow.src, flow.dst);
    auto json = begin(flow_line, wall, both);
    json.field("interface", batch.interface).field("src", to_string(flow.src));
    json.field("sport", std::uint32_t(flow.sport)).field("dst", to_string(flow.dst));
    json.field("dport", std::uint32_t(flow.dport)).field("protocol", std::uint32_t(flow.protocol));
    json.field("state", to_string(flow.state)).field("application", flow.application);
    json.field("packets_out", flow.packets_out).field("packets_in", flow.packets_in);
    json.field("bytes_out", flow.bytes_out).field("bytes_in", flow.bytes_in);
    json.field("first", rfc3339(flow.first + shift_)).field("first_report", flow.first_report);
    keep(json);
  }
  for (const auto& command : batch.commands) {
    const auto wall = command.last + shift_;
    if (!concerns(command.src, command.dst) || !wants(wall)) continue;
    const bool both = between(command.src, command.dst);
    auto json = begin(command_line, wall, both);
    json.field("src", to_string(command.src)).field("dst", to_string(command.dst));
    json.field("application", command.application).field("function", command.function);
    json.field("count", command.count).field("changes", command.changes);
    keep(json);
  }
  for (const auto& seen : batch.answers) {
    const auto wall = seen.at + shift_;
    if (!holds(question_.addresses, seen.client) || !wants(wall)) continue;
    const auto& told = seen.answer.addresses;
    const bool both =
        std::any_of(told.begin(), told.end(), [&](const auto& one) { return holds(question_.peers, one); });
    auto json = begin(name_line, wall, both);
    json.field("client", to_string(seen.client)).field("name", seen.answer.name).key("addresses").array();
    for (const auto& address : told)
      json.text(to_string(address));
    json.end_array();
    keep(json);
  }
}

void EvidenceLines::take(const ContainerBatch& batch) {
  if (question_.container.empty()) return;
  for (const auto& event : batch.events) {
    const auto wall = event.at + shift_;
    if (event.id != question_.container || !wants(wall)) continue;
    const bool during = wall >= question_.first && wall <= question_.last;
    auto json = begin(container_line, wall, during);
    json.field("action", to_string(event.change.action)).field("name", event.name);
    json.field("exit_code", std::int64_t(event.change.exit_code));
    json.field("signal", std::int64_t(event.change.signal)).field("detail", event.change.detail);
    keep(json);
  }
}

void EvidenceLines::take(const HealthBatch& batch) {
  for (const auto& report : batch.reports) {
    const auto wall = batch.at + shift_;
    if (!wants(wall)) continue;
    auto json = begin(health_line, wall, false);
    json.field("sensor", report.sensor).field("what", report.what).field("count", report.count);
    json.field("detail", report.detail);
    keep(json);
  }
}

} // namespace iris
