#include "node/spool/spool.hpp"

#include "core/base/hash.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>

namespace iris {
namespace {

// Keys: "b" lane seq(8, big endian) for batches; "m…" for the spool's own state; "v" name for small values.
// A batch's value starts with its time (8, big endian) and the number of entries in it (4, big endian).
constexpr std::size_t value_header = 12;

void put_big_endian(std::string& to, std::uint64_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i)
    to.push_back(char(number >> (8 * i)));
}

std::uint64_t get_big_endian(const char* from, int bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < bytes; ++i)
    number = number << 8 | std::uint8_t(from[i]);
  return number;
}

std::string batch_key(Lane lane, std::uint64_t seq) {
  std::string key{"b"};
  key.push_back(char(lane));
  put_big_endian(key, seq, 8);
  return key;
}

std::string lane_key(Lane lane) { return std::string{"mlane"} + char('0' + int(lane)); }

const char* kind_of(Lane lane) { return lane == Lane::findings ? "findings" : "deltas"; }

std::vector<char> encode(Lane lane, const std::vector<std::vector<char>>& entries,
                         const std::vector<SpoolLoss>& losses, Timestamp now) {
  capnp::MallocMessageBuilder message;
  auto batch = message.initRoot<schema::Batch>();
  auto list = lane == Lane::findings ? batch.initFindings(unsigned(entries.size()))
                                     : batch.initDeltas(unsigned(entries.size()));
  for (unsigned i = 0; i < entries.size(); ++i)
    list.set(i,
             capnp::Data::Reader(reinterpret_cast<const capnp::byte*>(entries[i].data()), entries[i].size()));
  auto lost = batch.initLosses(unsigned(losses.size()));
  for (unsigned i = 0; i < losses.size(); ++i) {
    lost[i].setKind(losses[i].kind);
    lost[i].setSensor(losses[i].sensor);
    lost[i].setCount(losses[i].count);
    lost[i].setSince(losses[i].since);
    lost[i].setUntil(losses[i].until);
  }
  batch.setSentAt(now);
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

std::string value_of(Timestamp at, std::size_t entries, const std::vector<char>& bytes) {
  std::string value;
  value.reserve(value_header + bytes.size());
  put_big_endian(value, std::uint64_t(at), 8);
  put_big_endian(value, entries, 4);
  value.append(bytes.data(), bytes.size());
  return value;
}

} // namespace

Spool::Spool(std::unique_ptr<SpoolDatabase> db, SpoolLimits limits)
    : db_{std::move(db)}, limits_{std::move(limits)} {}
Spool::~Spool() = default;

Result<std::unique_ptr<Spool>> Spool::open(const std::string& path, SpoolLimits limits, Timestamp now) {
  auto database = SpoolDatabase::open(path, limits.reserve, limits.free_bytes, now);
  if (!database) return database.error();
  std::unique_ptr<Spool> spool{new Spool{std::move(*database), std::move(limits)}};
  if (auto loaded = spool->load(); !loaded)
    if (auto anew = spool->begin_anew(now); !anew) return anew.error();
  if (spool->replaced() != 0) spool->note_damage(now);
  return spool;
}

Result<void> Spool::load() {
  const auto epoch = db_->get("mepoch");
  if (!epoch) return epoch.error();
  if (epoch->size() == 8) epoch_ = get_big_endian(epoch->data(), 8);
  for (std::size_t i = 0; i < lane_count; ++i)
    if (auto loaded = load_lane(Lane(i)); !loaded) return loaded;
  return {};
}

Result<void> Spool::load_lane(Lane lane) {
  auto& s = state(lane);
  const auto value = db_->get(lane_key(lane));
  if (!value) return value.error();
  if (value->size() == 16) {
    s.acked = get_big_endian(value->data(), 8);
    s.base = get_big_endian(value->data() + 8, 8);
  }
  s.next = s.acked + 1;
  s.oldest = s.next;
  bool first = true;
  const auto at = db_->iterate();
  for (at->Seek(batch_key(lane, 0)); at->Valid(); at->Next()) {
    auto key = at->key();
    if (key.size() != 10 || key[0] != 'b' || key[1] != char(lane)) break;
    auto seq = get_big_endian(key.data() + 2, 8);
    if (first) s.oldest = seq;
    first = false;
    s.next = std::max(s.next, seq + 1);
    counters_.bytes += at->value().size();
    ++counters_.batches;
  }
  if (!at->status().ok()) return Error{Errc::corrupt, at->status().ToString()};
  return {};
}

