#pragma once
#include "core/alert/finding.hpp"

namespace iris {

enum class AlertState : std::uint8_t { open, acknowledged, closed };
[[nodiscard]] const char* to_string(AlertState state);

/// Findings of one cause, deduplicated. `docs/alerts.md` is the contract of its JSON form.
struct Alert {
  std::string id;             ///< "A-" and 16 hex digits, the same for the same first finding
  std::uint32_t revision = 1; ///< grows with every change
  std::string tenant, site, gateway;
  std::string incident; ///< "I-" and 16 hex digits
  AlertState state = AlertState::open;
  Finding finding;        ///< merged: first, last, count, evidence, highest severity and score
  Timestamp received = 0; ///< when the cloud had it
  bool late = false;      ///< observed long before it was received (gateway was offline)
};

/// One sentence: service, what it did, the peer by name, country and network of an outside address.
[[nodiscard]] std::string title_of(const Alert& alert);
/// One JSON object on one line, as in docs/alerts.md.
[[nodiscard]] std::string to_json(const Alert& alert);
/// ArcSight Common Event Format 0 line (header and extension, escaped).
[[nodiscard]] std::string to_cef(const Alert& alert);
/// Several lines for a terminal, without colour.
[[nodiscard]] std::string to_text(const Alert& alert);

} // namespace iris
