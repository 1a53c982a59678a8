#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/link/chain.hpp"
#include "core/link/epoch_taken.hpp"
#include "node/spool/spool_database.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace iris {

class ChainFile;
struct BatchNote;

/// The two lanes of the link: findings overtake counts.
enum class Lane : std::uint8_t { findings, counts };
inline constexpr std::size_t lane_count = 2;

/// One batch as it rests in the spool and crosses the link; `bytes` is link.capnp Batch.
struct SpooledBatch {
  Lane lane{};
  std::uint64_t seq = 0; ///< as the cloud counts it: 1, 2, 3 … within an epoch
  std::vector<char> bytes;
};

/// Something that was dropped and has not been told to the cloud yet.
struct SpoolLoss {
  std::string kind;   ///< "findings", "deltas", "packets", "processes", "observations"
  std::string sensor; ///< who lost it
  std::uint64_t count = 0;
  Timestamp since = 0, until = 0;
};

/// What batches were sealed with, whatever became of it; merged ones count with the batch that has them.
struct SpoolTotals {
  std::uint64_t entries = 0, observations = 0;
  Timestamp since = 0, until = 0;
  void add(const BatchSeal& seal);
};
/// Where an epoch began, and what was made before it.
struct PastEpoch {
  struct Lane {
    std::uint64_t base = 0; ///< number on disk minus the cloud's
    SpoolTotals sum;
  };
  std::uint64_t epoch = 0; ///< 0: of a cloud that has nothing of us
  std::array<Lane, lane_count> lanes{};
};
/// The last epochs, for a cloud that was restored from a backup of then.
struct SpoolPast {
  static constexpr std::size_t most = 16;
  std::string cloud; ///< whose they are: which cloud, and who we are there; empty: not known
  std::vector<PastEpoch> epochs;
  void add(const PastEpoch& epoch); ///< it has the highest number
};

/// A new epoch, as Welcome grants it.
struct EpochGrant {
  std::uint64_t epoch = 0;
  std::string chain_key;            ///< empty (an older cloud): no seals
  std::optional<EpochTaken> before; ///< what the cloud has of an earlier one; none: it does not say
  std::string cloud;                ///< which one, and who we are there; empty: it does not say
};

struct SpoolLimits {
  std::uint64_t bytes = 256ull << 20;   ///< of batches, acknowledged ones included
  Duration age = 7 * 86'400 * second;   ///< of what waits for the cloud, while the node runs
  Duration keep_acked = 3'600 * second; ///< for a cloud that was restored from a backup
  std::size_t losses = 256;             ///< kinds of loss that wait; more are merged into one
  std::uint64_t reserve = 32ull << 20;  ///< bytes of the volume that stay free
  SpoolDatabase::FreeBytes free_bytes;  ///< empty: asks the volume
  bool sync = true;                     ///< false only where time is simulated
};

struct SpoolCounters {
  std::uint64_t bytes = 0, batches = 0, shed_findings = 0, shed_counts = 0;
  std::uint64_t merged_batches = 0; ///< whose counts moved into a later one
  std::uint64_t refused = 0;        ///< entries for which nothing could make room
  std::uint64_t key_writes_failed = 0;
};

/// Keeps batches on disk until the cloud has them and for an hour after (design section 4). A write is synced
/// before `append` returns. When the bound is reached, acknowledged batches go first, then waiting counts are
/// merged into coarser ones, then the oldest counts go, findings last; a batch that is shed leaves a small
/// one in its place that says what is missing, so the cloud sees no gap. What waits for too long goes the
/// same way. Sequences on disk never restart; the epoch's base makes them 1, 2, 3 … for the cloud. In an
/// epoch with a key every batch is sealed when it is made (core/link/chain.hpp); the running key rests beside
/// the database in PATH.key.
class Spool {
public:
  /// Opens or creates the database at `path`; a damaged one is moved aside, and that is a loss. On a full
  /// volume it can be read, and what comes is refused until there is room. Errors: locked by another process,
  /// not writable, no room for a first one.
  static Result<std::unique_ptr<Spool>> open(const std::string& path, SpoolLimits limits, Timestamp now);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Makes one batch of the encoded findings (or deltas) durable. Losses that wait travel with it.
  /// Errors: the disk; full of what is left of older batches (Errc::limit).
  [[nodiscard]] Result<void> append(Lane lane, const std::vector<std::vector<char>>& entries, Timestamp now);
  /// Remembers a loss; it travels with the next batch, or with an empty one made by `flush_losses`.
  void note_loss(SpoolLoss loss);
  [[nodiscard]] Result<void> flush_losses(Timestamp now);
  [[nodiscard]] bool has_losses() const { return !losses_.empty(); }
  /// How often a damaged one was replaced; whether the volume is too full to write.
  [[nodiscard]] std::uint64_t replaced() const { return db_->replaced(); }
  [[nodiscard]] bool read_only() const { return db_->read_only(); }
  /// One line for people when something of it was damaged at the opening, or empty.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  /// Batches after `after` (the cloud's count), at most `limit` of them and at most `bytes` in all but at
  /// least one. When what is on disk is damaged, a new spool is begun: epoch() is 0 then.
  [[nodiscard]] std::vector<SpooledBatch> read(Lane lane, std::uint64_t after, std::size_t limit,
                                               std::size_t bytes, Timestamp now);
  /// Everything up to `seq` (the cloud's count) is durable in the cloud.
  [[nodiscard]] Result<void> acknowledge(Lane lane, std::uint64_t seq, Timestamp now);

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  /// Starts the epoch that the cloud granted: what comes after the batches that it has, as far as that is
  /// kept, becomes number 1 and is sealed anew with the epoch's key. What it has not and is gone is noted as
  /// a loss. Where the cloud does not say what it has, that is what it acknowledged; nothing else is for
  /// another cloud.
  [[nodiscard]] Result<void> start_epoch(const EpochGrant& grant);
  [[nodiscard]] Result<void> start_epoch(std::uint64_t epoch, const std::string& chain_key = {});
  [[nodiscard]] bool sealing() const { return chained_; }
  /// Counts are merged within one learning day.
  void set_day(Duration day) { day_ = day; }
  /// Drops what waits for longer than `limits.age`.
  void expire(Timestamp now);
  /// The cloud says it has everything up to `applied`. False when it wants batches that are no longer kept:
  /// then a new epoch must be asked for.
  [[nodiscard]] Result<bool> resume(Lane lane, std::uint64_t applied, Timestamp now);

