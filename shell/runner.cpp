#include "shell/runner.hpp"

#include "core/base/terminal_text.hpp"
#include "core/detect/detector_table.hpp"

#include "shell/evidence_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace iris {
namespace {

/// The detectors are the same in every program of a version: no need to ask anyone.
QueryAnswer list_detectors() {
  QueryAnswer answer;
  for (const auto& detector : detector_table())
    answer.lines.push_back(nlohmann::ordered_json{{"id", detector.id},
                                                  {"says", detector.says},
                                                  {"how", detector.how},
                                                  {"misses", detector.misses},
                                                  {"attack", detector.attack},
                                                  {"needs_baseline", detector.needs_baseline}}
                               .dump());
  return answer;
}

std::string error_line(std::string_view message) { return "iris-shell: " + terminal_safe(message) + "\n"; }

} // namespace

Exit exit_of(Errc code) {
  switch (code) {
  case Errc::unavailable:
    return Exit::unreachable;
  case Errc::invalid:
    return Exit::usage;
  default:
    return Exit::failed;
  }
}

std::string help_text(std::string_view verb) {
  if (!verb.empty()) {
    const auto* info = find_command(verb);
    if (info == nullptr) return {};
    return fmt::format("{}\n  {}\n", info->usage, info->says);
  }
  std::string out;
  for (const auto& info : command_table())
    out += info.usage.size() <= 22 ? fmt::format("{:<22}  {}\n", info.usage, info.says)
                                   : fmt::format("{}\n{:<22}  {}\n", info.usage, "", info.says);
  return out + fmt::format("{:<22}  {}\n{:<22}  {}\n", "help [COMMAND]", "this list, or one command", "quit",
                           "leave the shell");
}

Outcome Runner::run(std::string_view line) {
  auto command = parse_command(line, true);
  Outcome outcome;
  if (command && command->verb.empty()) return outcome;
  if (command && (command->verb == "quit" || command->verb == "exit")) {
    outcome.quit = true;
    return outcome;
  }
  if (command && command->verb == "help") {
    outcome.out = help_text(command->arguments.empty() ? std::string_view{} : command->arguments[0]);
    if (!outcome.out.empty()) return outcome;
    command = Error{Errc::not_found,
                    fmt::format("there is no command `{}`; `help` lists them", command->arguments[0])};
  }
  if (command && command->info == nullptr && !channel_.open()) command = parse_command(line, false);
  if (!command) return {exit_of(command.error().code), {}, error_line(command.error().message)};

  QueryRequest request;
  request.verb = command->verb;
  request.arguments = command->arguments;
  const auto pcap = command->verb == "evidence" ? take_pcap_option(request.arguments) : std::string{};
  request.deadline_ms = deadline_ms_;
  auto answer = command->verb == "detectors" ? Result<QueryAnswer>{list_detectors()} : channel_.ask(request);
  if (!answer) return {exit_of(answer.error().code), {}, error_line(answer.error().message)};
  if (!pcap.empty() && answer->status == 0) {
    const auto saved = save_packets(*answer, pcap);
    if (!saved) return {exit_of(saved.error().code), {}, error_line(saved.error().message)};
    answer->message += (answer->message.empty() ? "" : "; ") + *saved;
  }
  remember(*answer);
  outcome.out = render(*answer, command->info, options_);
  if (answer->status != 0) {
    const auto known = answer->status <= std::uint8_t(Errc::expired);
    outcome.exit = known ? exit_of(Errc(answer->status)) : Exit::failed;
    outcome.err = error_line(answer->message.empty() ? "failed without a reason" : answer->message);
  } else if (answer->partial) {
    outcome.err =
        error_line("not complete: " + (answer->message.empty() ? std::string{"someone did not answer in time"}
                                                               : answer->message));
  } else if (!answer->message.empty()) {
    outcome.err = error_line(answer->message);
  } else if (outcome.out.empty() && !options_.json) {
    outcome.err =
        command->info != nullptr && command->info->layout == Layout::message ? "done\n" : "nothing to show\n";
  }
  return outcome;
}

void Runner::remember(const QueryAnswer& answer) {
  for (const auto& line : answer.lines) {
    if (names_.size() >= names_limit) return;
    const auto row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object()) continue;
    for (const char* field : {"id", "gateway", "gateway_name", "service", "node", "name", "profile"})
      if (const auto found = row.find(field); found != row.end() && names_.size() < names_limit) {
        if (found->is_string() && !found->get_ref<const std::string&>().empty())
          names_.insert(terminal_safe(found->get_ref<const std::string&>()));
        else if (found->is_number_unsigned())
          names_.insert(std::to_string(found->get<std::uint64_t>()));
      }
  }
}

std::vector<std::string> Runner::completions(std::string_view line) const {
  const auto begin = line.find_last_of(" \t") + 1; // npos + 1 is 0
  const auto word = line.substr(begin);
  const auto first = line.find_first_not_of(" \t");
  std::vector<std::string> found;
  const auto offer = [&](std::string_view candidate) {
    if (candidate.starts_with(word)) found.emplace_back(candidate);
  };
  if (first == std::string_view::npos || first == begin) {
    for (const auto& info : command_table())
      offer(info.verb);
    offer("help");
    offer("quit");
    std::sort(found.begin(), found.end());
    return found;
  }
  const auto verb = line.substr(first, line.find_first_of(" \t", first) - first);
  if (const auto* info = find_command(verb); info != nullptr && word.starts_with("-")) {
    auto rest = info->options;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(' '), rest.size());
      offer("--" + std::string{rest.substr(0, end)});
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return found;
  }
  if (verb == "help") {
    for (const auto& info : command_table())
      offer(info.verb);
    return found;
  }
  if ((verb == "actors" || verb == "actor") && !names_.contains("cloud")) offer("cloud");
  for (const auto& name : names_)
    offer(name);
  return found;
}

} // namespace iris
