#include "node/spool/spool.hpp"

#include "node/spool/batch_content.hpp"
#include "node/spool/chain_file.hpp"
#include "node/spool/spool_keys.hpp"
#include "node/spool/spool_rows.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

// How a spool and a cloud find out what the cloud has: of the same epoch, or of an earlier one.
namespace iris {

using namespace spool_keys;
using namespace spool_rows;

namespace {

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

/// Sums wrap around on purpose: of a spool or a cloud that is older than they are, they begin too low.
std::uint64_t more(std::uint64_t all, std::uint64_t known, std::uint64_t taken) {
  const auto rest = std::int64_t(all - known - taken);
  return rest > 0 ? std::uint64_t(rest) : 0;
}

} // namespace

/// Of what is kept up to `on_disk`, and of all that was dropped before.
SpoolTotals Spool::totals_to(Lane lane, std::uint64_t on_disk) const {
  auto sum = state(lane).dropped;
  const auto at = db_->iterate();
  for (at->Seek(batch_key(lane, state(lane).oldest)); at->Valid() && is_batch_of(lane, view(at->key()));
       at->Next()) {
    const auto seq = seq_of(view(at->key()));
    if (seq > on_disk) break;
    if (at->value().size() >= value_header) sum.add(note_at(lane, seq, view(at->value())).seal);
  }
  return sum;
}

/// Sets `acked` to what the cloud has of this lane and says what of the rest is no longer kept.
void Spool::find_place(Lane lane, const EpochTaken& before, LaneState& s, std::vector<SpoolLoss>& lost) {
  const auto& taken = before.lanes[std::size_t(lane)];
  auto known = std::find_if(past_.epochs.begin(), past_.epochs.end(),
                            [&](const auto& past) { return past.epoch == before.epoch; });
  const bool remembered = known != past_.epochs.end();
  if (!remembered) {
    // Of a time that this spool does not remember: because an older state of it was put back (what it had
    // sent since then it does not know), or because that is long ago.
    if (before.epoch > epoch_) return;
    known = past_.epochs.insert(past_.epochs.begin(), {before.epoch, {}});
  }
  auto& then = known->lanes[std::size_t(lane)];
  if (remembered && (taken.applied > most_batches || then.base + taken.applied >= s.next))
    return; // more than there ever was here: somebody put an older spool back
  const auto has = then.base + (remembered ? taken.applied : 0);
  s.acked = std::max(has, s.oldest - 1);
  if (has >= s.oldest - 1) return;
  const auto& gone = s.dropped;
  const auto since = taken.until != 0 ? taken.until : then.sum.until != 0 ? then.sum.until : gone.since;
  lost.push_back({kind_of(lane), "rewind", more(gone.entries, then.sum.entries, taken.entries),
                  std::min(since, gone.until), gone.until});
  if (lane == Lane::counts)
    lost.push_back({"observations", "rewind",
                    more(gone.observations, then.sum.observations, taken.observations),
                    std::min(since, gone.until), gone.until});
  // Told once, also when nothing comes of this epoch and the next Welcome names the same one before it.
  then.sum = gone;
  then.sum.entries -= taken.entries;
  then.sum.observations -= taken.observations;
}

Result<void> Spool::start_epoch(std::uint64_t epoch, const std::string& chain_key) {
  return start_epoch(EpochGrant{epoch, chain_key, {}, {}});
}

Result<void> Spool::start_epoch(const EpochGrant& grant) {
  if (auto settled = settle(ticked_); !settled) return settled;
  const auto epoch = grant.epoch;
  const bool chained = !grant.chain_key.empty();
  rocksdb::WriteBatch changes;
  std::string value;
  put_big_endian(value, epoch, 8);
  changes.Put("mepoch", value);
  changes.Put("mchain", chained ? "1" : "0");
  auto lanes = lanes_;
  const auto past_before = past_;
  std::vector<SpoolLoss> lost;
  // What the cloud before had is not for another one, and what was dropped that one does not miss.
  const bool moved = !grant.cloud.empty() && !past_.cloud.empty() && grant.cloud != past_.cloud;
  if (moved) past_ = {};
  if (!grant.cloud.empty()) past_.cloud = grant.cloud;
  PastEpoch here{epoch, {}};
  ChainFile::Content keys;
  keys.coming.epoch = epoch;
  for (std::size_t i = 0; i < lane_count; ++i) {
    auto& lane = lanes[i];
    if (grant.before && !moved) find_place(Lane(i), *grant.before, lane, lost);
    lane.base = lane.offered = lane.acked;
    for (auto* mark : {&lane.shed_to, &lane.aged_to, &lane.merged_to})
      *mark = std::min(*mark, lane.acked);
    here.lanes[i] = {lane.base, totals_to(Lane(i), lane.base)};
    lane.link.erase();
    if (!chained) continue;
    lane.link = ChainLink::first(grant.chain_key, std::uint8_t(i));
    keys.coming.lanes[i] = {lane.base + 1, lane.link};
    keys.present.lanes[i] = {lanes_[i].next, lanes_[i].link};
    const auto at = db_->iterate();
    for (at->Seek(batch_key(Lane(i), lane.base + 1)); at->Valid() && is_batch_of(Lane(i), view(at->key()));
         at->Next()) {
      if (at->value().size() < value_header) continue;
      const auto on_disk = seq_of(view(at->key()));
      auto note = note_at(Lane(i), on_disk, view(at->value()));
      seal(Lane(i), on_disk, lane.base, epoch, lane.link, note);
      lane.link.step(note.seal.mac);
      changes.Put(note_key(Lane(i), on_disk), encode_note(note));
    }
    if (!at->status().ok()) {
      past_ = past_before;
      return Error{Errc::corrupt, "spool: " + at->status().ToString()};
    }
  }
  if (moved) past_.epochs.push_back({0, here.lanes});
  past_.add(here);
  changes.Put("mpast", encode(past_));
  // Both keys are kept until the database says which epoch it is.
  keys.present.epoch = chained_ ? epoch_ : 0;
  if (chained)
    if (auto saved = keys_->save(keys, limits_.sync); !saved) {
      past_ = past_before;
      return saved;
    }
  std::swap(lanes, lanes_);
  for (std::size_t i = 0; i < lane_count; ++i)
    save_lane(changes, Lane(i));
  if (auto written = db_->write(changes, limits_.sync); !written) {
    std::swap(lanes, lanes_); // an epoch that a restart forgets would send again what the cloud has
    past_ = past_before;
    if (!settle(ticked_) || epoch_ != epoch) return written;
    for (auto& lane : lanes_)
      lane.offered = lane.base;
  }
  epoch_ = epoch;
  const bool keys_change = chained || chained_;
  chained_ = chained;
  for (auto& loss : lost)
    note_loss(std::move(loss));
  if (keys_change) (void)save_chain();
  return {};
}

Result<bool> Spool::resume(Lane lane, std::uint64_t applied, Timestamp now) {
  if (auto settled = settle(now); !settled) return settled.error();
  auto& s = state(lane);
  if (applied > most_batches) return false;
  auto on_disk = s.base + applied;
  if (on_disk >= s.next) return false;      // the cloud knows more than this spool: it was replaced
  if (on_disk + 1 < s.oldest) return false; // what it wants is gone
  s.offered = on_disk; // what lies after it the cloud has not, and no session is under way
  if (on_disk == s.acked) return true;
  s.acked = on_disk; // forwards: acks that were lost; backwards: the cloud was restored
  for (auto* mark : {&s.shed_to, &s.aged_to, &s.merged_to})
    *mark = std::min(*mark, on_disk);
  rocksdb::WriteBatch changes;
  save_lane(changes, lane);
  (void)db_->write(changes, limits_.sync); // after a restart the cloud says again what it has
  return true;
}

} // namespace iris
