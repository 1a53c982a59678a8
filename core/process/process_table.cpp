#include "core/process/process_table.hpp"

#include <algorithm>

namespace iris {
namespace {
/// Containers known by name only through their processes are few; the bound keeps a hostile cgroup tree out.
constexpr std::size_t container_limit = 4096;
} // namespace

ProcessTable::Record& ProcessTable::touch(std::uint32_t pid) {
  if (auto found = records_.find(pid); found != records_.end()) {
    ages_.splice(ages_.end(), ages_, found->second.age);
    return found->second;
  }
  while (records_.size() >= limit_ && !ages_.empty()) {
    drop(ages_.front());
    ++evicted_;
  }
  Record record;
  record.pid = pid;
  record.container = record.exe = nothing_;
  record.epoch = epoch_;
  record.age = ages_.insert(ages_.end(), pid);
  return records_.emplace(pid, std::move(record)).first->second;
}

const ProcessTable::Record* ProcessTable::find(std::uint32_t pid) const {
  auto found = records_.find(pid);
  return found == records_.end() ? nullptr : &found->second;
}

void ProcessTable::assign(Record& record, const std::string& container) {
  if (*record.container == container) return;
  if (!record.container->empty())
    if (auto old = containers_.find(*record.container); old != containers_.end() && old->second.living > 0)
      --old->second.living;
  record.container = container.empty() ? nothing_ : std::make_shared<const std::string>(container);
  if (container.empty()) return;
  auto known = containers_.find(container);
  if (known == containers_.end()) {
    if (containers_.size() >= container_limit)
      std::erase_if(containers_, [](const auto& c) { return c.second.living == 0; });
    if (containers_.size() >= container_limit) return;
    known = containers_.emplace(container, Container{}).first;
  }
  ++known->second.living;
}

void ProcessTable::drop(std::uint32_t pid) {
  auto found = records_.find(pid);
  if (found == records_.end()) return;
  if (auto container = containers_.find(*found->second.container); container != containers_.end()) {
    if (container->second.living > 0) --container->second.living;
    if (container->second.init == pid) container->second.init = 0, container->second.first_seen = 0;
  }
  ages_.erase(found->second.age);
  records_.erase(found);
}

std::vector<ProcessTable::Text> ProcessTable::ancestors_of_child(const Record& parent) const {
  // A fork that never ran a program is not a step in the lineage: its exe is its parent's already.
  if (!parent.execed) return parent.ancestors;
  std::vector<Text> ancestors;
  ancestors.reserve(std::min(parent.ancestors.size() + 1, ancestor_limit));
  if (!parent.exe->empty()) ancestors.push_back(parent.exe);
  for (const auto& exe : parent.ancestors) {
    if (ancestors.size() == ancestor_limit) {
      ancestors.back() = parent.ancestors.back(); // the first process always stays
      break;
    }
    ancestors.push_back(exe);
  }
  return ancestors;
}

void ProcessTable::fork(std::uint32_t parent_pid, std::uint32_t child_pid, Timestamp at) {
  if (parent_pid == child_pid) return;
  drop(child_pid); // a pid that is used again, whose exit was lost
  touch(parent_pid);
  auto& child = touch(child_pid);
  const auto* parent = find(parent_pid); // may have been evicted for the child when the limit is tiny
  child.parent = parent_pid;
  child.started = at;
  if (parent == nullptr) return;
  child.uid = parent->uid;
  child.exe = parent->exe;
  child.own = parent->own;
  child.ancestors = ancestors_of_child(*parent);
  child.entered = parent->entered;
  child.health_check = parent->health_check;
  child.epoch = parent->epoch;
  child.born_in = parent->container;
  assign(child, *parent->container);
}

/// Whether a process is in its record's container although the kernel names another one or none. Where events
/// were lost the record may be another process's of the same pid: then it must have the same parent, or one
/// of the same container.
bool ProcessTable::stays(const Record& record, const ExecFacts& facts) const {
  if (record.container->empty()) return false;
  if (record.epoch == epoch_ || record.parent == facts.parent_pid) return true;
  const auto* parent = find(facts.parent_pid);
  return parent != nullptr && *parent->container == *record.container;
}

ExecResult ProcessTable::exec(ExecFacts facts) { return apply(std::move(facts), false, 0); }

ExecResult ProcessTable::seed(ExecFacts facts, Timestamp started) {
  return apply(std::move(facts), true, started);
}

ExecResult ProcessTable::apply(ExecFacts facts, bool seeding, Timestamp started) {
  const bool forked = find(facts.pid) != nullptr;
  auto& record = touch(facts.pid);
  if (!forked) {
    record.parent = facts.parent_pid;
    record.started = facts.at;
    if (const auto* parent = find(facts.parent_pid); parent != nullptr) {
      record.ancestors = ancestors_of_child(*parent);
      record.own = parent->own;
      record.entered = parent->entered;
      record.health_check = parent->health_check;
      record.born_in = parent->container;
      assign(record, *parent->container);
    }
  }
  if (seeding) record.started = started;
  std::string container = facts.container ? *facts.container : *record.container;
  if (container != *record.container && stays(record, facts)) {
    container = *record.container;
    ++strayed_;
  } else if (facts.container) {
    record.epoch = epoch_;
  }
  ExecResult result;
  result.container = container;
  result.own = record.own;
  const bool from_outside = record.born_in != nullptr && *record.born_in != container;
  if (!container.empty() && from_outside && facts.parents_mounts && !seeding) {
    result.runtime = true; // not yet in the container's own root: keeps its place outside
    result.container.clear();
  } else {
    const bool arrives = *record.container != container;
    assign(record, container);
    if (arrives || from_outside) record.ancestors.clear();
    auto known = containers_.find(container);
    if (!container.empty() && known != containers_.end()) {
      auto& state = known->second;
      if (state.first_seen == 0) state.first_seen = seeding ? started : facts.at;
      // The first to come into an empty container is its first process, until the engine says otherwise.
      if (state.init == 0 && (arrives || from_outside) && (seeding || state.living <= 1))
        state.init = facts.pid;
      // Where the birth was not seen (losses, before our time) nobody is accused of having come in.
      if (seeding || record.born_in == nullptr)
        record.entered = false;
      else if (from_outside)
        record.entered = state.init != facts.pid;
    }
  }
  record.exe = std::make_shared<const std::string>(facts.exe);
  record.uid = facts.uid;
  record.execed = true;
  auto& process = result.process;
  process.pid = facts.pid;
  process.parent_pid = record.parent;
  process.uid = facts.uid;
  process.exe = std::move(facts.exe);
  process.args = std::move(facts.args);
  process.args_cut = facts.args_cut;
  process.cwd = std::move(facts.cwd);
  process.started = seeding ? started : facts.at;
  process.tty = std::move(facts.tty);
  process.inode = facts.inode;
  process.health_check = record.health_check;
  process.entered = record.entered && record.ancestors.empty() && !record.health_check;
  process.ancestors.reserve(record.ancestors.size());
  for (const auto& exe : record.ancestors)
    process.ancestors.push_back(*exe);
  if (!process.ancestors.empty()) process.parent_exe = process.ancestors.front();
  return result;
}

std::optional<ExitResult> ProcessTable::exit(std::uint32_t pid, int exit_code, int signal, Timestamp at) {
  const auto* record = find(pid);
  if (record == nullptr) return std::nullopt;
  ExitResult result;
  result.container = *record->container;
  result.own = record->own;
  result.exit.pid = pid;
  result.exit.exe = *record->exe;
  result.exit.exit_code = exit_code;
  result.exit.signal = signal;
  result.exit.lifetime = record->started > 0 ? std::max<Duration>(0, at - record->started) : 0;
  drop(pid);
  return result;
}

void ProcessTable::container_started(const std::string& container, std::uint32_t init_pid) {
  if (container.empty()) return;
  if (containers_.size() >= container_limit)
    std::erase_if(containers_, [](const auto& c) { return c.second.living == 0; });
  if (containers_.size() >= container_limit) return;
  auto& state = containers_[container];
  state.init = init_pid;
  if (auto found = records_.find(init_pid); found != records_.end()) {
    assign(found->second, container);
    found->second.entered = false;
  }
}

void ProcessTable::container_gone(const std::string& container) {
  // Records go by their own exits; a container that starts again under its id gets a new first process.
  if (auto found = containers_.find(container); found != containers_.end()) {
    if (found->second.living == 0)
      containers_.erase(found);
    else
      found->second.init = 0, found->second.first_seen = 0;
  }
}

void ProcessTable::exclude(std::uint32_t pid) { touch(pid).own = true; }

void ProcessTable::mark_health_check(std::uint32_t pid) {
  if (auto found = records_.find(pid); found != records_.end()) found->second.health_check = true;
}

std::string ProcessTable::exe_of(std::uint32_t pid) const {
  const auto* record = find(pid);
  return record == nullptr ? std::string{} : *record->exe;
}

bool ProcessTable::is_own(std::uint32_t pid) const {
  const auto* record = find(pid);
  return record != nullptr && record->own;
}

std::string ProcessTable::container_of(std::uint32_t pid) const {
  const auto* record = find(pid);
  return record == nullptr ? std::string{} : *record->container;
}

std::uint32_t ProcessTable::init_of(const std::string& container) const {
  auto found = containers_.find(container);
  return found == containers_.end() ? 0 : found->second.init;
}

Timestamp ProcessTable::first_seen(const std::string& container) const {
  auto found = containers_.find(container);
  return found == containers_.end() ? 0 : found->second.first_seen;
}

} // namespace iris
