#include "node/source_hub.hpp"

#include "core/alert/json_writer.hpp"
#include "core/base/clock_line.hpp"
#include "core/process/health_check.hpp"
#include "node/host_interfaces.hpp"
#include "node/load_guard.hpp"
#include "node/messages.hpp"
#include "node/own_container.hpp"
#include "node/packet_captures.hpp"
#include "node/posture_keeper.hpp"
#include "node/source_outlet.hpp"
#include "node/sources/docker_source.hpp"
#include "node/sources/edgex_source.hpp"
#include "node/sources/node_clock.hpp"
#include "node/sources/socket_source.hpp"
#include "node/sources/usage_source.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <malloc.h>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace iris {
namespace {

/// A file that outlives a restart; "" where there is no place for one.
std::string in_data(const NodeOptions& options, const std::string& name) {
  return options.data.empty() ? std::string{} : options.data + "/" + name;
}

} // namespace

struct SourceHub::State {
  State(const NodeOptions& given, SourceHubWorld world)
      : options{given}, outlet{std::move(world)}, posture{in_data(given, "containers")} {}

  NodeOptions options;
  SourceOutlet outlet;
  std::string own = own_container(); ///< never watched, nor enrolments; docker source's thread only
  std::string own_digest;            ///< docker source's thread only
  PostureKeeper posture;
  std::unique_ptr<ProcessSource> process;
  std::unique_ptr<SocketSource> sockets;
  std::unique_ptr<UsageSource> usage;
  std::unique_ptr<EdgexSource> edgex;
  std::unique_ptr<DockerSource> docker;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, ContainerFacts> running; ///< by id
  std::set<std::string> ours{own};               ///< containers whose processes are Iris's: own, enrolments
  Duration window = TimeScale{}.window;          ///< wanted
  bool stopping = false, dirty = true;
  std::size_t device_count = 0;
  Duration window_in_use = TimeScale{}.window;                                    ///< hub thread only
  PacketCaptures packets{outlet, window_in_use, !options.no_dpi};                 ///< hub thread only
  LoadGuard load{{std::uint64_t(options.max_memory_mib) << 20, options.max_cpu}}; ///< under the mutex
  std::vector<IpAddress> own_in_use;
  IpAddress metadata_in_use;
  std::vector<Slot<SourceActor>> actors;
  std::thread thread;

  void take_containers(std::vector<ContainerReport> reports);
  void leave_out_ours(std::vector<ProcessEvent>& events);
  [[nodiscard]] Result<void> start_processes();
  [[nodiscard]] Result<void> start_directory();
  void start_sockets();
  void start_usage();
  void start_engine();
  void start_load();
  void keep_house();
  void keep_share();
  void tell_jumps();
  void run();
};

void SourceHub::State::take_containers(std::vector<ContainerReport> reports) {
  for (const auto& report : reports) {
    if (own.empty() || report.facts.id != own) continue;
    own_digest = report.facts.digest;
    if (!report.facts.running || shares_our_groups(report.facts.pid)) continue;
    spdlog::warn("container {} is not ours after all and is watched: its first process is in other control "
                 "groups than this one",
                 own.substr(0, 12));
    {
      const std::lock_guard lock{mutex};
      ours.erase(own);
    }
    own.clear();
    own_digest.clear();
  }
  ContainerBatch batch;
  const auto shift = node_clock().shift(); // the engine speaks in wall time
  for (auto& report : reports) {
    const auto& facts = report.facts;
    if (facts.id == own) continue;
    if (is_enrolment(facts, own_digest)) {
      const std::lock_guard lock{mutex};
      if (report.event.change.action == ContainerAction::removed)
        ours.erase(facts.id);
      else
        ours.insert(facts.id);
      continue;
    }
    {
      const std::lock_guard lock{mutex};
      if (facts.running)
        running[facts.id] = facts;
      else
        running.erase(facts.id);
      dirty = true;
    }
    if (facts.running) {
      if (process) process->container_started(facts);
      if (sockets && report.event.change.action == ContainerAction::started) sockets->look_soon();
      if (edgex) edgex->container_started(facts);
      usage->container_started(facts);
    } else {
      if (process && report.event.change.action == ContainerAction::removed)
        process->container_gone(facts.id);
      else if (process)
        process->container_stopped(facts);
      if (edgex) edgex->container_gone(facts.id);
      usage->container_gone(facts.id);
    }
    posture.note(report);
    batch.facts.push_back(facts);
    if (batch.facts.back().started_at != 0) batch.facts.back().started_at -= shift;
    batch.events.push_back(std::move(report.event));
    batch.events.back().at -= shift;
  }
  outlet.to_router(std::move(batch));
  changed.notify_one();
}

