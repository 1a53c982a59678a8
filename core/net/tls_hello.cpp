#include "core/net/tls_hello.hpp"

#include "core/base/address.hpp"

#include <algorithm>

namespace iris {

namespace {

/// Reads from the front; once something was not there, everything else is empty.
class Reader {
public:
  explicit Reader(std::span<const std::uint8_t> bytes) : rest_{bytes} {}
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::span<const std::uint8_t> take(std::size_t count) {
    if (count > rest_.size()) good_ = false, count = rest_.size();
    auto part = rest_.first(count);
    rest_ = rest_.subspan(count);
    return part;
  }
  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    for (auto byte : take(bytes))
      value = value << 8 | byte;
    return value;
  }
  void skip_vector(std::size_t length_bytes) { take(number(length_bytes)); }

private:
  std::span<const std::uint8_t> rest_;
  bool good_ = true;
};

} // namespace

std::optional<std::string> host_name_of(std::span<const std::uint8_t> bytes) {
  if (!bytes.empty() && bytes.back() == '.') bytes = bytes.first(bytes.size() - 1);
  if (bytes.empty() || bytes.size() > 253) return std::nullopt;
  std::string name;
  name.reserve(bytes.size());
  bool label_begins = true;
  for (auto byte : bytes) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const bool usual = letter || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
    if (byte == '.' ? label_begins : !usual) return std::nullopt;
    label_begins = byte == '.';
    name += char(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
  }
  if (parse_ip(name)) return std::nullopt;
  return name;
}

std::optional<std::string> parse_server_name(std::span<const std::uint8_t> payload) {
  if (!is_client_hello(payload.data(), payload.size())) return std::nullopt;
  const auto record = std::size_t(payload[3]) << 8 | payload[4];
  Reader in{payload.subspan(5, std::min(record, payload.size() - 5))};
  in.take(4 + 2 + 32); // type and length of the message, version, random
  in.skip_vector(1);   // session
  in.skip_vector(2);   // cipher suites
  in.skip_vector(1);   // compression
  in.number(2);        // length of all extensions
  while (in.good() && !in.empty()) {
    const auto type = in.number(2);
    auto content = in.take(in.number(2));
    if (type != 0) continue;
    Reader names{content};
    names.number(2); // length of the list, of which only the first may be a host name
    const auto kind = names.number(1);
    const auto name = names.take(names.number(2));
    return names.good() && kind == 0 ? host_name_of(name) : std::nullopt;
  }
  return std::nullopt;
}

} // namespace iris
