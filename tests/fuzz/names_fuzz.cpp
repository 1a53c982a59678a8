// libFuzzer entry: the contents in which names are looked for. Whatever the bytes, a name that comes out is
// bounded and can be shown to a person.
#include "core/net/device_names.hpp"
#include "core/net/dns.hpp"
#include "core/net/tls_hello.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using namespace iris;

void check(bool good) {
  if (!good) std::abort();
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

void check_dns_name(std::string_view name) {
  check(!name.empty() && name.size() <= 4 * 255 && printable(name));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A buffer of its own, so that reading on is seen.
  const std::vector<std::uint8_t> payload{data, data + size};
  if (auto name = parse_dns_query(payload)) check_dns_name(*name);
  if (auto answer = parse_dns_answer(payload)) {
    check_dns_name(answer->name);
    check(answer->addresses.size() <= dns_address_limit);
  }
  if (auto name = parse_server_name(payload))
    check(name->size() <= 253 && printable(*name) && !parse_ip(*name));
  PacketView view;
  view.payload = payload.data();
  view.payload_captured = view.payload_length = std::uint32_t(payload.size());
  view.src = IpAddress::v4(0x0a4d0021);
  view.mac = {2, 0, 0, 0, 0, 1};
  for (auto* parse : {&parse_dhcp_name, &parse_mdns_name})
    if (auto heard = parse(view))
      check(!heard->name.empty() && heard->name.size() <= DeviceName::limit && printable(heard->name));
  return 0;
}
