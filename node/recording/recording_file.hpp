#pragma once
#include "core/base/result.hpp"
#include "node/recording/frame.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace iris {

/// Whether a file begins like a recording; false where it cannot be read.
[[nodiscard]] bool is_recording(const std::string& path);

/// Reads the frames of a recording (docs/formats.md) one after the other, with a window of the file in
/// memory. What is damaged is left out as far as the next frame that is whole, and told; an end that was torn
/// off by a crash, or is still being written, too.
class RecordingReader {
public:
  /// How far the search for a whole frame behind a damaged one goes: candidates, and bytes of them that are
  /// hashed.
  static constexpr std::size_t candidates_limit = 4'096, hashed_limit = 256U << 20;

  [[nodiscard]] static Result<std::unique_ptr<RecordingReader>> open(const std::string& path);
  ~RecordingReader();
  RecordingReader(const RecordingReader&) = delete;
  RecordingReader& operator=(const RecordingReader&) = delete;

  /// The next whole frame as it was encoded, valid until the next call; nothing at the end.
  [[nodiscard]] std::optional<std::span<const char>> next_bytes();
  /// The next frame that can be understood.
  [[nodiscard]] std::optional<RecordedFrame> next();
  /// Behind the last whole frame.
  [[nodiscard]] std::uint64_t good_end() const;
  /// At the end: whether what follows good_end() is nothing but an unfinished frame.
  [[nodiscard]] bool torn() const;
  /// One line for a person about what was left out; empty for nothing.
  [[nodiscard]] std::string trouble() const;

private:
  struct State;
  explicit RecordingReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct RecordingLimits {
  std::uint64_t bytes = 1ULL << 30;  ///< of the file; then recording ends
  std::uint64_t reserve = 32U << 20; ///< that stay free on the volume; 0: nobody looks
};

/// Appends frames to a recording, a new one or one that is there, whose torn end is cut off first. For one
/// thread; another process that writes to the same file is refused.
class RecordingWriter {
public:
  [[nodiscard]] static Result<std::unique_ptr<RecordingWriter>> open(const std::string& path,
                                                                     const RecordingLimits& limits);
  ~RecordingWriter(); ///< writes what is buffered
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;

  /// Errc::limit when the file would outgrow its bound or the volume its reserve: nothing more is taken then,
  /// but for one last frame with `last`. Errc::io where the system says no; the file then ends with the last
  /// frame that was written whole.
  [[nodiscard]] Result<void> append(std::span<const char> frame, bool last = false);
  /// Everything so far is on disk afterwards.
  [[nodiscard]] Result<void> sync();
  [[nodiscard]] std::uint64_t bytes() const; ///< of the file
  [[nodiscard]] const std::string& trouble() const;

private:
  struct State;
  explicit RecordingWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace iris
