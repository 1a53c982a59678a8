// The encoding of an indicator set, little-endian: "IRI1", version u64, number of lists u8, each name as u8
// length and bytes, number of entries u32, each entry as bits u8, list u8, confidence u16 and its base: 4
// bytes where the network is IPv4 (bits >= 96 and the mapped prefix, flagged by 0x80 in the list byte),
// else 16.
#include "core/intel/indicator_set.hpp"

#include <algorithm>
#include <cstring>

namespace iris {
namespace {

constexpr char magic[4] = {'I', 'R', 'I', '1'};
constexpr std::uint8_t v4_flag = 0x80;

template <class Number>
void put(std::vector<char>& out, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i)
    out.push_back(char(std::uint64_t(number) >> (8 * i)));
}

struct Cursor {
  const char* at;
  std::size_t left;
  bool good = true;
  template <class Number>
  Number take() {
    if (left < sizeof(Number)) {
      good = false;
      return 0;
    }
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i)
      number |= std::uint64_t(std::uint8_t(at[i])) << (8 * i);
    at += sizeof(Number);
    left -= sizeof(Number);
    return Number(number);
  }
  void copy(void* to, std::size_t size) {
    if (left < size) {
      good = false;
      return;
    }
    std::memcpy(to, at, size);
    at += size;
    left -= size;
  }
};

} // namespace

std::vector<char> IndicatorSet::encode() const {
  std::vector<char> out(magic, magic + sizeof magic);
  out.reserve(16 + entries_.size() * 8);
  put(out, version_);
  put(out, std::uint8_t(lists_.size()));
  for (const auto& name : lists_) {
    auto size = std::uint8_t(std::min<std::size_t>(name.size(), 255));
    put(out, size);
    out.insert(out.end(), name.begin(), name.begin() + size);
  }
  put(out, std::uint32_t(entries_.size()));
  for (const auto& entry : entries_) {
    bool v4 = entry.bits >= 96 && entry.base.is_v4();
    put(out, entry.bits);
    put(out, std::uint8_t(entry.list | (v4 ? v4_flag : 0)));
    put(out, entry.confidence);
    auto from = v4 ? 12 : 0;
    out.insert(out.end(), entry.base.bytes.begin() + from, entry.base.bytes.end());
  }
  return out;
}

Result<IndicatorSet> IndicatorSet::decode(const char* data, std::size_t size) {
  auto bad = [](const char* why) { return Error{Errc::corrupt, std::string{"indicators: "} + why}; };
  Cursor cursor{data, size};
  char head[sizeof magic] = {};
  cursor.copy(head, sizeof head);
  if (!cursor.good || std::memcmp(head, magic, sizeof magic) != 0)
    return bad("not an indicator set of this version");
  IndicatorSet set;
  auto version = cursor.take<std::uint64_t>();
  auto lists = cursor.take<std::uint8_t>();
  if (lists > list_limit) return bad("too many lists");
  for (unsigned i = 0; i < lists; ++i) {
    std::string name(cursor.take<std::uint8_t>(), '\0');
    cursor.copy(name.data(), name.size());
    set.lists_.push_back(std::move(name));
  }
  auto count = cursor.take<std::uint32_t>();
  if (!cursor.good || count > entry_limit || std::size_t(count) * 8 > cursor.left) return bad("cut short");
  set.entries_.reserve(count);
  for (std::uint32_t i = 0; i < count && cursor.good; ++i) {
    Entry entry;
    entry.bits = cursor.take<std::uint8_t>();
    auto list = cursor.take<std::uint8_t>();
    entry.list = std::uint8_t(list & ~v4_flag);
    entry.confidence = cursor.take<std::uint16_t>();
    if (entry.bits > 128 || entry.list >= lists) return bad("an entry that breaks the rules");
    if (list & v4_flag) {
      if (entry.bits < 96) return bad("an entry that breaks the rules");
      entry.base = IpAddress::v4(0);
      cursor.copy(entry.base.bytes.data() + 12, 4);
    } else {
      cursor.copy(entry.base.bytes.data(), 16);
    }
    set.entries_.push_back(entry);
  }
  if (!cursor.good || cursor.left != 0) return bad("cut short or bytes left over");
  set.build(version);
  return set;
}

} // namespace iris
