#include "shell/command_table.hpp"
#include "core/base/key_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace iris {
namespace {

constexpr Column alerts[] = {{"ID", "id"},
                             {"SEVERITY", "severity", Cell::severity},
                             {"STATE", "state"},
                             {"LAST", "last", Cell::time},
                             {"COUNT", "count", Cell::number},
                             {"GATEWAY", "gateway"},
                             {"CALLED", "gateway_name"},
                             {"DETECTOR", "detector"},
                             {"TITLE", "title"}};
constexpr Column gateways[] = {{"GATEWAY", "gateway"},
                               {"CALLED", "gateway_name"},
                               {"TENANT", "tenant"},
                               {"SITE", "site"},
                               {"UP", "connected", Cell::flag},
                               {"REVOKED", "revoked", Cell::flag},
                               {"SERVICES", "services", Cell::number},
                               {"LAST SEEN", "last_seen", Cell::time},
                               {"VERSION", "version"},
                               {"ADDRESS", "address"}};
constexpr Column services[] = {{"SERVICE", "service"},
                               {"GATEWAY", "gateway"},
                               {"CALLED", "gateway_name"},
                               {"KIND", "kind"},
                               {"STATE", "state"},
                               {"PROMISE", "promise", Cell::number},
                               {"BASELINE", "version", Cell::number},
                               {"IMAGE", "image"},
                               {"WHY", "reason"}};
constexpr Column learning[] = {{"SERVICE", "service"},
                               {"GATEWAY", "gateway", Cell::fleet},
                               {"STATE", "state"},
                               {"PROMISE", "promise", Cell::number},
                               {"BACKTEST", "alerts_in_backtest", Cell::number},
                               {"EXPOSURE d", "exposure_days", Cell::decimal},
                               {"AGE d", "age_days", Cell::decimal},
                               {"KEYS", "keys", Cell::number},
                               {"NEXT LOOK", "next_look", Cell::time},
                               {"WHY", "reason"}};
constexpr Column baseline_keys[] = {{"FAMILY", "family"},
                                    {"PHASE", "phase"},
                                    {"GATEWAY", "gateway", Cell::fleet},
                                    {"HOURS", "hours", Cell::number},
                                    {"DAYS", "days", Cell::number},
                                    {"GATEWAYS", "gateways", Cell::number},
                                    {"UNCONFIRMED", "unconfirmed", Cell::flag},
                                    {"KEY", "key"},
                                    {"BEHAVIOUR", "text"}};
constexpr Column baseline_numbers[] = {{"GATEWAY", "gateway", Cell::fleet},
                                       {"THRESHOLD", "threshold_text"},
                                       {"FROM", "source"},
                                       {"SAMPLES", "samples", Cell::number},
                                       {"NUMBER", "text"}};
constexpr Column actors[] = {{"NODE", "node"},
                             {"CALLED", "gateway_name"},
                             {"ID", "id", Cell::number},
                             {"KIND", "kind"},
                             {"NAME", "name"},
                             {"PARENT", "parent", Cell::number},
                             {"MAILBOX", "mailbox", Cell::number},
                             {"HANDLED", "handled", Cell::number},
                             {"BUSY ms", "busy_ms", Cell::decimal},
                             {"RESTARTS", "restarts", Cell::number},
                             {"DROPPED", "dropped", Cell::number},
                             {"STATE", "state"},
                             {"LAST ERROR", "last_error"}};
constexpr Column sessions[] = {{"SESSION", "session", Cell::number},
                               {"ROLE", "role"},
                               {"TENANT", "tenant"},
                               {"NAME", "name"},
                               {"CALLED", "gateway_name"},
                               {"ADDRESS", "address"},
                               {"VERSION", "version"},
                               {"SINCE", "since", Cell::time}};
constexpr Column losses[] = {{"GATEWAY", "gateway"},
                             {"CALLED", "gateway_name"},
                             {"KIND", "kind"},
                             {"COUNT", "count", Cell::number},
                             {"SINCE", "since", Cell::time},
                             {"UNTIL", "until", Cell::time},
                             {"LOST BY", "lost_by"},
                             {"WHY", "reason"}};
constexpr Column audit[] = {{"AT", "at", Cell::time}, {"TENANT", "tenant"}, {"BY", "by"},
                            {"WHAT", "what"},         {"TARGET", "target"}, {"DETAIL", "detail"}};
constexpr Column detectors[] = {
    {"ID", "id"}, {"BASELINE", "needs_baseline", Cell::flag}, {"ATT&CK", "attack"}, {"SAYS", "says"}};

constexpr Column evidence_processes[] = {{"AT", "at", Cell::time}, {"DURING", "between", Cell::flag},
                                         {"WHAT", "what"},         {"PID", "pid", Cell::number},
                                         {"PARENT", "parent_exe"}, {"EXE", "exe"},
                                         {"ARGUMENTS", "args"},    {"EXIT", "exit_code"},
                                         {"SIGNAL", "signal"}};
constexpr Column evidence_flows[] = {{"AT", "at", Cell::time},
                                     {"BETWEEN", "between", Cell::flag},
                                     {"SRC", "src"},
                                     {"PORT", "sport"},
                                     {"DST", "dst"},
                                     {"PORT", "dport"},
                                     {"PROTO", "protocol"},
                                     {"STATE", "state"},
                                     {"PROTOCOL", "application"},
                                     {"OUT", "bytes_out", Cell::number},
                                     {"IN", "bytes_in", Cell::number},
                                     {"ON", "interface"}};
constexpr Column evidence_names[] = {{"AT", "at", Cell::time},
                                     {"BETWEEN", "between", Cell::flag},
                                     {"CLIENT", "client"},
                                     {"NAME", "name"},
                                     {"ADDRESSES", "addresses"}};
constexpr Column evidence_commands[] = {{"AT", "at", Cell::time},
                                        {"BETWEEN", "between", Cell::flag},
                                        {"SRC", "src"},
                                        {"DST", "dst"},
                                        {"PROTOCOL", "application"},
                                        {"FUNCTION", "function"},
                                        {"COUNT", "count", Cell::number}};
constexpr Column evidence_containers[] = {{"AT", "at", Cell::time},
                                          {"ACTION", "action"},
                                          {"EXIT", "exit_code"},
                                          {"SIGNAL", "signal"},
                                          {"DETAIL", "detail"}};
constexpr Column evidence_health[] = {{"AT", "at", Cell::time},
                                      {"SOURCE", "sensor"},
                                      {"WHAT", "what"},
                                      {"COUNT", "count", Cell::number},
                                      {"DETAIL", "detail"}};

constexpr SectionInfo sections[] = {{"baseline", "", {}},
                                    {"key", "Learned behaviours", baseline_keys},
                                    {"number", "Learned numbers", baseline_numbers},
                                    {"evidence", "", {}},
                                    {"process", "Processes", evidence_processes},
                                    {"flow", "Flows", evidence_flows},
                                    {"name", "Names", evidence_names},
                                    {"command", "Commands to devices", evidence_commands},
                                    {"container", "Container", evidence_containers},
                                    {"health", "Sources", evidence_health}};

constexpr CommandInfo commands[] = {
    {"alerts",
     "alerts [--severity LEAST] [--state open|acknowledged|closed] [--gateway GATEWAY] [--detector ID] "
     "[--limit "
     "N]",
     "alerts, newest first", 0, 0, "severity state gateway detector limit", Layout::table, alerts},
    {"alert", "alert ID", "one alert with its evidence", 1, 1, "", Layout::alert, {}},
    {"evidence",
     "evidence ALERT [--pcap FILE]",
     "what the gateway still has of an alert: what was done around it, and the heads of packets",
     1,
     1,
     "pcap",
     Layout::sections,
     {}},
    {"ack", "ack ID", "acknowledge an alert (admin)", 1, 1, "", Layout::message, {}},
    {"close", "close ID", "close an alert (admin)", 1, 1, "", Layout::message, {}},
    {"open", "open ID", "open an alert again (admin)", 1, 1, "", Layout::message, {}},
    {"gateways", "gateways",
     "gateways, what they are called, and whether they are connected; GATEWAY elsewhere is either", 0, 0, "",
     Layout::table, gateways},
    {"services", "services [GATEWAY]", "what runs where and whether it is learned", 0, 1, "", Layout::table,
     services},
    {"baseline", "baseline SERVICE", "what is normal for a service", 1, 1, "", Layout::sections, {}},
    {"learning", "learning [SERVICE]", "learning progress: alerts promised for the next week", 0, 1, "",
     Layout::table, learning},
    {"promote", "promote SERVICE", "end a service's learning now (admin)", 1, 1, "", Layout::message, {}},
    {"accept",
     "accept ALERT-ID | accept SERVICE KEY...",
     "make what an alert tells, or keys that `baseline` shows, normal (admin)",
     1,
     16,
     "",
     Layout::message,
     {}},
    {"actors", "actors [NODE]",
     "actors of the cloud and of every connected gateway; NODE is cloud or a GATEWAY", 0, 1, "",
     Layout::table, actors},
    {"actor",
     "actor NODE ID",
     "one actor: record, last messages, state; ID is a number, kind or kind/name",
     1,
     2,
     "",
     Layout::tree,
     {}},
    {"losses", "losses [--gateway GATEWAY] [--limit N]",
     "what gateways saw or made and had to drop, newest first; kept for 7 days", 0, 0, "gateway limit",
     Layout::table, losses},
    {"sessions", "sessions", "who is connected", 0, 0, "", Layout::table, sessions},
    {"audit", "audit", "who changed what (admin)", 0, 0, "", Layout::table, audit},
    {"detectors", "detectors", "every detector, what it says and whether it needs a baseline", 0, 0, "",
     Layout::table, detectors},
};

/// Levenshtein; both are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1)});
      corner = above;
    }
  }
  return row.back();
}

