#include "core/base/capnp_reader.hpp"
#include "core/intel/indicator_set.hpp"
#include "node/recording/frame.hpp"
#include "schemas/recording.capnp.h"

#include <capnp/serialize-packed.h>
#include <kj/io.h>

#include <cmath>

namespace iris {
namespace {

/// What cannot be; caught in decode_frame().
struct Bad {
  const char* what;
};

constexpr std::size_t text_limit = 256U << 10; ///< bytes of one

std::string text(capnp::Text::Reader in) {
  if (in.size() > text_limit) throw Bad{"a text is too long"};
  return {in.begin(), in.size()};
}

std::vector<std::string> texts(capnp::List<capnp::Text>::Reader in) {
  std::vector<std::string> values;
  values.reserve(in.size());
  for (const auto value : in)
    values.push_back(text(value));
  return values;
}

IpAddress address(capnp::Data::Reader in) {
  IpAddress value;
  if (in.size() == 0) return value;
  if (in.size() != 16) throw Bad{"an address is not 16 bytes"};
  std::memcpy(value.bytes.data(), in.begin(), 16);
  return value;
}

std::vector<IpAddress> addresses(capnp::List<capnp::Data>::Reader in) {
  std::vector<IpAddress> values;
  values.reserve(in.size());
  for (const auto value : in)
    values.push_back(address(value));
  return values;
}

std::vector<Cidr> networks(capnp::List<schema::RecordedNetwork>::Reader in) {
  std::vector<Cidr> values;
  values.reserve(in.size());
  for (const auto value : in) {
    if (value.getBits() > 128) throw Bad{"a network of more than 128 bits"};
    values.push_back({address(value.getBase()), value.getBits()});
  }
  return values;
}

std::int64_t time(std::int64_t at) {
  if (at < frame_earliest || at > frame_latest) throw Bad{"a time that cannot be"};
  return at;
}

template <class Enum>
Enum choice(std::uint8_t number, Enum last, const char* what) {
  if (number > std::uint8_t(last)) throw Bad{what};
  return Enum(number);
}

ProcessInfo read(schema::Process::Reader in) {
  ProcessInfo process;
  process.pid = in.getPid();
  process.parent_pid = in.getParentPid();
  process.uid = in.getUid();
  process.exe = text(in.getExe());
  process.args = texts(in.getArgs());
  process.cwd = text(in.getCwd());
  process.parent_exe = text(in.getParentExe());
  process.ancestors = texts(in.getAncestors());
  process.started = time(in.getStarted());
  process.origin = choice(in.getOrigin(), Origin::deleted, "an unknown origin");
  process.script = text(in.getScript());
  process.script_origin = choice(in.getScriptOrigin(), Origin::deleted, "an unknown origin");
  process.entered = in.getEntered();
  process.args_cut = in.getArgsCut();
  process.tty = text(in.getTty());
  process.inode = in.getInode();
  process.fresh = in.getFresh();
  process.health_check = in.getHealthCheck();
  return process;
}

ProcessEvent read(schema::RecordedProcess::Reader in) {
  ProcessEvent event;
  event.container = text(in.getContainer());
  event.at = time(in.getAt());
  event.boot_at = time(in.getBootAt());
  if (in.isStart()) {
    event.what = ProcessStart{read(in.getStart())};
  } else {
    const auto exit = in.getExit();
    event.what = ProcessExit{exit.getPid(), text(exit.getExe()), exit.getExitCode(), exit.getSignal(),
                             time(exit.getLifetime())};
  }
  return event;
}

SocketEvent read(schema::RecordedSocket::Reader in) {
  SocketEvent event;
  event.action = choice(in.getAction(), SocketAction::closed, "an unknown act of a socket");
  event.bound = in.getBound();
  event.looked_up = in.getLookedUp();
  event.boot_at = time(in.getBootAt());
  auto& use = event.use;
  use.listening = event.action != SocketAction::called;
  use.host_network = in.getHostNetwork();
  use.protocol = in.getProtocol();
  use.local_port = in.getLocalPort();
  use.remote_port = in.getRemotePort();
  use.pid = in.getPid();
  use.local = address(in.getLocal());
  use.remote = address(in.getRemote());
  use.container = text(in.getContainer());
  use.exe = text(in.getExe());
  use.at = time(in.getAt());
  return event;
}

Flow read(schema::RecordedFlow::Reader in) {
  Flow flow;
  flow.src = address(in.getSrc());
  flow.dst = address(in.getDst());
  flow.sport = in.getSport();
  flow.dport = in.getDport();
  flow.protocol = in.getProtocol();
  flow.state = choice(in.getState(), FlowState::one_way, "an unknown state of a flow");
  flow.first_report = in.getFirstReport();
  flow.last_report = in.getLastReport();
  flow.initiator_known = in.getInitiatorKnown();
  flow.inbound = in.getInbound();
  flow.packets_out = in.getPacketsOut();
  flow.packets_in = in.getPacketsIn();
  flow.bytes_out = in.getBytesOut();
  flow.bytes_in = in.getBytesIn();
  flow.payload_out = in.getPayloadOut();
  flow.payload_in = in.getPayloadIn();
  flow.first = time(in.getFirst());
  flow.last = time(in.getLast());
  flow.interface = in.getInterface();
  flow.application = text(in.getApplication());
  if (in.getServerName().size() != 0)
    flow.server_name = std::make_shared<const std::string>(text(in.getServerName()));
  flow.retransmitted_out = in.getRetransmittedOut();
  flow.retransmitted_in = in.getRetransmittedIn();
  const auto history = in.getHistory();
  if (history.size() >= flow.history.size()) throw Bad{"a history of a flow is too long"};
  std::copy(history.begin(), history.end(), flow.history.begin());
  return flow;
}

TrafficAlarm read(schema::RecordedAlarm::Reader in) {
  TrafficAlarm alarm;
  alarm.kind = choice(in.getKind(), TrafficKind::dhcp_flood, "an unknown kind of alarm");
  alarm.stage = choice(in.getStage(), AlarmStage::end, "an unknown stage of an alarm");
  alarm.src = address(in.getSrc());
  alarm.dst = address(in.getDst());
  const auto mac = in.getMac();
  if (mac.size() != alarm.mac.size()) throw Bad{"a link address is not 6 bytes"};
  std::memcpy(alarm.mac.data(), mac.begin(), mac.size());
  alarm.port = in.getPort();
  alarm.protocol = in.getProtocol();
  alarm.interface = in.getInterface();
  alarm.distinct = in.getDistinct();
  alarm.tries = in.getTries();
  alarm.fresh = in.getFresh();
  alarm.answered = in.getAnswered();
  alarm.packets = in.getPackets();
  alarm.bytes = in.getBytes();
  alarm.first = time(in.getFirst());
  alarm.last = time(in.getLast());
  const auto samples = in.getSamples();
  if (samples.size() > Finding::evidence_limit) throw Bad{"too many samples of an alarm"};
  for (const auto sample : samples)
    alarm.samples.push_back({address(sample.getSrc()),
                             address(sample.getDst()),
                             sample.getSport(),
                             sample.getDport(),
                             sample.getProtocol(),
                             sample.getPackets(),
                             sample.getBytesOut(),
                             sample.getBytesIn(),
                             time(sample.getFirst()),
                             time(sample.getLast()),
                             sample.getRetransmitted(),
                             text(sample.getHistory()),
                             {}});
  return alarm;
}

DeviceName read(schema::RecordedDeviceName::Reader in) {
  return {address(in.getAddress()), time(in.getAt()), text(in.getName())};
}

DnsSeen read(schema::RecordedAnswer::Reader in) {
  return {address(in.getClient()),
          address(in.getServer()),
          time(in.getAt()),
          {text(in.getName()), addresses(in.getAddresses())}};
}

FieldCommand read(schema::RecordedCommand::Reader in) {
  FieldCommand command;
  command.src = address(in.getSrc());
  command.dst = address(in.getDst());
  command.dport = in.getDport();
  command.protocol = in.getProtocol();
  command.inbound = in.getInbound();
  command.changes = in.getChanges();
  command.application = text(in.getApplication());
  command.action = text(in.getAction());
  command.function = text(in.getFunction());
  command.count = in.getCount();
  command.first = time(in.getFirst());
  command.last = time(in.getLast());
  return command;
}

ContainerFacts read(schema::RecordedContainer::Reader in) {
  ContainerFacts facts;
  facts.id = text(in.getId());
  facts.name = text(in.getName());
  facts.service = text(in.getService());
  facts.image = text(in.getImage());
  facts.digest = text(in.getDigest());
  facts.hostname = text(in.getHostname());
  facts.pid = in.getPid();
  for (const auto member : in.getNetworks())
    facts.networks.push_back({text(member.getName()), address(member.getAddress()),
                              address(member.getAddress6()), text(member.getMac())});
  facts.network_mode = text(in.getNetworkMode());
  facts.pid_mode = text(in.getPidMode());
  facts.ipc_mode = text(in.getIpcMode());
  for (const auto port : in.getPorts())
    facts.ports.push_back(
        {text(port.getHostIp()), port.getHostPort(), port.getContainerPort(), port.getProtocol()});
  facts.privileged = in.getPrivileged();
  facts.read_only = in.getReadOnly();
  facts.security_off = in.getSecurityOff();
  facts.engine_socket = in.getEngineSocket();
  facts.capabilities = texts(in.getCapabilities());
  for (const auto mount : in.getMounts())
    facts.mounts.push_back(
        {text(mount.getType()), text(mount.getSource()), text(mount.getDestination()), mount.getWritable()});
  facts.user = text(in.getUser());
  facts.command = texts(in.getCommand());
  facts.healthcheck = texts(in.getHealthcheck());
  facts.stop_signal = in.getStopSignal();
  facts.upper_dir = text(in.getUpperDir());
  facts.status = text(in.getStatus());
  facts.running = in.getRunning();
  facts.out_of_memory = in.getOutOfMemory();
  facts.exit_code = in.getExitCode();
  facts.restarts = in.getRestarts();
  facts.created_at = time(in.getCreatedAt());
  facts.started_at = time(in.getStartedAt());
  facts.is_edgex = in.getIsEdgex();
  facts.shadows_events = in.getShadowsEvents();
  facts.memory_limited = in.getMemoryLimited();
  facts.login = choice(in.getLogin(), Login::known_password, "an unknown kind of login");
  facts.security_options = texts(in.getSecurityOptions());
  facts.devices = texts(in.getDevices());
  return facts;
}

ContainerEvent read(schema::RecordedEvent::Reader in) {
  ContainerEvent event;
  event.id = text(in.getId());
  event.name = text(in.getName());
  event.image = text(in.getImage());
  event.at = time(in.getAt());
  event.network = text(in.getNetwork());
  event.before = text(in.getBefore());
  auto& change = event.change;
  change.action = choice(in.getAction(), ContainerAction::disconnected, "an unknown change of a container");
  change.exit_code = in.getExitCode();
  change.signal = in.getSignal();
  change.out_of_memory = in.getOutOfMemory();
  change.asked_for = in.getAskedFor();
  change.privileged = in.getPrivileged();
  change.published = texts(in.getPublished());
  change.detail = text(in.getDetail());
  change.new_container = in.getNewContainer();
  for (const auto note : in.getNotes()) {
    if (!std::isfinite(note.getBits())) throw Bad{"a weight that is no number"};
    change.notes.push_back(
        {text(note.getKey()), text(note.getText()), text(note.getAttack()), note.getBits(), note.getFresh()});
  }
  return event;
}

EdgexDevice read(schema::RecordedDevice::Reader in) {
  return {text(in.getName()),    text(in.getService()),  text(in.getProfile()),
          texts(in.getLabels()), text(in.getProtocol()), addresses(in.getAddresses()),
          texts(in.getHosts()),  in.getPort(),           text(in.getMac())};
}

SensorHealth read(schema::RecordedHealth::Reader in) {
  return {text(in.getSensor()), text(in.getWhat()), in.getCount(), time(in.getSince()), text(in.getDetail())};
}

template <class Value, class List>
std::vector<Value> read_all(List in) {
  std::vector<Value> values;
  values.reserve(in.size());
  for (const auto one : in)
    values.push_back(read(one));
  return values;
}

FlowBatch read(schema::RecordedTraffic::Reader in) {
  FlowBatch batch;
  batch.role = choice(in.getRole(), InterfaceRole::lan, "an unknown role of an interface");
  batch.interface = text(in.getInterface());
  batch.flows = read_all<Flow>(in.getFlows());
  batch.alarms = read_all<TrafficAlarm>(in.getAlarms());
  batch.answers = read_all<DnsSeen>(in.getAnswers());
  batch.devices = read_all<DeviceName>(in.getDeviceNames());
  batch.commands = read_all<FieldCommand>(in.getCommands());
  return batch;
}

UsageBatch read(schema::RecordedUsage::Reader in) {
  UsageBatch batch;
  batch.at = time(in.getAt());
  for (const auto used : in.getContainers())
    batch.usages.emplace_back(text(used.getContainer()), Usage{time(used.getSpan()), time(used.getCpu()),
                                                               used.getMemory(), used.getPids()});
  return batch;
}

RecordedPackets read(schema::RecordedPackets::Reader in) {
  RecordedPackets packets;
  packets.interface = text(in.getInterface());
  packets.link = in.getLink();
  const auto bytes = in.getBytes();
  std::size_t total = 0;
  for (const auto head : in.getHeads()) {
    packets.heads.push_back({time(head.getAt()), head.getWireLength(), head.getCaptured()});
    total += head.getCaptured();
    if (head.getCaptured() > head.getWireLength() || total > bytes.size())
      throw Bad{"lengths of packets contradict each other"};
  }
  if (total != bytes.size()) throw Bad{"lengths of packets contradict each other"};
  packets.bytes.assign(reinterpret_cast<const char*>(bytes.begin()),
                       reinterpret_cast<const char*>(bytes.end()));
  return packets;
}

TimeScale read(schema::TimeScale::Reader in) {
  TimeScale scale{time(in.getDay()), time(in.getWindow()), time(in.getStartup()), time(in.getAlertQuiet())};
  if (scale.day < second || scale.window < millisecond || scale.startup < 0 || scale.alert_quiet < 0)
    throw Bad{"a learning day of no length"};
  return scale;
}

void read(schema::Frame::Reader in, RecordedFrame& frame) {
  frame.at = time(in.getAt());
  frame.shift = time(in.getShift());
  switch (in.which()) {
  case schema::Frame::START: {
    const auto start = in.getStart();
    frame.what =
        RecordedStart{text(start.getGateway()), text(start.getVersion()), networks(start.getLocal())};
    return;
  }
  case schema::Frame::TICK:
    frame.what = RecordedTick{};
    return;
  case schema::Frame::PROCESSES:
    frame.what = ProcessBatch{read_all<ProcessEvent>(in.getProcesses())};
    return;
  case schema::Frame::SOCKETS:
    frame.what = ProcessBatch{{}, read_all<SocketEvent>(in.getSockets())};
    return;
  case schema::Frame::TRAFFIC:
    frame.what = read(in.getTraffic());
    return;
  case schema::Frame::CONTAINERS: {
    const auto containers = in.getContainers();
    frame.what = ContainerBatch{read_all<ContainerFacts>(containers.getFacts()),
                                read_all<ContainerEvent>(containers.getEvents()), containers.getListing()};
    return;
  }
  case schema::Frame::USAGE:
    frame.what = read(in.getUsage());
    return;
  case schema::Frame::DEVICES:
    frame.what = DeviceList{read_all<EdgexDevice>(in.getDevices())};
    return;
  case schema::Frame::ADDRESSES: {
    const auto host = in.getAddresses();
    frame.what = HostAddresses{addresses(host.getOwn()), networks(host.getLan()), address(host.getMetadata()),
                               host.getMetadataPort()};
    return;
  }
  case schema::Frame::HEALTH:
    frame.what =
        HealthBatch{read_all<SensorHealth>(in.getHealth().getReports()), time(in.getHealth().getAt())};
    return;
  case schema::Frame::PACKETS:
    frame.what = read(in.getPackets());
    return;
  case schema::Frame::BASELINE: {
    const auto bytes = in.getBaseline().asChars();
    auto baseline = decode_baseline(bytes.begin(), bytes.size());
    if (!baseline) throw Bad{"its baseline is damaged"};
    frame.what = std::make_shared<const Baseline>(std::move(*baseline));
    return;
  }
  case schema::Frame::INDICATORS: {
    const auto bytes = in.getIndicators().asChars();
    auto indicators = IndicatorSet::decode(bytes.begin(), bytes.size());
    if (!indicators) throw Bad{"its threat lists are damaged"};
    frame.what = std::make_shared<const IndicatorSet>(std::move(*indicators));
    return;
  }
  case schema::Frame::SCALE:
    frame.what = read(in.getScale());
    return;
  case schema::Frame::LOST:
    frame.what = RecordedLoss{in.getLost().getBatches(), in.getLost().getPackets()};
    return;
  case schema::Frame::END:
    frame.what = RecordedEnd{text(in.getEnd())};
    return;
  }
  throw Bad{"of a kind that this version does not know"};
}

Result<RecordedFrame> checked(schema::Frame::Reader root) {
  try {
    RecordedFrame frame;
    read(root, frame);
    return frame;
  } catch (const Bad& bad) {
    return Error{Errc::corrupt, std::string{"a frame is damaged: "} + bad.what};
  }
}

} // namespace

Result<RecordedFrame> decode_frame(std::span<const char> bytes) {
  return read_message<schema::Frame>(bytes, {frame_limit, 4, 8}, "a frame", checked);
}

std::vector<char> pack_frame(const EncodedFrame& frame) {
  auto words = kj::heapArray<capnp::word>(frame.size() / sizeof(capnp::word));
  std::memcpy(words.asBytes().begin(), frame.data(), frame.size());
  capnp::FlatArrayMessageReader reader{words};
  std::vector<kj::ArrayPtr<const capnp::word>> segments;
  while (reader.getSegment(unsigned(segments.size())) != nullptr)
    segments.push_back(reader.getSegment(unsigned(segments.size())));
  kj::VectorOutputStream out;
  capnp::writePackedMessage(out, kj::arrayPtr(segments.data(), segments.size()));
  const auto packed = out.getArray().asChars();
  return {packed.begin(), packed.end()};
}

Result<RecordedFrame> decode_packed_frame(std::span<const char> packed) {
  try {
    kj::ArrayInputStream in{kj::arrayPtr(reinterpret_cast<const kj::byte*>(packed.data()), packed.size())};
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 4 * frame_limit / sizeof(capnp::word);
    options.nestingLimit = 8;
    capnp::PackedMessageReader reader{in, options};
    return checked(reader.getRoot<schema::Frame>());
  } catch (const kj::Exception& exception) {
    return Error{Errc::corrupt, "a frame is damaged: " + description(exception)};
  }
}

} // namespace iris
