#include "node/source_hub.hpp"

#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "core/alert/json_writer.hpp"
#include "core/base/clock_line.hpp"
#include "node/host_interfaces.hpp"
#include "node/messages.hpp"
#include "node/own_container.hpp"
#include "node/packet_figures.hpp"
#include "node/source_actor.hpp"
#include "node/sources/docker_source.hpp"
#include "node/sources/edgex_source.hpp"
#include "node/sources/node_clock.hpp"
#include "node/sources/packet_source.hpp"
#include "node/sources/usage_source.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace iris {
struct SourceHub::State {
  struct Packets {
    std::unique_ptr<PacketSource> source;
    std::shared_ptr<PacketFigures> figures;
    Slot<SourceActor> actor;
  };

  NodeOptions options;
  SourceHubWorld world;
  std::string own = own_container();  ///< never watched, nor enrolments; docker source's thread only
  std::string own_digest;             ///< docker source's thread only
  std::set<std::string> told_missing; ///< interfaces that were asked for and are not there; hub thread only
  std::unique_ptr<ProcessSource> process;
  std::unique_ptr<UsageSource> usage;
  std::unique_ptr<EdgexSource> edgex;
  std::unique_ptr<DockerSource> docker;
  std::map<std::string, Packets> packets; ///< by interface; hub thread only

  /// Flows that wait for the router; a mailbox counts messages, of which each can hold thousands.
  static constexpr std::size_t flows_limit = 100'000;
  std::shared_ptr<TableBudget> flows_waiting = std::make_shared<TableBudget>(flows_limit);

  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, ContainerFacts> running; ///< by id
  Duration window = TimeScale{}.window;          ///< wanted
  bool stopping = false, dirty = true;
  std::size_t device_count = 0;
  Duration window_in_use = TimeScale{}.window; ///< hub thread only
  std::vector<IpAddress> own_in_use;
  IpAddress metadata_in_use;
  std::vector<Slot<SourceActor>> actors;
  std::thread thread;

  template <class Batch>
  void to_router(Batch batch) {
    auto message = make_ref(std::move(batch));
    world.router.with([&](const RouterActor& router) { caf::anon_send(router, message); });
  }
  void health(SensorHealth report) { to_router(HealthBatch{{std::move(report)}, node_clock().now()}); }

  Slot<SourceActor> stand_in(const std::string& kind, const std::string& name,
                             std::function<std::string()> describe_it) {
    Slot<SourceActor> slot;
    auto* system = world.system;
    auto* directory = world.directory;
    supervise<SourceActor>(
        world.supervisor, kind + (name.empty() ? "" : " " + name),
        [=] {
          return spawn_in<SourceActor, SourceActorState>(*system, *directory, {.kind = kind, .name = name},
                                                         source_actor, describe_it);
        },
        slot);
    return slot;
  }

  void take_containers(std::vector<ContainerReport> reports);
  void start_usage(Duration of);
  void start_packets(const std::string& interface, InterfaceRole role);
  void stop_packets(const std::string& interface);
  void keep_house();
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
    own.clear();
    own_digest.clear();
  }
  ContainerBatch batch;
  const auto shift = node_clock().shift(); // the engine speaks in wall time
  for (auto& report : reports) {
    const auto& facts = report.facts;
    if (facts.id == own || is_enrolment(facts, own_digest)) continue;
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
      if (edgex) edgex->container_started(facts);
      const std::lock_guard lock{mutex};
      if (usage) usage->container_started(facts);
    } else {
      if (process && report.event.change.action == ContainerAction::removed)
        process->container_gone(facts.id);
      else if (process)
        process->container_stopped(facts);
      if (edgex) edgex->container_gone(facts.id);
      const std::lock_guard lock{mutex};
      if (usage) usage->container_gone(facts.id);
    }
    batch.facts.push_back(facts);
    if (batch.facts.back().started_at != 0) batch.facts.back().started_at -= shift;
    batch.events.push_back(std::move(report.event));
    batch.events.back().at -= shift;
  }
  to_router(std::move(batch));
  changed.notify_one();
}

void SourceHub::State::start_usage(Duration of) {
  UsageSourceOptions wanted;
  wanted.window = of;
  UsageSourceSinks sinks;
  sinks.deliver = [this](std::vector<UsageSample> samples) {
    UsageBatch batch;
    for (auto& sample : samples) {
      batch.at = sample.at;
      batch.usages.emplace_back(std::move(sample.container), sample.usage);
    }
    to_router(std::move(batch));
  };
  sinks.health = [this](SensorHealth report) { health(std::move(report)); };
  auto fresh = UsageSource::start(wanted, std::move(sinks));
  std::unique_ptr<UsageSource> old;
  {
    const std::lock_guard lock{mutex};
    for (const auto& [id, facts] : running)
      fresh->container_started(facts);
    old = std::exchange(usage, std::move(fresh));
  }
}

