#include "cloud/trainer/baseline_json.hpp"
#include "core/alert/json_writer.hpp"
#include "core/base/hash.hpp"

namespace iris {
namespace {

constexpr std::size_t line_limit = 5'000; ///< of one answer

std::string key_line(const LearnedKey& key, const std::string& gateway) {
  JsonWriter out;
  out.object()
      .field("kind", "key")
      .field("key", "#" + to_hex(key.key))
      .field("gateway", gateway)
      .field("family", to_string(key.family));
  out.field("phase", to_string(key.phase)).field("level", std::uint32_t(key.level)).field("text", key.text);
  out.field("hours", key.hours).field("days", key.days).field("gateways", key.gateways);
  out.field("first", rfc3339(key.first)).field("last", rfc3339(key.last));
  out.field("accepted_by", key.accepted_by).field("unconfirmed", key.unconfirmed).end_object();
  return out.take();
}

std::string number_line(const LearnedNumber& number, const std::string& gateway) {
  static constexpr const char* sources[] = {"floor", "maximum", "tail"};
  JsonWriter out;
  out.object().field("kind", "number").field("gateway", gateway).field("text", describe(number.key));
  out.field("threshold", number.threshold.value).field("maximum", number.threshold.max);
  out.field("threshold_text", describe_value(number.key.family, number.threshold.value));
  out.field("source", sources[std::size_t(number.threshold.source) % 3]);
  out.field("samples", number.samples).field("gateways", number.gateways).end_object();
  return out.take();
}

void add_part(std::vector<std::string>& lines, const BaselinePart& part, const std::string& gateway) {
  for (const auto& key : part.keys)
    if (lines.size() < line_limit) lines.push_back(key_line(key, gateway));
  for (const auto& number : part.numbers)
    if (lines.size() < line_limit) lines.push_back(number_line(number, gateway));
}

std::string progress_line(const Baseline& baseline, const std::string& tenant, const BaselinePart& part,
                          const std::string& gateway) {
  const auto& progress = part.progress;
  JsonWriter out;
  out.object()
      .field("profile", baseline.profile)
      .field("tenant", tenant)
      .field("service", baseline.entity.name);
  out.field("gateway", gateway).field("version", baseline.version).field("state", to_string(progress.state));
  out.field("promise", progress.promise).field("alerts_in_backtest", progress.alerts);
  out.field("exposure_days", progress.exposure_days)
      .field("age_days", progress.age_days)
      .field("looks", progress.looks);
  out.field("next_look", progress.next_look == 0 ? std::string{} : rfc3339(progress.next_look));
  out.field("promoted_at", progress.promoted_at == 0 ? std::string{} : rfc3339(progress.promoted_at));
  out.field("forced", progress.forced).field("startups", progress.startups);
  out.field("keys", std::uint64_t(part.keys.size())).field("gateways", part.gateways);
  out.field("reason", progress.reason).end_object();
  return out.take();
}

} // namespace

std::vector<std::string> baseline_lines(const Baseline& baseline, const std::string& tenant) {
  std::vector<std::string> lines;
  JsonWriter head;
  head.object().field("kind", "baseline").field("profile", baseline.profile).field("tenant", tenant);
  head.field("service", baseline.entity.name).field("image", baseline.entity.image);
  head.field("digest", baseline.entity.digest).field("version", baseline.version);
  head.field("trained_at", rfc3339(baseline.trained_at))
      .field("state", to_string(baseline.fleet.progress.state));
  std::size_t keys = baseline.fleet.keys.size();
  for (const auto& [gateway, part] : baseline.sites)
    keys += part.keys.size();
  head.field("keys", std::uint64_t(keys)).field("gateways", baseline.fleet.gateways).end_object();
  lines.push_back(head.take());
  add_part(lines, baseline.fleet, "");
  for (const auto& [gateway, part] : baseline.sites)
    add_part(lines, part, gateway);
  return lines;
}

std::vector<std::string> learning_lines(const Baseline& baseline, const std::string& tenant) {
  std::vector<std::string> lines{progress_line(baseline, tenant, baseline.fleet, "")};
  for (const auto& [gateway, part] : baseline.sites)
    if (lines.size() < line_limit) lines.push_back(progress_line(baseline, tenant, part, gateway));
  return lines;
}

} // namespace iris
