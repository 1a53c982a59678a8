@0xd1f0a6c3b5e8001b;
# What the sources of a gateway told its router, in the order in which it took it: a recording (docs/formats.md says how
# frames lie in a file). Meanings: node/messages.hpp, core/base/observation.hpp. Enumerations are numbers that are checked
# after decoding. Times are those of the gateway's own line (the wall clock as it was when the program started, plus what
# has run since), ns; arguments have had their secrets taken out, environments are never seen.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("iris::schema");
using Common = import "common.capnp";
using Record = import "record.capnp";

struct Frame {
  at @0 :Int64;              # when the router took it
  shift @1 :Int64;           # what makes a time of the line the wall's, as of then
  union {
    start @2 :RecordedStart; # a program begins to write here
    tick @3 :Void;           # nothing happened for a while
    processes @4 :List(RecordedProcess);
    traffic @5 :RecordedTraffic;
    containers @6 :RecordedContainers;
    usage @7 :RecordedUsage;
    devices @8 :List(RecordedDevice); # all that EdgeX knows
    addresses @9 :RecordedAddresses;
    health @10 :RecordedConditions;
    packets @11 :RecordedPackets;
    baseline @12 :Data;      # baseline.capnp Baseline that judges from here on
    indicators @13 :Data;    # core/intel encoding
    scale @14 :Common.TimeScale;
    lost @15 :RecordedLoss;  # what could not be written since it was last told
    end @16 :Text;           # the program ends in order; why
    sockets @17 :List(RecordedSocket);
  }
}

struct RecordedStart {
  gateway @0 :Text;
  version @1 :Text;          # of the program
  local @2 :List(RecordedNetwork); # networks that are the site's own, as the operator said
}

struct RecordedNetwork {
  base @0 :Data;
  bits @1 :UInt8;
}

struct RecordedProcess {
  container @0 :Text;        # empty for the host
  at @1 :Int64;
  bootAt @2 :Int64;
  union {
    start @3 :Record.Process;
    exit @4 :RecordedExit;
  }
}

struct RecordedExit {
  pid @0 :UInt32;
  exe @1 :Text;
  exitCode @2 :Int32;
  signal @3 :Int32;
  lifetime @4 :Int64;
}

struct RecordedSocket {
  # SocketEvent: who has which socket.
  action @0 :UInt8;          # SocketAction
  bound @1 :Bool;
  lookedUp @2 :Bool;
  hostNetwork @3 :Bool;
  protocol @4 :UInt8;
  localPort @5 :UInt16;
  remotePort @6 :UInt16;
  pid @7 :UInt32;
  local @8 :Data;
  remote @9 :Data;
  container @10 :Text;       # empty for the host
  exe @11 :Text;
  at @12 :Int64;
  bootAt @13 :Int64;
}

struct RecordedTraffic {
  role @0 :UInt8;            # InterfaceRole: 0 bridge, 1 LAN
  interface @1 :Text;
  flows @2 :List(RecordedFlow);
  alarms @3 :List(RecordedAlarm);
  answers @4 :List(RecordedAnswer);
  commands @5 :List(RecordedCommand);
  deviceNames @6 :List(RecordedDeviceName);
}

struct RecordedDeviceName {
  # DeviceName: what a device of the LAN calls itself.
  address @0 :Data;
  at @1 :Int64;
  name @2 :Text;
}

struct RecordedCommand {
  # FieldCommand: what was asked of a device.
  src @0 :Data;
  dst @1 :Data;
  dport @2 :UInt16;
  protocol @3 :UInt8;
  inbound @4 :Bool;
  changes @5 :Bool;
  application @6 :Text;
  action @7 :Text;
  function @8 :Text;
  count @9 :UInt32;
  first @10 :Int64;
  last @11 :Int64;
}

struct RecordedFlow {
  src @0 :Data;
  dst @1 :Data;
  sport @2 :UInt16;
  dport @3 :UInt16;
  protocol @4 :UInt8;
  state @5 :UInt8;           # FlowState
  firstReport @6 :Bool;
  lastReport @7 :Bool;
  initiatorKnown @8 :Bool;
  inbound @9 :Bool;
  packetsOut @10 :UInt32;
  packetsIn @11 :UInt32;
  bytesOut @12 :UInt64;
  bytesIn @13 :UInt64;
  payloadOut @14 :UInt64;
  payloadIn @15 :UInt64;
  first @16 :Int64;
  last @17 :Int64;
  interface @18 :UInt16;
  application @19 :Text;
  serverName @20 :Text;
  retransmittedOut @21 :UInt32;
  retransmittedIn @22 :UInt32;
  history @23 :Text;         # at most 15 letters
}

