#include "core/alert/alert.hpp"

#include <array>

namespace iris {
namespace {

/// Header fields: backslash and pipe are escaped, line ends become spaces.
std::string header_field(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '|') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

/// Extension values: backslash and equals sign are escaped, line ends become \n.
std::string extension_value(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '=') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

/// CEF counts severity from 0 to 10.
int cef_severity(Severity severity) {
  static constexpr std::array<int, 5> numbers{1, 3, 5, 8, 10};
  return numbers[std::size_t(severity)];
}

class Extension {
public:
  void add(const char* name, std::string_view value) {
    if (value.empty()) return;
    text_ += (text_.empty() ? "" : " ") + std::string{name} + "=" + extension_value(value);
  }
  void add(const char* name, std::uint64_t value) { add(name, std::to_string(value)); }
  void custom(int number, const char* label, std::string_view value) {
    if (value.empty()) return;
    auto name = "cs" + std::to_string(number);
    add(name.c_str(), value);
    add((name + "Label").c_str(), label);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

private:
  std::string text_;
};

} // namespace

std::string to_cef(const Alert& alert) {
  const auto& finding = alert.finding;
  auto out = std::string{"CEF:0|Iris|iris|1|"} + header_field(finding.detector) + "|" +
             header_field(title_of(alert)) + "|" + std::to_string(cef_severity(finding.severity)) + "|";
  Extension extension;
  extension.add("externalId", alert.id);
  extension.add("start", std::uint64_t(finding.first / millisecond));
  extension.add("end", std::uint64_t(finding.last / millisecond));
  extension.add("rt", std::uint64_t(alert.received / millisecond));
  extension.add("cnt", finding.count);
  extension.add("dvchost", alert.gateway);
  extension.add("sourceServiceName", finding.entity.name);
  if (!finding.flows.empty()) {
    const auto& flow = finding.flows.front();
    // c6a2 and c6a3 are CEF's fields for IPv6 ends.
    extension.add(flow.src.is_v4() ? "src" : "c6a2", to_string(flow.src));
    extension.add("spt", flow.sport);
    extension.add(flow.dst.is_v4() ? "dst" : "c6a3", to_string(flow.dst));
    extension.add("dpt", flow.dport);
    extension.add("proto", flow.protocol);
    extension.add("out", flow.bytes_out);
    extension.add("in", flow.bytes_in);
  } else if (finding.peer.address != IpAddress{}) {
    extension.add(finding.peer.address.is_v4() ? "dst" : "c6a3", to_string(finding.peer.address));
    if (finding.peer.port != 0) extension.add("dpt", finding.peer.port);
  }
  extension.add("destinationServiceName", finding.peer.name);
  if (!finding.processes.empty()) {
    const auto& process = finding.processes.front();
    extension.add("sproc", process.exe);
    extension.add("spid", process.pid);
  }
  extension.add("msg", finding.observed);
  extension.custom(1, "tenant", alert.tenant);
  extension.custom(2, "site", alert.site);
  extension.custom(3, "incident", alert.incident);
  std::string attack;
  for (const auto& id : finding.attack)
    attack += (attack.empty() ? "" : ",") + id;
  extension.custom(4, "attack", attack);
  extension.custom(5, "expected", finding.expected);
  std::string place = finding.peer.country;
  if (!finding.peer.network.empty()) place += (place.empty() ? "" : ", ") + finding.peer.network;
  extension.custom(6, "peerCountryNetwork", place);
  extension.add("cn1", alert.revision);
  extension.add("cn1Label", "revision");
  extension.add("outcome", to_string(alert.state));
  return out + extension.text();
}

} // namespace iris
