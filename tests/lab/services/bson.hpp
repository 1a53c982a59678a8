#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace iris::lab {

/// Builds one BSON document (bsonspec.org), field by field.
class Bson {
public:
  Bson& add(std::string_view name, std::int32_t value);
  Bson& add(std::string_view name, std::int64_t value);
  Bson& add(std::string_view name, double value);
  Bson& add(std::string_view name, bool value);
  Bson& add(std::string_view name, std::string_view value);
  Bson& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }
  Bson& add_date(std::string_view name, std::int64_t milliseconds);
  Bson& add_object_id(std::string_view name, std::uint32_t seconds, std::uint64_t counter);
  Bson& add_document(std::string_view name, const std::string& document) {
    return add_raw('\x03', name, document);
  }
  Bson& add_array(std::string_view name, const std::string& document) {
    return add_raw('\x04', name, document);
  }
  [[nodiscard]] std::string done() const;

private:
  Bson& add_raw(char type, std::string_view name, std::string_view value);
  std::string fields_;
};

/// What a command document says. Bounded by the document's own length; anything malformed reads as absent.
class BsonReader {
public:
  explicit BsonReader(std::string_view document);
  [[nodiscard]] bool valid() const { return !fields_.empty(); }
  /// Name of the first field: the command.
  [[nodiscard]] std::string first_name() const;
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise = 0) const;
  /// Elements of an array field.
  [[nodiscard]] std::size_t elements(std::string_view name) const;

private:
  struct Field {
    char type = 0;
    std::string_view name, value;
  };
  /// The next field from `rest`, which it shortens; type 0 at the end or on a malformed field.
  static Field next(std::string_view& rest);
  [[nodiscard]] Field find(std::string_view name) const;
  std::string_view fields_;
};

} // namespace iris::lab
