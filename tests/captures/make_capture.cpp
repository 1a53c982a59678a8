// make_capture PACKETS FILE [SEED]: writes a pcap of a gateway's traffic, the same bytes every time.
#include "tests/captures/gateway_traffic.hpp"
#include "tests/captures/pcap_writer.hpp"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s PACKETS FILE [SEED]\n", argv[0]);
    return 2;
  }
  auto count = std::strtoull(argv[1], nullptr, 10);
  iris::GatewayTraffic traffic{argc > 3 ? std::uint32_t(std::strtoul(argv[3], nullptr, 10)) : 1};
  iris::PcapWriter writer{argv[2]};
  for (std::uint64_t i = 0; i < count && writer.good(); ++i) {
    auto frame = traffic.next();
    writer.write(frame.bytes, frame.at);
  }
  if (!writer.close()) {
    std::fprintf(stderr, "%s: cannot write %s\n", argv[0], argv[2]);
    return 1;
  }
}
