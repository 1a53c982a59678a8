#include "node/spool/spool.hpp"

#include "node/spool/batch_content.hpp"
#include "node/spool/chain_file.hpp"
#include "node/spool/spool_keys.hpp"
#include "node/spool/spool_rows.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

// How a spool stays within its bounds.
namespace iris {

using namespace spool_keys;
using namespace spool_rows;

namespace {

/// Batches whose counts are merged into one: within what one message of the link holds, and enough to be
/// worth it.
constexpr std::size_t merge_bytes = 768 << 10;
constexpr std::size_t merge_batches = 256, merge_at_least = 16;

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

std::uint64_t less(std::uint64_t from, std::uint64_t amount) { return from - std::min(from, amount); }

} // namespace

Result<void> Spool::drop_acked(Lane lane, bool for_room) {
  auto& s = state(lane);
  rocksdb::WriteBatch changes;
  std::uint64_t freed = 0, dropped = 0, oldest = s.oldest;
  auto totals = s.dropped;
  const auto at = db_->iterate();
  for (at->Seek(batch_key(lane, s.oldest)); at->Valid() && is_batch_of(lane, view(at->key())); at->Next()) {
    const auto seq = seq_of(view(at->key()));
    if (seq > s.acked) break;
    const auto value = view(at->value());
    const bool good = value.size() >= value_header;
    const auto note = good ? note_at(lane, seq, value) : BatchNote{};
    bool enough = for_room && counters_.bytes - freed <= limits_.bytes;
    if (for_room ? enough : good && clock_ - note.made_at <= limits_.keep_acked) break;
    if (good) totals.add(note.seal);
    changes.Delete(at->key());
    changes.Delete(note_key(lane, seq));
    freed += value.size() + note_size;
    ++dropped;
    oldest = seq + 1;
  }
  if (dropped == 0) return {};
  changes.Put(dropped_key(lane), encode(totals));
  if (auto written = db_->write(changes, false); !written) return written;
  s.oldest = oldest;
  s.dropped = totals;
  counters_.bytes -= std::min(freed, counters_.bytes);
  counters_.batches -= std::min(dropped, counters_.batches);
  return {};
}

/// Replaces the batch by one with its number that holds what it said of losses before, and what is lost now.
/// False when the disk refuses.
bool Spool::shed(Lane lane, std::uint64_t on_disk, std::string_view value, BatchNote note, Timestamp now,
                 bool for_room) {
  if (note.seal.state != BatchSeal::State::whole || note.seal.entries == 0) return true;
  auto content = decode_content(lane, value.substr(value_header));
  auto losses = content ? std::move(content->losses) : std::vector<SpoolLoss>{};
  const auto& s = note.seal;
  losses.push_back({kind_of(lane), "spool", s.entries, s.since, s.until});
  if (s.observations != 0) losses.push_back({"observations", "spool", s.observations, s.since, s.until});
  const auto bytes = encode_content(lane, {}, losses, now);
  const auto remains = value_of(Timestamp(get_big_endian(value.data(), 8)), 0, {bytes.data(), bytes.size()});
  if (for_room && remains.size() >= value.size()) return true; // nothing to gain here
  note.seal.state = BatchSeal::State::shed;
  rocksdb::WriteBatch changes;
  changes.Put(batch_key(lane, on_disk), remains);
  changes.Put(note_key(lane, on_disk), encode_note(note));
  if (!db_->write(changes, false)) return false;
  counters_.bytes = less(counters_.bytes + remains.size(), value.size());
  (lane == Lane::findings ? counters_.shed_findings : counters_.shed_counts) += s.entries;
  return true;
}

bool Spool::shed_oldest(Lane lane, Timestamp now) {
  auto& s = state(lane);
  const auto at = db_->iterate();
  at->Seek(batch_key(lane, std::max(s.acked, s.shed_to) + 1));
  if (!at->Valid() || !is_batch_of(lane, view(at->key()))) return false;
  const auto seq = seq_of(view(at->key()));
  if (seq + 1 >= s.next) return false; // the one just written stays
  const auto value = view(at->value());
  if (value.size() >= value_header && !shed(lane, seq, value, note_at(lane, seq, value), now, true))
    return false;
  s.shed_to = seq;
  return true;
}

void Spool::expire(Timestamp now) {
  tick(now);
  if (clock_ - expired_ < std::min<Duration>(60 * second, limits_.age / 8)) return;
  expired_ = clock_;
  for (auto lane : {Lane::findings, Lane::counts})
    expire_lane(lane, now);
}

void Spool::expire_lane(Lane lane, Timestamp now) {
  auto& s = state(lane);
  const auto at = db_->iterate();
  for (at->Seek(batch_key(lane, std::max(s.acked, s.aged_to) + 1));
       at->Valid() && is_batch_of(lane, view(at->key())); at->Next()) {
    const auto value = view(at->value());
    if (value.size() < value_header) continue;
    const auto seq = seq_of(view(at->key()));
    const auto note = note_at(lane, seq, value);
    if (clock_ - note.made_at <= limits_.age || !shed(lane, seq, value, note, now, false)) return;
    s.aged_to = seq;
  }
}

/// Puts the counts of the oldest batches, none of which the cloud can have, into a new and coarser one. False
/// when there was nothing to try.
bool Spool::merge_oldest(Timestamp now) {
  struct Old {
    std::uint64_t seq = 0;
    std::string value;
    BatchNote note;
    std::string remains; ///< in its place: what it said of losses
  };
  constexpr auto lane = Lane::counts;
  auto& s = state(lane);
  std::vector<Old> group;
  std::vector<std::vector<char>> entries;
  std::size_t bytes = 0, remaining = 0;
  std::uint64_t last = 0;
  BatchNote sum;
  const auto at = db_->iterate();
  for (at->Seek(batch_key(lane, std::max({s.acked, s.offered, s.merged_to}) + 1));
       at->Valid() && is_batch_of(lane, view(at->key())) && group.size() < merge_batches; at->Next()) {
    Old old{seq_of(view(at->key())), at->value().ToString(), {}, {}};
    if (old.value.size() < value_header) continue;
    old.note = note_at(lane, old.seq, old.value);
    const auto& seal = old.note.seal;
    if (seal.state != BatchSeal::State::whole || seal.entries == 0) {
      last = old.seq;
      continue;
    }
    if (bytes + old.value.size() > merge_bytes && !group.empty()) break;
    last = old.seq;
    auto content = decode_content(lane, std::string_view{old.value}.substr(value_header));
    if (!content) continue;
    const auto rest = encode_content(lane, {}, content->losses, now);
    old.remains = value_of(Timestamp(get_big_endian(old.value.data(), 8)), 0, {rest.data(), rest.size()});
    std::move(content->entries.begin(), content->entries.end(), std::back_inserter(entries));
    bytes += old.value.size();
    remaining += old.remains.size();
    sum.seal.since = group.empty() ? seal.since : std::min(sum.seal.since, seal.since);
    sum.seal.until = group.empty() ? seal.until : std::max(sum.seal.until, seal.until);
    sum.seal.merged_entries += seal.entries;
    sum.seal.merged_observations += seal.observations;
    sum.made_at = group.empty() ? old.note.made_at : std::min(sum.made_at, old.note.made_at);
    group.push_back(std::move(old));
  }
  if (group.size() < merge_at_least) return false;
  s.merged_to = last;
  const auto merged = merge_deltas(entries, day_);
  const auto content = encode_content(lane, merged, {}, now);
  if (content.size() + remaining + note_size > bytes - bytes / 8)
    return true; // hardly anything to gain; go on

  auto note = note_of(lane, merged, {}, now);
  auto& seal_of_all = note.seal;
  seal_of_all.entries = seal_of_all.merged_entries = sum.seal.merged_entries;
  seal_of_all.observations = seal_of_all.merged_observations = sum.seal.merged_observations;
  seal_of_all.since = sum.seal.since;
  seal_of_all.until = sum.seal.until;
  note.made_at = sum.made_at;
  if (chained_) seal(lane, s.next, s.base, epoch_, s.link, note);
  const auto value = value_of(now, merged.size(), {content.data(), content.size()});
  rocksdb::WriteBatch changes;
  std::uint64_t freed = 0, added = value.size() + note_size;
  for (auto& old : group) {
    old.note.seal.state = BatchSeal::State::merged;
    old.note.seal.into = s.next;
    changes.Put(batch_key(lane, old.seq), old.remains);
    changes.Put(note_key(lane, old.seq), encode_note(old.note));
    freed += old.value.size();
    added += old.remains.size();
  }
  changes.Put(batch_key(lane, s.next), value);
  changes.Put(note_key(lane, s.next), encode_note(note));
  if (!db_->write(changes, limits_.sync)) return false;
  ++s.next;
  if (chained_) {
    s.link.step(note.seal.mac);
    (void)save_chain();
  }
  counters_.bytes = less(counters_.bytes + added, freed);
  ++counters_.batches;
  counters_.merged_batches += group.size();
  return true;
}

void Spool::make_room(Timestamp now) {
  if (db_->in_doubt()) return;
  expire(now);
  if (counters_.bytes <= limits_.bytes) return;
  for (auto lane : {Lane::counts, Lane::findings})
    if (auto dropped = drop_acked(lane, true); !dropped) return;
  while (counters_.bytes > limits_.bytes && merge_oldest(now)) {
    // nop
  }
  for (auto lane : {Lane::counts, Lane::findings})
    while (counters_.bytes > limits_.bytes && shed_oldest(lane, now)) {
      // nop
    }
}

} // namespace iris
