#pragma once
#include "core/base/address.hpp"
#include "core/base/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace iris {

/// Who asks whom, and by which number: what an answer must repeat.
struct DnsExchange {
  IpAddress client, server;
  std::uint16_t client_port = 0, id = 0;
};
/// The number of a query or an answer; 0 for what is too short.
[[nodiscard]] std::uint16_t dns_id(std::span<const std::uint8_t> payload);

struct DnsQueriesStats {
  std::uint64_t unasked = 0; ///< answers that nobody had asked for: forged, late, or repeated
  std::uint64_t evicted = 0; ///< queries that had to go for newer ones before they were answered
};

/// The name queries that wait for their answer, so that no packet from port 53 names an address by itself.
/// Fixed memory (64 KiB); where it is full, of four queries the oldest goes. One thread.
class DnsQueries {
public:
  static constexpr std::size_t ways = 4, sets = 1'024;
  static constexpr Duration patience = 10 * second; ///< resolvers give up before

  explicit DnsQueries(std::uint64_t seed) : seed_{seed}, slots_{std::make_unique<Slots>()} {}
  void asked(const DnsExchange& exchange, std::string_view name, Timestamp at);
  /// Whether it was asked for; true once for each query.
  [[nodiscard]] bool answered(const DnsExchange& exchange, std::string_view name, Timestamp at);
  [[nodiscard]] const DnsQueriesStats& stats() const { return stats_; }

private:
  struct Slot {
    std::uint64_t key = 0; ///< 0: free
    Timestamp at = 0;
  };
  using Slots = std::array<std::array<Slot, ways>, sets>;
  [[nodiscard]] std::uint64_t key_of(const DnsExchange& exchange, std::string_view name) const;
  [[nodiscard]] static bool waits(const Slot& slot, Timestamp at) {
    return slot.key != 0 && at - slot.at <= patience && slot.at - at <= patience;
  }

  std::uint64_t seed_;
  std::unique_ptr<Slots> slots_;
  DnsQueriesStats stats_;
};

} // namespace iris
