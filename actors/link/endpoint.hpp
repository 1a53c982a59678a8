#pragma once
#include "core/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace iris {

struct Endpoint {
  std::string host; ///< name or address, without brackets
  std::uint16_t port = 0;
};

/// "host:port", "[2001:db8::1]:port".
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

} // namespace iris
