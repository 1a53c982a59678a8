// CAF 0.17 makes a node id of MAC addresses, /etc/fstab and the process id: in containers these collide, and
// two nodes of one id take each other's connections. This definition in the executable comes before the
// library's.
#include <caf/node_id.hpp>

#include <sys/random.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

caf::node_id caf::node_id::default_data::local(const caf::actor_system_config&) {
  struct {
    std::uint32_t process;
    unsigned char host[caf::node_id::default_data::host_id_size];
  } random;
  // At most 256 bytes come whole or not at all; the kernel's pool is ready once the system has booted.
  if (getrandom(&random, sizeof random, 0) != ssize_t(sizeof random)) std::abort();
  caf::node_id::default_data::host_id_type host;
  std::memcpy(host.data(), random.host, host.size());
  return caf::make_node_id(random.process | 1, host);
}
