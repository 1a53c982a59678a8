#pragma once
#include "core/learn/delta.hpp"

#include <optional>

namespace iris {

/// Adds the window `other` of the same entity to `into`, which becomes a longer, coarser one: which window a
/// count fell into is lost, no count is. Refused (false, nothing changed) when they are of different entities
/// or learning days, or when the whole would break a limit of a delta: keys, or more exposure than time
/// (windows of two instances that ran side by side).
[[nodiscard]] bool merge(ServiceDelta& into, const ServiceDelta& other, Duration day);

/// The outside of an encoded delta, without its lists. Nothing for bytes that are no delta.
struct DeltaFacts {
  std::uint64_t observations = 0;
  Timestamp from = 0, until = 0;
};
[[nodiscard]] std::optional<DeltaFacts> delta_facts(const char* data, std::size_t size);

} // namespace iris