bool has_word(std::string_view words, std::string_view wanted) {
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == wanted) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

Error usage_error(const CommandInfo& info, std::string_view what) {
  return Error{Errc::invalid, fmt::format("{}; usage: {}", what, info.usage)};
}

} // namespace

std::span<const CommandInfo> command_table() { return commands; }

const CommandInfo* find_command(std::string_view verb) {
  const auto found = std::find_if(std::begin(commands), std::end(commands),
                                  [&](const auto& info) { return info.verb == verb; });
  return found == std::end(commands) ? nullptr : found;
}

const SectionInfo* find_section(std::string_view kind) {
  const auto found = std::find_if(std::begin(sections), std::end(sections),
                                  [&](const auto& info) { return info.kind == kind; });
  return found == std::end(sections) ? nullptr : found;
}

std::string_view similar_command(std::string_view verb) {
  if (verb.size() > 64) return {};
  std::string_view best;
  std::size_t least = 3;
  for (const auto& info : commands)
    if (const auto far = distance(verb, info.verb); far < least && far < info.verb.size()) {
      least = far;
      best = info.verb;
    }
  return best;
}

Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'') {
      if (++i == line.size()) return Error{Errc::invalid, "the line ends in a backslash"};
      word += line[i];
      inside = true;
    } else if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      inside = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
    } else if (c == '#' && !inside && !is_key_text(line.substr(i, line.find_first_of(" \t\r\n", i) - i))) {
      break;
    } else {
      word += c;
      inside = true;
    }
  }
  if (quote != 0) return Error{Errc::invalid, fmt::format("a {} is not closed", quote)};
  if (inside) words.push_back(std::move(word));
  return words;
}