/// The cloud is asked for a new epoch, as what it expects next is gone.
Result<void> Spool::begin_anew(Timestamp now) {
  counters_.bytes = counters_.batches = 0;
  lanes_ = {};
  epoch_ = 0;
  return db_->replace(now);
}

void Spool::note_damage(Timestamp now) { note_loss({"spool", "spool", 1, now, now}); }

void Spool::save_lane(rocksdb::WriteBatch& changes, Lane lane) const {
  std::string value;
  put_big_endian(value, state(lane).acked, 8);
  put_big_endian(value, state(lane).base, 8);
  changes.Put(lane_key(lane), value);
}

Result<void> Spool::append(Lane lane, const std::vector<std::vector<char>>& entries, Timestamp now) {
  auto bytes = encode(lane, entries, losses_, now);
  auto& s = state(lane);
  auto value = value_of(now, entries.size(), bytes);
  rocksdb::WriteBatch changes;
  changes.Put(batch_key(lane, s.next), value);
  if (auto written = db_->write(changes, true); !written) return written;
  losses_.clear();
  ++s.next;
  counters_.bytes += value.size();
  ++counters_.batches;
  (void)make_room(now); // the batch is kept; what could not make room now does so with the next one
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

std::vector<SpooledBatch> Spool::read(Lane lane, std::uint64_t after, std::size_t limit, std::size_t bytes,
                                      Timestamp now) {
  std::vector<SpooledBatch> batches;
  const auto& s = state(lane);
  std::size_t total = 0;
  auto at = db_->iterate();
  for (at->Seek(batch_key(lane, s.base + after + 1)); at->Valid() && batches.size() < limit; at->Next()) {
    auto key = at->key();
    auto value = at->value();
    if (key.size() != 10 || key[0] != 'b' || key[1] != char(lane)) break;
    if (value.size() < value_header) continue;
    total += value.size();
    if (total > bytes && !batches.empty()) break;
    SpooledBatch batch;
    batch.lane = lane;
    batch.seq = get_big_endian(key.data() + 2, 8) - s.base;
    batch.bytes.assign(value.data() + value_header, value.data() + value.size());
    batches.push_back(std::move(batch));
  }
  if (at->status().ok()) return batches;
  if (!batches.empty()) return batches; // what lies before the damage can still be saved
  at.reset();                           // before its database goes
  if (begin_anew(now)) note_damage(now);
  return {};
}

Result<void> Spool::acknowledge(Lane lane, std::uint64_t seq, Timestamp now) {
  auto& s = state(lane);
  auto on_disk = s.base + seq;
  if (on_disk <= s.acked || on_disk >= s.next) return {};
  s.acked = on_disk;
  rocksdb::WriteBatch changes;
  save_lane(changes, lane);
  // Not synced: after a crash an older mark only means that the cloud is offered some batches again.
  if (auto written = db_->write(changes, false); !written) return written;
  return drop_acked(lane, now - limits_.keep_acked, false);
}

Result<void> Spool::drop_acked(Lane lane, Timestamp before, bool for_room) {
  auto& s = state(lane);
  rocksdb::WriteBatch changes;
  std::uint64_t freed = 0, dropped = 0, oldest = s.oldest;
  const auto at = db_->iterate();
  for (at->Seek(batch_key(lane, s.oldest)); at->Valid(); at->Next()) {
    auto key = at->key();
    if (key.size() != 10 || key[0] != 'b' || key[1] != char(lane)) break;
    auto seq = get_big_endian(key.data() + 2, 8);
    if (seq > s.acked) break;
    auto stored_at = Timestamp(get_big_endian(at->value().data(), 8));
    bool enough = for_room && counters_.bytes - freed <= limits_.bytes;
    if (for_room ? enough : stored_at >= before) break;
    changes.Delete(key);
    freed += at->value().size();
    ++dropped;
    oldest = seq + 1;
  }
  if (dropped == 0) return {};
  if (auto written = db_->write(changes, false); !written) return written;
  s.oldest = oldest;
  counters_.bytes -= std::min(freed, counters_.bytes);
  counters_.batches -= std::min(dropped, counters_.batches);
  return {};
}

bool Spool::shed_oldest(Lane lane, Timestamp now) {
  auto& s = state(lane);
  const auto at = db_->iterate();
  at->Seek(batch_key(lane, std::max(s.acked, s.shed_to) + 1));
  if (!at->Valid() || at->key().size() != 10 || at->key()[0] != 'b' || at->key()[1] != char(lane))
    return false;
  auto seq = get_big_endian(at->key().data() + 2, 8);
  if (seq + 1 >= s.next) return false; // the one just written stays
  auto stored_at = Timestamp(get_big_endian(at->value().data(), 8));
  auto entries = get_big_endian(at->value().data() + 8, 4);
  auto size = at->value().size();
  auto value = value_of(stored_at, 0,
                        encode(lane, {}, {SpoolLoss{kind_of(lane), "spool", entries, stored_at, now}}, now));
  s.shed_to = seq;
  if (entries == 0 || value.size() >= size) return true; // nothing to gain here, go on with the next
  rocksdb::WriteBatch changes;
  changes.Put(at->key(), value);
  if (!db_->write(changes, false)) return false;
  counters_.bytes -= std::min<std::uint64_t>(size - value.size(), counters_.bytes);
  (lane == Lane::findings ? counters_.shed_findings : counters_.shed_counts) += entries;
  return true;
}

Result<void> Spool::make_room(Timestamp now) {
  if (counters_.bytes <= limits_.bytes) return {};
  for (auto lane : {Lane::counts, Lane::findings})
    if (auto dropped = drop_acked(lane, 0, true); !dropped) return dropped;
  for (auto lane : {Lane::counts, Lane::findings})
    while (counters_.bytes > limits_.bytes && shed_oldest(lane, now)) {
      // nop
    }
  return {};
}

Result<void> Spool::start_epoch(std::uint64_t epoch) {
  rocksdb::WriteBatch changes;
  std::string value;
  put_big_endian(value, epoch, 8);
  changes.Put("mepoch", value);
  auto lanes = lanes_;
  for (auto& lane : lanes)
    lane.base = lane.acked;
  std::swap(lanes, lanes_);
  for (std::size_t i = 0; i < lane_count; ++i)
    save_lane(changes, Lane(i));
  if (auto written = db_->write(changes, true); !written) {
    std::swap(lanes, lanes_); // an epoch that a restart forgets would send again what the cloud has
    return written;
  }
  epoch_ = epoch;
  return {};
}

Result<bool> Spool::resume(Lane lane, std::uint64_t applied, Timestamp now) {
  auto& s = state(lane);
  auto on_disk = s.base + applied;
  if (on_disk >= s.next) return false; // the cloud knows more than this spool: it was replaced
  if (on_disk + 1 < s.oldest) {
    note_loss({kind_of(lane), "rewind", s.oldest - on_disk - 1, 0, now});
    return false;
  }
  if (on_disk == s.acked) return true;
  s.acked = on_disk; // forwards: acks that were lost; backwards: the cloud was restored
  rocksdb::WriteBatch changes;
  save_lane(changes, lane);
  (void)db_->write(changes, true); // after a restart the cloud says again what it has
  return true;
}

std::uint64_t Spool::first_seq(Lane lane) const {
  const auto& s = state(lane);
  return s.acked + 1 < s.next ? s.acked + 1 - s.base : 0;
}

std::uint64_t Spool::last_seq(Lane lane) const { return state(lane).next - 1 - state(lane).base; }
std::uint64_t Spool::acked_seq(Lane lane) const { return state(lane).acked - state(lane).base; }

Result<void> Spool::put(const std::string& name, const std::vector<char>& value) {
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
