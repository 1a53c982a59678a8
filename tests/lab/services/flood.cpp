#include "tests/lab/services/flood.hpp"
#include "tests/lab/services/net.hpp"
#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <thread>
#include <vector>

namespace iris::lab {
namespace {

// RFC 793: over the pseudo header and the segment.
std::uint16_t checksum(std::uint32_t from, std::uint32_t to, const tcphdr& segment) {
  std::uint32_t sum = 0;
  const auto add = [&sum](const void* data, std::size_t bytes) {
    const auto* words = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; i += 2)
      sum += static_cast<std::uint32_t>(words[i] << 8 | words[i + 1]);
  };
  add(&from, 4);
  add(&to, 4);
  add(&segment, sizeof segment);
  sum += IPPROTO_TCP + sizeof segment;
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum));
}

std::uint32_t own_address_towards(const sockaddr_in& target) {
  const Socket probe(socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in own{};
  socklen_t size = sizeof own;
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0)
    getsockname(probe.get(), reinterpret_cast<sockaddr*>(&own), &size);
  return own.sin_addr.s_addr;
}

bool send_syn(int raw, std::uint32_t from, const sockaddr_in& target, unsigned number) {
  tcphdr segment{};
  segment.source = htons(static_cast<std::uint16_t>(1024 + number % 60'000));
  segment.dest = target.sin_port;
  segment.seq = htonl(number * 2'654'435'761U);
  segment.doff = sizeof segment / 4;
  segment.syn = 1;
  segment.window = htons(14'600);
  segment.check = checksum(from, target.sin_addr.s_addr, segment);
  return sendto(raw, &segment, sizeof segment, 0, reinterpret_cast<const sockaddr*>(&target), sizeof target) >
         0;
}

} // namespace

int run_flood(const FloodOptions& options) {
  const unsigned rate = std::clamp(options.rate, 1U, 20'000U), seconds = std::clamp(options.seconds, 1U, 30U);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(options.port);
  if (inet_pton(AF_INET, options.target.c_str(), &target.sin_addr) != 1) {
    std::fprintf(stderr, "%s is no IPv4 address\n", options.target.c_str());
    return 2;
  }
  const Socket raw(options.syn ? socket(AF_INET, SOCK_RAW, IPPROTO_TCP) : -1);
  if (options.syn && !raw) {
    std::fprintf(stderr, "SYN packets alone need CAP_NET_RAW: %s\n", std::strerror(errno));
    return 1;
  }
  const auto own = own_address_towards(target);

  std::vector<Socket> open;
  unsigned sent = 0;
  const auto start = std::chrono::steady_clock::now();
  constexpr auto slice = std::chrono::milliseconds(5);
  for (unsigned step = 0;
       sent < rate * seconds && std::chrono::steady_clock::now() - start < std::chrono::seconds(seconds);
       ++step) {
    const unsigned due = static_cast<unsigned>(static_cast<std::uint64_t>(rate) * (step + 1) * 5 / 1000);
    for (; sent < due; ++sent) {
      if (options.syn) {
        (void)send_syn(raw.get(), own, target, sent);
        continue;
      }
      Socket client(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      if (!client) break;
      connect(client.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target);
      open.push_back(std::move(client));
    }
    std::this_thread::sleep_until(start + slice * (step + 1));
  }
  std::printf("%u %s in %.1f s\n", sent, options.syn ? "SYN packets" : "connections",
              Seconds(std::chrono::steady_clock::now() - start).count());
  return 0;
}

} // namespace iris::lab
