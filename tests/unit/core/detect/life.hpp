#pragma once
// One service's life for tests: observations of all kinds, a collector, a trainer and a judge around it.
#include "core/detect/service_collector.hpp"
#include "core/detect/service_judge.hpp"
#include "core/intel/indicator_set.hpp"
#include "core/learn/evidence.hpp"
#include "core/learn/trainer.hpp"

#include <memory>
#include <string>
#include <vector>

namespace iris {

inline constexpr TimeScale demo_scale{
    .day = 2 * second, .window = second, .startup = second, .alert_quiet = 60 * second};
inline constexpr Timestamp life_begin = 1'700'000'000 * second;

inline EntityPtr entity_of(EntityKind kind, std::string name, const char* address = nullptr) {
  auto entity = std::make_shared<Entity>();
  entity->kind = kind;
  entity->name = std::move(name);
  if (kind == EntityKind::service) entity->digest = "sha256:1";
  if (address) entity->address = *parse_ip(address);
  return entity;
}

struct Life {
  EntityPtr entity;
  Timestamp now = life_begin;
  Phase phase = Phase::steady;
  ServiceCollector collector;
  ServiceJudge judge;
  Evidence evidence;
  BaselinePtr baseline;
  TrainingInput input;
  std::vector<Finding> findings;
  std::uint16_t next_port = 40'000;

  EntityPtr mongo = entity_of(EntityKind::service, "edgex-mongo", "172.18.0.3");
  EntityPtr consul = entity_of(EntityKind::service, "edgex-core-consul", "172.18.0.2");
  EntityPtr thermostat = entity_of(EntityKind::device, "kmc-thermostat", "10.77.0.21");
  EntityPtr snmp = entity_of(EntityKind::service, "edgex-device-snmp", "172.18.0.9");

  explicit Life(EntityPtr who = entity_of(EntityKind::service, "edgex-support-logging", "172.18.0.7"))
      : entity{who}, collector{who, "gw", demo_scale, now}, judge{who, "gw", demo_scale, now},
        evidence{profile_of(*who), "gw", demo_scale} {}

  void see(Observation observation) {
    observation.entity = entity;
    observation.at = now;
    observation.phase = phase;
    const auto& behaviours = collector.observe(observation);
    judge.judge(observation, behaviours, findings);
    now += millisecond;
  }
  void run(std::vector<std::string> args, std::string parent = "/bin/sh", Origin origin = Origin::image,
           bool entered = false) {
    ProcessStart start;
    start.process.pid = std::uint32_t(now / millisecond % 100'000);
    start.process.exe = args[0];
    start.process.args = std::move(args);
    start.process.parent_exe = parent;
    start.process.ancestors = {parent};
    start.process.origin = origin;
    start.process.entered = entered;
    see({.what = start});
  }
  void run_script(std::string interpreter, std::string script, Origin origin) {
    ProcessStart start;
    start.process.exe = interpreter;
    start.process.args = {interpreter, script};
    start.process.parent_exe = "/bin/sh";
    start.process.ancestors = {"/bin/sh"};
    start.process.origin = Origin::image;
    start.process.script = script;
    start.process.script_origin = origin;
    see({.what = start});
  }
  Flow flow(const EntityPtr& peer, const char* address, std::uint16_t port, bool inbound,
            std::uint64_t out = 600, std::uint64_t in = 900) {
    Flow what;
    auto other = peer ? peer->address : *parse_ip(address);
    what.src = inbound ? other : entity->address;
    what.dst = inbound ? entity->address : other;
    what.sport = next_port++;
    what.dport = port;
    what.protocol = 6;
    what.inbound = inbound;
    what.state = FlowState::established;
    what.packets_out = 6;
    what.packets_in = 5;
    what.bytes_out = what.payload_out = out;
    what.bytes_in = what.payload_in = in;
    what.first = what.last = now;
    what.last_report = true;
    return what;
  }
  void call(const EntityPtr& peer, std::uint16_t port, std::uint64_t out = 600) {
    see({.peer = peer, .what = flow(peer, nullptr, port, false, out)});
  }
  void call(const char* address, std::uint16_t port) { see({.what = flow(nullptr, address, port, false)}); }
  void used_by(const EntityPtr& peer, std::uint16_t port) {
    see({.peer = peer, .what = flow(peer, nullptr, port, true)});
  }
  /// A function of a field protocol, asked of a device or by someone of this one.
  void command(const EntityPtr& peer, std::string action, std::string function, bool inbound = false) {
    FieldCommand asked;
    asked.src = inbound ? peer->address : entity->address;
    asked.dst = inbound ? entity->address : peer->address;
    asked.dport = 502;
    asked.protocol = 6;
    asked.inbound = inbound;
    asked.changes = action == "write";
    asked.application = "Modbus";
    asked.action = std::move(action);
    asked.function = std::move(function);
    asked.count = 1;
    asked.first = asked.last = now;
    see({.peer = peer, .what = std::move(asked)});
  }
  void container(ContainerAction action, int code = 0, bool asked = false) {
    ContainerChange change;
    change.action = action;
    change.exit_code = code;
    change.asked_for = asked;
    see({.what = change});
  }

  void close() {
    now = (now / second + 1) * second;
    if (auto delta = collector.close_window(now)) {
      auto bytes = encode(*delta);
      auto over_the_link = decode_delta(bytes.data(), bytes.size());
      evidence.apply(over_the_link.value());
    }
    judge.close_window(now, findings);
  }
  /// What it does all the time.
  void normal() {
    run({"/usr/bin/java", "-jar", "support-logging.jar"});
    call(consul, 8500);
    used_by(consul, 48061);
    used_by(snmp, 48061);
    see({.what = Usage{second, 20 * millisecond, 100'000'000, 30}});
  }
  void train() {
    const Evidence* all[] = {&evidence};
    TrainingPolicy policy;
    policy.scale = demo_scale;
    auto next = iris::train(all, policy, input, now, baseline.get());
    if (baseline && !differs(*baseline, next)) return;
    baseline = std::make_shared<Baseline>(std::move(next));
    judge.set_baseline(baseline);
    collector.set_baseline(baseline);
  }
  void live(int windows) {
    for (int i = 0; i < windows; ++i) {
      normal();
      close();
      train();
    }
  }
  /// Lives until it is monitored and forgets the findings on the way.
  void grow_up() {
    live(36);
    findings.clear();
  }
};

} // namespace iris
