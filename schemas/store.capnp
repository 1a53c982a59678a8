@0xd1f0a6c3b5e80018;
# What rests in the cloud's database and is not told by record.capnp, delta.capnp or baseline.capnp. Keys are described in
# docs/formats.md. Times are nanoseconds since the Unix epoch, UTC.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("iris::schema");
using Common = import "common.capnp";

struct GatewayRow {
  # What a gateway's aggregator knows; nobody else writes it. `epoch` and `applied` are what makes delivery exactly-once:
  # they are written in the same atomic write as the effects of the batch that they count.
  epoch @0 :UInt64;
  applied @1 :List(UInt64);      # highest durable seq of each lane
  site @2 :Text;                 # as the gateway says, where its enrolment says nothing
  firstSeen @3 :Int64;
  lastSeen @4 :Int64;            # end of the last session or last batch
  version @5 :Text;              # of the program on the gateway
  clock @6 :Int64;               # the gateway's clock minus ours as last measured, ns
  chains @7 :List(Chain);        # of each lane; none where no key was granted with the epoch
  grantedFrom @8 :UInt64;        # the epoch that the gateway named when this one was granted
  clockTold @9 :Int64;           # what an alert said of its clock, ns; 0 for none or since it was right again
  taken @10 :List(Common.LaneTaken); # of the present epoch; `applied` there is not used
  awaySince @12 :Int64;          # when it was last heard before the alert that says so; 0: it is not away
  awayAlert @13 :Text;           # id of that alert
  before @11 :Common.EpochTaken; # the last epoch before it of which a batch was applied
}

struct Chain {
  # The cloud's copy of a lane's chain, see docs/link.md. Goes back with the row when a backup is restored.
  key @0 :Data;                  # 32 bytes: seals the next batch
  previous @1 :Data;             # 32 bytes: the mac of the last one
  owedEntries @2 :UInt64;        # counts of merged batches that have not come yet
  owedObservations @3 :UInt64;
  into @4 :UInt64;               # with which they are due; 0 for none
  owedAt @5 :Int64;              # when the last batch that owes some was taken
}

struct EnrolmentRow {
  # What enrolment and operators know about a gateway.
  site @0 :Text;
  enrolledAt @1 :Int64;
  enrolledBy @2 :Text;           # the token's id
  revoked @3 :Bool;
  serials @4 :List(Text);        # serial numbers of its certificates that have not expired, newest last
  issuers @5 :List(Text);        # of each, the fingerprint of the authority that signed it; empty where not known
  ends @6 :List(Int64);          # of each, when it expires; 0 where not known
  name @7 :Text;                 # what people call it, where that is not its id
}

struct TokenRow {
  # A join token. The secret itself is not kept.
  secretHash @0 :Data;           # SHA-256
  tenant @1 :Text;
  site @2 :Text;
  gateway @3 :Text;              # the only id it may be used for; empty for any
  expires @4 :Int64;
  usesLeft @5 :UInt32;
  createdAt @6 :Int64;
  revoked @7 :Bool;
  authority @8 :Text;            # fingerprint of the authority that it names: with that it ends; empty: not known
}

struct OperatorRow {
  admin @0 :Bool;
  serial @1 :Text;
  createdAt @2 :Int64;
  revoked @3 :Bool;
  issuer @4 :Text;               # fingerprint of the authority that signed its certificate; empty where not known
  ends @5 :Int64;                # when that expires; 0 where not known
  older @6 :List(OperatorCertificate); # that it replaced and that are still good, newest last
}

struct OperatorCertificate {
  # A bundle that was copied, or whose renewal was lost on its way, still has it.
  serial @0 :Text;
  issuer @1 :Text;
  ends @2 :Int64;
}

struct AuditRow {
  by @0 :Text;                   # "operator acme/ann", "local" for the control socket
  what @1 :Text;                 # "close", "token create", …
  target @2 :Text;
  detail @3 :Text;
}

struct OutboxRow {
  # One revision of one alert that one sink has not confirmed yet.
  alert @0 :Data;                # record.capnp Alert
  owner @1 :Text;                # whose gateway's it is, for the share of each; empty in rows of older versions
}

struct ProfileRow {
  # What people decided about one profile.
  accepted @0 :List(AcceptedKey);
  forcedBy @1 :Text;             # promoted to monitoring by this operator; empty for no one
}

struct AcceptedKey {
  key @0 :UInt64;
  by @1 :Text;
}

struct LossRow {
  # A gateway's statement of what it had to drop.
  kind @0 :Text;
  sensor @1 :Text;
  count @2 :UInt64;
  since @3 :Int64;
  until @4 :Int64;
}
