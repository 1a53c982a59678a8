@0xd1f0a6c3b5e80011;
# Types that several schemas share. Strings are UTF-8. Times are nanoseconds since the Unix epoch, UTC.
# An address is 16 bytes, IPv4 in its IPv4-mapped form; an empty address means none.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("iris::schema");

struct TimeScale {
  # The lengths that learning counts in, all in nanoseconds; see core/base/time.hpp.
  day @0 :Int64;
  window @1 :Int64;
  startup @2 :Int64;
  alertQuiet @3 :Int64;
}

struct Party {
  # An entity by value: who did something or to whom it was done.
  kind @0 :UInt8;       # EntityKind: 0 unknown, 1 service, 2 device, 3 gateway, 4 internet
  name @1 :Text;
  image @2 :Text;
  digest @3 :Text;
  container @4 :Text;
  address @5 :Data;
  port @6 :UInt16;
  protocol @7 :UInt8;
  country @8 :Text;
  network @9 :Text;
  alias @10 :Text;      # what a LAN device calls itself (DHCP, mDNS); for people only
}

struct Loss {
  packets @0 :UInt64;
  processes @1 :UInt64;
  observations @2 :UInt64;
}

struct LaneTaken {
  # What the cloud has of one lane of an epoch; see core/link/epoch_taken.hpp.
  applied @0 :UInt64;
  entries @1 :UInt64;
  observations @2 :UInt64;
  until @3 :Int64;
}

struct EpochTaken {
  epoch @0 :UInt64;
  lanes @1 :List(LaneTaken);
}
