#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/link/chain.hpp"
#include "node/spool/spool.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// The bytes of one batch at rest: link.capnp Batch without its seal, and beside it a note.
namespace iris {

/// The note of a batch, under a key of its own so that a new epoch seals anew without touching the content.
struct BatchNote {
  BatchSeal seal; ///< `mac` means something only when `sealed`
  Bytes32 losses_digest{};
  bool sealed = false;
  Duration made_at = 0; ///< on the spool's own clock, which only runs while the node does
};
inline constexpr std::size_t note_size = 177;
[[nodiscard]] std::string encode_note(const BatchNote& note);
/// False when it is no note; `note` is unchanged then.
[[nodiscard]] bool decode_note(std::string_view bytes, BatchNote& note);

[[nodiscard]] std::vector<char> encode_content(Lane lane, const std::vector<std::vector<char>>& entries,
                                               const std::vector<SpoolLoss>& losses, Timestamp now);

struct BatchContentAtRest {
  std::vector<std::vector<char>> entries;
  std::vector<SpoolLoss> losses;
  Timestamp made_at = 0;
};
/// Errors: damaged.
[[nodiscard]] Result<BatchContentAtRest> decode_content(Lane lane, std::string_view bytes);

/// The content with its seal, as it crosses the link. `into` counts as the cloud does.
[[nodiscard]] Result<std::vector<char>> with_seal(std::string_view content, const BatchSeal& seal);

/// Digests and sums of a new batch; its span is `now` unless deltas say theirs.
[[nodiscard]] BatchNote note_of(Lane lane, const std::vector<std::vector<char>>& entries,
                                const std::vector<SpoolLoss>& losses, Timestamp now);

/// Fewer, coarser deltas with the same counts, in the order of the first of each. What is no delta stays as
/// it is.
[[nodiscard]] std::vector<std::vector<char>> merge_deltas(const std::vector<std::vector<char>>& entries,
                                                          Duration day);

} // namespace iris