Result<void> SourceHub::State::start_processes() {
  if (options.process_source == "off") return {};
  ProcessSourceOptions wanted;
  wanted.sensor = options.process_source == "ebpf"        ? ProcessSensorChoice::ebpf
                  : options.process_source == "connector" ? ProcessSensorChoice::connector
                  : options.process_source == "procfs"    ? ProcessSensorChoice::procfs
                                                          : ProcessSensorChoice::automatic;
  auto started =
      ProcessSource::start(wanted, {[this](std::vector<ProcessEvent> events) {
                                      leave_out_ours(events);
                                      outlet.to_router(ProcessBatch{std::move(events)});
                                    },
                                    [this](std::vector<SocketEvent> seen) {
                                      outlet.to_router(ProcessBatch{{}, std::move(seen)});
                                    },
                                    [this](SensorHealth report) { outlet.health(std::move(report)); }});
  if (!started) return started.error();
  process = std::move(*started);
  actors.push_back(outlet.stand_in("process_source", process->sensor(), [this] {
    auto figures = process->statistics();
    JsonWriter json;
    json.object()
        .field("sensor", process->sensor())
        .field("execs", figures.execs)
        .field("forks", figures.forks)
        .field("exits", figures.exits)
        .field("sockets", figures.sockets)
        .field("lost", figures.lost)
        .field("lost_sockets", figures.lost_sockets)
        .field("unread", figures.unread)
        .field("redacted", figures.redacted)
        .field("processes", figures.processes)
        .field("evicted", figures.evicted)
        .field("strayed", figures.strayed)
        .field("commands_dropped", figures.commands_dropped);
    return json.end_object().take();
  }));
  spdlog::info("processes are seen by {}", process->sensor());
  start_sockets();
  return {};
}

void SourceHub::State::start_sockets() {
  SocketSourceOptions looks;
  looks.window = window_in_use;
  if (std::string_view{process->sensor()} != "ebpf") looks.windows = 1; // all that is seen of them
  sockets = SocketSource::start(looks, [this](std::vector<SocketEvent> seen) {
    outlet.to_router(ProcessBatch{{}, std::move(seen)});
  });
  actors.push_back(outlet.stand_in("socket_source", "", [this] {
    const auto figures = sockets->statistics();
    JsonWriter json;
    json.object()
        .field("looks", figures.looks)
        .field("sockets", figures.sockets)
        .field("namespaces", figures.namespaces)
        .field("cut", figures.cut);
    return json.end_object().take();
  }));
}

Result<void> SourceHub::State::start_directory() {
  EdgexSourceOptions metadata;
  metadata.url = options.metadata_url;
  metadata.interval = options.metadata_interval * second;
  metadata.cache = in_data(options, "devices");
  auto started =
      EdgexSource::start(metadata, {[this](std::vector<EdgexDevice> devices) {
                                      {
                                        const std::lock_guard lock{mutex};
                                        device_count = devices.size();
                                      }
                                      outlet.to_router(DeviceList{std::move(devices)});
                                    },
                                    [this](SensorHealth report) { outlet.health(std::move(report)); }});
  if (!started) return started.error();
  edgex = std::move(*started);
  actors.push_back(outlet.stand_in("edgex_directory", "", [this] {
    const std::lock_guard lock{mutex};
    return JsonWriter{}.object().field("devices", std::uint64_t(device_count)).end_object().take();
  }));
  return {};
}

