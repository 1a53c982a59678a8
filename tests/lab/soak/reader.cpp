// Prints what a stopped cloud has of the soak test's gateways, one JSON object a line.
#include "cloud/aggregator/evidence_store.hpp"
#include "cloud/store/rows.hpp"
#include "core/alert/alert.hpp"
#include "core/alert/codec.hpp"
#include "core/alert/json_writer.hpp"

#include <cstdio>

namespace {

using namespace iris;

int fail(const std::string& what) {
  std::fprintf(stderr, "lab_cloud_reader: %s\n", what.c_str());
  return 1;
}

void print(JsonWriter& row) { std::printf("%s\n", row.end_object().take().c_str()); }

JsonWriter row_of(const char* what, const std::string& gateway) {
  JsonWriter row;
  row.object().field("row", what).field("gateway", gateway);
  return row;
}

Result<void> read_alerts(const Store& store, std::string& damaged) {
  return store.scan(Table::alerts, {}, [&](std::string_view, std::string_view value) {
    auto alert = decode_alert(value);
    if (!alert) return damaged = alert.error().message, false;
    auto row = row_of("alert", alert->gateway);
    row.field("id", alert->id).field("detector", alert->finding.detector);
    row.field("cause", alert->finding.cause).field("count", alert->finding.count);
    print(row);
    return true;
  });
}

Result<void> read_losses(const Store& store, std::string& damaged) {
  return store.scan(Table::observations, {}, [&](std::string_view key, std::string_view value) {
    KeyReader parts{key};
    parts.text(); // tenant
    auto gateway = parts.text();
    auto loss = decode_loss(value);
    if (!loss || !parts.ok()) return damaged = "a loss cannot be read", false;
    auto row = row_of("loss", gateway);
    row.field("kind", loss->kind).field("sensor", loss->sensor).field("count", loss->count);
    print(row);
    return true;
  });
}

Result<void> read_evidence(const Store& store, const std::string& gateway, std::string& damaged) {
  auto profiles = profiles_of(store, "default", gateway);
  if (!profiles) return profiles.error();
  for (const auto& profile : *profiles) {
    std::vector<std::string> problems;
    auto evidence = load_evidence(store, "default", gateway, profile, problems);
    if (!evidence) return evidence.error();
    if (!problems.empty()) damaged = problems.front();
    if (!evidence->has_value()) continue;
    auto head = row_of("profile", gateway);
    head.field("profile", profile).field("overflow", (*evidence)->overflow);
    print(head);
    for (const auto& [id, record] : (*evidence)->keys) {
      auto row = row_of("key", gateway);
      row.field("text", record.texts[0]).field("count", record.count);
      print(row);
    }
  }
  return {};
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fail("usage: lab_cloud_reader DATABASE GATEWAY...");
  auto store = Store::open(argv[1]);
  if (!store) return fail(store.error().message);
  std::string damaged;
  if (auto done = read_alerts(**store, damaged); !done) return fail(done.error().message);
  if (auto done = read_losses(**store, damaged); !done) return fail(done.error().message);
  for (int i = 2; i < argc; ++i)
    if (auto done = read_evidence(**store, argv[i], damaged); !done) return fail(done.error().message);
  return damaged.empty() ? 0 : fail(damaged);
}
