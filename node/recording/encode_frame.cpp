#include "core/intel/indicator_set.hpp"
#include "node/recording/frame.hpp"
#include "schemas/recording.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>

namespace iris {
namespace {

/// A frame of many processes or flows is closed at about so much, so that a damaged one costs little.
constexpr std::size_t frame_aim = 256U << 10;
constexpr std::size_t flow_cost = 256, socket_cost = 512; ///< bytes of one, roughly

kj::StringPtr text(const std::string& value) { return {value.c_str(), value.size()}; }
kj::ArrayPtr<const kj::byte> data(const IpAddress& address) { return {address.bytes.data(), 16}; }
kj::ArrayPtr<const kj::byte> data(const std::vector<char>& bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

template <class Builder>
void texts(Builder out, const std::vector<std::string>& values) {
  for (unsigned i = 0; i < out.size(); ++i)
    out.set(i, text(values[i]));
}

/// One frame; `fill` gives it its content.
template <class Fill>
EncodedFrame frame(FrameMoment moment, Fill fill) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::Frame>();
  out.setAt(moment.at);
  out.setShift(moment.shift);
  fill(out);
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

template <class Builder>
void networks(Builder out, const std::vector<Cidr>& values) {
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i].setBase(data(values[i].base));
    out[i].setBits(values[i].bits);
  }
}

template <class Builder>
void addresses(Builder out, const std::vector<IpAddress>& values) {
  for (unsigned i = 0; i < out.size(); ++i)
    out.set(i, data(values[i]));
}

void write(schema::Process::Builder out, const ProcessInfo& process) {
  out.setPid(process.pid);
  out.setParentPid(process.parent_pid);
  out.setUid(process.uid);
  out.setExe(text(process.exe));
  texts(out.initArgs(unsigned(process.args.size())), process.args);
  out.setCwd(text(process.cwd));
  out.setParentExe(text(process.parent_exe));
  texts(out.initAncestors(unsigned(process.ancestors.size())), process.ancestors);
  out.setStarted(process.started);
  out.setOrigin(std::uint8_t(process.origin));
  out.setScript(text(process.script));
  out.setScriptOrigin(std::uint8_t(process.script_origin));
  out.setEntered(process.entered);
  out.setArgsCut(process.args_cut);
  out.setTty(text(process.tty));
  out.setInode(process.inode);
  out.setFresh(process.fresh);
  out.setHealthCheck(process.health_check);
}

void write(schema::RecordedProcess::Builder out, const ProcessEvent& event) {
  out.setContainer(text(event.container));
  out.setAt(event.at);
  out.setBootAt(event.boot_at);
  if (const auto* start = std::get_if<ProcessStart>(&event.what))
    return write(out.initStart(), start->process);
  const auto& gone = std::get<ProcessExit>(event.what);
  auto exit = out.initExit();
  exit.setPid(gone.pid);
  exit.setExe(text(gone.exe));
  exit.setExitCode(gone.exit_code);
  exit.setSignal(gone.signal);
  exit.setLifetime(gone.lifetime);
}

void write(schema::RecordedSocket::Builder out, const SocketEvent& event) {
  const auto& use = event.use;
  out.setAction(std::uint8_t(event.action));
  out.setBound(event.bound);
  out.setLookedUp(event.looked_up);
  out.setHostNetwork(use.host_network);
  out.setProtocol(use.protocol);
  out.setLocalPort(use.local_port);
  out.setRemotePort(use.remote_port);
  out.setPid(use.pid);
  out.setLocal(data(use.local));
  out.setRemote(data(use.remote));
  out.setContainer(text(use.container));
  out.setExe(text(use.exe));
  out.setAt(use.at);
  out.setBootAt(event.boot_at);
}

std::size_t cost(const ProcessEvent& event) {
  std::size_t bytes = 256;
  if (const auto* start = std::get_if<ProcessStart>(&event.what))
    for (const auto* list : {&start->process.args, &start->process.ancestors})
      for (const auto& value : *list)
        bytes += value.size() + 16;
  return bytes;
}

void write(schema::RecordedFlow::Builder out, const Flow& flow) {
  out.setSrc(data(flow.src));
  out.setDst(data(flow.dst));
  out.setSport(flow.sport);
  out.setDport(flow.dport);
  out.setProtocol(flow.protocol);
  out.setState(std::uint8_t(flow.state));
  out.setFirstReport(flow.first_report);
  out.setLastReport(flow.last_report);
  out.setInitiatorKnown(flow.initiator_known);
  out.setInbound(flow.inbound);
  out.setPacketsOut(flow.packets_out);
  out.setPacketsIn(flow.packets_in);
  out.setBytesOut(flow.bytes_out);
  out.setBytesIn(flow.bytes_in);
  out.setPayloadOut(flow.payload_out);
  out.setPayloadIn(flow.payload_in);
  out.setFirst(flow.first);
  out.setLast(flow.last);
  out.setInterface(flow.interface);
  if (!flow.application.empty()) out.setApplication(text(flow.application));
  if (flow.server_name) out.setServerName(text(*flow.server_name));
  out.setRetransmittedOut(flow.retransmitted_out);
  out.setRetransmittedIn(flow.retransmitted_in);
  if (flow.history[0] != 0) out.setHistory(flow.history.data());
}

void write(schema::RecordedAlarm::Builder out, const TrafficAlarm& alarm) {
  out.setKind(std::uint8_t(alarm.kind));
  out.setStage(std::uint8_t(alarm.stage));
  out.setSrc(data(alarm.src));
  out.setDst(data(alarm.dst));
  out.setMac({alarm.mac.data(), alarm.mac.size()});
  out.setPort(alarm.port);
  out.setProtocol(alarm.protocol);
  out.setInterface(alarm.interface);
  out.setDistinct(alarm.distinct);
  out.setTries(alarm.tries);
  out.setFresh(alarm.fresh);
  out.setAnswered(alarm.answered);
  out.setPackets(alarm.packets);
  out.setBytes(alarm.bytes);
  out.setFirst(alarm.first);
  out.setLast(alarm.last);
  auto samples = out.initSamples(unsigned(alarm.samples.size()));
  for (unsigned i = 0; i < samples.size(); ++i) {
    const auto& sample = alarm.samples[i];
    samples[i].setSrc(data(sample.src));
    samples[i].setDst(data(sample.dst));
    samples[i].setSport(sample.sport);
    samples[i].setDport(sample.dport);
    samples[i].setProtocol(sample.protocol);
    samples[i].setPackets(sample.packets);
    samples[i].setBytesOut(sample.bytes_out);
    samples[i].setBytesIn(sample.bytes_in);
    samples[i].setFirst(sample.first);
    samples[i].setLast(sample.last);
    samples[i].setRetransmitted(sample.retransmitted);
    samples[i].setHistory(text(sample.history));
  }
}

void write(schema::RecordedDeviceName::Builder out, const DeviceName& heard) {
  out.setAddress(data(heard.address));
  out.setAt(heard.at);
  out.setName(text(heard.name));
}

void write(schema::RecordedAnswer::Builder out, const DnsSeen& seen) {
  out.setClient(data(seen.client));
  out.setServer(data(seen.server));
  out.setAt(seen.at);
  out.setName(text(seen.answer.name));
  addresses(out.initAddresses(unsigned(seen.answer.addresses.size())), seen.answer.addresses);
}

void write(schema::RecordedCommand::Builder out, const FieldCommand& command) {
  out.setSrc(data(command.src));
  out.setDst(data(command.dst));
  out.setDport(command.dport);
  out.setProtocol(command.protocol);
  out.setInbound(command.inbound);
  out.setChanges(command.changes);
  out.setApplication(text(command.application));
  out.setAction(text(command.action));
  out.setFunction(text(command.function));
  out.setCount(command.count);
  out.setFirst(command.first);
  out.setLast(command.last);
}

void write(schema::RecordedContainer::Builder out, const ContainerFacts& facts) {
  out.setId(text(facts.id));
  out.setName(text(facts.name));
  out.setService(text(facts.service));
  out.setImage(text(facts.image));
  out.setDigest(text(facts.digest));
  out.setHostname(text(facts.hostname));
  out.setPid(facts.pid);
  auto members = out.initNetworks(unsigned(facts.networks.size()));
  for (unsigned i = 0; i < members.size(); ++i) {
    members[i].setName(text(facts.networks[i].name));
    members[i].setAddress(data(facts.networks[i].address));
    members[i].setAddress6(data(facts.networks[i].address6));
    members[i].setMac(text(facts.networks[i].mac));
  }
  out.setNetworkMode(text(facts.network_mode));
  out.setPidMode(text(facts.pid_mode));
  out.setIpcMode(text(facts.ipc_mode));
  auto ports = out.initPorts(unsigned(facts.ports.size()));
  for (unsigned i = 0; i < ports.size(); ++i) {
    ports[i].setHostIp(text(facts.ports[i].host_ip));
    ports[i].setHostPort(facts.ports[i].host_port);
    ports[i].setContainerPort(facts.ports[i].container_port);
    ports[i].setProtocol(facts.ports[i].protocol);
  }
  out.setPrivileged(facts.privileged);
  out.setReadOnly(facts.read_only);
  out.setSecurityOff(facts.security_off);
  out.setEngineSocket(facts.engine_socket);
  texts(out.initCapabilities(unsigned(facts.capabilities.size())), facts.capabilities);
  auto mounts = out.initMounts(unsigned(facts.mounts.size()));
  for (unsigned i = 0; i < mounts.size(); ++i) {
    mounts[i].setType(text(facts.mounts[i].type));
    mounts[i].setSource(text(facts.mounts[i].source));
    mounts[i].setDestination(text(facts.mounts[i].destination));
    mounts[i].setWritable(facts.mounts[i].writable);
  }
  out.setUser(text(facts.user));
  texts(out.initCommand(unsigned(facts.command.size())), facts.command);
  texts(out.initHealthcheck(unsigned(facts.healthcheck.size())), facts.healthcheck);
  out.setStopSignal(facts.stop_signal);
  out.setUpperDir(text(facts.upper_dir));
  out.setStatus(text(facts.status));
  out.setRunning(facts.running);
  out.setOutOfMemory(facts.out_of_memory);
  out.setExitCode(facts.exit_code);
  out.setRestarts(facts.restarts);
  out.setCreatedAt(facts.created_at);
  out.setStartedAt(facts.started_at);
  out.setIsEdgex(facts.is_edgex);
  out.setShadowsEvents(facts.shadows_events);
  out.setMemoryLimited(facts.memory_limited);
  out.setLogin(std::uint8_t(facts.login));
  texts(out.initSecurityOptions(unsigned(facts.security_options.size())), facts.security_options);
  texts(out.initDevices(unsigned(facts.devices.size())), facts.devices);
}

void write(schema::RecordedEvent::Builder out, const ContainerEvent& event) {
  out.setId(text(event.id));
  out.setName(text(event.name));
  out.setImage(text(event.image));
  out.setAt(event.at);
  out.setNetwork(text(event.network));
  out.setBefore(text(event.before));
  const auto& change = event.change;
  out.setAction(std::uint8_t(change.action));
  out.setExitCode(change.exit_code);
  out.setSignal(change.signal);
  out.setOutOfMemory(change.out_of_memory);
  out.setAskedFor(change.asked_for);
  out.setPrivileged(change.privileged);
  texts(out.initPublished(unsigned(change.published.size())), change.published);
  out.setDetail(text(change.detail));
  out.setNewContainer(change.new_container);
  auto notes = out.initNotes(unsigned(change.notes.size()));
  for (unsigned i = 0; i < notes.size(); ++i) {
    notes[i].setKey(text(change.notes[i].key));
    notes[i].setText(text(change.notes[i].text));
    notes[i].setAttack(text(change.notes[i].attack));
    notes[i].setBits(change.notes[i].bits);
    notes[i].setFresh(change.notes[i].fresh);
  }
}

template <class List, class Values>
void write_all(List out, const Values& values, std::size_t from = 0) {
  for (unsigned i = 0; i < out.size(); ++i)
    write(out[i], values[from + i]);
}

} // namespace