void SourceHub::State::start_packets(const std::string& interface, InterfaceRole role) {
  Packets made;
  made.figures = std::make_shared<PacketFigures>();
  PacketSourceOptions wanted;
  wanted.interface = interface;
  wanted.pipeline.flows.window = window_in_use;
  std::random_device random; // so that nobody can aim at one place of a table
  wanted.pipeline.flows.seed = std::uint64_t(random()) << 32 | random();
  made.source = std::make_unique<PacketSource>(wanted, [this, role, interface, figures = made.figures,
                                                        lost = std::uint64_t{0},
                                                        told = Timestamp{0}](PacketBatch&& batch) mutable {
    {
      const std::lock_guard lock{figures->mutex};
      figures->stats = batch.stats;
      figures->dropped = batch.kernel_dropped;
    }
    if (!batch.health.empty()) to_router(HealthBatch{std::move(batch.health), node_clock().now()});
    if (auto now = node_clock().now(); lost != 0 && (now - told >= second || now < told)) {
      told = now;
      health(
          {"flows:" + interface, "dropped", std::exchange(lost, 0), now, "more was seen than can be judged"});
    }
    if (batch.harvest.empty()) return;
    FlowBatch out;
    out.role = role;
    out.interface = interface;
    out.flows = std::move(batch.harvest.flows);
    out.alarms = std::move(batch.harvest.alarms);
    out.answers = std::move(batch.harvest.answers);
    if (auto count = out.flows.size(); count != 0 && !flows_waiting->take(count)) {
      out.flows.clear();
      lost += count;
    } else if (count != 0) {
      out.in_flight = {nullptr, [waiting = flows_waiting, count](void*) { waiting->give(count); }};
    }
    to_router(std::move(out));
  });
  made.actor = stand_in("packet_source", interface, [figures = made.figures] { return describe(*figures); });
  packets.emplace(interface, std::move(made));
  spdlog::info("capturing on {} ({})", interface, role == InterfaceRole::bridge ? "containers" : "LAN");
}

void SourceHub::State::stop_packets(const std::string& interface) {
  auto found = packets.find(interface);
  if (found == packets.end()) return;
  found->second.source.reset();
  found->second.actor.with([](const auto& h) { caf::anon_send_exit(h, caf::exit_reason::user_shutdown); });
  packets.erase(found);
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
        if (network.address != IpAddress{}) containers.push_back(network.address);
      if (is_core_metadata(facts) && !facts.networks.empty()) {
        addresses.metadata = facts.networks.front().address;
        addresses.metadata_port =
            facts.image.find("docker-core-metadata") != std::string::npos ? 48081 : 59881;
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
    to_router(std::move(addresses));
  }
  if (wanted_window != window_in_use) {
    window_in_use = wanted_window;
    start_usage(window_in_use);
    while (!packets.empty())
      stop_packets(std::string{packets.begin()->first});
  }
  if (options.no_packets) return;
  for (const auto& wanted : options.lan_interfaces)
    if (std::find(plan.lan.begin(), plan.lan.end(), wanted) != plan.lan.end())
      told_missing.erase(wanted);
    else if (told_missing.insert(wanted).second)
      spdlog::warn("{}: no such interface, or it is down: devices behind it are not seen until it is up",
                   wanted);
  for (auto it = packets.begin(); it != packets.end();) {
    auto name = (it++)->first;
    bool wanted = std::find(plan.bridges.begin(), plan.bridges.end(), name) != plan.bridges.end() ||
                  std::find(plan.lan.begin(), plan.lan.end(), name) != plan.lan.end();
    if (!wanted) stop_packets(std::string{name});
  }
  for (const auto& name : plan.bridges)
    if (!packets.contains(name)) start_packets(name, InterfaceRole::bridge);
  for (const auto& name : plan.lan)
    if (!packets.contains(name)) start_packets(name, InterfaceRole::lan);
}

/// The clock was set: a condition of this gateway, and nothing that judging has to know.
void SourceHub::State::tell_jumps() {
  for (const auto& jump : node_clock().take_jumps())
    health({"clock", clock_jump, 0, jump.at, describe_jump(jump.by)});
}

