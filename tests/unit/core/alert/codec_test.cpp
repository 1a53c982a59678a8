#include "tests/unit/core/alert/alert_fixture.hpp"

#include "core/alert/codec.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace iris;

namespace {
std::string_view view(const std::vector<char>& bytes) { return {bytes.data(), bytes.size()}; }
} // namespace

TEST_CASE("an alert survives encoding whole") {
  auto alert = sample_alert();
  alert.late = true;
  alert.state = AlertState::acknowledged;
  alert.finding.loss = {1, 2, 3};
  auto decoded = decode_alert(view(encode(alert)));
  REQUIRE(decoded);
  CHECK(to_json(*decoded) == to_json(alert));
  CHECK(decoded->finding.cause == alert.finding.cause);
  CHECK(decoded->finding.entity.container == alert.finding.entity.container);
}

TEST_CASE("a finding with values out of range is refused with the field's name") {
  auto finding = sample_finding();
  finding.severity = Severity(9);
  auto decoded = decode_finding(view(encode(finding)));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().message == "a finding is damaged: severity has an unknown value");
  finding = sample_finding();
  finding.last = finding.first - 1;
  CHECK_FALSE(decode_finding(view(encode(finding))));
  finding = sample_finding();
  finding.score = 1.0 / 0.0;
  CHECK_FALSE(decode_finding(view(encode(finding))));
  finding = sample_finding();
  finding.entity.kind = EntityKind::unknown;
  CHECK_FALSE(decode_finding(view(encode(finding))));
}

TEST_CASE("what is too long is cut when encoding and the record stays within its limit") {
  auto finding = sample_finding();
  finding.observed = std::string(record_text_limit - 1, 'x') + "\xc3\xa4"; // the limit falls into the umlaut
  ProcessInfo process;
  process.args.assign(500, std::string(9'000, 'a'));
  process.ancestors.assign(500, std::string(9'000, 'a'));
  finding.processes.assign(20, process);
  auto bytes = encode(finding);
  CHECK(bytes.size() <= record_limit);
  auto decoded = decode_finding(view(bytes));
  REQUIRE(decoded);
  CHECK(decoded->observed == std::string(record_text_limit - 1, 'x'));
  CHECK(decoded->processes.size() == Finding::evidence_limit);
  CHECK(decoded->processes[0].args_cut);
}

TEST_CASE("damaged bytes never crash and never pass for something else than bytes") {
  auto good = encode(sample_alert());
  CHECK_FALSE(decode_alert({}));
  CHECK_FALSE(decode_alert("short"));
  for (std::size_t length = 0; length < good.size(); length += 8)
    CHECK_FALSE(decode_alert(std::string_view{good.data(), length}));
  std::mt19937 random{7};
  int refused = 0;
  for (int round = 0; round < 2'000; ++round) {
    auto bad = good;
    for (int flips = 0; flips < 4; ++flips)
      bad[random() % bad.size()] = char(random());
    refused += decode_alert(view(bad)) ? 0 : 1;
  }
  CHECK(refused > 100);
}