void SourceHub::State::start_load() {
  actors.push_back(outlet.stand_in("load", "", [this] {
    const std::lock_guard lock{mutex};
    JsonWriter json;
    json.object()
        .field("shedding", to_string(load.shedding()))
        .field("memory_mib", load.memory() >> 20)
        .field("memory_limit_mib", std::uint64_t(options.max_memory_mib))
        .field("cpu_percent", std::uint64_t(load.cpu_percent()))
        .field("cpu_limit_percent", std::uint64_t(options.max_cpu));
    return json.end_object().take();
  }));
}

void SourceHub::State::start_engine() {
  DockerSourceOptions engine;
  engine.socket = options.docker_socket;
  DockerSourceSinks sinks;
  sinks.deliver = [this](std::vector<ContainerReport> reports) { take_containers(std::move(reports)); };
  sinks.exec = [this](const std::string& container, const std::string& command, Timestamp) {
    {
      const std::lock_guard lock{mutex};
      auto known = running.find(container);
      if (known != running.end() && is_health_check(known->second.healthcheck, command)) return;
    }
    spdlog::info("the engine runs a command in {}: {}", container.substr(0, 12), command);
  };
  sinks.health = [this](SensorHealth report) { outlet.health(std::move(report)); };
  actors.push_back(outlet.stand_in("posture", "", [this] {
    const std::lock_guard lock{mutex};
    return posture.describe(running);
  }));
  docker = DockerSource::start(engine, std::move(sinks));
  actors.push_back(outlet.stand_in("docker_source", "", [this] {
    auto figures = docker->statistics();
    JsonWriter json;
    json.object()
        .field("connected", figures.connected)
        .field("engine", figures.engine)
        .field("api", figures.api)
        .field("events", figures.events)
        .field("inspections", figures.inspections)
        .field("left_out", figures.left_out)
        .field("reconnects", figures.reconnects)
        .field("containers", std::uint64_t(figures.containers))
        .field("by_groups", std::uint64_t(figures.by_groups));
    return json.end_object().take();
  }));
}

/// What runs in Iris's own containers is no part of any service's life. Somebody who enters is written down.
void SourceHub::State::leave_out_ours(std::vector<ProcessEvent>& events) {
  const std::lock_guard lock{mutex};
  std::erase_if(events, [this](const ProcessEvent& event) {
    if (event.container.empty() || !ours.contains(event.container)) return false;
    if (const auto* start = std::get_if<ProcessStart>(&event.what);
        start != nullptr && start->process.entered)
      spdlog::warn("somebody ran {} in Iris's own container", start->process.exe);
    return true;
  });
}

void SourceHub::State::start_usage() {
  UsageSourceOptions wanted;
  wanted.window = window_in_use;
  UsageSourceSinks sinks;
  sinks.deliver = [this](std::vector<UsageSample> samples) {
    UsageBatch batch;
    for (auto& sample : samples) {
      batch.at = sample.at;
      batch.usages.emplace_back(std::move(sample.container), sample.usage);
    }
    outlet.to_router(std::move(batch));
  };
  sinks.health = [this](SensorHealth report) { outlet.health(std::move(report)); };
  usage = UsageSource::start(wanted, std::move(sinks));
  actors.push_back(outlet.stand_in("usage_source", "", [this] {
    const std::lock_guard lock{mutex};
    return JsonWriter{}.object().field("containers", std::uint64_t(running.size())).end_object().take();
  }));
}

