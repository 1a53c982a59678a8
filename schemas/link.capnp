@0xd1f0a6c3b5e80012;
# What crosses the link between a gateway and the cloud, and between an operator and the cloud.
#
# Each of these structs travels as the byte vector of one named CAF message (actors/wire.hpp): Hello in `hello`,
# Welcome in `welcome`, and so on. Readers set explicit limits and check every enum and length after decoding.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("iris::schema");
using Common = import "common.capnp";

struct Hello {
  # The first message of a gateway or an operator on a new connection. Whom it is from is in the certificate alone.
  protocolMajor @0 :UInt16;
  protocolMinor @1 :UInt16;
  version @2 :Text;            # of the program, for people
  epoch @3 :UInt64;            # the last epoch that the cloud granted; 0 for none
  lanes @4 :List(LaneState);   # what the gateway still holds
  baselines @5 :List(BaselineState);
  intelligence @6 :UInt64;     # version of the indicators it holds; 0 for none
  bootTime @7 :Int64;          # wall time of the gateway's clock now, ns
  instance @8 :UInt64;         # random number of this running process
  site @9 :Text;               # free text for people
  seals @10 :Bool;             # it seals its batches when it is granted a chainKey
}

struct LaneState {
  lane @0 :UInt8;              # 0 findings, 1 counts
  firstSeq @1 :UInt64;         # the oldest batch still in the spool; 0 for none
  lastSeq @2 :UInt64;          # the newest
}

struct BaselineState {
  profile @0 :Text;
  version @1 :UInt64;
}

struct Welcome {
  # The cloud's answer. When `refusal` is not empty the connection is closed after it.
  protocolMajor @0 :UInt16;
  protocolMinor @1 :UInt16;
  version @2 :Text;
  refusal @3 :Text;            # says which side to upgrade
  epoch @4 :UInt64;            # granted; a new one starts all sequences anew
  applied @5 :List(LaneState); # lastSeq = highest durable seq of each lane
  creditBatches @6 :UInt32;    # how many unacknowledged batches may be under way
  creditBytes @7 :UInt32;      # and how many bytes
  scale @8 :Common.TimeScale;
  baselineKey @9 :Data;        # Ed25519 public key that baselines are signed with
  tenant @10 :Text;
  site @11 :Text;
  chainKey @12 :Data;          # with a new epoch: 32 random bytes that its seals start from; else empty
  before @13 :Common.EpochTaken; # with a new epoch: what the cloud has of an earlier one; none from an older cloud
  gateway @14 :Text;           # for whom the cloud takes the gateway; empty from an older cloud
}

struct Batch {
  # Content of one batch of lane 0 (findings) or lane 1 (counts). Every entry is bytes of a message of its own, so
  # that the store can keep it as it came.
  findings @0 :List(Data);     # record.capnp Finding
  deltas @1 :List(Data);       # delta.capnp ServiceDelta
  losses @2 :List(SpanLoss);
  sentAt @3 :Int64;
  seal @4 :Seal;               # its place in the chain; none where the cloud granted no key (docs/link.md)
}

struct Seal {
  # What the gateway swore about a batch when it made it. All but `mac`, `state` and `into` is under the mac.
  mac @0 :Data;                # 32 bytes
  entriesDigest @1 :Data;      # 32 bytes: of the entries, also when they were dropped or merged since
  entries @2 :UInt64;          # findings or deltas as made, those merged into it included
  observations @3 :UInt64;     # that its deltas count
  mergedEntries @4 :UInt64;    # of these, out of older batches
  mergedObservations @5 :UInt64;
  since @6 :Int64;             # what the entries span
  until @7 :Int64;
  losses @8 :UInt32;           # the first so many of Batch.losses are under the mac
  state @9 :UInt8;             # 0 whole, 1 shed: the losses after those tell of it, 2 merged into batch `into`
  into @10 :UInt64;
}

struct SpanLoss {
  # Something that the gateway saw or made and had to drop.
  kind @0 :Text;               # "packets", "processes", "observations", "findings", "deltas", "spool" (damaged)
  sensor @1 :Text;
  count @2 :UInt64;
  since @3 :Int64;
  until @4 :Int64;
}

struct Push {
  # Cloud to gateway. The answer is PushAck.
  union {
    baseline @0 :Data;         # a signed document, baseline.capnp SignedBaseline
    indicators @1 :Data;       # core/intel encoding
    credit @2 :Credit;
    clock @4 :Void;            # what time is it there? Only to a gateway of protocol 1.1 or later
  }
  version @3 :UInt64;
}

struct Credit {
  batches @0 :UInt32;
  bytes @1 :UInt32;
}

struct PushAck {
  accepted @0 :Bool;
  reason @1 :Text;
  clock @2 :Int64;             # to Push.clock: wall time of the gateway when it answers, ns
}

struct Query {
  # A question of an operator, or of the cloud for him. Answers are JSON objects, one a line, as `--json` prints them.
  verb @0 :Text;               # "alerts", "alert", "actors", …
  arguments @1 :List(Text);
  deadline @2 :UInt32;         # milliseconds
}

struct Reply {
  status @0 :UInt8;            # Errc; 0 for success
  message @1 :Text;            # one line for a person when status is not 0
  lines @2 :List(Text);
  partial @3 :Bool;            # someone did not answer in time
}
