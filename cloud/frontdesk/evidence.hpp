#pragma once
#include "actors/query.hpp"
#include "cloud/world.hpp"
#include "core/alert/alert.hpp"
#include "core/base/result.hpp"

#include <string>

namespace iris {

/// The alert that a line of the alert manager shows, as it is stored.
[[nodiscard]] Result<Alert> alert_of_line(const Store& store, const std::string& line);

/// What a gateway is asked for as the evidence of this alert: times, the container, addresses of both sides.
/// @param asked "evidence ALERT [packets=1]" with the operator's deadline.
[[nodiscard]] QueryRequest evidence_question(const Alert& alert, const QueryRequest& asked);

} // namespace iris
