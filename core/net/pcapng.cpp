#include "core/net/pcapng.hpp"

namespace iris {
namespace {

void put(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    out += char(value >> (8 * i));
}

void pad(std::string& out) { out.append((4 - out.size() % 4) % 4, '\0'); }

void option(std::string& body, unsigned code, std::string_view value) {
  put(body, code, 2);
  put(body, value.size(), 2);
  body += value;
  pad(body);
}

void block(std::string& out, std::uint32_t type, std::string body) {
  pad(body);
  put(out, type, 4);
  put(out, body.size() + 12, 4);
  out += body;
  put(out, body.size() + 12, 4);
}

constexpr std::size_t name_limit = 64;

} // namespace

void PcapngWriter::begin(std::string& out, std::string_view made_by) const {
  std::string body;
  put(body, 0x1a2b3c4d, 4); // byte order
  put(body, 1, 2);          // version 1.0
  put(body, 0, 2);
  put(body, ~std::uint64_t{0}, 8); // length of the section: not known
  option(body, 4, made_by.substr(0, name_limit));
  put(body, 0, 4);
  block(out, 0x0a0d0d0a, std::move(body));
}

bool PcapngWriter::packet(std::string& out, std::string_view interface, int link, Timestamp at,
                          std::uint32_t wire_length, std::span<const char> captured) {
  const std::pair<std::string, int> key{interface, link};
  auto known = interfaces_.find(key);
  if (known == interfaces_.end()) {
    if (interfaces_.size() >= interface_limit) return false;
    std::string body;
    put(body, std::uint64_t(link), 2);
    put(body, 0, 2);
    put(body, 0, 4); // no bound of the snapshot
    option(body, 2, interface.substr(0, name_limit));
    option(body, 9, "\x09"); // times count in 10^-9 s
    put(body, 0, 4);
    block(out, 1, std::move(body));
    known = interfaces_.emplace(key, std::uint32_t(interfaces_.size())).first;
  }
  std::string body;
  put(body, known->second, 4);
  put(body, std::uint64_t(at) >> 32, 4);
  put(body, std::uint64_t(at) & 0xffffffff, 4);
  put(body, captured.size(), 4);
  put(body, wire_length, 4);
  body.append(captured.data(), captured.size());
  block(out, 6, std::move(body));
  return true;
}

} // namespace iris