Result<Command> parse_command(std::string_view line, bool open) {
  auto words = split_words(line);
  if (!words) return words.error();
  Command command;
  if (words->empty()) return command;
  command.verb = words->front();
  command.info = find_command(command.verb);
  if (command.info == nullptr) {
    if (open) {
      command.arguments.assign(words->begin() + 1, words->end());
      return command;
    }
    const auto meant = similar_command(command.verb);
    return Error{Errc::invalid,
                 fmt::format("there is no command `{}`{}; `help` lists them", command.verb.substr(0, 64),
                             meant.empty() ? "" : fmt::format(", did you mean `{}`?", meant))};
  }
  const auto& info = *command.info;
  std::size_t plain = 0;
  for (std::size_t i = 1; i < words->size(); ++i) {
    const std::string_view word = (*words)[i];
    if (!word.starts_with("--")) {
      command.arguments.emplace_back(word);
      ++plain;
      continue;
    }
    const auto equals = word.find('=');
    const auto name = word.substr(2, equals == std::string_view::npos ? equals : equals - 2);
    if (!has_word(info.options, name)) return usage_error(info, fmt::format("there is no option --{}", name));
    std::string value;
    if (equals != std::string_view::npos)
      value = word.substr(equals + 1);
    else if (++i < words->size())
      value = (*words)[i];
    if (value.empty()) return usage_error(info, fmt::format("--{} takes a value", name));
    command.arguments.push_back(fmt::format("{}={}", name, value));
  }
  if (plain < info.least) return usage_error(info, "something is missing");
  if (plain > info.most) return usage_error(info, fmt::format("`{}` is too much", command.arguments.back()));
  return command;
}

} // namespace iris
