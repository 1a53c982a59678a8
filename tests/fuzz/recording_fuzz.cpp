// libFuzzer entry: a recording (docs/formats.md), as a file that a crash or anybody has left behind. The
// first byte says how: 0 the bytes are the file; 1 they are frames, each with two bytes of length in front,
// which are given right heads, so that their content is reached; 2 the same, cut off in the middle of the
// last. What is read must survive its own encoding; a writer must be able to go on behind it.
#include "core/base/printable.hpp"
#include "node/recording/recording_file.hpp"
#include "node/recording/recording_layout.hpp"
#include "tests/fuzz/bytes.hpp"
#include "tests/unit/node/recording/samples.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace iris;

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// A file in memory, by a path that can be opened again.
struct MemoryFile {
  int file = ::memfd_create("recording", MFD_CLOEXEC);
  std::string path = "/proc/self/fd/" + std::to_string(file);
  explicit MemoryFile(const std::string& bytes) {
    check(file >= 0 && ::write(file, bytes.data(), bytes.size()) == ssize_t(bytes.size()), "no memory file");
  }
  ~MemoryFile() { ::close(file); }
};

std::string framed(fuzz::Bytes& in, bool cut) {
  std::string out{recording_layout::magic};
  out.resize(recording_layout::file_head, '\0');
  while (!in.empty()) {
    auto content = std::string{in.take(in.number(2))};
    content.resize((content.size() + 7) / 8 * 8, '\0');
    if (content.empty()) continue;
    recording_layout::FrameHead head;
    head.length = std::uint32_t(content.size());
    head.check = recording_layout::check_of(content, out.size());
    out.append(reinterpret_cast<const char*>(&head), sizeof head);
    out += content;
  }
  if (cut && out.size() > recording_layout::file_head + 8) out.resize(out.size() - 5);
  return out;
}

void look(const RecordedFrame& frame) {
  check(frame.at >= frame_earliest && frame.at <= frame_latest, "a time out of bounds");
  const auto once = test::encode_again(frame);
  for (const auto& bytes : once) {
    const auto back = decode_frame(bytes);
    check(back.ok(), "what was read does not survive its own encoding");
    check(test::encode_again(*back).front() == bytes, "what was read changes with its encoding");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes in{data, size};
  const auto form = in.number(1) % 3;
  const auto content = form == 0 ? std::string{in.rest()} : framed(in, form == 2);
  MemoryFile file{content};
  std::size_t whole = 0;
  bool torn = false;
  {
    auto reader = RecordingReader::open(file.path);
    if (!reader) {
      check(reader.error().message.find(file.path) != std::string::npos, "an error that does not say where");
      return 0;
    }
    while (const auto bytes = (*reader)->next_bytes()) {
      ++whole;
      if (const auto frame = decode_frame(*bytes))
        look(*frame);
      else
        check(frame.error().message.starts_with("a frame is damaged: "), "an error that does not say what");
    }
    torn = (*reader)->torn();
    check((*reader)->good_end() <= content.size(), "more is good than is there");
    check(torn == ((*reader)->good_end() < content.size()), "a torn end that is not told");
    check(torn <= !(*reader)->trouble().empty(), "a torn end without a word");
  }
  auto writer = RecordingWriter::open(file.path, {.reserve = 0});
  check(writer.ok(), "a recording that cannot be gone on with");
  check((*writer)->append(encode_frame({1, 0}, RecordedTick{})).ok(), "no append");
  check((*writer)->sync().ok(), "no sync");
  auto reader = RecordingReader::open(file.path);
  check(reader.ok(), "gone after an append");
  std::size_t again = 0;
  while ((*reader)->next_bytes())
    ++again;
  check(again == whole + 1 && !(*reader)->torn(), "an append that costs frames, or is none");
  return 0;
}
