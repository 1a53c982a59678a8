#include "actors/link/endpoint.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
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

std::string address_group(const std::string& address) {
  boost::system::error_code failure;
  const auto parsed = boost::asio::ip::make_address(address, failure);
  if (failure || !parsed.is_v6()) return address;
  auto six = parsed.to_v6();
  if (six.is_v4_mapped()) return make_address_v4(boost::asio::ip::v4_mapped, six).to_string();
  auto bytes = six.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return boost::asio::ip::address_v6{bytes}.to_string() + "/64";
}

} // namespace iris
