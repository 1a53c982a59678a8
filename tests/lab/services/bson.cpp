#include "tests/lab/services/bson.hpp"
#include <bit>
#include <cstring>

namespace iris::lab {
namespace {

static_assert(std::endian::native == std::endian::little,
              "BSON is little endian, and so is every machine of the lab");

template <class T>
std::string bytes_of(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T value_of(std::string_view bytes) {
  T value{};
  if (bytes.size() >= sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

} // namespace

Bson& Bson::add_raw(char type, std::string_view name, std::string_view value) {
  fields_ += type;
  fields_.append(name).push_back('\0');
  fields_ += value;
  return *this;
}

Bson& Bson::add(std::string_view name, std::int32_t value) { return add_raw('\x10', name, bytes_of(value)); }

Bson& Bson::add(std::string_view name, std::int64_t value) { return add_raw('\x12', name, bytes_of(value)); }

Bson& Bson::add(std::string_view name, double value) { return add_raw('\x01', name, bytes_of(value)); }

Bson& Bson::add(std::string_view name, bool value) {
  return add_raw('\x08', name, value ? std::string_view("\x01", 1) : std::string_view("\0", 1));
}

Bson& Bson::add(std::string_view name, std::string_view value) {
  auto bytes = bytes_of(static_cast<std::int32_t>(value.size() + 1));
  bytes.append(value).push_back('\0');
  return add_raw('\x02', name, bytes);
}

Bson& Bson::add_date(std::string_view name, std::int64_t milliseconds) {
  return add_raw('\x09', name, bytes_of(milliseconds));
}

Bson& Bson::add_object_id(std::string_view name, std::uint32_t seconds, std::uint64_t counter) {
  std::string id;
  for (int shift = 24; shift >= 0; shift -= 8)
    id += static_cast<char>(seconds >> shift);
  for (int shift = 56; shift >= 0; shift -= 8)
    id += static_cast<char>(counter >> shift);
  return add_raw('\x07', name, id);
}

std::string Bson::done() const {
  return bytes_of(static_cast<std::int32_t>(fields_.size() + 5)) + fields_ + '\0';
}

BsonReader::BsonReader(std::string_view document) {
  const auto length = value_of<std::int32_t>(document);
  if (document.size() >= 5 && length >= 5 && static_cast<std::size_t>(length) <= document.size())
    fields_ = document.substr(4, static_cast<std::size_t>(length) - 4);
}

BsonReader::Field BsonReader::next(std::string_view& rest) {
  const auto fail = [&] {
    rest = {};
    return Field{};
  };
  if (rest.empty() || rest[0] == '\0') return fail();
  const char type = rest[0];
  const auto name_end = rest.find('\0', 1);
  if (name_end == std::string_view::npos) return fail();
  const auto name = rest.substr(1, name_end - 1);
  rest.remove_prefix(name_end + 1);
  std::size_t length = 0;
  switch (type) {
  case '\x01':
  case '\x09':
  case '\x11':
  case '\x12':
    length = 8;
    break;
  case '\x02':
  case '\x0d':
    length = 4 + value_of<std::uint32_t>(rest);
    break;
  case '\x03':
  case '\x04':
    length = value_of<std::uint32_t>(rest);
    break;
  case '\x05':
    length = 5 + value_of<std::uint32_t>(rest);
    break;
  case '\x07':
    length = 12;
    break;
  case '\x08':
    length = 1;
    break;
  case '\x0a':
    length = 0;
    break;
  case '\x10':
    length = 4;
    break;
  default:
    return fail();
  }
  if (length > rest.size()) return fail();
  const Field field{type, name, rest.substr(0, length)};
  rest.remove_prefix(length);
  return field;
}

BsonReader::Field BsonReader::find(std::string_view name) const {
  auto rest = fields_;
  for (auto field = next(rest); field.type != 0; field = next(rest))
    if (field.name == name) return field;
  return {};
}

std::string BsonReader::first_name() const {
  auto rest = fields_;
  return std::string(next(rest).name);
}

std::string BsonReader::text(std::string_view name) const {
  const auto field = find(name);
  return field.type == '\x02' && field.value.size() > 5
             ? std::string(field.value.substr(4, field.value.size() - 5))
             : "";
}

std::int64_t BsonReader::integer(std::string_view name, std::int64_t otherwise) const {
  const auto field = find(name);
  switch (field.type) {
  case '\x10':
    return value_of<std::int32_t>(field.value);
  case '\x12':
    return value_of<std::int64_t>(field.value);
  case '\x01':
    return static_cast<std::int64_t>(value_of<double>(field.value));
  default:
    return otherwise;
  }
}

std::size_t BsonReader::elements(std::string_view name) const {
  const auto field = find(name);
  if (field.type != '\x04' || field.value.size() < 5) return 0;
  auto rest = field.value.substr(4);
  std::size_t count = 0;
  while (next(rest).type != 0)
    ++count;
  return count;
}

} // namespace iris::lab
