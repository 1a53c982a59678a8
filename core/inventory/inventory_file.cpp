#include "core/inventory/inventory_file.hpp"

#include <algorithm>
#include <unordered_map>

namespace iris {
namespace {
constexpr std::size_t entry_limit = 65536;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    auto end = std::min(line.find_first_of(" \t\r"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}
} // namespace

Result<std::vector<InventoryEntry>> parse_inventory(std::string_view text, std::string_view origin) {
  std::vector<InventoryEntry> entries;
  std::unordered_map<IpAddress, std::size_t, IpAddressHash> seen;
  std::size_t number = 0;
  auto fail = [&](const std::string& why) {
    return Error{Errc::invalid, std::string{origin} + ":" + std::to_string(number) + ": " + why};
  };
  auto shown = [](std::string_view word) { return "\"" + std::string{word.substr(0, 60)} + "\""; };
  while (!text.empty()) {
    ++number;
    auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    auto words = words_of(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    if (words.size() < 2 || words.size() > 3) return fail("expected ADDRESS NAME [service|device|gateway]");
    auto address = parse_ip(words[0]);
    if (!address) return fail(shown(words[0]) + " is not an IPv4 or IPv6 address");
    InventoryEntry entry{*address, std::string{words[1]}, EntityKind::device};
    if (entry.name.size() > 255) return fail("the name is longer than 255 characters");
    if (words.size() == 3) {
      if (words[2] == "service")
        entry.kind = EntityKind::service;
      else if (words[2] == "gateway")
        entry.kind = EntityKind::gateway;
      else if (words[2] != "device")
        return fail(shown(words[2]) + " is none of service, device, gateway");
    }
    if (auto [first, fresh] = seen.emplace(*address, number); !fresh)
      return fail(std::string{words[0]} + " was named on line " + std::to_string(first->second) + " already");
    if (entries.size() == entry_limit) return fail("more than " + std::to_string(entry_limit) + " entries");
    entries.push_back(std::move(entry));
  }
  return entries;
}

} // namespace iris
