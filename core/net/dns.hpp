#pragma once
#include "core/base/observation.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace iris {

/// Addresses kept of one answer; a name with more is a content network, of which any are enough.
inline constexpr std::size_t dns_address_limit = 16;

/// Reads a DNS response (RFC 1035): the name that was asked for, in lower case, and the A and AAAA records.
/// A message cut by the snapshot gives what could be read; a query or anything that is not DNS gives nothing.
/// Bytes of a label that are no visible ASCII are written as \ddd.
[[nodiscard]] std::optional<DnsAnswer> parse_dns_answer(std::span<const std::uint8_t> payload);

/// The name that a query asks for, written as in an answer; nothing for an answer, or where the name is cut.
[[nodiscard]] std::optional<std::string> parse_dns_query(std::span<const std::uint8_t> payload);

/// The name that a response, of multicast DNS as well (which asks nothing), gives to an address: the owner of
/// the first A or AAAA record that holds it, written as in an answer.
[[nodiscard]] std::optional<std::string> dns_name_of_address(std::span<const std::uint8_t> payload,
                                                             const IpAddress& address);

/// A name that someone on the interface was told.
struct DnsSeen {
  IpAddress client, server;
  Timestamp at = 0;
  DnsAnswer answer;
};

} // namespace iris