void SourceHub::State::run() {
  using namespace std::chrono_literals;
  std::unique_lock lock{mutex};
  while (!stopping) {
    dirty = false;
    lock.unlock();
    keep_house();
    tell_jumps();
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
  auto state = std::make_unique<State>();
  auto* s = state.get();
  s->options = options;
  s->world = std::move(world);
  auto health = [s](SensorHealth report) { s->health(std::move(report)); };
  if (s->options.no_packets)
    spdlog::warn("packets are not captured, as asked: flows, scans and floods are not seen");

  if (options.process_source != "off") {
    ProcessSourceOptions wanted;
    wanted.sensor = options.process_source == "ebpf"        ? ProcessSensorChoice::ebpf
                    : options.process_source == "connector" ? ProcessSensorChoice::connector
                                                            : ProcessSensorChoice::automatic;
    auto process = ProcessSource::start(
        wanted,
        {[s](std::vector<ProcessEvent> events) { s->to_router(ProcessBatch{std::move(events)}); }, health});
    if (!process) return process.error();
    s->process = std::move(*process);
    s->actors.push_back(s->stand_in("process_source", s->process->sensor(), [s] {
      auto figures = s->process->statistics();
      JsonWriter json;
      json.object()
          .field("sensor", s->process->sensor())
          .field("execs", figures.execs)
          .field("forks", figures.forks);
      json.field("exits", figures.exits).field("lost", figures.lost).field("unread", figures.unread);
      json.field("redacted", figures.redacted)
          .field("processes", figures.processes)
          .field("evicted", figures.evicted)
          .field("strayed", figures.strayed)
          .field("commands_dropped", figures.commands_dropped);
      return json.end_object().take();
    }));
    spdlog::info("processes are seen by {}", s->process->sensor());
  }
  EdgexSourceOptions metadata;
  metadata.url = options.metadata_url;
  auto edgex = EdgexSource::start(metadata, {[s](std::vector<EdgexDevice> devices) {
                                               {
                                                 const std::lock_guard lock{s->mutex};
                                                 s->device_count = devices.size();
                                               }
                                               s->to_router(DeviceList{std::move(devices)});
                                             },
                                             health});
  if (!edgex) return edgex.error();
  s->edgex = std::move(*edgex);
  s->actors.push_back(s->stand_in("edgex_directory", "", [s] {
    const std::lock_guard lock{s->mutex};
    return JsonWriter{}.object().field("devices", std::uint64_t(s->device_count)).end_object().take();
  }));
  s->start_usage(s->window_in_use);
  s->actors.push_back(s->stand_in("usage_source", "", [s] {
    const std::lock_guard lock{s->mutex};
    return JsonWriter{}.object().field("containers", std::uint64_t(s->running.size())).end_object().take();
  }));
  s->keep_house();
  DockerSourceOptions engine;
  engine.socket = options.docker_socket;
  DockerSourceSinks sinks;
  sinks.deliver = [s](std::vector<ContainerReport> reports) { s->take_containers(std::move(reports)); };
  sinks.exec = [](const std::string& container, const std::string& command, Timestamp) {
    spdlog::info("the engine runs a command in {}: {}", container.substr(0, 12), command);
  };
  sinks.health = health;
  s->docker = DockerSource::start(engine, std::move(sinks));
  s->actors.push_back(s->stand_in("docker_source", "", [s] {
    auto figures = s->docker->statistics();
    JsonWriter json;
    json.object()
        .field("connected", figures.connected)
        .field("engine", figures.engine)
        .field("api", figures.api);
    json.field("events", figures.events).field("inspections", figures.inspections);
    json.field("left_out", figures.left_out);
    json.field("reconnects", figures.reconnects).field("containers", std::uint64_t(figures.containers));
    return json.end_object().take();
  }));
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
  // Their answers look into the sources, so they end first.
  caf::scoped_actor self{*s.world.system};
  for (auto& actor : s.actors)
    if (auto handle = actor.get()) {
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
      self->wait_for(handle);
    }
  s.docker.reset();
  while (!s.packets.empty())
    s.stop_packets(std::string{s.packets.begin()->first});
  std::unique_ptr<UsageSource> usage;
  {
    const std::lock_guard lock{s.mutex};
    usage = std::move(s.usage);
  }
  usage.reset();
  s.edgex.reset();
  s.process.reset();
}

void SourceHub::set_window(Duration window) {
  {
    const std::lock_guard lock{state_->mutex};
    state_->window = window;
    state_->dirty = true;
  }
  state_->changed.notify_one();
}

} // namespace iris
