#pragma once
#include <cstdint>
#include <string>

namespace iris::lab {

struct FloodOptions {
  std::string target; ///< IPv4 address
  std::uint16_t port = 0;
  bool syn = false; ///< SYN packets alone (needs raw sockets), otherwise whole connections that are kept open
  unsigned rate = 3000; ///< a second, at most 20'000
  unsigned seconds = 4; ///< at most 30
};

/// Bounded in count and time; prints how many it sent.
int run_flood(const FloodOptions& options);

} // namespace iris::lab