std::vector<EncodedFrame> encode_frames(FrameMoment moment, const ProcessBatch& batch) {
  std::vector<EncodedFrame> frames;
  for (std::size_t from = 0; from < batch.events.size();) {
    auto until = from;
    for (std::size_t bytes = 0; until < batch.events.size() && (until == from || bytes < frame_aim); ++until)
      bytes += cost(batch.events[until]);
    frames.push_back(frame(moment, [&](schema::Frame::Builder out) {
      write_all(out.initProcesses(unsigned(until - from)), batch.events, from);
    }));
    from = until;
  }
  for (std::size_t from = 0; from < batch.sockets.size();) {
    const auto count = std::min(batch.sockets.size() - from, frame_aim / socket_cost);
    frames.push_back(frame(moment, [&](schema::Frame::Builder out) {
      write_all(out.initSockets(unsigned(count)), batch.sockets, from);
    }));
    from += count;
  }
  return frames;
}

std::vector<EncodedFrame> encode_frames(FrameMoment moment, const FlowBatch& batch) {
  std::vector<EncodedFrame> frames;
  std::size_t from = 0;
  do { // the first holds all that comes before flows
    const auto count = std::min(batch.flows.size() - from, frame_aim / flow_cost);
    frames.push_back(frame(moment, [&](schema::Frame::Builder out) {
      auto traffic = out.initTraffic();
      traffic.setRole(std::uint8_t(batch.role));
      traffic.setInterface(text(batch.interface));
      write_all(traffic.initFlows(unsigned(count)), batch.flows, from);
      if (from + count == batch.flows.size()) // they are routed behind all flows
        write_all(traffic.initCommands(unsigned(batch.commands.size())), batch.commands);
      if (from != 0) return;
      write_all(traffic.initAlarms(unsigned(batch.alarms.size())), batch.alarms);
      write_all(traffic.initAnswers(unsigned(batch.answers.size())), batch.answers);
      write_all(traffic.initDeviceNames(unsigned(batch.devices.size())), batch.devices);
    }));
    from += count;
  } while (from < batch.flows.size());
  return frames;
}

