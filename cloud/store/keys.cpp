#include "cloud/store/keys.hpp"

#include <algorithm>

namespace iris {

const char* to_string(Table table) {
  switch (table) {
  case Table::meta:
    return "default"; // RocksDB's own first family
  case Table::gateways:
    return "gateways";
  case Table::observations:
    return "observations";
  case Table::behaviours:
    return "behaviours";
  case Table::baselines:
    return "baselines";
  case Table::alerts:
    return "alerts";
  case Table::audit:
    return "audit";
  case Table::outbox:
    return "outbox";
  case Table::tokens:
    return "tokens";
  case Table::operators:
    return "operators";
  }
  return "unknown";
}

KeyBuilder& KeyBuilder::text(std::string_view part) {
  part = part.substr(0, std::min<std::size_t>(part.size(), 0xffff));
  key_ += char(part.size() >> 8);
  key_ += char(part.size());
  key_ += part;
  return *this;
}

KeyBuilder& KeyBuilder::u8(std::uint8_t part) {
  key_ += char(part);
  return *this;
}

KeyBuilder& KeyBuilder::u64(std::uint64_t part) {
  for (int shift = 56; shift >= 0; shift -= 8)
    key_ += char(part >> shift);
  return *this;
}

std::string KeyReader::text() {
  if (rest_.size() < 2) {
    ok_ = false;
    return {};
  }
  auto length = std::size_t(std::uint8_t(rest_[0])) << 8 | std::uint8_t(rest_[1]);
  rest_.remove_prefix(2);
  if (rest_.size() < length) {
    ok_ = false;
    return {};
  }
  std::string part{rest_.substr(0, length)};
  rest_.remove_prefix(length);
  return part;
}

std::uint8_t KeyReader::u8() {
  if (rest_.empty()) {
    ok_ = false;
    return 0;
  }
  auto part = std::uint8_t(rest_.front());
  rest_.remove_prefix(1);
  return part;
}

std::uint64_t KeyReader::u64() {
  std::uint64_t part = 0;
  for (int i = 0; i < 8; ++i)
    part = part << 8 | u8();
  return part;
}

} // namespace iris
