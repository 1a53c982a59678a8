#pragma once
#include "core/base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iris {

/// An actor's state as one JSON object.
struct InspectAnswer {
  std::string json;
};

/// A question of an operator with the rights he has.
struct QueryRequest {
  std::string verb;
  std::vector<std::string> arguments;
  std::string tenant = "*"; ///< what he may see; "*" for all
  bool admin = false;
  std::string asked_by; ///< for the audit log
  std::uint32_t deadline_ms = 5'000;
};

/// JSON objects, one a line, or what went wrong.
struct QueryAnswer {
  std::uint8_t status = 0; ///< Errc; 0 for success
  std::string message;
  std::vector<std::string> lines;
  bool partial = false; ///< someone did not answer in time
};

[[nodiscard]] inline QueryAnswer answer_error(Errc code, std::string message) {
  return QueryAnswer{std::uint8_t(code), std::move(message), {}, false};
}

} // namespace iris
