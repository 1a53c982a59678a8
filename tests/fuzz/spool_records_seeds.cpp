// Honest rows of a spool, in the form that spool_records_fuzz.cpp takes apart.
#include "core/alert/codec.hpp"
#include "core/intel/indicator_set.hpp"
#include "core/learn/baseline.hpp"
#include "node/spool/spool_keys.hpp"
#include "node/spool/spool_rows.hpp"
#include "node/uplink/session_messages.hpp"
#include "tests/fuzz/seeds.hpp"
#include "tests/unit/core/alert/alert_fixture.hpp"

#include <cstdio>
#include <cstdlib>

namespace iris::fuzz {

using namespace spool_keys;

namespace {

constexpr auto target = "spool_records";

std::string text_of(const std::vector<char>& bytes) { return {bytes.begin(), bytes.end()}; }

std::string row(char form, const std::string& place, const std::string& value) {
  std::string out{form};
  out += place;
  put_big_endian(out, value.size(), 2);
  return out + value;
}

std::vector<char> delta(Timestamp from) {
  ServiceDelta delta;
  delta.entity.kind = EntityKind::service;
  delta.entity.name = "edgex-core-data";
  delta.from = from;
  delta.until = from + 10 * second;
  delta.steady = 10 * second;
  delta.observations = 3;
  KeyDelta key;
  key.keys[0] = 5;
  key.texts[0] = "flow out edgex-redis 6379/tcp";
  key.count = 3;
  key.first = key.last = from;
  delta.keys.push_back(key);
  NumberDelta number;
  number.key.family = NumberFamily{};
  number.samples.add(40, 3);
  delta.numbers.push_back(number);
  return encode(delta);
}

/// A batch and its note, sealed as Spool::append does.
std::string batch(Lane lane, std::uint64_t seq, const std::vector<std::vector<char>>& entries,
                  const std::vector<SpoolLoss>& losses, ChainLink& link, BatchSeal::State state = {}) {
  const auto now = start_of_test;
  const auto content = encode_content(lane, entries, losses, now);
  auto note = note_of(lane, entries, losses, now);
  note.made_at = Duration(seq) * second;
  note.sealed = true;
  note.seal.mac = link.mac({7, std::uint8_t(lane), seq}, note.seal, note.losses_digest);
  note.seal.state = state;
  link.step(note.seal.mac);
  const std::string place{char(lane), char(seq)};
  return row(0, place, value_of(now, entries.size(), {content.data(), content.size()})) +
         row(2, place, encode_note(note));
}

std::string number_row(char form, const std::string& place, std::uint64_t number) {
  std::string value;
  put_big_endian(value, number, 8);
  return row(form, place, value);
}

void databases() {
  const std::string first{'\0'}, second_lane{'\1'};
  const auto state = number_row(5, "", 7) + row(6, "", "1");
  const SpoolLoss loss{"packets", "packet_source", 12, start_of_test, start_of_test};
  auto link = ChainLink::first("key", 0);
  const auto findings = batch(Lane::findings, 1, {encode(sample_finding())}, {loss}, link) +
                        batch(Lane::findings, 2, {}, {loss}, link, BatchSeal::State::shed);
  link = ChainLink::first("key", 1);
  const auto at = start_of_test;
  const auto counts = batch(Lane::counts, 1, {delta(at), delta(at + 10 * second)}, {}, link) +
                      batch(Lane::counts, 2, {delta(at), delta(at)}, {}, link, BatchSeal::State::merged);
  const auto marks =
      row(3, first, spool_rows::encode(spool_rows::LaneMark{1, 0})) + number_row(4, second_lane, 256);
  SpoolPast past{"cloud-a", {}};
  past.add({6, {{{0, {}}, {3, {2, 40, at, at + second}}}}});
  const auto account = row(8, "", spool_rows::encode(past)) +
                       row(9, second_lane, spool_rows::encode(SpoolTotals{1, 3, at, at + second}));
  seed(target, "account", std::string{'\0', '\1', 4} + state + account);
  seed(target, "two_lanes", std::string{'\0', '\1', 12} + state + marks + findings + counts);
  seed(target, "findings", std::string{'\0', '\1', 6} + state + findings);
  seed(target, "counts", std::string{'\0', '\3', 4} + counts);
  seed(target, "small", std::string{'\0', '\1', 1} + row(0, std::string{'\0', '\1'}, value_of(1, 0, "x")));
}

void small_values() {
  ChainFile::Content keys;
  keys.present = {7, {{{3, ChainLink::first("key", 0)}, {5, ChainLink::first("key", 1)}}}};
  const auto copy = ChainFile::encode(9, keys);
  seed(target, "key_file", std::string{'\4', '\1'} + std::string{copy.data(), copy.size()});
  LinkTerms terms{{}, "acme", "north", std::string(32, 'k')};
  seed(target, "terms", '\5' + text_of(encode_terms(terms)));
  Baseline baseline;
  baseline.profile = "service:edgex-core-data";
  baseline.version = 3;
  LearnedKey key;
  key.key = 5;
  key.text = "flow out edgex-redis 6379/tcp";
  key.hours = key.days = key.gateways = 2;
  baseline.fleet.keys.push_back(key);
  LearnedNumber number;
  number.sketch.add(40);
  baseline.fleet.numbers.push_back(number);
  baseline.sites["gw-17"].progress.reason = "nothing new for a day";
  seed(target, "baseline", '\6' + text_of(encode(baseline)));
  IndicatorSet set;
  if (!set.add_list("feodo", "198.51.100.7\n203.0.113.0/24\n2001:db8::1\n")) std::exit(1);
  set.build(4);
  seed(target, "indicators", '\7' + text_of(set.encode()));
}

} // namespace

void spool_records_seeds() {
  databases();
  small_values();
}

} // namespace iris::fuzz
