#pragma once
#include "core/base/address.hpp"
#include "core/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// What a list says about an address.
struct IndicatorMatch {
  Cidr network;                   ///< the entry that matched, the narrowest one
  std::vector<std::string> lists; ///< names of all lists with a matching entry
  std::uint32_t confidence = 0;   ///< highest number of feeds behind an entry; 1 where the list gives none
};

/// What parsing a list gave.
struct ListReport {
  std::size_t entries = 0;
  std::size_t never = 0;           ///< special-use networks that are never matched, left out
  std::vector<std::string> errors; ///< "NAME:12: not an address or network: …"; at most 20
  std::size_t errors_total = 0;
};

/// Addresses and networks of threat lists in a compact sorted form (20 bytes an entry); immutable once
/// shared.
class IndicatorSet {
public:
  static constexpr std::size_t list_limit = 64;
  static constexpr std::size_t entry_limit = 4'000'000;

  /// Adds a list: one address or CIDR a line, `IP<TAB>count` for a confidence; blank lines and comments (#,
  /// ;) are skipped; anything else is an error with its line. Call build() before looking anything up.
  [[nodiscard]] Result<ListReport> add_list(std::string_view name, std::string_view text);
  void build(std::uint64_t version);

  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const std::vector<std::string>& lists() const { return lists_; }
  /// Cheap: a binary search for each prefix length in use.
  [[nodiscard]] bool contains(const IpAddress& address) const;
  /// Nothing (no lists) where the address is not listed or is of special use.
  [[nodiscard]] IndicatorMatch match(const IpAddress& address) const;

  [[nodiscard]] std::vector<char> encode() const;
  [[nodiscard]] static Result<IndicatorSet> decode(const char* data, std::size_t size);

private:
  struct Entry {
    IpAddress base;
    std::uint8_t bits = 128;
    std::uint8_t list = 0;
    std::uint16_t confidence = 1;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };
  std::vector<std::string> lists_;
  std::vector<Entry> entries_; ///< sorted by bits, base, list
  std::vector<std::pair<std::uint8_t, std::pair<std::uint32_t, std::uint32_t>>>
      ranges_; ///< bits, [begin, end)
  std::uint64_t version_ = 0;
};

/// RFC 5735 and 6890 networks that no list may match: private, loopback, link-local, shared, multicast,
/// reserved. The documentation ranges (RFC 5737, 3849) are left matchable, since laboratories use them as the
/// outside.
[[nodiscard]] bool is_special_use(const IpAddress& address);
[[nodiscard]] bool is_special_use(const Cidr& network); ///< overlaps such a network

} // namespace iris
