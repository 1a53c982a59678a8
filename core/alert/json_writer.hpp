#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace iris {

/// Writes one JSON value on one line, keys in the order they are given. Text that is not UTF-8 comes out with
/// U+FFFD in place of what is wrong, so the output always parses.
class JsonWriter {
public:
  JsonWriter& object() { return open('{'); }
  JsonWriter& array() { return open('['); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& number(double value); ///< six significant digits; null where it is not finite
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  /// Already JSON, e.g. another actor's answer.
  JsonWriter& raw(std::string_view json);

  JsonWriter& field(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& field(std::string_view name, const char* value) { return key(name).text(value); }
  JsonWriter& field(std::string_view name, std::uint64_t value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, std::uint32_t value) {
    return key(name).number(std::uint64_t(value));
  }
  JsonWriter& field(std::string_view name, std::int64_t value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, double value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, bool value) { return key(name).boolean(value); }

  [[nodiscard]] const std::string& str() const { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void comma();

  std::string out_;
  bool first_ = true; ///< nothing written since the last opening bracket or key
};

/// The text with JSON's escapes and without the quotes.
void append_json_escaped(std::string& out, std::string_view text);

} // namespace iris
