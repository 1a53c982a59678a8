#pragma once
#include "actors/query.hpp"
#include "core/base/result.hpp"
#include "node/evidence/evidence_ring.hpp"

#include <string>
#include <vector>

namespace iris {

inline constexpr Duration evidence_margin = 60 * second; ///< before and after an alert
inline constexpr std::size_t evidence_lines_limit = 1'000, evidence_packets_limit = 1'000;

/// "first=NS", "last=NS" (of the alert), "container=ID", "address=A" and "peer=A" (repeat), "packets=1".
[[nodiscard]] Result<EvidenceQuestion> parse_evidence_question(const std::vector<std::string>& arguments);

/// What the ring holds of an alert, as JSON objects of several kinds (docs/shell.md): first one "evidence"
/// that says what is kept and what is gone, then observations by their kinds, then heads of packets, each in
/// the order of time. What was between the alert's two sides, and during it, goes before the rest where there
/// is more than an answer holds.
/// @param now, shift the line's, and what makes its times the wall's.
[[nodiscard]] QueryAnswer answer_evidence(const EvidenceRing& ring, const EvidenceQuestion& question,
                                          Timestamp now, Duration shift);

} // namespace iris
