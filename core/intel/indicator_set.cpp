#include "core/intel/indicator_set.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <tuple>

namespace iris {
namespace {

constexpr std::size_t error_limit = 20;
/// Wider networks than these are a mistake in the list, not intelligence.
constexpr std::uint8_t widest_v4 = 96 + 7, widest_v6 = 16;

const std::vector<Cidr>& special_networks() {
  static const std::vector<Cidr> networks = [] {
    std::vector<Cidr> all;
    for (const char* text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
          "192.0.0.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
          "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "fc00::/7", "fe80::/10", "ff00::/8"})
      all.push_back(*parse_cidr(text));
    return all;
  }();
  return networks;
}

std::string_view trimmed(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r\f\v");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\f\v") - first + 1);
}

IpAddress masked(IpAddress address, std::uint8_t bits) {
  for (unsigned byte = 0; byte < 16; ++byte) {
    auto kept = int(bits) - int(byte) * 8;
    if (kept <= 0)
      address.bytes[byte] = 0;
    else if (kept < 8)
      address.bytes[byte] &= std::uint8_t(0xff << (8 - kept));
  }
  return address;
}

/// A line's parts: the address or network, then nothing, a comment, or how many feeds are behind it.
struct Line {
  std::optional<Cidr> network;
  std::uint16_t confidence = 1;
};

Line parse_line(std::string_view line) {
  Line result;
  auto end = line.find_first_of(" \t,;#");
  auto network = parse_cidr(line.substr(0, end));
  if (!network) return result;
  auto rest = end == std::string_view::npos ? std::string_view{} : trimmed(line.substr(end));
  if (!rest.empty() && rest.front() == ',') rest = trimmed(rest.substr(1));
  if (!rest.empty() && rest.front() != '#' && rest.front() != ';') {
    unsigned number = 0;
    auto [stop, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    auto left = trimmed(rest.substr(std::size_t(stop - rest.data())));
    if (failure != std::errc{} || (!left.empty() && left.front() != '#' && left.front() != ';'))
      return result;
    result.confidence =
        std::uint16_t(std::clamp<unsigned>(number, 1, std::numeric_limits<std::uint16_t>::max()));
  }
  result.network = network;
  return result;
}

} // namespace

bool is_special_use(const IpAddress& address) {
  const auto& all = special_networks();
  return std::any_of(all.begin(), all.end(), [&](const Cidr& network) { return network.contains(address); });
}

bool is_special_use(const Cidr& network) {
  const auto& all = special_networks();
  return std::any_of(all.begin(), all.end(), [&](const Cidr& special) {
    return special.bits <= network.bits ? special.contains(network.base) : network.contains(special.base);
  });
}

Result<ListReport> IndicatorSet::add_list(std::string_view name, std::string_view text) {
  if (lists_.size() >= list_limit)
    return Error{Errc::limit, "list " + std::string{name} + ": there are " + std::to_string(list_limit) +
                                  " lists already"};
  if (std::find(lists_.begin(), lists_.end(), name) != lists_.end())
    return Error{Errc::invalid, "list " + std::string{name} + " was given twice"};
  auto list = std::uint8_t(lists_.size());
  auto before = entries_.size();
  ListReport report;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto end = text.find('\n');
    auto line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    auto wrong = [&](const char* why) {
      ++report.errors_total;
      if (report.errors.size() < error_limit)
        report.errors.push_back(std::string{name} + ":" + std::to_string(number) + ": " + why + ": " +
                                std::string{line.substr(0, 80)});
    };
    auto parsed = parse_line(line);
    if (!parsed.network) {
      wrong("not an address or network");
      continue;
    }
    const auto& network = *parsed.network;
    bool v4 = network.bits >= 96 && network.base.is_v4();
    if (network.bits < (v4 ? widest_v4 : widest_v6)) {
      wrong("network too wide to mean anything");
      continue;
    }
    bool inside = std::any_of(special_networks().begin(), special_networks().end(), [&](const Cidr& special) {
      return special.bits <= network.bits && special.contains(network.base);
    });
    if (inside) {
      ++report.never;
      continue;
    }
    if (entries_.size() >= entry_limit) {
      entries_.resize(before);
      return Error{Errc::limit, std::string{name} + ":" + std::to_string(number) + ": more than " +
                                    std::to_string(entry_limit) + " entries in all lists together"};
    }
    entries_.push_back({network.base, network.bits, list, parsed.confidence});
    ++report.entries;
  }
  lists_.emplace_back(name);
  return report;
}

void IndicatorSet::build(std::uint64_t version) {
  version_ = version;
  auto order = [](const Entry& entry) { return std::tie(entry.bits, entry.base, entry.list); };
  std::sort(entries_.begin(), entries_.end(), [&](const Entry& left, const Entry& right) {
    return order(left) != order(right) ? order(left) < order(right) : left.confidence > right.confidence;
  });
  entries_.erase(
      std::unique(entries_.begin(), entries_.end(),
                  [&](const Entry& left, const Entry& right) { return order(left) == order(right); }),
      entries_.end());
  entries_.shrink_to_fit();
  ranges_.clear();
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (ranges_.empty() || ranges_.back().first != entries_[i].bits)
      ranges_.push_back({entries_[i].bits, {i, i}});
    ranges_.back().second.second = i + 1;
  }
}

bool IndicatorSet::contains(const IpAddress& address) const {
  for (const auto& [bits, range] : ranges_) {
    auto base = masked(address, bits);
    auto place =
        std::lower_bound(entries_.begin() + range.first, entries_.begin() + range.second, base,
                         [](const Entry& entry, const IpAddress& wanted) { return entry.base < wanted; });
    if (place != entries_.begin() + range.second && place->base == base) return !is_special_use(address);
  }
  return false;
}

IndicatorMatch IndicatorSet::match(const IpAddress& address) const {
  IndicatorMatch match;
  if (is_special_use(address)) return match;
  for (const auto& [bits, range] : ranges_) {
    auto base = masked(address, bits);
    auto place =
        std::lower_bound(entries_.begin() + range.first, entries_.begin() + range.second, base,
                         [](const Entry& entry, const IpAddress& wanted) { return entry.base < wanted; });
    for (; place != entries_.begin() + range.second && place->base == base; ++place) {
      match.network = {base, bits}; // ranges go from wide to narrow
      match.confidence = std::max<std::uint32_t>(match.confidence, place->confidence);
      const auto& name = lists_[place->list];
      if (std::find(match.lists.begin(), match.lists.end(), name) == match.lists.end())
        match.lists.push_back(name);
    }
  }
  return match;
}

} // namespace iris
