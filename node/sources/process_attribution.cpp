#include "node/sources/process_attribution.hpp"

#include "core/process/health_check.hpp"
#include "core/process/redact.hpp"
#include "core/process/script.hpp"

#include <algorithm>

namespace iris {
namespace {
/// What is of the image came with it, however lately that was.
bool is_fresh(Origin origin, Timestamp changed, Timestamp ran) {
  const bool brought = origin == Origin::upper || origin == Origin::mount || origin == Origin::tmpfs;
  return brought && changed != 0 && ran - changed < fresh_file && changed < ran + second;
}

constexpr std::size_t place_limit = 4096;
constexpr std::size_t group_limit = 4096;
constexpr std::uint64_t overlay_magic = 0x794c7630; // linux/magic.h
} // namespace

void ProcessAttribution::place(const ContainerFacts& facts) {
  if (places_.size() >= place_limit && !places_.contains(facts.id)) places_.erase(places_.begin());
  auto& place = places_[facts.id];
  // Storage drivers other than overlay copy the image when the container is made, which changes every file's
  // time.
  place.created = facts.upper_dir.empty() ? std::max(facts.created_at, facts.started_at) : facts.created_at;
  place.health_check = facts.healthcheck;
  place.mounts.clear();
  for (const auto& mount : facts.mounts)
    place.mounts.push_back({mount.destination, mount.writable, mount.type == "tmpfs"});
}

void ProcessAttribution::container_started(const ContainerFacts& facts) {
  place(facts);
  if (facts.pid != 0) table_.container_started(facts.id, facts.pid);
}

void ProcessAttribution::container_stopped(const ContainerFacts& facts) {
  // Where the image is copied, its files are as old as the start that is still to come.
  if (!facts.upper_dir.empty()) place(facts);
  table_.container_gone(facts.id);
}

void ProcessAttribution::container_gone(const std::string& id) {
  places_.erase(id);
  table_.container_gone(id);
}

void ProcessAttribution::seed(ProcessFiles process, Timestamp started, bool announce) {
  counters_.redacted += redact_args(process.facts.args);
  process.facts.at = started;
  if (!process.facts.container) process.facts.container = "";
  auto result = table_.seed(std::move(process.facts), started);
  if (!announce || result.container.empty()) return;
  // That its file is gone now does not say that it was gone when it was run.
  if (process.file.links == 0 && !process.file.memory) process.file = {};
  const auto before = events_.size();
  seeding_ = true;
  deliver(std::move(result), process.file, "", started - offset_);
  seeding_ = false;
  if (events_.size() == before) return;
  auto& seeded = std::get<ProcessStart>(events_.back().what).process;
  if (seeded.script_origin == Origin::deleted) seeded.script_origin = Origin::unknown;
}

void ProcessAttribution::on_fork(std::uint32_t parent, std::uint32_t child, std::int64_t boot_at) {
  ++counters_.forks;
  table_.fork(parent, child, boot_at + offset_);
}

void ProcessAttribution::on_exec(SensedExec exec) {
  ++counters_.execs;
  counters_.redacted += redact_args(exec.facts.args);
  exec.facts.at = exec.boot_at + offset_;
  const bool unread = exec.unread;
  if (exec.cgroup != 0 && exec.facts.container && !exec.facts.container->empty()) {
    if (groups_.size() >= group_limit) groups_.clear(); // the next exec of each brings it back
    groups_[exec.cgroup] = *exec.facts.container;
  }
  auto result = table_.exec(std::move(exec.facts));
  // Without a name or arguments it would be judged as something new; the sensor counts it as a loss.
  if (unread) return;
  auto& process = result.process;
  if (process.entered)
    if (auto place = places_.find(result.container);
        place != places_.end() &&
        is_health_check(place->second.health_check, std::span<const std::string>{process.args})) {
      table_.mark_health_check(process.pid);
      process.health_check = true;
      process.entered = false;
    }
  deliver(std::move(result), exec.file, exec.script, exec.boot_at);
}

void ProcessAttribution::deliver(ExecResult result, const FileFacts& file, const std::string& script,
                                 std::int64_t boot_at) {
  if (result.own || result.runtime) return;
  auto& process = result.process;
  process.origin = origin(result.container, file, process.exe);
  std::string path = script.empty() ? script_of(process.exe, process.args) : script;
  if (!path.empty() && !process.cwd.empty())
    if (auto whole = absolute_path(process.cwd, path); !whole.empty()) path = whole;
  if (!path.empty() && path.front() == '/')
    process.script_origin =
        script_origin(result.container, process.pid, path, boot_at + offset_, process.fresh);
  process.script = std::move(path);
  process.fresh = is_fresh(process.origin, file.changed, boot_at + offset_) || process.fresh;
  events_.push_back(
      {std::move(result.container), boot_at + offset_, boot_at, ProcessStart{std::move(process)}});
}

void ProcessAttribution::on_exit(std::uint32_t pid, std::uint32_t status, std::int64_t boot_at) {
  ++counters_.exits;
  const int signal = int(status & 0x7f); // wait(2): low 7 bits the signal, then the core flag, then the code
  const int code = signal == 0 ? int(status >> 8 & 0xff) : 128 + signal;
  auto gone = table_.exit(pid, code, signal, boot_at + offset_);
  if (!gone) return;
  if (sockets_seen_)
    ended_[next_ended_++ % ended_.size()] = {pid, gone->container, gone->exit.exe, gone->own};
  if (gone->own) return;
  events_.push_back({std::move(gone->container), boot_at + offset_, boot_at, std::move(gone->exit)});
}

void ProcessAttribution::on_socket(SensedSocket socket) {
  ++counters_.sockets;
  auto& event = socket.event;
  auto& use = event.use;
  sockets_seen_ = true;
  if (use.pid != 0 && table_.is_own(use.pid)) return;
  use.container = table_.container_of(use.pid);
  if (use.pid != 0) use.exe = table_.exe_of(use.pid);
  if (use.pid != 0 && use.exe.empty())
    if (auto gone =
            std::find_if(ended_.begin(), ended_.end(), [&](const Ended& one) { return one.pid == use.pid; });
        gone != ended_.end()) {
      if (gone->own) return;
      use.container = gone->container;
      use.exe = gone->exe;
    }
  if (use.container.empty())
    if (auto group = groups_.find(socket.cgroup); group != groups_.end()) use.container = group->second;
  use.host_network = socket.net == host_net_;
  use.at = event.boot_at + offset_;
  sockets_.push_back(std::move(event));
}

Origin ProcessAttribution::origin(const std::string& container, const FileFacts& file,
                                  const std::string& path) const {
  if (container.empty()) return origin_on_host(file);
  if (auto place = places_.find(container); place != places_.end())
    return origin_of(file, path, place->second.created, place->second.mounts);
  // The engine has not told us yet: the image is at least older than the container's first process. Of what
  // ran before us that is said only of the container's own root, since a volume's file that was seen live as
  // such must not look like one of the writable layer after our restart.
  auto facts = file;
  if (seeding_ && file.magic != overlay_magic) facts.changed = 0;
  return origin_of(facts, path, table_.first_seen(container), {});
}

Origin ProcessAttribution::script_origin(const std::string& container, std::uint32_t pid,
                                         const std::string& path, Timestamp at, bool& fresh) const {
  auto facts = look_into_root(pid, path);
  if (!facts && !container.empty())
    if (auto init = table_.init_of(container); init != 0 && init != pid) facts = look_into_root(init, path);
  if (!facts) return Origin::unknown;
  const auto from = origin(container, *facts, path);
  fresh = is_fresh(from, facts->changed, at);
  return from;
}

} // namespace iris
