@0xd1f0a6c3b5e80015;
# What is normal for one service profile: a numbered document that never changes, signed by the cloud, checked by the
# gateway. Meanings: core/learn/baseline.hpp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("iris::schema");
using Common = import "common.capnp";

struct SignedBaseline {
  document @0 :Data;         # an encoded Baseline, flat array with segment table
  signature @1 :Data;        # Ed25519 over the bytes "iris-baseline-1\n" and document, 64 bytes
}

struct LearnedKey {
  key @0 :UInt64;
  family @1 :UInt8;
  phase @2 :UInt8;
  level @3 :UInt8;           # 0 finest … 2 coarsest
  unconfirmed @4 :Bool;
  hours @5 :UInt32;
  days @6 :UInt32;
  gateways @7 :UInt32;
  first @8 :Int64;
  last @9 :Int64;
  text @10 :Text;
  acceptedBy @11 :Text;
}

struct FamilyStat {
  fresh @0 :UInt32;
  exposure @1 :Float64;
}

struct LearnedNumber {
  family @0 :UInt8;
  peerClass @1 :UInt8;
  threshold @2 :Float64;
  max @3 :Float64;
  source @4 :UInt8;          # 0 floor, 1 maximum, 2 tail
  samples @5 :UInt64;
  gateways @6 :UInt32;
  sketch @7 :Data;
}

struct Progress {
  state @0 :UInt8;           # 0 learning, 1 monitoring
  alerts @1 :UInt32;
  promise @2 :UInt32;
  exposureDays @3 :Float64;
  ageDays @4 :Float64;
  looks @5 :UInt32;
  nextLook @6 :Int64;
  promotedAt @7 :Int64;
  forced @8 :Bool;
  weekdays @9 :UInt8;
  startups @10 :UInt32;
  reason @11 :Text;
}

struct Part {
  keys @0 :List(LearnedKey); # sorted by key, then phase; at most 20,000
  stats @1 :List(FamilyStat); # families (see delta.capnp; 9 today, older writers fewer) x 2 phases x 3 levels
  numbers @2 :List(LearnedNumber);
  progress @3 :Progress;
  gateways @4 :UInt32;
}

struct Site {
  gateway @0 :Text;
  part @1 :Part;
}

struct Baseline {
  profile @0 :Text;
  version @1 :UInt64;
  entity @2 :Common.Party;
  scale @3 :Common.TimeScale;
  trainedAt @4 :Int64;
  fleet @5 :Part;
  sites @6 :List(Site);      # one gateway's only, where it is pushed to that gateway
}
