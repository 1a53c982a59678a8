#include "cloud/intelligence/intelligence.hpp"
#include "core/base/hash.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace iris {
namespace {

constexpr std::uintmax_t list_bytes_limit = 256 << 20;

struct ListText {
  std::string path, name, text;
};

/// The lines whose confidence (second, tab-separated column; 1 where there is none) is at least `least`.
std::string confident_lines(const std::string& text, std::uint32_t least) {
  std::string result;
  std::size_t at = 0;
  while (at < text.size()) {
    auto end = std::min(text.find('\n', at), text.size());
    std::string_view line{text.data() + at, end - at};
    std::uint32_t confidence = 1;
    if (auto tab = line.find('\t'); tab != std::string_view::npos)
      std::from_chars(line.data() + tab + 1, line.data() + line.size(), confidence);
    if (confidence >= least) result.append(line).append("\n");
    at = end + 1;
  }
  return result;
}

void add_lists(IndicatorSet& set, const std::vector<ListText>& lists, std::uint32_t least,
               std::vector<std::string>* problems) {
  for (const auto& list : lists) {
    auto report = set.add_list(list.name, least <= 1 ? list.text : confident_lines(list.text, least));
    if (problems == nullptr) continue;
    if (!report) {
      problems->push_back(report.error().message);
      continue;
    }
    for (const auto& line : report->errors)
      problems->push_back(list.path + line.substr(list.name.size())); // "NAME:12: …"
    if (report->errors_total > report->errors.size())
      problems->push_back(list.path + ": " + std::to_string(report->errors_total - report->errors.size()) +
                          " more lines were not understood");
  }
}

void make_edge(Intelligence& result, const std::vector<ListText>& lists) {
  if (result.indicators.empty()) return;
  result.edge = result.indicators.encode();
  for (std::uint32_t least = 2; result.edge.size() > Intelligence::edge_limit && least <= 64; ++least) {
    IndicatorSet smaller;
    add_lists(smaller, lists, least, nullptr);
    smaller.build(result.indicators.version());
    result.edge = smaller.encode();
    result.edge_confidence = least;
  }
  if (result.edge.size() > Intelligence::edge_limit) result.edge.clear();
  if (!result.edge.empty()) result.edge_version = result.indicators.version();
}

} // namespace

Place Intelligence::place_of(const IpAddress& address) const {
  Place place;
  if (scope_of(address) != AddressScope::global) return place;
  bool named = false;
  for (const auto& database : databases) {
    auto found = database.lookup(address);
    if (place.country.empty()) place.country = found.country;
    // The name of an operator says more than a prefix.
    bool name = !found.network.empty() && found.network.find('/') == std::string::npos;
    if (place.network.empty() || (name && !named)) place.network = found.network;
    named = named || name;
  }
  return place;
}

IntelligencePtr load_intelligence(const IntelligenceFiles& files, std::vector<std::string>& problems) {
  auto result = std::make_shared<Intelligence>();
  std::vector<ListText> lists;
  std::uint64_t version = 0;
  for (const auto& path : files.lists) {
    std::error_code failure;
    auto size = std::filesystem::file_size(path, failure);
    std::ifstream in{path, std::ios::binary};
    if (failure || !in) {
      problems.push_back(path + ": cannot be read; its entries are not used");
      continue;
    }
    if (size > list_bytes_limit) {
      problems.push_back(path + ": is larger than 256 MiB; its entries are not used");
      continue;
    }
    std::ostringstream text;
    text << in.rdbuf();
    lists.push_back({path, std::filesystem::path{path}.stem().string(), std::move(text).str()});
    version = hash_combine(version, hash64(lists.back().name + '\n' + lists.back().text));
  }
  add_lists(result->indicators, lists, 1, &problems);
  result->indicators.build(lists.empty() ? 0 : std::max<std::uint64_t>(version, 1));
  make_edge(*result, lists);
  if (result->edge_confidence > 1)
    problems.push_back(
        "the threat lists do not fit into one message of the link; gateways get entries of confidence " +
        std::to_string(result->edge_confidence) + " and more, the cloud matches all");
  for (const auto& path : files.mmdb) {
    auto database = AddressDatabase::open(path);
    if (database)
      result->databases.push_back(std::move(*database));
    else
      problems.push_back(database.error().message);
  }
  return result;
}

std::string stamp_of(const IntelligenceFiles& files) {
  std::string stamp;
  for (const auto* paths : {&files.lists, &files.mmdb})
    for (const auto& path : *paths) {
      std::error_code failure;
      auto size = std::filesystem::file_size(path, failure);
      auto time = std::filesystem::last_write_time(path, failure);
      stamp +=
          failure ? "-;" : std::to_string(size) + "@" + std::to_string(time.time_since_epoch().count()) + ";";
    }
  return stamp;
}

} // namespace iris
