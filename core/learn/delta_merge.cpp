#include "core/learn/delta_merge.hpp"

#include "core/learn/wire.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace iris {
namespace {

/// What tells two behaviours apart, the peer included: the cloud matches it with intelligence.
auto identity(const KeyDelta& key) {
  return std::tuple{key.family,      key.phase,      key.keys, key.site_levels, key.peer_class,
                    key.never_learn, key.peer.bytes, key.port, key.protocol};
}

auto identity(const Party& party) {
  return std::tie(party.kind, party.name, party.image, party.container, party.digest, party.address.bytes,
                  party.port, party.protocol);
}

std::uint32_t sum32(std::uint32_t left, std::uint32_t right) {
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  return left > most - right ? most : left + right;
}

void add(KeyDelta& into, const KeyDelta& other) {
  into.count += other.count;
  into.hours = sum32(into.hours, other.hours);
  into.days = sum32(into.days, other.days);
  into.first = std::min(into.first, other.first);
  into.last = std::max(into.last, other.last);
  into.contact = into.contact || other.contact;
  into.bytes_out += other.bytes_out;
  into.bytes_in += other.bytes_in;
  if (into.texts[0].empty()) into.texts = other.texts;
}

} // namespace

bool merge(ServiceDelta& into, const ServiceDelta& other, Duration day) {
  if (identity(into.entity) != identity(other.entity)) return false;
  const auto from = std::min(into.from, other.from), until = std::max(into.until, other.until);
  if (day <= 0 || from / day != std::max(from, until - 1) / day) return false;
  if (into.steady + other.steady > until - from) return false;
  if (into.observations > UINT64_MAX - other.observations) return false; // no honest window comes near
  std::map<decltype(identity(KeyDelta{})), std::size_t> known;
  for (std::size_t i = 0; i < into.keys.size(); ++i)
    known.try_emplace(identity(into.keys[i]), i);
  std::size_t fresh = 0;
  for (const auto& key : other.keys)
    fresh += known.count(identity(key)) == 0 ? 1 : 0;
  if (into.keys.size() + fresh > ServiceDelta::key_limit) return false;

  for (const auto& key : other.keys) {
    const auto [place, added] = known.try_emplace(identity(key), into.keys.size());
    if (added)
      into.keys.push_back(key);
    else
      add(into.keys[place->second], key);
  }
  for (const auto& number : other.numbers) {
    const auto same = std::find_if(into.numbers.begin(), into.numbers.end(),
                                   [&](const NumberDelta& mine) { return mine.key == number.key; });
    if (same == into.numbers.end())
      into.numbers.push_back(number);
    else
      same->samples.merge(number.samples);
  }
  into.from = from;
  into.until = until;
  into.steady += other.steady;
  into.startups = sum32(into.startups, other.startups);
  into.observations += other.observations;
  into.overflow += other.overflow;
  return true;
}

std::optional<DeltaFacts> delta_facts(const char* data, std::size_t size) {
  using namespace learn_wire;
  auto facts =
      read_message<DeltaFacts>(data, size, "delta", [](capnp::MessageReader& message) -> Result<DeltaFacts> {
        auto in = message.getRoot<schema::ServiceDelta>();
        return DeltaFacts{in.getObservations(), in.getFrom(), in.getUntil()};
      });
  if (!facts) return std::nullopt;
  return *facts;
}

} // namespace iris
