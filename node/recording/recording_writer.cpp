#include "actors/disk_space.hpp"
#include "node/recording/recording_file.hpp"
#include "node/recording/recording_layout.hpp"

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace iris {

using namespace recording_layout;

struct RecordingWriter::State {
  static constexpr std::size_t buffer_size = 256U << 10;
  static constexpr std::uint64_t last_room = 64U << 10; ///< kept for the last frame
  static constexpr std::uint64_t look_every = 8U << 20; ///< bytes, at the volume's room

  std::string path, trouble;
  RecordingLimits limits;
  int file = -1;
  std::uint64_t written = 0; ///< on the file; what is buffered comes behind it
  std::uint64_t looked_at = 0;
  bool looked = false, full = false;
  std::vector<char> buffer;

  ~State() {
    if (file >= 0) ::close(file);
  }

  Error io(const char* what) const { return {Errc::io, path + ": " + what + ": " + std::strerror(errno)}; }

  Result<void> flush() {
    std::size_t done = 0;
    while (done < buffer.size()) {
      const auto part = ::pwrite(file, buffer.data() + done, buffer.size() - done, off_t(written + done));
      if (part < 0 && errno == EINTR) continue;
      if (part > 0) {
        done += std::size_t(part);
        continue;
      }
      auto error = io("cannot be written");
      buffer.clear();
      // Frames that came through whole stay; what was begun is torn, and is told so by whoever reads it.
      (void)::ftruncate(file, off_t(written));
      return error;
    }
    written += buffer.size();
    buffer.clear();
    return {};
  }

  Result<void> room_for(std::uint64_t bytes, bool last) {
    const auto end = written + buffer.size() + bytes;
    if (!last && (full || end + last_room > limits.bytes)) {
      full = true;
      return Error{Errc::limit, path + " has reached its bound of " + human_bytes(limits.bytes)};
    }
    if (limits.reserve == 0 || (looked && end < looked_at + look_every)) return {};
    looked = true;
    looked_at = end;
    if (const auto free = free_bytes(path); free < limits.reserve + look_every && !last) {
      full = true;
      return Error{Errc::limit, too_full_text(path, free, limits.reserve + look_every)};
    }
    return {};
  }
};

RecordingWriter::RecordingWriter(std::unique_ptr<State> state) : state_{std::move(state)} {}
RecordingWriter::~RecordingWriter() { (void)state_->flush(); }

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::open(const std::string& path,
                                                               const RecordingLimits& limits) {
  auto state = std::make_unique<State>();
  auto& s = *state;
  s.path = path;
  s.limits = limits;
  s.file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (s.file < 0) return s.io("cannot be opened for writing");
  struct stat facts {};
  if (::fstat(s.file, &facts) != 0 || !S_ISREG(facts.st_mode))
    return Error{Errc::invalid, path + " is no regular file; a recording needs one"};
  if (::flock(s.file, LOCK_EX | LOCK_NB) != 0)
    return Error{Errc::locked, path + " is being written by another process; give another --out"};
  if (facts.st_size == 0) {
    s.buffer.resize(file_head);
    std::copy(magic.begin(), magic.end(), s.buffer.begin());
    if (auto done = s.flush(); !done) return done.error();
    return std::unique_ptr<RecordingWriter>{new RecordingWriter{std::move(state)}};
  }
  auto reader = RecordingReader::open(path);
  if (!reader) return Error{reader.error().code, reader.error().message + "; nothing is appended to it"};
  while ((*reader)->next_bytes()) {
    // nop
  }
  s.trouble = (*reader)->trouble();
  s.written = (*reader)->good_end();
  if (s.written == std::uint64_t(facts.st_size))
    return std::unique_ptr<RecordingWriter>{new RecordingWriter{std::move(state)}};
  if (!(*reader)->torn())
    return Error{Errc::corrupt, s.trouble + "; nothing is appended to it, give another --out"};
  if (::ftruncate(s.file, off_t(s.written)) != 0) return s.io("its torn end cannot be cut off");
  return std::unique_ptr<RecordingWriter>{new RecordingWriter{std::move(state)}};
}

Result<void> RecordingWriter::append(std::span<const char> frame, bool last) {
  auto& s = *state_;
  FrameHead head;
  head.length = std::uint32_t(frame.size());
  if (frame.size() > frame_limit || !plausible(head))
    return Error{Errc::invalid, "a frame of " + human_bytes(frame.size()) + " is not recorded"};
  if (auto room = s.room_for(sizeof head + frame.size(), last); !room) return room;
  head.check = check_of(frame, s.written + s.buffer.size());
  const auto* bytes = reinterpret_cast<const char*>(&head);
  s.buffer.insert(s.buffer.end(), bytes, bytes + sizeof head);
  s.buffer.insert(s.buffer.end(), frame.begin(), frame.end());
  return s.buffer.size() < State::buffer_size ? Result<void>{} : s.flush();
}

Result<void> RecordingWriter::sync() {
  if (auto done = state_->flush(); !done) return done;
  if (::fdatasync(state_->file) != 0) return state_->io("cannot be brought to disk");
  return {};
}

std::uint64_t RecordingWriter::bytes() const { return state_->written + state_->buffer.size(); }
const std::string& RecordingWriter::trouble() const { return state_->trouble; }

} // namespace iris