EncodedFrame encode_frame(FrameMoment moment, const ContainerBatch& batch) {
  return frame(moment, [&](schema::Frame::Builder out) {
    auto containers = out.initContainers();
    write_all(containers.initFacts(unsigned(batch.facts.size())), batch.facts);
    write_all(containers.initEvents(unsigned(batch.events.size())), batch.events);
    containers.setListing(batch.listing);
  });
}

EncodedFrame encode_frame(FrameMoment moment, const UsageBatch& batch) {
  return frame(moment, [&](schema::Frame::Builder out) {
    auto usage = out.initUsage();
    usage.setAt(batch.at);
    auto counters = usage.initContainers(unsigned(batch.usages.size()));
    for (unsigned i = 0; i < counters.size(); ++i) {
      const auto& [container, used] = batch.usages[i];
      counters[i].setContainer(text(container));
      counters[i].setSpan(used.span);
      counters[i].setCpu(used.cpu);
      counters[i].setMemory(used.memory);
      counters[i].setPids(used.pids);
    }
  });
}

EncodedFrame encode_frame(FrameMoment moment, const DeviceList& list) {
  return frame(moment, [&](schema::Frame::Builder frame) {
    auto devices = frame.initDevices(unsigned(list.devices.size()));
    for (unsigned i = 0; i < devices.size(); ++i) {
      const auto& device = list.devices[i];
      auto out = devices[i];
      out.setName(text(device.name));
      out.setService(text(device.service));
      out.setProfile(text(device.profile));
      texts(out.initLabels(unsigned(device.labels.size())), device.labels);
      out.setProtocol(text(device.protocol));
      addresses(out.initAddresses(unsigned(device.addresses.size())), device.addresses);
      texts(out.initHosts(unsigned(device.hosts.size())), device.hosts);
      out.setPort(device.port);
      out.setMac(text(device.mac));
    }
  });
}

