// libFuzzer entry: what a spool decodes when it is opened, without the database that holds it: rows of
// batches, notes and marks together as a small database, the key file, and what the cloud had said. The first
// byte says which. What is taken must survive its own encoding and stay within bounds; what is not says what
// and where.
#include "cloud/aggregator/batch_codec.hpp"
#include "core/intel/indicator_set.hpp"
#include "core/learn/baseline.hpp"
#include "core/learn/delta_merge.hpp"
#include "node/spool/spool_keys.hpp"
#include "node/spool/spool_rows.hpp"
#include "node/uplink/session_messages.hpp"
#include "tests/fuzz/bytes.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

namespace {

using namespace iris;
using namespace iris::spool_rows;
using namespace iris::spool_keys;

using Rows = std::map<std::string, std::string>;
constexpr Duration day = 86'400 * second;

void check(bool good) {
  if (!good) std::abort();
}

/// One line, and it begins with what is damaged.
void check(const Error& error, std::string_view what) {
  const auto& line = error.message;
  if (line.starts_with(what) && line.size() > what.size() + 2 && line.size() <= 1'024 &&
      line.find('\n') == std::string::npos)
    return;
  std::fprintf(stderr, "not one line that begins with '%s': %s\n", std::string{what}.c_str(), line.c_str());
  std::abort();
}

std::string_view view(const std::vector<char>& bytes) { return {bytes.data(), bytes.size()}; }

std::string any_key(fuzz::Bytes& in) {
  const auto form = in.number(1) % 16;
  if (form == 0 || form == 2) { // near the others, so that they meet
    const auto lane = Lane(in.number(1) % lane_count);
    return spool_keys::key_of(form == 0 ? 'b' : 'n', lane, in.number(1));
  }
  if (form == 1) return std::string{"b"} + char(in.number(1) % 3) + std::string{in.take(8)};
  if (form == 3) return lane_key(Lane(in.number(1) % lane_count));
  if (form == 4) return offered_key(Lane(in.number(1) % lane_count));
  if (form == 5) return "mepoch";
  if (form == 6) return "mchain";
  if (form == 8) return "mpast";
  if (form == 9) return dropped_key(Lane(in.number(1) % lane_count));
  return std::string{in.take(in.number(1) % 16)};
}

std::string row(const Rows& rows, const std::string& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? std::string{} : found->second;
}

void deltas(const std::vector<std::vector<char>>& entries) {
  std::uint64_t before = 0, after = 0;
  std::size_t good_before = 0, good_after = 0, kept = 0;
  const auto merged = merge_deltas(entries, day);
  for (const auto& entry : entries) {
    if (auto facts = delta_facts(entry.data(), entry.size())) before += facts->observations;
    good_before += decode_delta(entry.data(), entry.size()).ok() ? 1 : 0;
  }
  for (const auto& entry : merged) {
    if (auto facts = delta_facts(entry.data(), entry.size())) after += facts->observations;
    const bool good = decode_delta(entry.data(), entry.size()).ok();
    good_after += good ? 1 : 0;
    kept += good ? 0 : 1;
  }
  check(before == after); // no count is lost
  check(good_after <= good_before && kept == entries.size() - good_before);
}

/// As it is sent, merged and shed. The digest of the content tells whether it came through unchanged.
void content(Lane lane, std::string_view bytes, const BatchSeal& seal, std::uint64_t entries) {
  const auto read = decode_content(lane, bytes);
  const auto sent = with_seal(bytes, seal);
  if (sent) check(sent->size() <= 5 * bytes.size() + 1'024);
  if (!read) return check(read.error(), "a batch of the spool is damaged: ");
  std::size_t size = 0;
  for (const auto& entry : read->entries)
    size += entry.size();
  for (const auto& loss : read->losses)
    size += loss.kind.size() + loss.sensor.size();
  check(size <= 4 * bytes.size() && read->entries.size() + read->losses.size() <= 4 * bytes.size() + 64);

  const auto again = encode_content(lane, read->entries, read->losses, read->made_at);
  const auto back = decode_content(lane, view(again));
  check(back.ok() && back->entries == read->entries && back->made_at == read->made_at);
  const auto note = note_of(lane, read->entries, read->losses, read->made_at);
  check(encode_note(note) == encode_note(note_of(lane, back->entries, back->losses, back->made_at)));

  const auto sealed = with_seal(view(again), seal);
  check(sealed.ok());
  const auto taken = decode_batch(*sealed);
  check(taken.seal.has_value());
  check(encode_note({*taken.seal}) == encode_note({seal}));
  if (taken.seal->state == BatchSeal::State::whole)
    check(taken.found.entries_digest == note.seal.entries_digest &&
          taken.found.entries == note.seal.entries &&
          (lane == Lane::findings || taken.found.observations == note.seal.observations));
  if (lane == Lane::counts) deltas(read->entries);

  auto losses = read->losses;
  losses.push_back({kind_of(lane), "spool", entries, seal.since, seal.until});
  check(decode_content(lane, view(encode_content(lane, {}, losses, 1))).ok() || losses.size() > 16'384);
}

void note(std::string_view bytes) {
  BatchNote read;
  if (!decode_note(bytes, read)) return check(encode_note(read) == encode_note(BatchNote{}));
  const auto written = encode_note(read);
  check(written.size() == note_size && written.substr(0, note_size - 8) == bytes.substr(0, note_size - 8));
  check(read.made_at >= 0 && read.made_at + 600 * second > 0);
}

void batch(Lane lane, const std::string& note_row, const std::string& value) {
  note(note_row);
  const auto stored = decode_stored(value);
  if (!stored) return check(stored.error(), "spool: a batch of ");
  check(value_of(stored->at, stored->entries, stored->content) == value);
  const auto beside = note_beside(lane, note_row, *stored);
  note(encode_note(beside));
  content(lane, stored->content, beside.seal, stored->entries);
}

void lane_rows(Lane lane, const Rows& rows, std::uint64_t key_at) {
  const auto mark = decode_mark(lane, row(rows, lane_key(lane)));
  if (!mark) return check(mark.error(), "spool: row mlane");
  const auto mark_again = decode_mark(lane, encode(*mark));
  check(mark_again.ok() && mark_again->acked == mark->acked && mark_again->base == mark->base);
  const auto offered = decode_number(offered_key(lane), row(rows, offered_key(lane)));
  if (!offered) return check(offered.error(), "spool: row moffered");

  const auto dropped = decode_totals(lane, row(rows, dropped_key(lane)));
  if (!dropped) return check(dropped.error(), "spool: row mdropped");
  if (const auto& value = row(rows, dropped_key(lane)); !value.empty()) check(encode(*dropped) == value);

  LaneRecovery recovery{lane, *mark};
  std::uint64_t bytes = 0, batches = 0, empty = 0, newest = mark->acked;
  for (auto at = rows.lower_bound(batch_key(lane, 0)); at != rows.end() && is_batch_of(lane, at->first);
       ++at) {
    if (auto seen = recovery.batch(at->first, at->second.size()); !seen)
      return check(seen.error(), "spool: row of batch ");
    const auto seq = seq_of(at->first);
    if (seq > newest) empty += seq - newest - 1;
    newest = std::max(newest, seq);
    bytes += at->second.size() + note_size;
    ++batches;
    batch(lane, row(rows, note_key(lane, seq)), at->second);
  }
  const auto place = recovery.finish(*offered);
  if (!place) return check(place.error(), "spool: row mlane");
  check(place->base <= place->acked && place->acked < place->next && place->oldest <= place->next);
  check(place->next == newest + 1 && place->next <= most_batches + 1);
  check(place->offered < place->next && place->offered <= place->offered_mark &&
        place->offered_mark < place->next + offered_step);
  check(place->bytes == bytes && place->batches == batches);
  check(empty <= batches * most_missing); // what Spool::read makes up for what is missing

  std::uint64_t asked = 0;
  const ChainPosition::Lane from{key_at, ChainLink::first("key", std::uint8_t(lane))};
  const auto link = step_over(lane, from, place->next, [&](std::uint64_t seq) {
    ++asked;
    return row(rows, note_key(lane, seq));
  });
  check(asked <= rows.size() + 1);
  if (!link) return check(link.error(), "spool: the key of lane ");
  check((link->key == from.link.key) == (key_at == place->next));
}

/// What is known of earlier epochs stays bounded whatever is added, and comes back as it was written.
void past_row(const std::string& value) {
  auto past = decode_past(value);
  if (!past) return check(past.error(), "spool: row mpast is damaged: ");
  if (!value.empty()) check(encode(*past) == value);
  for (std::uint64_t epoch = 1; epoch <= SpoolPast::most + 2; ++epoch)
    past->add({epoch, {}});
  check(past->epochs.size() <= SpoolPast::most + 1);
  check(decode_past(encode(*past)).ok());
}

void database(fuzz::Bytes& in) {
  Rows rows;
  const auto key_at = in.number(1);
  for (auto count = in.number(1) % 32; count > 0 && !in.empty(); --count) {
    auto key = any_key(in);
    const auto size = in.number(2);
    rows[std::move(key)] = in.take(size);
  }
  const auto epoch = decode_number("mepoch", row(rows, "mepoch"));
  if (!epoch) check(epoch.error(), "spool: row mepoch is damaged: ");
  const auto chained = decode_chained(row(rows, "mchain"));
  if (!chained) check(chained.error(), "spool: row mchain is damaged: ");
  past_row(row(rows, "mpast"));
  for (auto lane : {Lane::findings, Lane::counts})
    lane_rows(lane, rows, key_at);
}

/// With an odd first byte the checksum is made right, so that mutations get past it.
void key_file(fuzz::Bytes& in) {
  const bool mend = in.number(1) % 2 != 0;
  ChainFile::Copy copy{};
  const auto bytes = in.take(copy.size());
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  if (mend) {
    const auto sum = PartsDigest{}.text({copy.data(), copy.size() - 32}).finish();
    std::memcpy(copy.data() + copy.size() - 32, sum.data(), 32);
  }
  const auto read = ChainFile::decode(copy);
  if (read) check(ChainFile::encode(read->first, read->second) == copy);
  check(read || !mend);
}

void small_value(std::uint64_t kind, const std::vector<char>& bytes) {
  if (kind == 0) {
    const auto terms = decode_welcome(bytes);
    if (!terms) return check(terms.error(), "welcome");
    if (!terms->refusal.empty()) return;
    const auto again =
        decode_welcome(encode_terms({terms->scale, terms->tenant, terms->site, terms->baseline_key}));
    check(again.ok() && again->tenant == terms->tenant && again->site == terms->site &&
          again->baseline_key == terms->baseline_key && again->scale.day == terms->scale.day);
  } else if (kind == 1) {
    const auto baseline = decode_baseline(bytes.data(), bytes.size());
    if (!baseline) return check(baseline.error(), "baseline");
    const auto written = encode(*baseline);
    const auto again = decode_baseline(written.data(), written.size());
    check(again.ok() && encode(*again) == written);
  } else {
    const auto set = IndicatorSet::decode(bytes.data(), bytes.size());
    if (!set) return check(set.error(), "indicators: ");
    const auto written = set->encode();
    const auto again = IndicatorSet::decode(written.data(), written.size());
    check(again.ok() && again->encode() == written && written.size() <= bytes.size());
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes in{data, size};
  const auto kind = in.number(1) % 8;
  if (kind < 4) {
    database(in);
  } else if (kind == 4) {
    key_file(in);
  } else {
    const auto rest = in.rest();
    small_value(kind - 5, {rest.begin(), rest.end()});
  }
  return 0;
}
