#pragma once
#include "core/intel/indicator_set.hpp"
#include "node/recording/frame.hpp"

#include <vector>

/// One frame of every kind, with every field set to something.
namespace iris::test {

inline constexpr Timestamp recorded_at = 1'800'000'000 * second;

inline ProcessBatch sample_processes(std::size_t longest = 300) {
  ProcessInfo process;
  process.pid = 12;
  process.parent_pid = 1;
  process.uid = 1'000;
  process.exe = "/usr/bin/nmap";
  process.args = {"nmap", "-sS", std::string(longest, 'x')};
  process.cwd = "/tmp";
  process.parent_exe = "/bin/sh";
  process.ancestors = {"/bin/sh", "/app"};
  process.started = recorded_at - second;
  process.origin = Origin::upper;
  process.script = "/tmp/x.sh";
  process.script_origin = Origin::tmpfs;
  process.entered = process.args_cut = process.fresh = process.health_check = true;
  process.tty = "pts/3";
  process.inode = 1ULL << 40;
  ProcessBatch batch;
  batch.events.push_back({std::string(64, 'a'), recorded_at, 17, ProcessStart{process}});
  batch.events.push_back({"", recorded_at, 18, ProcessExit{12, "/usr/bin/nmap", 1, 9, 5 * second}});
  return batch;
}

inline ProcessBatch sample_sockets() {
  SocketEvent event;
  event.action = SocketAction::called;
  event.bound = false;
  event.looked_up = true;
  event.boot_at = 19;
  event.use.protocol = 17;
  event.use.host_network = true;
  event.use.local = *parse_ip("192.0.2.9");
  event.use.remote = *parse_ip("2001:db8::7");
  event.use.local_port = 40'000;
  event.use.remote_port = 161;
  event.use.container = std::string(64, 'a');
  event.use.pid = 12;
  event.use.exe = "/usr/bin/snmpget";
  event.use.at = recorded_at;
  return {{}, {event}};
}

inline FlowBatch sample_traffic() {
  Flow flow;
  flow.src = *parse_ip("172.18.0.2");
  flow.dst = *parse_ip("2001:db8::7");
  flow.sport = 40'000;
  flow.dport = 443;
  flow.protocol = 6;
  flow.state = FlowState::closed;
  flow.first_report = false;
  flow.last_report = true;
  flow.initiator_known = false;
  flow.packets_out = 1;
  flow.packets_in = 2;
  flow.bytes_out = 3;
  flow.bytes_in = 4;
  flow.payload_out = 5;
  flow.payload_in = 6;
  flow.first = recorded_at;
  flow.last = recorded_at + second;
  flow.interface = 7;
  flow.application = "TLS";
  flow.server_name = std::make_shared<const std::string>("mirror.example");
  flow.retransmitted_out = 8;
  flow.retransmitted_in = 9;
  std::string_view{"SThADadfF"}.copy(flow.history.data(), flow.history.size() - 1);
  TrafficAlarm alarm;
  alarm.kind = TrafficKind::flood;
  alarm.stage = AlarmStage::progress;
  alarm.src = flow.src;
  alarm.dst = *parse_ip("192.0.2.9");
  alarm.mac = {1, 2, 3, 4, 5, 6};
  alarm.port = 80;
  alarm.protocol = 6;
  alarm.distinct = 9;
  alarm.tries = 10;
  alarm.fresh = 11;
  alarm.answered = 12;
  alarm.packets = 13;
  alarm.bytes = 14;
  alarm.first = recorded_at;
  alarm.last = recorded_at + second;
  alarm.samples.push_back({flow.src, alarm.dst, 1, 80, 6, 1, 60, 0, recorded_at, recorded_at, 4, "Sr", {}});
  FlowBatch batch;
  batch.role = InterfaceRole::lan;
  batch.interface = "eth1";
  batch.flows = {flow};
  batch.alarms = {alarm};
  batch.answers = {{flow.src, *parse_ip("10.0.0.1"), recorded_at, {"example.org", {flow.dst}}}};
  batch.devices = {{flow.src, recorded_at, "hue-bridge"}};
  FieldCommand command;
  command.src = flow.src;
  command.dst = *parse_ip("10.0.0.7");
  command.dport = 502;
  command.protocol = 6;
  command.inbound = command.changes = true;
  command.application = "Modbus";
  command.action = "write";
  command.function = "write holding registers (function 6)";
  command.count = 3;
  command.first = recorded_at;
  command.last = recorded_at + second;
  batch.commands = {command};
  return batch;
}

inline ContainerBatch sample_containers() {
  ContainerFacts facts;
  facts.id = std::string(64, 'a');
  facts.name = facts.service = "edgex-core-data";
  facts.image = "edgexfoundry/core-data:3.0.0";
  facts.digest = "sha256:1";
  facts.hostname = "edgex-core-data";
  facts.pid = 77;
  facts.networks = {{"edgex-network", *parse_ip("172.18.0.2"), *parse_ip("fd00::2"), "02:42:ac:12:00:02"}};
  facts.network_mode = "bridge";
  facts.pid_mode = "host";
  facts.ipc_mode = "private";
  facts.ports = {{"0.0.0.0", 5'563, 5'563, 6}};
  facts.privileged = facts.read_only = facts.security_off = facts.engine_socket = true;
  facts.capabilities = {"NET_ADMIN"};
  facts.memory_limited = true;
  facts.login = Login::known_password;
  facts.security_options = {"seccomp=unconfined"};
  facts.devices = {"/dev/ttyS0"};
  facts.mounts = {{"bind", "/data", "/db", true}};
  facts.user = "2002:2001";
  facts.command = {"/core-data", "-cp"};
  facts.healthcheck = {"CMD", "true"};
  facts.stop_signal = 2;
  facts.upper_dir = "/var/lib/docker/overlay2/x/diff";
  facts.status = "running";
  facts.running = facts.out_of_memory = facts.is_edgex = facts.shadows_events = true;
  facts.exit_code = -1;
  facts.restarts = 3;
  facts.created_at = recorded_at - 2 * second;
  facts.started_at = recorded_at - second;
  ContainerEvent event;
  event.id = facts.id;
  event.name = facts.name;
  event.image = facts.image;
  event.at = recorded_at;
  event.network = "edgex-network";
  event.before = "core-data";
  event.change.action = ContainerAction::died;
  event.change.exit_code = 137;
  event.change.signal = 9;
  event.change.out_of_memory = event.change.asked_for = event.change.privileged = true;
  event.change.published = {"0.0.0.0:5563->5563/tcp"};
  event.change.new_container = true;
  event.change.notes = {{"privileged", "is privileged", "T1611", 8, true}};
  event.change.detail = "why";
  return {{facts}, {event}, true};
}

inline DeviceList sample_devices() {
  return {{{"kmc-thermostat",
            "device-bacnet",
            "KMC.BAC-9001",
            {"hvac"},
            "BACnet-IP",
            {*parse_ip("10.0.0.7")},
            {"kmc.local"},
            47'808,
            "02:42:ac:12:00:07"}}};
}

inline RecordedPackets sample_packets() {
  RecordedPackets packets;
  packets.interface = "br-edgex";
  packets.link = 1;
  packets.heads = {{recorded_at, 60, 4}, {recorded_at + 1, 3, 3}};
  packets.bytes = {'a', 'b', 'c', 'd', 'e', 'f', 'g'};
  return packets;
}

inline std::vector<EncodedFrame> sample_frames() {
  const FrameMoment moment{recorded_at, -3};
  Baseline baseline;
  baseline.profile = "edgex-core-data@sha256:1";
  baseline.version = 3;
  IndicatorSet indicators;
  (void)indicators.add_list("feodo", "198.51.100.7\n");
  indicators.build(4);
  std::vector<EncodedFrame> frames{
      encode_frame(moment, RecordedStart{"gw", "0.1.0", {*parse_cidr("203.0.113.0/24")}}),
      encode_frame(moment, TimeScale{86'400 * second, 20 * second, 3 * second, 4 * second}),
      encode_frame(moment, indicators),
      encode_frame(moment, baseline),
      encode_frame(moment, HostAddresses{{*parse_ip("10.0.0.1")},
                                         {*parse_cidr("10.0.0.0/24")},
                                         *parse_ip("172.18.0.3"),
                                         59'881}),
      encode_frame(moment, sample_containers()),
      encode_frame(moment, sample_devices()),
      encode_frame(moment, UsageBatch{recorded_at, {{std::string(64, 'a'), {10 * second, second, 5, 6}}}}),
      encode_frame(moment, HealthBatch{{{"process", "dropped", 4, recorded_at, "ring full"}}, recorded_at}),
      encode_frame(moment, sample_packets()),
      encode_frame(moment, RecordedTick{}),
      encode_frame(moment, RecordedLoss{5, 6}),
      encode_frame(moment, RecordedEnd{"stopped"})};
  for (auto& more : {encode_frames(moment, sample_processes()), encode_frames(moment, sample_sockets()),
                     encode_frames(moment, sample_traffic())})
    frames.insert(frames.end(), more.begin(), more.end());
  return frames;
}

/// Encodes what was decoded again; the same bytes where nothing was lost on the way.
inline std::vector<EncodedFrame> encode_again(const RecordedFrame& frame) {
  const FrameMoment moment{frame.at, frame.shift};
  return std::visit(
      [&](const auto& what) -> std::vector<EncodedFrame> {
        if constexpr (requires { encode_frames(moment, what); })
          return encode_frames(moment, what);
        else if constexpr (requires { encode_frame(moment, what); })
          return {encode_frame(moment, what)};
        else
          return {encode_frame(moment, *what)};
      },
      frame.what);
}

} // namespace iris::test
