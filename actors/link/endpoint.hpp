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

/// Whom limits for strangers count as one: an IPv4 address, of IPv6 the first 64 bits, since who has one has
/// all.
[[nodiscard]] std::string address_group(const std::string& address);

} // namespace iris
