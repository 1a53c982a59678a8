#include "node/spool/spool.hpp"

#include "node/spool/batch_content.hpp"
#include "node/spool/chain_file.hpp"
#include "node/spool/spool_keys.hpp"
#include "node/spool/spool_rows.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <utility>

namespace iris {

using namespace spool_keys;
using namespace spool_rows;

namespace {

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

SpoolLoss missing(Timestamp now) { return {"spool", "spool", 1, now, now}; }

} // namespace

Spool::Spool(std::unique_ptr<SpoolDatabase> db, SpoolLimits limits, std::unique_ptr<ChainFile> keys)
    : db_{std::move(db)}, limits_{std::move(limits)}, keys_{std::move(keys)} {}
Spool::~Spool() {
  for (auto& lane : lanes_)
    lane.link.erase();
}

Result<std::unique_ptr<Spool>> Spool::open(const std::string& path, SpoolLimits limits, Timestamp now) {
  auto database = SpoolDatabase::open(path, limits.reserve, limits.free_bytes, now);
  if (!database) return database.error();
  std::unique_ptr<Spool> spool{
      new Spool{std::move(*database), std::move(limits), std::make_unique<ChainFile>(path + ".key")}};
  if (auto loaded = spool->load(); !loaded) {
    spool->trouble_ = loaded.error().message + "; it was moved aside";
    if (auto anew = spool->begin_anew(now); !anew) return anew.error();
  }
  if (spool->replaced() != 0) spool->note_damage(now);
  return spool;
}

Result<void> Spool::load() {
  const auto row = [&](const std::string& key) { return db_->get(key); };
  const auto epoch_row = row("mepoch"), chained_row = row("mchain");
  if (!epoch_row) return epoch_row.error();
  if (!chained_row) return chained_row.error();
  const auto epoch = decode_number("mepoch", *epoch_row);
  if (!epoch) return epoch.error();
  const auto past_row = row("mpast");
  if (!past_row) return past_row.error();
  auto past = decode_past(*past_row);
  if (!past) return past.error();
  const auto chained = decode_chained(*chained_row);
  if (!chained) return chained.error();
  for (std::size_t i = 0; i < lane_count; ++i)
    if (auto loaded = load_lane(Lane(i)); !loaded) return loaded;
  epoch_ = *epoch;
  past_ = std::move(*past);
  if (epoch_ != 0 && past_row->empty()) // of a program that kept no account
    past_.add({epoch_, {{{lanes_[0].base, {}}, {lanes_[1].base, {}}}}});
  chained_ = epoch_ != 0 && *chained;
  if (!chained_) return {};
  if (auto loaded = load_chain(); !loaded) {
    trouble_ = loaded.error().message + "; a new epoch is asked for";
    chained_ = false;
    epoch_ = 0; // what comes could not be sealed: the cloud is asked for a new epoch, and tells people why
  }
  return {};
}

/// The key file is at most some batches behind, when the node was cut off between the batch and the key.
Result<void> Spool::load_chain() {
  auto content = keys_->load();
  if (!content) return Error{Errc::corrupt, "spool: the file with the key of the batches has no good copy"};
  const auto& position = content->present.epoch == epoch_ ? content->present : content->coming;
  Result<void> loaded;
  if (position.epoch != epoch_)
    loaded = Error{Errc::corrupt, "spool: the key of the batches is of another epoch"};
  for (std::size_t i = 0; i < lane_count && loaded; ++i) {
    auto link = step_over(Lane(i), position.lanes[i], lanes_[i].next, [&](std::uint64_t at) {
      const auto stored = db_->get(note_key(Lane(i), at));
      return stored ? *stored : std::string{};
    });
    if (!link) {
      loaded = link.error();
      break;
    }
    lanes_[i].link = *link;
    link->erase();
  }
  content->erase();
  return loaded;
}

Result<void> Spool::save_chain() {
  ChainFile::Content content;
  content.present.epoch = epoch_;
  for (std::size_t i = 0; i < lane_count; ++i)
    content.present.lanes[i] = {lanes_[i].next, lanes_[i].link};
  auto saved = keys_->save(content, limits_.sync);
  if (!saved) ++counters_.key_writes_failed;
  return saved;
}

Result<void> Spool::load_lane(Lane lane) {
  const auto mark_row = db_->get(lane_key(lane)), offered_row = db_->get(offered_key(lane));
  if (!mark_row) return mark_row.error();
  if (!offered_row) return offered_row.error();
  const auto dropped_row = db_->get(dropped_key(lane));
  if (!dropped_row) return dropped_row.error();
  const auto dropped = decode_totals(lane, *dropped_row);
  if (!dropped) return dropped.error();
  const auto mark = decode_mark(lane, *mark_row);
  if (!mark) return mark.error();
  const auto offered = decode_number(offered_key(lane), *offered_row);
  if (!offered) return offered.error();
  LaneRecovery recovery{lane, *mark};
  const auto at = db_->iterate();
  for (at->Seek(batch_key(lane, 0)); at->Valid() && is_batch_of(lane, view(at->key())); at->Next())
    if (auto seen = recovery.batch(view(at->key()), at->value().size()); !seen) return seen;
  if (!at->status().ok()) return Error{Errc::corrupt, at->status().ToString()};
  const auto place = recovery.finish(*offered);
  if (!place) return place.error();
  auto& s = state(lane);
  s.next = place->next;
  s.acked = place->acked;
  s.oldest = place->oldest;
  s.base = place->base;
  s.offered = place->offered;
  s.offered_mark = place->offered_mark;
  s.dropped = *dropped;
  counters_.bytes += place->bytes;
  counters_.batches += place->batches;
  BatchNote note;
  if (const auto newest = db_->get(note_key(lane, s.next - 1)); newest && decode_note(*newest, note))
    clock_ = std::max(clock_, note.made_at);
  return {};
}

/// The cloud is asked for a new epoch, as what it expects next is gone.
Result<void> Spool::begin_anew(Timestamp now) {
  counters_.bytes = counters_.batches = 0;
  lanes_ = {};
  past_ = {};
  epoch_ = 0;
  chained_ = false;
  refused_.reset();
  return db_->replace(now);
}

void Spool::note_damage(Timestamp now) { note_loss({"spool", "spool", 1, now, now}); }

void Spool::save_lane(rocksdb::WriteBatch& changes, Lane lane) const {
  changes.Put(lane_key(lane), encode(LaneMark{state(lane).acked, state(lane).base}));
}

void Spool::seal(Lane lane, std::uint64_t on_disk, std::uint64_t base, std::uint64_t epoch,
                 const ChainLink& link, BatchNote& note) const {
  note.seal.mac = link.mac({epoch, std::uint8_t(lane), on_disk - base}, note.seal, note.losses_digest);
  note.sealed = true;
}

/// After a write that failed: memory is made to say what is on disk, where part or all of it may have landed.
/// What the cloud said is newer in memory.
Result<void> Spool::settle(Timestamp now) {
  if (!db_->in_doubt()) return {};
  if (auto settled = db_->settle(); !settled) return settled;
  const auto before = lanes_;
  const auto counted = counters_;
  const auto epoch = epoch_;
  counters_.bytes = counters_.batches = 0;
  lanes_ = {};
  if (auto loaded = load(); !loaded) {
    if (loaded.error().code != Errc::corrupt) {
      lanes_ = before;
      counters_ = counted;
      db_->doubt();
      return loaded;
    }
    trouble_ = loaded.error().message + "; it was moved aside";
    if (auto anew = begin_anew(now); !anew) return anew;
    note_damage(now);
    return {};
  }
  if (const auto refused = std::exchange(refused_, {}); refused) {
    const auto& [lane, number] = *refused;
    rocksdb::WriteBatch changes;
    changes.Delete(batch_key(lane, number));
    changes.Delete(note_key(lane, number));
    auto gone = db_->write(changes, limits_.sync);
    counters_.bytes = counters_.batches = 0;
    lanes_ = {};
    if (gone) gone = load();
    if (!gone) {
      refused_ = refused;
      lanes_ = before;
      counters_ = counted;
      db_->doubt();
      return gone;
    }
  }
  for (std::size_t i = 0; i < lane_count && epoch_ == epoch; ++i) {
    lanes_[i].acked = before[i].acked;
    lanes_[i].offered = before[i].offered;
    lanes_[i].shed_to = before[i].shed_to;
    lanes_[i].aged_to = before[i].aged_to;
    lanes_[i].merged_to = before[i].merged_to;
  }
  return {};
}

/// Lets the spool's own clock go on. A jump of the wall clock, or the time that the node did not run, is ten
/// minutes.
void Spool::tick(Timestamp now) {
  if (ticked_ != 0) clock_ += std::clamp<Duration>(now - ticked_, 0, 600 * second);
  ticked_ = now;
}

Result<void> Spool::append(Lane lane, const std::vector<std::vector<char>>& entries, Timestamp now) {
  tick(now);
  if (auto settled = settle(now); !settled) return settled;
  // Only what is left of older batches is there: counts give way, findings may have a quarter more.
  const auto most = lane == Lane::counts ? limits_.bytes : limits_.bytes + limits_.bytes / 4;
  if (counters_.bytes > most) {
    counters_.refused += entries.size();
    return Error{Errc::limit, "spool: full of what is left of older batches; the cloud must take them first"};
  }
  auto& s = state(lane);
  const auto bytes = encode_content(lane, entries, losses_, now);
  auto note = note_of(lane, entries, losses_, now);
  note.made_at = clock_;
  if (chained_) seal(lane, s.next, s.base, epoch_, s.link, note);
  const auto value = value_of(now, entries.size(), {bytes.data(), bytes.size()});
  rocksdb::WriteBatch changes;
  changes.Put(batch_key(lane, s.next), value);
  changes.Put(note_key(lane, s.next), encode_note(note));
  const auto number = s.next;
  if (auto written = db_->write(changes, limits_.sync); !written) {
    // What landed all the same was kept, whatever the disk said. Where that cannot be seen now, the caller
    // hears that it was not, and that is made true.
    if (const auto settled = settle(now); !settled) refused_ = {lane, number};
    if (refused_ || s.next <= number) return written;
    losses_.clear();
  } else {
    losses_.clear();
    ++s.next;
    if (chained_) {
      s.link.step(note.seal.mac);
      (void)save_chain(); // counted; after a restart the key is found from the older one
    }
    counters_.bytes += value.size() + note_size;
    ++counters_.batches;
  }
  make_room(now); // the batch is kept; what could not make room now does so with the next one
  return {};
}

void Spool::note_loss(SpoolLoss loss) {
  if (loss.count == 0) return;
  auto same = [&](const SpoolLoss& known) { return known.kind == loss.kind && known.sensor == loss.sensor; };
  auto found = std::find_if(losses_.begin(), losses_.end(), same);
  if (found == losses_.end() && losses_.size() >= limits_.losses) {
    loss.sensor = "several";
    found = std::find_if(losses_.begin(), losses_.end(), same);
    if (found == losses_.end()) found = losses_.begin();
  }
  if (found == losses_.end()) {
    losses_.push_back(std::move(loss));
    return;
  }
  found->count += loss.count;
  found->since = std::min(found->since, loss.since);
  found->until = std::max(found->until, loss.until);
}

Result<void> Spool::flush_losses(Timestamp now) {
  if (losses_.empty()) return {};
  return append(Lane::counts, {}, now);
}

std::vector<char> Spool::wire_bytes(Lane lane, std::uint64_t on_disk, std::string_view value,
                                    Timestamp now) const {
  const auto stored = decode_stored(value);
  if (!stored) return encode_content(lane, {}, {missing(now)}, now);
  auto note = note_at(lane, on_disk, value);
  note.seal.into -= std::min(note.seal.into, state(lane).base);
  if (chained_ && note.sealed)
    if (auto sealed = with_seal(stored->content, note.seal)) return std::move(*sealed);
  return {stored->content.begin(), stored->content.end()};
}

std::vector<SpooledBatch> Spool::read(Lane lane, std::uint64_t after, std::size_t limit, std::size_t bytes,
                                      Timestamp now) {
  std::vector<SpooledBatch> batches;
  if (auto settled = settle(now); !settled) return batches;
  const auto& s = state(lane);
  std::size_t total = 0;
  std::uint64_t newest = s.base + after;
  auto at = db_->iterate();
  for (at->Seek(batch_key(lane, newest + 1)); at->Valid() && batches.size() < limit; at->Next()) {
    if (!is_batch_of(lane, view(at->key())) || seq_of(view(at->key())) >= s.next) break;
    const auto value = view(at->value());
    const auto on_disk = seq_of(view(at->key()));
    // Somebody took batches out. The cloud must not wait for them for ever: they come empty, without a seal.
    for (; newest + 1 < on_disk && batches.size() < limit; ++newest)
      batches.push_back({lane, newest + 1 - s.base, encode_content(lane, {}, {missing(now)}, now)});
    if (batches.size() >= limit) break;
    total += value.size() + note_size;
    if (total > bytes && !batches.empty()) break;
    newest = on_disk;
    batches.push_back({lane, newest - s.base, wire_bytes(lane, newest, value, now)});
  }
  if (!batches.empty()) keep_offered(lane, newest);
  if (at->status().ok() || !db_->is_open()) return batches;
  if (!batches.empty()) return batches; // what lies before the damage can still be saved
  at.reset();                           // before its database goes
  if (begin_anew(now)) note_damage(now);
  return {};
}

/// The mark is written before the batches go out, so that after a restart nothing is merged that the cloud
/// may have.
void Spool::keep_offered(Lane lane, std::uint64_t on_disk) {
  auto& s = state(lane);
  s.offered = std::max(s.offered, on_disk);
  if (s.offered <= s.offered_mark) return;
  std::string value;
  put_big_endian(value, s.offered + offered_step, 8);
  rocksdb::WriteBatch changes;
  changes.Put(offered_key(lane), value);
  if (db_->write(changes, limits_.sync)) s.offered_mark = s.offered + offered_step;
}

/// `value` has a head.
BatchNote Spool::note_at(Lane lane, std::uint64_t on_disk, std::string_view value) const {
  const auto row = db_->get(note_key(lane, on_disk));
  const auto stored = decode_stored(value);
  return note_beside(lane, row ? std::string_view{*row} : std::string_view{},
                     stored ? *stored : StoredBatch{});
}

Result<void> Spool::acknowledge(Lane lane, std::uint64_t seq, Timestamp now) {
  tick(now);
  (void)settle(now); // else the write below says so
  auto& s = state(lane);
  auto on_disk = s.base + seq;
  if (on_disk <= s.acked || on_disk >= s.next) return {};
  s.acked = on_disk;
  rocksdb::WriteBatch changes;
  save_lane(changes, lane);
  // Not synced: after a crash an older mark only means that the cloud is offered some batches again.
  if (auto written = db_->write(changes, false); !written) return written;
  return drop_acked(lane, false);
}

std::uint64_t Spool::first_seq(Lane lane) const {
  const auto& s = state(lane);
  return s.acked + 1 < s.next ? s.acked + 1 - s.base : 0;
}

std::uint64_t Spool::last_seq(Lane lane) const { return state(lane).next - 1 - state(lane).base; }
std::uint64_t Spool::acked_seq(Lane lane) const { return state(lane).acked - state(lane).base; }

Result<void> Spool::put(const std::string& name, const std::vector<char>& value) {
  if (auto settled = settle(ticked_); !settled) return settled;
  rocksdb::WriteBatch changes;
  changes.Put("v" + name, rocksdb::Slice{value.data(), value.size()});
  return db_->write(changes, true);
}

std::vector<std::pair<std::string, std::vector<char>>> Spool::list(const std::string& prefix) const {
  std::vector<std::pair<std::string, std::vector<char>>> values;
  const auto at = db_->iterate();
  for (at->Seek("v" + prefix); at->Valid() && at->key().starts_with("v" + prefix); at->Next())
    values.emplace_back(at->key().ToString().substr(1),
                        std::vector<char>(at->value().data(), at->value().data() + at->value().size()));
  return values;
}

} // namespace iris