  [[nodiscard]] std::uint64_t
  first_seq(Lane lane) const;                            ///< oldest unacknowledged, cloud's count; 0 for none
  [[nodiscard]] std::uint64_t last_seq(Lane lane) const; ///< newest, cloud's count
  [[nodiscard]] std::uint64_t acked_seq(Lane lane) const; ///< cloud's count
  [[nodiscard]] SpoolCounters counters() const { return counters_; }

  /// Small values that live beside the batches (last baselines, indicators, terms).
  [[nodiscard]] Result<void> put(const std::string& name, const std::vector<char>& value);
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<char>>> list(const std::string& prefix) const;

private:
  struct LaneState {
    std::uint64_t next = 1;      ///< the next batch's number on disk
    std::uint64_t acked = 0;     ///< highest acknowledged, on disk
    std::uint64_t oldest = 1;    ///< lowest that is kept, on disk
    std::uint64_t base = 0;      ///< number on disk minus the cloud's
    std::uint64_t shed_to = 0;   ///< up to here nothing is left to shed
    std::uint64_t aged_to = 0;   ///< up to here nothing is left that is too old
    std::uint64_t merged_to = 0; ///< up to here merging was tried
    std::uint64_t offered =
        0; ///< highest that the cloud may have: what was read out must not be merged any more
    std::uint64_t offered_mark = 0; ///< on disk; ahead of `offered`
    SpoolTotals dropped;            ///< of the batches before `oldest`
    ChainLink link;
  };
  Spool(std::unique_ptr<SpoolDatabase> db, SpoolLimits limits, std::unique_ptr<ChainFile> keys);
  Result<void> load();
  Result<void> load_lane(Lane lane);
  Result<void> load_chain();
  Result<void> save_chain();
  Result<void> begin_anew(Timestamp now);
  Result<void> settle(Timestamp now);
  void note_damage(Timestamp now);
  void save_lane(rocksdb::WriteBatch& changes, Lane lane) const;
  void seal(Lane lane, std::uint64_t on_disk, std::uint64_t base, std::uint64_t epoch, const ChainLink& link,
            BatchNote& note) const;
  [[nodiscard]] SpoolTotals totals_to(Lane lane, std::uint64_t on_disk) const;
  void find_place(Lane lane, const EpochTaken& before, LaneState& s, std::vector<SpoolLoss>& lost);
  void tick(Timestamp now);
  void make_room(Timestamp now);
  Result<void> drop_acked(Lane lane, bool for_room);
  [[nodiscard]] BatchNote note_at(Lane lane, std::uint64_t on_disk, std::string_view value) const;
  [[nodiscard]] std::vector<char> wire_bytes(Lane lane, std::uint64_t on_disk, std::string_view value,
                                             Timestamp now) const;
  void keep_offered(Lane lane, std::uint64_t on_disk);
  bool merge_oldest(Timestamp now);
  bool shed_oldest(Lane lane, Timestamp now);
  void expire_lane(Lane lane, Timestamp now);
  bool shed(Lane lane, std::uint64_t on_disk, std::string_view value, BatchNote note, Timestamp now,
            bool for_room);
  LaneState& state(Lane lane) { return lanes_[std::size_t(lane)]; }
  const LaneState& state(Lane lane) const { return lanes_[std::size_t(lane)]; }

  std::unique_ptr<SpoolDatabase> db_;
  SpoolLimits limits_;
  std::unique_ptr<ChainFile> keys_;
  SpoolCounters counters_;
  std::array<LaneState, lane_count> lanes_;
  SpoolPast past_;
  std::uint64_t epoch_ = 0;
  bool chained_ = false;
  Duration day_ = 86'400 * second;
  Duration clock_ = 0; ///< the spool's own: wall clocks of gateways jump
  Timestamp ticked_ = 0, expired_ = 0;
  std::vector<SpoolLoss> losses_;
  std::optional<std::pair<Lane, std::uint64_t>>
      refused_; ///< may be on disk, and its caller was told that it is not
  std::string trouble_;
};

} // namespace iris
