#include "cloud/config/address.hpp"
#include "actors/link/endpoint.hpp"
#include "core/base/address.hpp"

namespace iris {
namespace {

Error wrong(const std::string& text, const std::string& why) {
  return {Errc::invalid, "address \"" + text.substr(0, 200) + "\": " + why};
}

/// RFC 1123, and the underscore that Docker's names have.
bool is_name(const std::string& host) {
  return host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
             std::string::npos;
}

} // namespace

Result<void> check_public_address(const std::string& text) {
  auto endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error();
  const auto ip = parse_ip(endpoint->host);
  if (!ip && !is_name(endpoint->host)) return wrong(text, "the host is neither a name nor an address");
  if (ip && scope_of(*ip) == AddressScope::unspecified)
    return wrong(text,
                 "nobody can connect to " + endpoint->host + "; write the name or address of this machine");
  if (endpoint->port == 0) return wrong(text, "nobody can connect to port 0; write the port of this cloud");
  return {};
}

Result<void> check_listen_address(const std::string& text) {
  auto endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error();
  if (!parse_ip(endpoint->host))
    return wrong(text, "the host must be an address of this machine in numbers, e.g. 0.0.0.0 for all");
  return {};
}

bool is_local_address(const std::string& text) {
  auto endpoint = parse_endpoint(text);
  if (!endpoint) return false;
  const auto ip = parse_ip(endpoint->host);
  return ip ? scope_of(*ip) == AddressScope::loopback : endpoint->host == "localhost";
}

} // namespace iris
