#pragma once
#include "actors/link/link.hpp"
#include "core/base/result.hpp"

#include <string>
#include <string_view>

namespace iris {

/// JSON on one line, as docs/link.md says.
[[nodiscard]] std::string encode(const EnrolRequest& request);
[[nodiscard]] std::string encode(const EnrolResponse& response);
[[nodiscard]] Result<EnrolRequest> decode_enrol_request(std::string_view line);
[[nodiscard]] Result<EnrolResponse> decode_enrol_response(std::string_view line);

} // namespace iris
