#pragma once
#include "core/base/time.hpp"
#include "node/spool/spool.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Keys and values in the spool's database, for the sources of this folder. "b" lane seq (8, big endian) is a
/// batch, "n" lane seq its note (batch_content.hpp); "m…" the spool's own state; "v" name small values.
namespace iris::spool_keys {

/// A batch's value starts with its time (8, big endian) and the number of its entries (4, big endian).
inline constexpr std::size_t value_header = 12;

inline void put_big_endian(std::string& to, std::uint64_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i)
    to.push_back(char(number >> (8 * i)));
}

inline std::uint64_t get_big_endian(const char* from, int bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < bytes; ++i)
    number = number << 8 | std::uint8_t(from[i]);
  return number;
}

inline std::string key_of(char kind, Lane lane, std::uint64_t seq) {
  std::string key{kind};
  key.push_back(char(lane));
  put_big_endian(key, seq, 8);
  return key;
}
inline std::string batch_key(Lane lane, std::uint64_t seq) { return key_of('b', lane, seq); }
inline std::string note_key(Lane lane, std::uint64_t seq) { return key_of('n', lane, seq); }
inline bool is_batch_of(Lane lane, std::string_view key) {
  return key.size() == 10 && key[0] == 'b' && key[1] == char(lane);
}
inline std::uint64_t seq_of(std::string_view key) { return get_big_endian(key.data() + 2, 8); }

inline std::string lane_key(Lane lane) { return std::string{"mlane"} + char('0' + int(lane)); }
inline std::string offered_key(Lane lane) { return std::string{"moffered"} + char('0' + int(lane)); }

inline std::string dropped_key(Lane lane) { return std::string{"mdropped"} + char('0' + int(lane)); }

inline const char* kind_of(Lane lane) { return lane == Lane::findings ? "findings" : "deltas"; }

inline std::string value_of(Timestamp at, std::size_t entries, std::string_view bytes) {
  std::string value;
  value.reserve(value_header + bytes.size());
  put_big_endian(value, std::uint64_t(at), 8);
  put_big_endian(value, entries, 4);
  value.append(bytes);
  return value;
}

} // namespace iris::spool_keys
