#pragma once
#include "tests/unit/core/net/frames.hpp"

#include <string>

namespace iris::frames {

/// A TLS client's first message, as OpenSSL writes it, that asks for a host. @param more bytes of extensions
/// behind the name.
inline Bytes client_hello(const std::string& host, std::size_t more = 8) {
  Bytes name;
  put16(name, 0);
  put16(name, unsigned(host.size() + 5));
  put16(name, unsigned(host.size() + 3));
  name.push_back(0);
  put16(name, unsigned(host.size()));
  name.insert(name.end(), host.begin(), host.end());
  Bytes body{3, 3};
  body.resize(34, 'r');
  body.push_back(32);
  body.resize(body.size() + 32, 's');
  put16(body, 4);
  append(body, {0x13, 1, 0x13, 2});
  append(body, {1, 0});
  put16(body, unsigned(4 + name.size() + 4 + more));
  append(body, {0, 23, 0, 0}); // extended master secret
  append(body, name);
  put16(body, 21); // padding
  put16(body, unsigned(more));
  body.resize(body.size() + more);
  Bytes hello{0x16, 3, 1};
  put16(hello, unsigned(body.size() + 4));
  hello.push_back(1);
  hello.push_back(std::uint8_t(body.size() >> 16));
  put16(hello, unsigned(body.size() & 0xffff));
  append(hello, body);
  return hello;
}

} // namespace iris::frames
