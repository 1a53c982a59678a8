@0xd1f0a6c3b5e80013;
# Findings and alerts as they cross the link and rest in the store. See core/alert/finding.hpp and alert.hpp for the
# meaning of every field.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("iris::schema");
using Common = import "common.capnp";

struct Process {
  pid @0 :UInt32;
  parentPid @1 :UInt32;
  uid @2 :UInt32;
  exe @3 :Text;
  args @4 :List(Text);
  cwd @5 :Text;
  parentExe @6 :Text;
  ancestors @7 :List(Text);
  started @8 :Int64;
  origin @9 :UInt8;
  script @10 :Text;
  scriptOrigin @11 :UInt8;
  entered @12 :Bool;
  argsCut @13 :Bool;
  tty @14 :Text;
  inode @15 :UInt64;         # of the file that runs; 0 where not known
  fresh @16 :Bool;           # its file, or its script, was written shortly before it ran
  healthCheck @17 :Bool;     # started by the engine as the container's health check
}

struct FlowEvidence {
  src @0 :Data;
  dst @1 :Data;
  sport @2 :UInt16;
  dport @3 :UInt16;
  protocol @4 :UInt8;
  packets @5 :UInt64;
  bytesOut @6 :UInt64;
  bytesIn @7 :UInt64;
  first @8 :Int64;
  last @9 :Int64;
  retransmitted @10 :UInt64;  # TCP segments that came again or out of order, both directions
  history @11 :Text;          # TCP: what happened, in the order of its first time; see docs/alerts.md
  serverName @12 :Text;       # the host that the client asked for in its TLS hello: its own word
}

struct Finding {
  detector @0 :Text;
  also @1 :List(Text);
  entity @2 :Common.Party;
  peer @3 :Common.Party;
  cause @4 :Text;
  severity @5 :UInt8;
  score @6 :Float64;
  first @7 :Int64;
  last @8 :Int64;
  count @9 :UInt64;
  act @10 :Text;
  expected @11 :Text;
  observed @12 :Text;
  attack @13 :List(Text);
  processes @14 :List(Process);
  flows @15 :List(FlowEvidence);
  loss @16 :Common.Loss;
}

struct Alert {
  id @0 :Text;
  revision @1 :UInt32;
  tenant @2 :Text;
  site @3 :Text;
  gateway @4 :Text;
  incident @5 :Text;
  state @6 :UInt8;
  finding @7 :Finding;
  received @8 :Int64;
  late @9 :Bool;
}
