@0xd1f0a6c3b5e80014;
# What one entity did in one window, as it leaves the gateway; and the rows in which the cloud keeps what a gateway has
# shown of a profile. Meanings: core/learn/delta.hpp and evidence.hpp. Enumerations are numbers that are checked after
# decoding; their values are append-only.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("iris::schema");
using Common = import "common.capnp";

struct BehaviourKey {
  family @0 :UInt8;          # 0 exec, 1 peer-out, 2 peer-in, 3 dns, 4 listen, 5 exit, 6 origin, 7 command, 8 protocol
  phase @1 :UInt8;           # 0 startup, 1 steady
  siteLevels @2 :UInt8;      # how many of the finest levels depend on the site
  neverLearn @3 :Bool;
  fine @4 :UInt64;           # keys, finest first; 0 for no such level
  middle @5 :UInt64;
  coarse @6 :UInt64;
  peerClass @8 :UInt8;       # EntityKind of the peer; of dns 4 for a public name
  texts @7 :List(Text);      # finest first, at most 3; empty where the receiver's baseline knows them
}

struct KeyDelta {
  key @0 :BehaviourKey;
  count @1 :UInt64;
  hours @2 :UInt32;          # learning hours first entered in this window
  days @3 :UInt32;           # learning days first entered in this window
  first @4 :Int64;
  last @5 :Int64;
  peer @6 :Data;             # internet peers only
  port @7 :UInt16;
  protocol @8 :UInt8;
  contact @9 :Bool;
  bytesOut @10 :UInt64;
  bytesIn @11 :UInt64;
}

struct DayMax {
  day @0 :UInt32;
  value @1 :Float64;
}

struct NumberSamples {
  family @0 :UInt8;          # NumberFamily
  peerClass @1 :UInt8;       # EntityKind
  sketch @2 :Data;           # core/learn/ddsketch.hpp
  days @3 :List(DayMax);     # at most 16, largest first
}

struct ServiceDelta {
  entity @0 :Common.Party;
  from @1 :Int64;
  until @2 :Int64;
  steady @3 :Int64;          # ns of exposure in the steady phase
  startups @4 :UInt32;
  keys @5 :List(KeyDelta);   # at most 4096
  numbers @6 :List(NumberSamples);
  observations @7 :UInt64;
  overflow @8 :UInt64;       # observations whose behaviour found no room
}

struct KeyRecord {
  key @0 :BehaviourKey;
  count @1 :UInt64;
  hours @2 :UInt32;
  days @3 :UInt32;
  first @4 :Int64;
  last @5 :Int64;
  firstDays @6 :List(UInt32); # the earliest distinct learning days, ascending, at most 8
}

struct EvidenceSlice {
  steady @0 :Int64;
  startups @1 :UInt32;
  numbers @2 :List(NumberSamples);
}

struct EvidenceHead {
  profile @0 :Text;
  gateway @1 :Text;
  entity @2 :Common.Party;
  started @3 :Int64;
  updated @4 :Int64;
  day @5 :Int64;
  weekdays @6 :UInt8;
  overflow @7 :UInt64;
  slices @8 :UInt16;         # how many slice rows there are
}
