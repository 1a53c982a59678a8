#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace iris {

/// Whether a TCP payload begins like a TLS client's first message; six bytes decide.
[[nodiscard]] inline bool is_client_hello(const std::uint8_t* payload, std::size_t size) {
  return size >= 6 && payload[0] == 0x16 && payload[1] == 3 && payload[5] == 1;
}

/// The host that a TLS client asks for (RFC 6066, server_name of its ClientHello) in lower case. Needs only
/// what comes before and in that extension, so that a snapshot's part or the first of several segments is
/// enough. Nothing where there is no such name, where it was cut, or where it is no host name (RFC 1123, and
/// underscores): what a client sends here is its own word, and goes to people's screens.
[[nodiscard]] std::optional<std::string> parse_server_name(std::span<const std::uint8_t> payload);

/// A DNS or TLS host name in lower case and without a dot at its end; nothing where it is none or an address.
[[nodiscard]] std::optional<std::string> host_name_of(std::span<const std::uint8_t> bytes);

} // namespace iris
