#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "node/spool/spool_database.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace iris {

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

struct SpoolLimits {
  std::uint64_t bytes = 256ull << 20;   ///< of batches, acknowledged ones included
  Duration keep_acked = 3'600 * second; ///< for a cloud that was restored from a backup
  std::size_t losses = 256;             ///< kinds of loss that wait; more are merged into one
  std::uint64_t reserve = 32ull << 20;  ///< bytes of the volume that stay free
  SpoolDatabase::FreeBytes free_bytes;  ///< empty: asks the volume
};

struct SpoolCounters {
  std::uint64_t bytes = 0, batches = 0, shed_findings = 0, shed_counts = 0;
};

/// Keeps batches on disk until the cloud has them and for an hour after (design section 4). A write is synced
/// before `append` returns. When the bound is reached, acknowledged batches go first, then the oldest counts,
/// findings last; a batch that is shed leaves a small one in its place that says what is missing, so the
/// cloud sees no gap. Sequences on disk never restart; the epoch's base makes them 1, 2, 3 … for the cloud.
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
  [[nodiscard]] Result<void> append(Lane lane, const std::vector<std::vector<char>>& entries, Timestamp now);
  /// Remembers a loss; it travels with the next batch, or with an empty one made by `flush_losses`.
  void note_loss(SpoolLoss loss);
  [[nodiscard]] Result<void> flush_losses(Timestamp now);
  [[nodiscard]] bool has_losses() const { return !losses_.empty(); }
  /// How often a damaged one was replaced; whether the volume is too full to write.
  [[nodiscard]] std::uint64_t replaced() const { return db_->replaced(); }
  [[nodiscard]] bool read_only() const { return db_->read_only(); }

  /// Batches after `after` (the cloud's count), at most `limit` of them and at most `bytes` in all but at
  /// least one. When what is on disk is damaged, a new spool is begun: epoch() is 0 then.
  [[nodiscard]] std::vector<SpooledBatch> read(Lane lane, std::uint64_t after, std::size_t limit,
                                               std::size_t bytes, Timestamp now);
  /// Everything up to `seq` (the cloud's count) is durable in the cloud.
  [[nodiscard]] Result<void> acknowledge(Lane lane, std::uint64_t seq, Timestamp now);

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  /// Starts the epoch that the cloud granted: the oldest unacknowledged batch becomes number 1.
  [[nodiscard]] Result<void> start_epoch(std::uint64_t epoch);
  /// The cloud says it has everything up to `applied`. False when it wants batches that are no longer kept:
  /// then a new epoch must be asked for, and the loss is noted.
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
    std::uint64_t next = 1;    ///< the next batch's number on disk
    std::uint64_t acked = 0;   ///< highest acknowledged, on disk
    std::uint64_t oldest = 1;  ///< lowest that is kept, on disk
    std::uint64_t base = 0;    ///< number on disk minus the cloud's
    std::uint64_t shed_to = 0; ///< up to here nothing is left to shed
  };
  Spool(std::unique_ptr<SpoolDatabase> db, SpoolLimits limits);
  Result<void> load();
  Result<void> load_lane(Lane lane);
  Result<void> begin_anew(Timestamp now);
  void note_damage(Timestamp now);
  void save_lane(rocksdb::WriteBatch& changes, Lane lane) const;
  Result<void> make_room(Timestamp now);
  Result<void> drop_acked(Lane lane, Timestamp before, bool for_room);
  bool shed_oldest(Lane lane, Timestamp now);
  LaneState& state(Lane lane) { return lanes_[std::size_t(lane)]; }
  const LaneState& state(Lane lane) const { return lanes_[std::size_t(lane)]; }

  std::unique_ptr<SpoolDatabase> db_;
  SpoolLimits limits_;
  SpoolCounters counters_;
  std::array<LaneState, lane_count> lanes_;
  std::uint64_t epoch_ = 0;
  std::vector<SpoolLoss> losses_;
};

} // namespace iris
