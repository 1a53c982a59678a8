#pragma once
#include <cstdint>
#include <string>
#include <string_view>

/// Takes a fuzzer's bytes apart; where there are none left it gives zeros.
namespace iris::fuzz {

class Bytes {
public:
  Bytes(const std::uint8_t* data, std::size_t size) : rest_{reinterpret_cast<const char*>(data), size} {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint64_t number(unsigned width) {
    std::uint64_t value = 0;
    for (char c : take(width))
      value = value << 8 | std::uint8_t(c);
    return value;
  }
  std::string_view take(std::size_t count) {
    auto part = rest_.substr(0, count);
    rest_.remove_prefix(part.size());
    return part;
  }
  std::string_view rest() { return take(rest_.size()); }

private:
  std::string_view rest_;
};

} // namespace iris::fuzz
