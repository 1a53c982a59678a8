#include "node/sources/container_scan.hpp"

#include "core/inventory/proc_text.hpp"
#include "core/process/container_id.hpp"
#include "core/process/redact.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <unistd.h>

namespace iris {
namespace {

constexpr std::size_t container_limit = 4096, process_limit = 65'536, file_limit = 1 << 20;

std::string read_all(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text;
  char buffer[4096];
  while (text.size() < file_limit && (file.read(buffer, sizeof buffer) || file.gcount() > 0))
    text.append(buffer, std::size_t(file.gcount()));
  return text;
}

std::string link_of(const std::string& path) {
  std::error_code problem;
  return std::filesystem::read_symlink(path, problem).string();
}

std::vector<std::string> arguments_of(const std::string& cmdline) {
  std::vector<std::string> words;
  std::istringstream in{cmdline};
  for (std::string word; std::getline(in, word, '\0') && words.size() < 256;)
    words.push_back(word.substr(0, 4096));
  redact_args(words);
  return words;
}

ContainerEvent event_of(const ContainerFacts& facts, ContainerAction action, Timestamp now) {
  ContainerEvent event;
  event.id = facts.id;
  event.name = facts.name;
  event.at = now;
  event.change.action = action;
  return event;
}

} // namespace

std::string ContainerScan::file(std::uint32_t pid, const char* name) const {
  return proc_ + "/" + std::to_string(pid) + "/" + name;
}

std::map<std::string, std::vector<ContainerScan::Process>> ContainerScan::find() const {
  std::map<std::string, std::vector<Process>> found;
  std::error_code problem;
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator{proc_, problem}) {
    const auto name = entry.path().filename().string();
    Process process;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process.pid);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    if (++seen > process_limit) break;
    const auto id = container_id_of_proc(read_all(file(process.pid, "cgroup")));
    if (id.empty() || (found.size() >= container_limit && !found.contains(id))) continue;
    // proc_pid_stat(5): the name in brackets may hold anything; the parent is field 4, the start field 22.
    const auto stat = read_all(file(process.pid, "stat"));
    const auto bracket = stat.rfind(')');
    if (bracket == std::string::npos) continue; // gone
    std::istringstream fields{stat.substr(bracket + 1)};
    std::string field;
    for (int number = 3; number <= 22 && fields >> field; ++number) {
      if (number == 4) process.parent = std::uint32_t(std::strtoul(field.c_str(), nullptr, 10));
      if (number == 22) process.started = std::strtoull(field.c_str(), nullptr, 10);
    }
    found[id].push_back(process);
  }
  return found;
}

ContainerFacts ContainerScan::describe(const std::string& id, std::vector<Process> processes,
                                       Timestamp now) const {
  std::sort(processes.begin(), processes.end(), [](const Process& a, const Process& b) {
    return std::pair{a.started, a.pid} < std::pair{b.started, b.pid};
  });
  ContainerFacts facts;
  facts.id = id;
  facts.running = true;
  facts.status = "running";
  const auto inside = [&](std::uint32_t pid) {
    return std::any_of(processes.begin(), processes.end(), [&](const Process& p) { return p.pid == pid; });
  };
  // The first process is the eldest whose parent is outside; `docker exec` brings younger ones.
  auto first = std::find_if(processes.begin(), processes.end(),
                            [&](const Process& process) { return !inside(process.parent); });
  if (first == processes.end()) first = processes.begin();
  facts.pid = first->pid;
  facts.command = arguments_of(read_all(file(first->pid, "cmdline")));
  auto main = first->pid;
  for (int depth = 0; depth < 4; ++depth) { // sh -> dumb-init -> java
    const auto command = arguments_of(read_all(file(main, "cmdline")));
    if (command.empty() || !is_wrapper(command[0])) break;
    const auto child = std::find_if(processes.begin(), processes.end(),
                                    [&](const Process& process) { return process.parent == main; });
    if (child == processes.end()) break;
    main = child->pid;
  }
  auto name = program_name(arguments_of(read_all(file(main, "cmdline"))));
  facts.name = facts.service = (name.empty() ? "container" : name) + "@" + id.substr(0, 12);
  const double uptime = std::strtod(read_all(proc_ + "/uptime").c_str(), nullptr);
  const auto age = Duration(uptime * double(second)) -
                   Duration(first->started) * (second / std::max<long>(1, ::sysconf(_SC_CLK_TCK)));
  facts.created_at = facts.started_at = now - std::max<Duration>(0, age);
  const auto own = link_of(proc_ + "/self/ns/net");
  if (!own.empty() && link_of(file(first->pid, "ns/net")) == own) {
    facts.network_mode = "host"; // as we are, or at least no other than ours
  } else {
    const auto v4 = local_addresses(read_all(file(first->pid, "net/fib_trie")));
    const auto v6 = local_addresses6(read_all(file(first->pid, "net/if_inet6")));
    for (std::size_t i = 0; i < std::max(v4.size(), v6.size()); ++i)
      facts.networks.push_back(
          {"", i < v4.size() ? v4[i] : IpAddress{}, i < v6.size() ? v6[i] : IpAddress{}, ""});
  }
  facts.mounts = mounts_of(read_all(file(first->pid, "mountinfo")));
  return facts;
}

std::vector<ContainerReport> ContainerScan::scan(Timestamp now,
                                                 const std::function<bool(const std::string&)>& is_known) {
  std::vector<ContainerReport> out;
  auto found = find();
  for (auto& [id, processes] : found) {
    if (is_known(id)) continue;
    auto known = known_.find(id);
    // Looked at again when its first process is another one, and until it has addresses: a young container's
    // network comes a moment after its process.
    if (known != known_.end() && (known->second.host_network() || !known->second.networks.empty()) &&
        std::any_of(processes.begin(), processes.end(),
                    [&](const Process& process) { return process.pid == known->second.pid; }))
      continue;
    auto facts = describe(id, std::move(processes), now);
    if (known != known_.end() && known->second.pid == facts.pid && facts.networks.empty()) continue;
    // Once it has a name it keeps that: entities and baselines go by it.
    if (known != known_.end()) facts.name = facts.service = known->second.name;
    const auto action = scanned_ ? ContainerAction::started : ContainerAction::listed;
    const bool same_life = known != known_.end() && known->second.pid == facts.pid;
    out.push_back({facts, event_of(facts, same_life ? ContainerAction::connected : action, now)});
    known_[id] = std::move(facts);
  }
  for (auto known = known_.begin(); known != known_.end();) {
    if (found.contains(known->first)) {
      ++known;
      continue;
    }
    known->second.running = false;
    out.push_back({known->second, event_of(known->second, ContainerAction::removed, now)});
    known = known_.erase(known);
  }
  scanned_ = true;
  return out;
}

std::vector<ContainerReport>
ContainerScan::hand_over(Timestamp now, const std::function<bool(const std::string&)>& is_known) {
  std::vector<ContainerReport> out;
  for (auto& [id, facts] : known_) {
    if (is_known(id)) continue;
    facts.running = false;
    out.push_back({facts, event_of(facts, ContainerAction::removed, now)});
  }
  known_.clear();
  scanned_ = false;
  return out;
}

} // namespace iris