struct RecordedAlarm {
  kind @0 :UInt8;            # TrafficKind
  stage @1 :UInt8;           # AlarmStage
  src @2 :Data;
  dst @3 :Data;
  mac @4 :Data;
  port @5 :UInt16;
  protocol @6 :UInt8;
  interface @7 :UInt16;
  distinct @8 :UInt64;
  tries @9 :UInt64;
  fresh @10 :UInt64;
  answered @11 :UInt64;
  packets @12 :UInt64;
  bytes @13 :UInt64;
  first @14 :Int64;
  last @15 :Int64;
  samples @16 :List(Record.FlowEvidence);
}

struct RecordedAnswer {
  client @0 :Data;
  server @1 :Data;
  at @2 :Int64;
  name @3 :Text;
  addresses @4 :List(Data);
}

struct RecordedContainers {
  facts @0 :List(RecordedContainer);
  events @1 :List(RecordedEvent);
  listing @2 :Bool;
}

struct RecordedContainer {
  # ContainerFacts: what `docker inspect` says, without environment and labels.
  id @0 :Text;
  name @1 :Text;
  service @2 :Text;
  image @3 :Text;
  digest @4 :Text;
  hostname @5 :Text;
  pid @6 :UInt32;
  networks @7 :List(RecordedMembership);
  networkMode @8 :Text;
  pidMode @9 :Text;
  ipcMode @10 :Text;
  ports @11 :List(RecordedPort);
  privileged @12 :Bool;
  readOnly @13 :Bool;
  securityOff @14 :Bool;
  engineSocket @15 :Bool;
  capabilities @16 :List(Text);
  mounts @17 :List(RecordedMount);
  user @18 :Text;
  command @19 :List(Text);
  healthcheck @20 :List(Text);
  stopSignal @21 :Int32;
  upperDir @22 :Text;
  status @23 :Text;
  running @24 :Bool;
  outOfMemory @25 :Bool;
  exitCode @26 :Int32;
  restarts @27 :UInt32;
  createdAt @28 :Int64;
  startedAt @29 :Int64;
  isEdgex @30 :Bool;
  shadowsEvents @31 :Bool;
  memoryLimited @32 :Bool;
  login @33 :UInt8;          # Login
  securityOptions @34 :List(Text);
  devices @35 :List(Text);
}

struct RecordedMembership {
  name @0 :Text;
  address @1 :Data;
  address6 @2 :Data;
  mac @3 :Text;
}

struct RecordedPort {
  hostIp @0 :Text;
  hostPort @1 :UInt16;
  containerPort @2 :UInt16;
  protocol @3 :UInt8;
}

struct RecordedMount {
  type @0 :Text;
  source @1 :Text;
  destination @2 :Text;
  writable @3 :Bool;
}

struct RecordedEvent {
  id @0 :Text;
  name @1 :Text;
  image @2 :Text;
  at @3 :Int64;
  network @4 :Text;
  action @5 :UInt8;          # ContainerAction
  exitCode @6 :Int32;
  signal @7 :Int32;
  outOfMemory @8 :Bool;
  askedFor @9 :Bool;
  privileged @10 :Bool;
  published @11 :List(Text);
  detail @12 :Text;
  newContainer @13 :Bool;
  notes @14 :List(RecordedNote);
  before @15 :Text;          # of renamed
}

struct RecordedNote {
  # PostureNote: how a container is set up.
  key @0 :Text;
  text @1 :Text;
  attack @2 :Text;
  bits @3 :Float64;
  fresh @4 :Bool;
}

struct RecordedUsage {
  at @0 :Int64;
  containers @1 :List(RecordedCounters);
}

struct RecordedCounters {
  container @0 :Text;
  span @1 :Int64;
  cpu @2 :Int64;
  memory @3 :UInt64;
  pids @4 :UInt32;
}

struct RecordedDevice {
  name @0 :Text;
  service @1 :Text;
  profile @2 :Text;
  labels @3 :List(Text);
  protocol @4 :Text;
  addresses @5 :List(Data);
  hosts @6 :List(Text);
  port @7 :UInt16;
  mac @8 :Text;
}

struct RecordedAddresses {
  own @0 :List(Data);
  lan @1 :List(RecordedNetwork);
  metadata @2 :Data;
  metadataPort @3 :UInt16;
}

struct RecordedConditions {
  at @0 :Int64;
  reports @1 :List(RecordedHealth);
}

struct RecordedHealth {
  sensor @0 :Text;
  what @1 :Text;
  count @2 :UInt64;
  since @3 :Int64;
  detail @4 :Text;
}

struct RecordedPackets {
  interface @0 :Text;
  link @1 :Int32;            # as pcap_datalink()
  heads @2 :List(RecordedPacket);
  bytes @3 :Data;            # what was captured of each, one after the other
}

struct RecordedPacket {
  at @0 :Int64;
  wireLength @1 :UInt32;
  captured @2 :UInt32;
}

struct RecordedLoss {
  batches @0 :UInt64;
  packets @1 :UInt64;
}
