@0xe2b5d47a90c13f68;
# What a gateway keeps on its own disk of its containers and devices, so that a restart knows them. See
# core/inventory/posture_book.hpp and edgex_json.hpp for the meaning of every field.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("iris::schema");

struct PostureBook {
  watched @0 :Int64;
  # Nanoseconds that this gateway's containers were watched, over all starts.

  services @1 :List(Service);
  # Least recently seen first.

  ofGateway @2 :List(Text);
  # Keys of statements that are told once for all services.

  struct Service {
    name @0 :Text;
    keys @1 :List(Text);
    # Of all statements that were ever true of it.
  }
}

struct DeviceList {
  devices @0 :List(Device);

  struct Device {
    name @0 :Text;
    service @1 :Text;
    profile @2 :Text;
    labels @3 :List(Text);
    protocol @4 :Text;
    addresses @5 :List(Data);
    # 16 bytes each; IPv4 as mapped.
    port @6 :UInt16;
    mac @7 :Text;
  }
}
