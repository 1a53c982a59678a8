#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace iris {

/// The column families of the cloud's database; docs/formats.md lists the keys and values of each.
enum class Table : std::uint8_t {
  meta,
  gateways,
  observations,
  behaviours,
  baselines,
  alerts,
  audit,
  outbox,
  tokens,
  operators,
};
inline constexpr std::size_t table_count = 10;
[[nodiscard]] const char* to_string(Table table);

/// Builds a composite key whose order is the order of its parts: numbers are big-endian, texts carry their
/// length (2 bytes) first, so that no text can reach into the next part.
class KeyBuilder {
public:
  KeyBuilder& text(std::string_view part);
  KeyBuilder& u8(std::uint8_t part);
  KeyBuilder& u64(std::uint64_t part);
  [[nodiscard]] const std::string& str() const { return key_; }
  operator std::string() && { return std::move(key_); }

private:
  std::string key_;
};

/// Takes a key apart again; `ok` turns false when something is missing.
class KeyReader {
public:
  explicit KeyReader(std::string_view key) : rest_{key} {}
  std::string text();
  std::uint8_t u8();
  std::uint64_t u64();
  [[nodiscard]] bool ok() const { return ok_; }

private:
  std::string_view rest_;
  bool ok_ = true;
};

} // namespace iris