EncodedFrame encode_frame(FrameMoment moment, const HostAddresses& host) {
  return frame(moment, [&](schema::Frame::Builder frame) {
    auto out = frame.initAddresses();
    addresses(out.initOwn(unsigned(host.own.size())), host.own);
    networks(out.initLan(unsigned(host.lan.size())), host.lan);
    out.setMetadata(data(host.metadata));
    out.setMetadataPort(host.metadata_port);
  });
}

EncodedFrame encode_frame(FrameMoment moment, const HealthBatch& batch) {
  return frame(moment, [&](schema::Frame::Builder frame) {
    auto out = frame.initHealth();
    out.setAt(batch.at);
    auto reports = out.initReports(unsigned(batch.reports.size()));
    for (unsigned i = 0; i < reports.size(); ++i) {
      reports[i].setSensor(text(batch.reports[i].sensor));
      reports[i].setWhat(text(batch.reports[i].what));
      reports[i].setCount(batch.reports[i].count);
      reports[i].setSince(batch.reports[i].since);
      reports[i].setDetail(text(batch.reports[i].detail));
    }
  });
}

EncodedFrame encode_frame(FrameMoment moment, const RecordedTick&) {
  return frame(moment, [](schema::Frame::Builder out) { out.setTick(); });
}

EncodedFrame encode_frame(FrameMoment moment, const RecordedStart& start) {
  return frame(moment, [&](schema::Frame::Builder frame) {
    auto out = frame.initStart();
    out.setGateway(text(start.gateway));
    out.setVersion(text(start.version));
    networks(out.initLocal(unsigned(start.local.size())), start.local);
  });
}

