#include "core/alert/alert.hpp"
#include "core/alert/country.hpp"

#include <array>
#include <cstdio>

namespace iris {
namespace {

/// "kmc-thermostat (10.77.0.21:47808)", "10.77.0.33 "hue-bridge"" (what it calls itself), "203.0.113.66 (DE,
/// Lab Hosting)".
std::string label_of(const Party& party) {
  auto address = party.address == IpAddress{} ? std::string{} : to_string(party.address);
  if (party.kind == EntityKind::internet) {
    auto label = party.name.empty() ? address : party.name;
    std::string place = party.country;
    if (!party.network.empty()) place += (place.empty() ? "" : ", ") + party.network;
    if (!address.empty() && address != party.name && !party.name.empty())
      place = address + (place.empty() ? "" : ", ") + place;
    return place.empty() ? label : label + " (" + place + ")";
  }
  auto label = party.name.empty() ? address : party.name;
  if (party.kind == EntityKind::gateway) label = "the gateway";
  if (!address.empty() && address != label && party.kind == EntityKind::device) label += " (" + address + ")";
  if (!party.alias.empty() && party.alias != party.name) label += " \"" + party.alias + "\"";
  return label;
}

bool ends_in_preposition(const std::string& act) {
  static constexpr std::array<std::string_view, 10> words{" to", " from", " by",      " at",      " with",
                                                          " of", " on",   " through", " against", " towards"};
  for (auto word : words)
    if (act.size() >= word.size() && act.compare(act.size() - word.size(), word.size(), word) == 0)
      return true;
  return false;
}

void line(std::string& out, const char* name, const std::string& value) {
  if (value.empty()) return;
  char head[32];
  std::snprintf(head, sizeof head, "  %-9s ", name);
  out += head + value + "\n";
}

/// Control characters of a hostile command line must not move the cursor of the terminal they are shown on.
std::string printable(const std::string& text) {
  std::string result;
  for (unsigned char byte : text) {
    if (byte >= 0x20 && byte != 0x7f) {
      result += char(byte);
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", byte);
    result += escape;
  }
  return result;
}

std::string command_of(const ProcessInfo& process) {
  std::string command;
  for (const auto& argument : process.args)
    command += (command.empty() ? "" : " ") + argument;
  return command.empty() ? process.exe : command;
}

std::string evidence_of(const ProcessInfo& process) {
  auto text = "pid " + std::to_string(process.pid) + ": " + command_of(process);
  if (process.args_cut) text += " …";
  if (!process.ancestors.empty()) {
    text += "  [";
    for (std::size_t i = process.ancestors.size(); i-- > 0;)
      text += process.ancestors[i] + " > ";
    text += process.exe + "]";
  }
  if (process.origin != Origin::unknown && process.origin != Origin::image)
    text += std::string{"  (file from "} + to_string(process.origin) + ")";
  if (process.fresh) text += "  (written shortly before)";
  if (process.entered) text += "  (entered from outside of the container)";
  if (process.health_check) text += "  (health check)";
  if (!process.tty.empty()) text += "  (at " + process.tty + ", uid " + std::to_string(process.uid) + ")";
  return text;
}

std::string evidence_of(const FlowEvidence& flow) {
  auto end = [](const IpAddress& address, std::uint16_t port) {
    auto text = to_string(address);
    if (port == 0) return text;
    return (address.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
  };
  return end(flow.src, flow.sport) + " -> " + end(flow.dst, flow.dport) + " protocol " +
         std::to_string(flow.protocol) + ", " + std::to_string(flow.packets) + " packets, " +
         human_bytes(flow.bytes_out) + " out, " + human_bytes(flow.bytes_in) + " in, " + rfc3339(flow.first) +
         " to " + rfc3339(flow.last) + (flow.history.empty() ? "" : ", history " + flow.history) +
         (flow.retransmitted == 0 ? "" : ", " + std::to_string(flow.retransmitted) + " sent again") +
         (flow.server_name.empty() ? "" : ", asked for " + flow.server_name);
}

} // namespace

std::string title_of(const Alert& alert) {
  const auto& finding = alert.finding;
  auto title = label_of(finding.entity);
  if (title.empty()) title = std::string{"an unnamed "} + to_string(finding.entity.kind);
  if (!finding.act.empty()) title += " " + finding.act;
  auto peer = finding.peer.kind == EntityKind::unknown ? std::string{} : label_of(finding.peer);
  static constexpr std::string_view mark = "{peer}";
  if (auto at = title.find(mark); at != std::string::npos)
    title.replace(at, mark.size(), peer.empty() ? "an unknown peer" : peer);
  else if (!peer.empty())
    title += (ends_in_preposition(title) ? " " : " to ") + peer;
  return printable(title);
}

std::string to_text(const Alert& alert) {
  const auto& finding = alert.finding;
  std::string out = "[" + std::string{to_string(finding.severity)} + "] " + title_of(alert) + "\n";
  line(out, "id",
       alert.id + " revision " + std::to_string(alert.revision) + ", " + to_string(alert.state) +
           (alert.incident.empty() ? "" : ", incident " + alert.incident));
  line(out, "where",
       printable(alert.tenant + "/" + (alert.site.empty() ? "" : alert.site + "/") + alert.gateway));
  char score[32];
  std::snprintf(score, sizeof score, "%.1f bits", finding.score);
  line(out, "detector", finding.detector + ", " + score);
  line(out, "time",
       rfc3339(finding.first) + (finding.last > finding.first ? " to " + rfc3339(finding.last) : "") +
           ", count " + std::to_string(finding.count) + (alert.late ? ", arrived late" : ""));
  line(out, "expected", printable(finding.expected));
  line(out, "observed", printable(finding.observed));
  if (!finding.peer.country.empty())
    line(out, "country", country_name(finding.peer.country) + " (" + printable(finding.peer.country) + ")");
  std::string attack;
  for (const auto& id : finding.attack)
    attack += (attack.empty() ? "" : " ") + id;
  line(out, "ATT&CK", printable(attack));
  std::string also;
  for (const auto& id : finding.also)
    also += (also.empty() ? "" : " ") + id;
  line(out, "also", printable(also));
  for (const auto& process : finding.processes)
    line(out, "process", printable(evidence_of(process)));
  for (const auto& flow : finding.flows)
    line(out, "flow", evidence_of(flow));
  if (finding.loss.any())
    line(out, "not seen",
         std::to_string(finding.loss.packets) + " packets, " + std::to_string(finding.loss.processes) +
             " processes, " + std::to_string(finding.loss.observations) + " observations");
  return out;
}

} // namespace iris
