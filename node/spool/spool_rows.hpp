#pragma once
#include "core/base/result.hpp"
#include "node/spool/batch_content.hpp"
#include "node/spool/chain_file.hpp"
#include "node/spool/spool.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// What the spool reads from its rows, apart from the database that holds them: a fuzzer calls it without
/// one. Keys are in spool_keys.hpp. An Error says which row is damaged and how.
namespace iris::spool_rows {

/// The highest number of a batch on disk, and how many may be missing in a row: each is sent as an empty one
/// (Spool::read), which must end.
inline constexpr std::uint64_t most_batches = 1ull << 62;
inline constexpr std::uint64_t most_missing = 65'536;
/// Batches between two writes of the mark of what was offered.
inline constexpr std::uint64_t offered_step = 256;

/// Rows "mepoch" and "mofferedN"; 0 where there is none.
[[nodiscard]] Result<std::uint64_t> decode_number(std::string_view key, std::string_view value);
/// Row "mchain": whether the epoch has a key.
[[nodiscard]] Result<bool> decode_chained(std::string_view value);

/// Row "mlaneN".
struct LaneMark {
  std::uint64_t acked = 0, base = 0; ///< see Spool::LaneState
};
[[nodiscard]] std::string encode(const LaneMark& mark);
[[nodiscard]] Result<LaneMark> decode_mark(Lane lane, std::string_view value);

/// Row "mdroppedN".
[[nodiscard]] std::string encode(const SpoolTotals& totals);
[[nodiscard]] Result<SpoolTotals> decode_totals(Lane lane, std::string_view value);
/// Row "mpast".
[[nodiscard]] std::string encode(const SpoolPast& past);
[[nodiscard]] Result<SpoolPast> decode_past(std::string_view value);

/// The value of a batch's row.
struct StoredBatch {
  Timestamp at = 0;
  std::uint64_t entries = 0;
  std::string_view content; ///< of the value
};
[[nodiscard]] Result<StoredBatch> decode_stored(std::string_view value);
/// Its note, or one that is made from the content: of a spool that is older than notes.
[[nodiscard]] BatchNote note_beside(Lane lane, std::string_view note_row, const StoredBatch& stored);

/// Where a lane stands; numbers are those on disk.
struct LanePlace {
  std::uint64_t next = 1, acked = 0, oldest = 1, base = 0, offered = 0, offered_mark = 0;
  std::uint64_t bytes = 0, batches = 0; ///< that are kept
};
/// Finds it from the lane's rows: the mark, every batch in the order of keys, what was offered.
class LaneRecovery {
public:
  LaneRecovery(Lane lane, const LaneMark& mark);
  [[nodiscard]] Result<void> batch(std::string_view key, std::size_t value_size);
  [[nodiscard]] Result<LanePlace> finish(std::uint64_t offered_mark) const;

private:
  Lane lane_;
  LanePlace place_;
  std::uint64_t newest_;   ///< that is known of so far, kept or acknowledged
  std::uint64_t last_ = 0; ///< the newest that is kept
};

/// The key that seals batch `next`, from the one that rests in the key file. `note_row` gives a batch's.
[[nodiscard]] Result<ChainLink> step_over(Lane lane, const ChainPosition::Lane& from, std::uint64_t next,
                                          const std::function<std::string(std::uint64_t)>& note_row);

} // namespace iris::spool_rows
