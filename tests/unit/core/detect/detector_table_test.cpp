#include "core/detect/detector_table.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <set>
#include <sstream>

using namespace iris;

TEST_CASE("docs/detectors.md is what the table says") {
  std::string here = __FILE__;
  auto root = here.substr(0, here.rfind("/tests/"));
  std::ifstream file{root + "/docs/detectors.md"};
  std::stringstream text;
  text << file.rdbuf();
  CHECK(text.str() == detectors_markdown());
}

TEST_CASE("every detector is named once and fully described") {
  std::set<std::string_view> ids;
  for (const auto& info : detector_table()) {
    CHECK(ids.insert(info.id).second);
    CHECK_FALSE(info.says.empty());
    CHECK_FALSE(info.how.empty());
    CHECK_FALSE(info.misses.empty());
    CHECK(info.attack.starts_with("T"));
  }
  CHECK(detector_info("network.volume")->needs_baseline);
  CHECK(detector_info("process.nothing") == nullptr);
}