/// Looks what the host's interfaces and the containers' networks are now and captures accordingly.
void SourceHub::State::keep_house() {
  std::vector<IpAddress> containers;
  HostAddresses addresses;
  Duration wanted_window = 0;
  {
    const std::lock_guard lock{mutex};
    wanted_window = window;
    for (const auto& [id, facts] : running) {
      for (const auto& network : facts.networks)
        for (const auto& address : {network.address, network.address6})
          if (address != IpAddress{}) containers.push_back(address);
      if (is_core_metadata(facts) && !facts.networks.empty()) {
        addresses.metadata = facts.networks.front().address;
        addresses.metadata_port =
            facts.image.find("docker-core-metadata") != std::string::npos || facts.name.starts_with("java")
                ? 48081
                : 59881;
      }
    }
  }
  auto interfaces = host_interfaces();
  auto plan = plan_capture(interfaces, containers, options.lan_interfaces);
  for (const auto& interface : interfaces) {
    if (interface.address == IpAddress{}) continue;
    addresses.own.push_back(interface.address);
    if (std::find(plan.lan.begin(), plan.lan.end(), interface.name) != plan.lan.end())
      addresses.lan.push_back(interface.network);
  }
  if (addresses.own != own_in_use || addresses.metadata != metadata_in_use) {
    own_in_use = addresses.own;
    metadata_in_use = addresses.metadata;
    outlet.to_router(std::move(addresses));
  }
  if (wanted_window != window_in_use) {
    window_in_use = wanted_window;
    usage->set_window(window_in_use);
    if (sockets) sockets->set_window(window_in_use);
    packets.set_window(window_in_use);
  }
  if (!options.no_packets) packets.keep(plan, options.lan_interfaces);
}

/// The node keeps to its share of the machine.
void SourceHub::State::keep_share() {
  std::optional<SensorHealth> report;
  {
    const std::lock_guard lock{mutex};
    report = load.look(sample_load());
  }
  if (!report) return;
  packets.shed(load.shedding());
  ::malloc_trim(0); // what was freed goes back to the machine
  report->since = node_clock().now();
  outlet.health(std::move(*report));
}

/// The clock was set: a condition of this gateway, and nothing that judging has to know.
void SourceHub::State::tell_jumps() {
  for (const auto& jump : node_clock().take_jumps())
    outlet.health({"clock", clock_jump, 0, jump.at, describe_jump(jump.by)});
}

void SourceHub::State::run() {
  using namespace std::chrono_literals;
  std::unique_lock lock{mutex};
  while (!stopping) {
    dirty = false;
    lock.unlock();
    keep_house();
    keep_share();
    tell_jumps();
    posture.tick();
    lock.lock();
    // Containers that change come at once; interfaces of the host are looked at every two seconds.
    changed.wait_for(lock, 2s, [this] { return stopping || dirty; });
    if (!stopping && dirty) { // a container's start brings several changes in a row
      lock.unlock();
      std::this_thread::sleep_for(50ms);
      lock.lock();
    }
  }
}

SourceHub::SourceHub(std::unique_ptr<State> state) : state_{std::move(state)} {}

Result<std::unique_ptr<SourceHub>> SourceHub::start(const NodeOptions& options, SourceHubWorld world) {
  auto state = std::make_unique<State>(options, std::move(world));
  auto* s = state.get();
  if (options.no_packets)
    spdlog::warn("packets are not captured, as asked: flows, scans and floods are not seen");
  if (auto started = s->start_processes(); !started) return started.error();
  if (auto started = s->start_directory(); !started) return started.error();
  s->start_usage();
  s->start_load();
  s->keep_house();
  s->start_engine();
  s->thread = std::thread{[s] { s->run(); }};
  return std::unique_ptr<SourceHub>{new SourceHub{std::move(state)}};
}

SourceHub::~SourceHub() {
  auto& s = *state_;
  {
    const std::lock_guard lock{s.mutex};
    s.stopping = true;
  }
  s.changed.notify_one();
  if (s.thread.joinable()) s.thread.join();
  s.outlet.end(s.actors); // their answers look into the sources
  s.docker.reset();
  s.posture.tick();
  s.packets.stop();
  s.usage.reset();
  s.edgex.reset();
  s.sockets.reset();
  s.process.reset();
}

void SourceHub::set_scale(const TimeScale& scale) {
  state_->posture.set_day(scale.day);
  {
    const std::lock_guard lock{state_->mutex};
    state_->window = scale.window;
    state_->dirty = true;
  }
  state_->changed.notify_one();
}

} // namespace iris
