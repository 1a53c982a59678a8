#include "actors/link/endpoint.hpp"

#include <charconv>

namespace iris {

Result<Endpoint> parse_endpoint(std::string_view text) {
  Error error{Errc::invalid, "address \"" + std::string{text.substr(0, 200)} +
                                 "\": must be HOST:PORT or [IPv6]:PORT, port 0 to 65535"};
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return error;
  auto host = text.substr(0, colon), port = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') return error;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return error;
  }
  Endpoint endpoint{std::string{host}, 0};
  auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (failure != std::errc{} || end != port.data() + port.size()) return error;
  return endpoint;
}

} // namespace iris
