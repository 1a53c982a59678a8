#include "core/net/dns_queries.hpp"

#include "core/base/hash.hpp"

#include <algorithm>
#include <cstring>

namespace iris {

std::uint16_t dns_id(std::span<const std::uint8_t> payload) {
  return payload.size() < 2 ? std::uint16_t(0) : std::uint16_t(payload[0] << 8 | payload[1]);
}

std::uint64_t DnsQueries::key_of(const DnsExchange& exchange, std::string_view name) const {
  char bytes[36];
  std::memcpy(bytes, exchange.client.bytes.data(), 16);
  std::memcpy(bytes + 16, exchange.server.bytes.data(), 16);
  std::memcpy(bytes + 32, &exchange.client_port, 2);
  std::memcpy(bytes + 34, &exchange.id, 2);
  auto key = hash_combine(hash64({bytes, sizeof bytes}, seed_), hash64(name, seed_));
  return key != 0 ? key : 1;
}

void DnsQueries::asked(const DnsExchange& exchange, std::string_view name, Timestamp at) {
  const auto key = key_of(exchange, name);
  auto& set = (*slots_)[key % sets];
  // Its own place where it is asked again, else a free one, else the oldest.
  auto* place = &set.front();
  for (auto& slot : set) {
    if (slot.key == key) {
      slot.at = at;
      return;
    }
    const bool free = !waits(slot, at), taken = waits(*place, at);
    if (taken && (free || slot.at < place->at)) place = &slot;
  }
  if (waits(*place, at)) ++stats_.evicted;
  *place = {key, at};
}

bool DnsQueries::answered(const DnsExchange& exchange, std::string_view name, Timestamp at) {
  const auto key = key_of(exchange, name);
  auto& set = (*slots_)[key % sets];
  auto found = std::find_if(set.begin(), set.end(), [&](const Slot& slot) { return slot.key == key; });
  const bool asked = found != set.end() && waits(*found, at);
  if (found != set.end()) *found = {};
  if (!asked) ++stats_.unasked;
  return asked;
}

} // namespace iris
