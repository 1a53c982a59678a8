#include "node/recording/recording_file.hpp"
#include "node/recording/recording_layout.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace iris {

using namespace recording_layout;

struct RecordingReader::State {
  static constexpr std::size_t window_size = 1U << 20;

  std::string path;
  int file = -1;
  std::uint64_t size = 0, at = 0; ///< of the file; where the next frame should be
  std::vector<char> window;       ///< of the file, from `window_at`
  std::uint64_t window_at = 0;
  std::uint64_t good_end = file_head, damaged = 0, holes = 0, first_hole = 0, unknown = 0;
  bool over = false, gave_up = false, failed = false;
  std::string why_unknown; ///< of the first

  ~State() {
    if (file >= 0) ::close(file);
  }

  /// Bytes of the file; fewer where it cannot be read.
  std::span<const char> bytes(std::uint64_t from, std::size_t count) {
    if (from >= window_at && from + count <= window_at + window.size())
      return {window.data() + (from - window_at), count};
    window.resize(std::size_t(std::min<std::uint64_t>(std::max(count, window_size), size - from)));
    window_at = from;
    std::size_t got = 0;
    while (got < window.size()) {
      const auto part = ::pread(file, window.data() + got, window.size() - got, off_t(from + got));
      if (part < 0 && errno == EINTR) continue;
      if (part <= 0) break;
      got += std::size_t(part);
    }
    failed = got < window.size(); // it became shorter, or the disk fails
    window.resize(got);
    return {window.data(), std::min(count, got)};
  }

  /// A whole frame at this place; `hashed` grows by what had to be looked at.
  std::optional<std::span<const char>> frame_at(std::uint64_t place, std::size_t& hashed) {
    if (size - place < sizeof(FrameHead)) return std::nullopt;
    FrameHead head;
    const auto start = bytes(place, sizeof head);
    if (start.size() < sizeof head) return std::nullopt;
    std::memcpy(&head, start.data(), sizeof head);
    if (!plausible(head) || head.length > size - place - sizeof head) return std::nullopt;
    const auto frame = bytes(place + sizeof head, head.length);
    hashed += frame.size();
    if (frame.size() < head.length || check_of(frame, place) != head.check) return std::nullopt;
    return frame;
  }

  /// The next whole frame behind a damaged place.
  std::optional<std::uint64_t> find_behind(std::uint64_t place) {
    std::size_t hashed = 0, candidates = 0;
    for (place += 8; size - place >= sizeof(FrameHead) && place < size; place += 8) {
      const auto word = bytes(place, sizeof mark);
      std::uint32_t found = 0;
      if (word.size() < sizeof found) return std::nullopt;
      std::memcpy(&found, word.data(), sizeof found);
      if (found != mark) continue;
      if (frame_at(place, hashed)) return place;
      if (++candidates < candidates_limit && hashed < hashed_limit) continue;
      gave_up = true;
      return std::nullopt;
    }
    return std::nullopt;
  }
};

bool is_recording(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char start[magic.size()];
  const bool whole = ::pread(file, start, sizeof start, 0) == ssize_t(sizeof start);
  ::close(file);
  return whole && std::string_view{start, sizeof start} == magic;
}

RecordingReader::RecordingReader(std::unique_ptr<State> state) : state_{std::move(state)} {}
RecordingReader::~RecordingReader() = default;

Result<std::unique_ptr<RecordingReader>> RecordingReader::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts {};
  if (state->file < 0 || ::fstat(state->file, &facts) != 0)
    return Error{errno == ENOENT ? Errc::not_found : Errc::io,
                 "cannot open recording " + path + ": " + std::strerror(errno)};
  if (!S_ISREG(facts.st_mode)) return Error{Errc::invalid, path + " is no file, so no recording"};
  state->size = std::uint64_t(facts.st_size);
  if (const auto start = state->bytes(0, file_head);
      start.size() < file_head || std::string_view{start.data(), magic.size()} != magic)
    return Error{Errc::corrupt,
                 path + " is no recording of iris-node: it does not begin with " + std::string{magic}};
  state->at = file_head;
  return std::unique_ptr<RecordingReader>{new RecordingReader{std::move(state)}};
}

std::optional<std::span<const char>> RecordingReader::next_bytes() {
  auto& s = *state_;
  if (s.over) return std::nullopt;
  std::size_t hashed = 0;
  auto frame = s.frame_at(s.at, hashed);
  if (!frame && s.at < s.size)
    if (const auto next = s.find_behind(s.at)) {
      if (s.holes++ == 0) s.first_hole = s.at;
      s.damaged += *next - s.at;
      s.at = *next;
      frame = s.frame_at(s.at, hashed);
    }
  if (!frame) {
    s.over = true;
    return std::nullopt;
  }
  s.at += sizeof(FrameHead) + frame->size();
  s.good_end = s.at;
  return frame;
}

std::optional<RecordedFrame> RecordingReader::next() {
  while (const auto bytes = next_bytes()) {
    auto frame = decode_frame(*bytes);
    if (frame) return std::move(*frame);
    if (state_->unknown++ == 0) state_->why_unknown = frame.error().message;
  }
  return std::nullopt;
}

std::uint64_t RecordingReader::good_end() const { return state_->good_end; }
bool RecordingReader::torn() const {
  return state_->over && state_->good_end < state_->size && !state_->gave_up && !state_->failed;
}

std::string RecordingReader::trouble() const {
  const auto& s = *state_;
  std::string line;
  const auto add = [&](const std::string& part) { line += (line.empty() ? s.path + ": " : "; ") + part; };
  if (s.holes != 0)
    add(std::to_string(s.damaged) + " bytes in " + std::to_string(s.holes) +
        " places are damaged and left out, the first at " + std::to_string(s.first_hole));
  if (s.unknown != 0)
    add(std::to_string(s.unknown) + " frames are left out, the first since " + s.why_unknown);
  if (s.failed)
    add("it could not be read to its end");
  else if (s.over && s.good_end < s.size)
    add("the last " + std::to_string(s.size - s.good_end) +
        (s.gave_up ? " bytes are damaged in more places than are looked behind"
                   : " bytes are an unfinished frame: it was cut off, or is still being written") +
        "; what comes before was read");
  return line;
}

} // namespace iris