EncodedFrame encode_frame(FrameMoment moment, const RecordedPackets& packets) {
  return frame(moment, [&](schema::Frame::Builder frame) {
    auto out = frame.initPackets();
    out.setInterface(text(packets.interface));
    out.setLink(packets.link);
    auto heads = out.initHeads(unsigned(packets.heads.size()));
    for (unsigned i = 0; i < heads.size(); ++i) {
      heads[i].setAt(packets.heads[i].at);
      heads[i].setWireLength(packets.heads[i].wire_length);
      heads[i].setCaptured(packets.heads[i].captured);
    }
    out.setBytes(data(packets.bytes));
  });
}

EncodedFrame encode_frame(FrameMoment moment, const Baseline& baseline) {
  const auto bytes = encode(baseline);
  return frame(moment, [&](schema::Frame::Builder out) { out.setBaseline(data(bytes)); });
}

EncodedFrame encode_frame(FrameMoment moment, const IndicatorSet& indicators) {
  const auto bytes = indicators.encode();
  return frame(moment, [&](schema::Frame::Builder out) { out.setIndicators(data(bytes)); });
}

EncodedFrame encode_frame(FrameMoment moment, const TimeScale& scale) {
  return frame(moment, [&](schema::Frame::Builder frame) {
    auto out = frame.initScale();
    out.setDay(scale.day);
    out.setWindow(scale.window);
    out.setStartup(scale.startup);
    out.setAlertQuiet(scale.alert_quiet);
  });
}

EncodedFrame encode_frame(FrameMoment moment, const RecordedLoss& loss) {
  return frame(moment, [&](schema::Frame::Builder frame) {
    auto out = frame.initLost();
    out.setBatches(loss.batches);
    out.setPackets(loss.packets);
  });
}

EncodedFrame encode_frame(FrameMoment moment, const RecordedEnd& end) {
  return frame(moment, [&](schema::Frame::Builder out) { out.setEnd(text(end.why)); });
}

} // namespace iris
