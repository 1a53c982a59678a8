#include "shell/render_blocks.hpp"

#include "core/alert/country.hpp"
#include "core/base/terminal_text.hpp"
#include "core/base/time.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iris::rendering {
namespace {

constexpr int deepest = 12;

void add_tree(std::string& out, const Json& value, int depth) {
  const std::string indent(std::size_t(depth) * 2, ' ');
  std::size_t widest = 0;
  for (const auto& [name, item] : value.items())
    if (!item.is_structured() || item.empty()) widest = std::max(widest, display_width(terminal_safe(name)));
  for (const auto& [name, item] : value.items()) {
    const auto key = value.is_array() ? std::string{"-"} : terminal_safe(name);
    if (!item.is_structured() || item.empty() || depth >= deepest) {
      const auto text = item.is_structured() && item.empty() ? "none" : value_text(item);
      out += indent + (value.is_array() ? "- " : padded(key, widest, false) + "  ") + text + "\n";
      out.erase(out.find_last_not_of(" \n") + 1);
      out += "\n";
    } else {
      out += indent + key + "\n";
      add_tree(out, item, depth + 1);
    }
  }
}

std::string text_of(const Json& value, const char* name) {
  const auto found = value.find(name);
  return found == value.end() ? std::string{} : value_text(*found);
}

std::uint64_t count_of(const Json& value, const char* name) {
  const auto found = value.find(name);
  return found != value.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

const Json& part(const Json& value, const char* name) {
  static const Json nothing = Json::object();
  const auto found = value.find(name);
  return found != value.end() && found->is_structured() ? *found : nothing;
}

void add_line(std::string& out, const char* name, const std::string& text) {
  if (!text.empty()) out += fmt::format("  {:<9} {}\n", name, text);
}

std::string joined(const Json& list, const char* between) {
  std::string out;
  for (const auto& item : list)
    out += (out.empty() ? "" : between) + value_text(item);
  return out;
}

std::string party(const Json& who) {
  auto out = text_of(who, "kind") + " " + text_of(who, "name");
  if (const auto image = text_of(who, "image"); !image.empty()) out += ", image " + image;
  if (const auto container = text_of(who, "container"); !container.empty())
    out += ", container " + container.substr(0, 12);
  if (const auto address = text_of(who, "address"); !address.empty() && address != text_of(who, "name"))
    out += ", " + address;
  if (const auto port = count_of(who, "port"); port != 0) out += fmt::format(", port {}", port);
  if (const auto country = text_of(who, "country"); !country.empty())
    out += fmt::format(", {} ({})", country_name(country), country);
  if (const auto network = text_of(who, "network"); !network.empty()) out += ", " + network;
  return out;
}

std::string process(const Json& one) {
  const auto& args = part(one, "args");
  auto out =
      fmt::format("pid {}: {}", text_of(one, "pid"), args.empty() ? text_of(one, "exe") : joined(args, " "));
  if (one.value("args_cut", Json{}) == true) out += " …";
  if (const auto& ancestors = part(one, "ancestors"); !ancestors.empty()) {
    out += "  [";
    for (auto it = ancestors.rbegin(); it != ancestors.rend(); ++it)
      out += value_text(*it) + " > ";
    out += text_of(one, "exe") + "]";
  }
  if (const auto origin = text_of(one, "origin"); !origin.empty() && origin != "unknown" && origin != "image")
    out += "  (file from " + origin + ")";
  if (const auto script = text_of(one, "script"); !script.empty()) out += "  script " + script;
  if (one.value("fresh", Json{}) == true) out += "  (written shortly before)";
  if (one.value("entered", Json{}) == true) out += "  (entered from outside of the container)";
  if (one.value("health_check", Json{}) == true) out += "  (health check)";
  if (const auto tty = text_of(one, "tty"); !tty.empty())
    out += fmt::format("  (at {}, uid {})", tty, text_of(one, "uid"));
  return out;
}

std::string flow(const Json& one) {
  const auto end = [&](const char* address, const char* port) {
    const auto text = text_of(one, address);
    const auto number = count_of(one, port);
    if (number == 0) return text;
    return text.find(':') == std::string::npos ? fmt::format("{}:{}", text, number)
                                               : fmt::format("[{}]:{}", text, number);
  };
  return fmt::format("{} -> {} {}, {} packets, {} out, {} in, {} to {}", end("src", "sport"),
                     end("dst", "dport"), text_of(one, "proto"), count_of(one, "packets"),
                     human_bytes(count_of(one, "bytes_out")), human_bytes(count_of(one, "bytes_in")),
                     text_of(one, "first"), text_of(one, "last"));
}

} // namespace

std::string tree(const Json& value) {
  std::string out;
  add_tree(out, value, 0);
  return out;
}

std::string alert(const Json& value, const RenderOptions& options) {
  const auto severity = text_of(value, "severity");
  auto out = coloured("[" + severity + "]", severity, options) + " " + text_of(value, "title") + "\n";
  add_line(out, "id",
           fmt::format("{} revision {}, {}{}", text_of(value, "id"), text_of(value, "revision"),
                       text_of(value, "state"),
                       text_of(value, "incident").empty() ? "" : ", incident " + text_of(value, "incident")));
  const auto site = text_of(value, "site");
  add_line(out, "where",
           fmt::format("{}/{}{}{}", text_of(value, "tenant"), site, site.empty() ? "" : "/",
                       text_of(value, "gateway")));
  add_line(out, "detector", fmt::format("{}, {} bits", text_of(value, "detector"), text_of(value, "score")));
  const auto first = text_of(value, "first"), last = text_of(value, "last");
  add_line(out, "time",
           fmt::format("{}{}, count {}{}", first, last == first ? "" : " to " + last,
                       count_of(value, "count"),
                       value.value("late", Json{}) == true ? ", arrived late" : ""));
  add_line(out, "received", text_of(value, "received"));
  add_line(out, "entity", party(part(value, "entity")));
  if (const auto& peer = part(value, "peer"); !peer.empty()) add_line(out, "peer", party(peer));
  add_line(out, "expected", text_of(value, "expected"));
  add_line(out, "observed", text_of(value, "observed"));
  add_line(out, "ATT&CK", joined(part(value, "attack"), " "));
  add_line(out, "also", joined(part(value, "also"), " "));
  const auto& evidence = part(value, "evidence");
  for (const auto& one : part(evidence, "processes"))
    add_line(out, "process", process(one));
  for (const auto& one : part(evidence, "flows"))
    add_line(out, "flow", flow(one));
  const auto& loss = part(value, "loss");
  if (count_of(loss, "packets") + count_of(loss, "processes") + count_of(loss, "observations") > 0)
    add_line(out, "not seen",
             fmt::format("{} packets, {} processes, {} observations", count_of(loss, "packets"),
                         count_of(loss, "processes"), count_of(loss, "observations")));
  return out;
}

std::string actor(const Json& value, const RenderOptions& options) {
  static constexpr Column recent[] = {
      {"NUMBER", "number", Cell::number}, {"AT", "at"},   {"MICROSECONDS", "us", Cell::decimal},
      {"BYTES", "bytes", Cell::number},   {"AS", "flow"}, {"MESSAGE", "type"}};
  auto record = value;
  for (const char* name : {"recent", "inspect", "inspect_error"})
    record.erase(name);
  auto out = tree(record);
  if (const auto& said = part(value, "inspect"); !said.empty()) {
    out += "says of itself\n";
    add_tree(out, said, 1);
  } else if (const auto text = text_of(value, "inspect"); !text.empty()) {
    out += "says of itself\n  " + text + "\n";
  } else if (const auto why = text_of(value, "inspect_error"); !why.empty()) {
    out += "says nothing of itself: " + why + "\n";
  }
  if (const auto& messages = part(value, "recent"); !messages.empty()) {
    std::vector<Json> rows(messages.begin(), messages.end());
    out += "last messages, newest first\n" + table(rows, recent, options);
  }
  return out;
}

} // namespace iris::rendering
