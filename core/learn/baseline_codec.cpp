#include "core/learn/baseline.hpp"
#include "core/learn/wire.hpp"

#include "schemas/baseline.capnp.h"

#include <algorithm>
#include <cmath>

namespace iris {
using namespace learn_wire;

namespace {

void write_progress(schema::Progress::Builder out, const Progress& progress) {
  std::string scratch;
  out.setState(std::uint8_t(progress.state));
  out.setAlerts(progress.alerts);
  out.setPromise(progress.promise);
  out.setExposureDays(progress.exposure_days);
  out.setAgeDays(progress.age_days);
  out.setLooks(progress.looks);
  out.setNextLook(progress.next_look);
  out.setPromotedAt(progress.promoted_at);
  out.setForced(progress.forced);
  out.setWeekdays(progress.weekdays);
  out.setStartups(progress.startups);
  out.setReason(text(progress.reason, scratch));
}

void write_part(schema::Part::Builder out, const BaselinePart& part) {
  std::string scratch;
  auto keys = out.initKeys(unsigned(std::min(part.keys.size(), Baseline::key_limit)));
  for (unsigned i = 0; i < keys.size(); ++i) {
    const auto& key = part.keys[i];
    auto row = keys[i];
    row.setKey(key.key);
    row.setFamily(std::uint8_t(key.family));
    row.setPhase(std::uint8_t(key.phase));
    row.setLevel(key.level);
    row.setUnconfirmed(key.unconfirmed);
    row.setHours(key.hours);
    row.setDays(key.days);
    row.setGateways(key.gateways);
    row.setFirst(key.first);
    row.setLast(key.last);
    row.setText(text(key.text, scratch));
    row.setAcceptedBy(text(key.accepted_by, scratch));
  }
  auto stats = out.initStats(unsigned(part.stats.size()));
  for (unsigned i = 0; i < stats.size(); ++i) {
    stats[i].setFresh(part.stats[i].fresh);
    stats[i].setExposure(part.stats[i].exposure);
  }
  auto numbers = out.initNumbers(unsigned(part.numbers.size()));
  for (unsigned i = 0; i < numbers.size(); ++i) {
    const auto& number = part.numbers[i];
    auto row = numbers[i];
    row.setFamily(std::uint8_t(number.key.family));
    row.setPeerClass(std::uint8_t(number.key.peer_class));
    row.setThreshold(number.threshold.value);
    row.setMax(number.threshold.max);
    row.setSource(std::uint8_t(number.threshold.source));
    row.setSamples(number.samples);
    row.setGateways(number.gateways);
    auto bytes = number.sketch.encode();
    row.setSketch({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
  }
  write_progress(out.initProgress(), part.progress);
  out.setGateways(part.gateways);
}

double finite(double value, const char* what) {
  if (!(value >= 0) || std::isinf(value)) throw Bad{std::string{what} + " is not a number"};
  return value;
}

Progress read_progress(schema::Progress::Reader in) {
  Progress progress;
  progress.state = enumerator<LearningState>(in.getState(), 2, "state");
  progress.alerts = in.getAlerts();
  progress.promise = in.getPromise();
  progress.exposure_days = finite(in.getExposureDays(), "exposure");
  progress.age_days = finite(in.getAgeDays(), "age");
  progress.looks = in.getLooks();
  progress.next_look = in.getNextLook();
  progress.promoted_at = in.getPromotedAt();
  progress.forced = in.getForced();
  progress.weekdays = in.getWeekdays();
  progress.startups = in.getStartups();
  progress.reason = text(in.getReason(), "reason");
  return progress;
}

BaselinePart read_part(schema::Part::Reader in) {
  BaselinePart part;
  auto keys = in.getKeys();
  if (keys.size() > Baseline::key_limit) throw Bad{"more than 20000 keys"};
  part.keys.reserve(keys.size());
  for (auto row : keys) {
    // A newer cloud may know families that are not judged here.
    if (row.getFamily() >= family_count) continue;
    LearnedKey key;
    key.key = row.getKey();
    key.family = enumerator<Family>(row.getFamily(), family_count, "family");
    key.phase = enumerator<Phase>(row.getPhase(), phase_count, "phase");
    if (row.getLevel() >= level_count) throw Bad{"a level that does not exist"};
    key.level = row.getLevel();
    key.unconfirmed = row.getUnconfirmed();
    key.hours = row.getHours();
    key.days = row.getDays();
    key.gateways = row.getGateways();
    key.first = row.getFirst();
    key.last = row.getLast();
    key.text = text(row.getText(), "text of a key");
    key.accepted_by = text(row.getAcceptedBy(), "name of a person");
    if (!part.keys.empty() &&
        !(std::pair{part.keys.back().key, part.keys.back().phase} < std::pair{key.key, key.phase}))
      throw Bad{"keys out of order"};
    part.keys.push_back(std::move(key));
  }
  auto stats = in.getStats();
  // Families were appended over time: an older baseline has fewer, a newer one more.
  if (stats.size() > 256 || stats.size() % (phase_count * level_count) != 0)
    throw Bad{"another number of families or levels"};
  for (unsigned i = 0; i < std::min<std::size_t>(stats.size(), part.stats.size()); ++i)
    part.stats[i] = {stats[i].getFresh(), finite(stats[i].getExposure(), "exposure")};
  auto numbers = in.getNumbers();
  if (numbers.size() > 256 * 5) throw Bad{"more numbers than there are families"};
  for (auto row : numbers) {
    if (row.getFamily() >= number_family_count) continue;
    LearnedNumber number;
    number.key = number_key(row.getFamily(), row.getPeerClass());
    number.threshold.value = finite(row.getThreshold(), "threshold");
    number.threshold.max = finite(row.getMax(), "maximum");
    number.threshold.source = enumerator<Threshold::Source>(row.getSource(), 3, "source of a threshold");
    number.samples = row.getSamples();
    number.gateways = row.getGateways();
    number.sketch = sketch(row.getSketch());
    if (!part.numbers.empty() && !(part.numbers.back().key < number.key)) throw Bad{"numbers out of order"};
    part.numbers.push_back(std::move(number));
  }
  part.progress = read_progress(in.getProgress());
  part.gateways = in.getGateways();
  return part;
}

std::vector<char> encode_some(const Baseline& baseline, const std::string* gateway) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::Baseline>();
  std::string scratch;
  out.setProfile(text(baseline.profile, scratch));
  out.setVersion(baseline.version);
  write(out.initEntity(), baseline.entity);
  auto scale = out.initScale();
  scale.setDay(baseline.scale.day);
  scale.setWindow(baseline.scale.window);
  scale.setStartup(baseline.scale.startup);
  scale.setAlertQuiet(baseline.scale.alert_quiet);
  out.setTrainedAt(baseline.trained_at);
  write_part(out.initFleet(), baseline.fleet);
  auto count = gateway ? baseline.sites.count(*gateway) : baseline.sites.size();
  auto sites = out.initSites(unsigned(count));
  unsigned i = 0;
  for (const auto& [name, part] : baseline.sites) {
    if (gateway && name != *gateway) continue;
    sites[i].setGateway(text(name, scratch));
    write_part(sites[i].initPart(), part);
    ++i;
  }
  return flatten(message);
}

} // namespace

std::vector<char> encode(const Baseline& baseline) { return encode_some(baseline, nullptr); }
std::vector<char> encode_for(const Baseline& baseline, const std::string& gateway) {
  return encode_some(baseline, &gateway);
}

Result<Baseline> decode_baseline(const char* data, std::size_t size) {
  return read_message<Baseline>(data, size, "baseline", [](capnp::MessageReader& message) {
    auto in = message.getRoot<schema::Baseline>();
    Baseline baseline;
    baseline.profile = text(in.getProfile(), "profile");
    baseline.version = in.getVersion();
    baseline.entity = read(in.getEntity());
    auto scale = in.getScale();
    baseline.scale = {scale.getDay(), scale.getWindow(), scale.getStartup(), scale.getAlertQuiet()};
    if (baseline.scale.day <= 0 || baseline.scale.window <= 0) throw Bad{"a learning day of no length"};
    baseline.trained_at = in.getTrainedAt();
    baseline.fleet = read_part(in.getFleet());
    for (auto site : in.getSites())
      baseline.sites.emplace(text(site.getGateway(), "gateway"), read_part(site.getPart()));
    return baseline;
  });
}

} // namespace iris
