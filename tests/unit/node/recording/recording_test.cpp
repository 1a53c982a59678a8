#include "node/recording/recorder.hpp"
#include "node/recording/recording_layout.hpp"
#include "tests/fixtures/temp_dir.hpp"
#include "tests/unit/node/recording/samples.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace iris;
using namespace iris::test;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

void append_all(const std::string& path, const std::vector<EncodedFrame>& frames) {
  auto writer = RecordingWriter::open(path, {});
  REQUIRE(writer.ok());
  for (const auto& frame : frames)
    REQUIRE((*writer)->append(frame).ok());
  REQUIRE((*writer)->sync().ok());
}

struct Content {
  std::vector<EncodedFrame> frames;
  std::string trouble;
};

Content content(const std::string& path) {
  auto reader = RecordingReader::open(path);
  REQUIRE(reader.ok());
  Content found;
  while (auto bytes = (*reader)->next_bytes())
    found.frames.emplace_back(bytes->begin(), bytes->end());
  found.trouble = (*reader)->trouble();
  return found;
}

} // namespace

TEST_CASE("every kind of frame comes back as it was recorded") {
  for (const auto& frame : sample_frames()) {
    auto read = decode_frame(frame);
    REQUIRE(read.ok());
    CHECK(read->at == recorded_at);
    CHECK(read->shift == -3);
    INFO(read->what.index());
    const auto again = encode_again(*read);
    REQUIRE(again.size() == 1);
    CHECK((again.front() == frame));
  }
}

TEST_CASE("a large batch becomes several frames, in order and without a gap") {
  ProcessBatch processes;
  for (int i = 0; i < 100; ++i) {
    auto one = sample_processes(20'000).events.front();
    one.boot_at = i;
    processes.events.push_back(one);
  }
  auto traffic = sample_traffic();
  traffic.flows.resize(5'000, traffic.flows.front());
  for (std::size_t i = 0; i < traffic.flows.size(); ++i)
    traffic.flows[i].sport = std::uint16_t(i);

  std::int64_t next = 0;
  const auto process_frames = encode_frames({recorded_at, 0}, processes);
  CHECK(process_frames.size() > 2);
  for (const auto& frame : process_frames)
    for (const auto& event : std::get<ProcessBatch>(decode_frame(frame)->what).events)
      CHECK(event.boot_at == next++);
  CHECK(next == 100);

  std::size_t flows = 0, alarms = 0, answers = 0, commands = 0;
  const auto flow_frames = encode_frames({recorded_at, 0}, traffic);
  CHECK(flow_frames.size() > 2);
  for (const auto& frame : flow_frames) {
    CHECK(frame.size() < frame_limit / 8);
    const auto read = std::get<FlowBatch>(decode_frame(frame)->what);
    alarms += read.alarms.size();
    commands += read.commands.size();
    answers += read.answers.size();
    for (const auto& flow : read.flows)
      CHECK(flow.sport == std::uint16_t(flows++));
  }
  CHECK(flows == 5'000);
  CHECK((alarms == 1 && answers == 1 && commands == 1));
}

TEST_CASE("a recording that was cut anywhere gives all whole frames, says so, and can be appended to") {
  TempDir dir;
  const auto path = dir.path() + "/whole", cut_path = dir.path() + "/cut";
  const std::vector<EncodedFrame> frames{encode_frame({1, 0}, RecordedTick{}),
                                         encode_frame({2, 0}, RecordedEnd{"x"}),
                                         encode_frame({3, 0}, RecordedLoss{1, 2})};
  append_all(path, frames);
  const auto whole = read_file(path);
  const auto last = encode_frame({4, 0}, RecordedTick{});
  for (std::size_t size = recording_layout::file_head; size <= whole.size(); ++size) {
    INFO(size);
    write_file(cut_path, whole.substr(0, size));
    std::size_t fit = 0;
    for (std::size_t end = recording_layout::file_head; fit < frames.size(); ++fit)
      if ((end += sizeof(recording_layout::FrameHead) + frames[fit].size()) > size) break;
    const auto found = content(cut_path);
    REQUIRE(found.frames.size() == fit);
    CHECK(std::equal(found.frames.begin(), found.frames.end(), frames.begin()));
    std::size_t end = recording_layout::file_head;
    for (std::size_t i = 0; i < fit; ++i)
      end += sizeof(recording_layout::FrameHead) + frames[i].size();
    CHECK((found.trouble.find("unfinished frame") != std::string::npos) == (end < size));

    append_all(cut_path, {last});
    const auto grown = content(cut_path);
    REQUIRE(grown.frames.size() == fit + 1);
    CHECK((grown.frames.back() == last));
    CHECK(grown.trouble.empty());
  }
  write_file(cut_path, whole.substr(0, 7));
  CHECK(RecordingReader::open(cut_path).error().code == Errc::corrupt);
  CHECK(RecordingWriter::open(cut_path, {}).error().code == Errc::corrupt);
}

TEST_CASE("damage inside of a recording costs the frames that it hit, and is told") {
  TempDir dir;
  const auto path = dir.path() + "/r";
  const auto frames = sample_frames();
  append_all(path, frames);
  auto bytes = read_file(path);
  const auto third = recording_layout::file_head + 2 * sizeof(recording_layout::FrameHead) +
                     frames[0].size() + frames[1].size();
  const auto offset = GENERATE(std::size_t{0}, std::size_t{5}, std::size_t{9}, std::size_t{40});
  bytes[third + offset] = char(bytes[third + offset] ^ 0x55);
  write_file(path, bytes);
  const auto found = content(path);
  REQUIRE(found.frames.size() == frames.size() - 1);
  CHECK((found.frames[2] == frames[3]));
  CHECK(found.trouble.find("in 1 places are damaged and left out") != std::string::npos);
  append_all(path, {frames[0]}); // what is whole behind the damage stays
  CHECK(content(path).frames.size() == frames.size());
}

TEST_CASE("a frame in a recorded packet is never taken for one of the recording") {
  TempDir dir;
  const auto inner = dir.path() + "/inner", outer = dir.path() + "/outer";
  append_all(inner, {encode_frame({1, 0}, RecordedEnd{"forged"})});
  RecordedPackets packets;
  const auto payload = read_file(inner);
  packets.bytes.assign(payload.begin(), payload.end());
  packets.heads = {{1, std::uint32_t(payload.size()), std::uint32_t(payload.size())}};
  append_all(outer, {encode_frame({1, 0}, packets), encode_frame({2, 0}, RecordedTick{})});
  auto bytes = read_file(outer);
  bytes[recording_layout::file_head + 8] ^= 1; // the first frame's check
  write_file(outer, bytes);
  const auto found = content(outer);
  REQUIRE(found.frames.size() == 1);
  CHECK(std::holds_alternative<RecordedTick>(decode_frame(found.frames[0])->what));
}

TEST_CASE("a recording ends at its bound with a frame that says so, and one writer has it alone") {
  TempDir dir;
  const auto path = dir.path() + "/r";
  RecordingLimits limits;
  limits.bytes = 1U << 20;
  {
    auto recorder = Recorder::start(path, limits);
    REQUIRE(recorder.ok());
    CHECK(Recorder::start(path, limits).error().code == Errc::locked);
    auto traffic = sample_traffic();
    traffic.flows.resize(1'000, traffic.flows.front());
    for (int i = 0; i < 40; ++i) // 8 MiB, within the queue
      (*recorder)->take({recorded_at + i, 0}, traffic);
    (*recorder)->finish();
    CHECK((*recorder)->figures().ended.find("bound of 1") != std::string::npos);
    CHECK((*recorder)->figures().bytes <= limits.bytes);
  }
  auto reader = RecordingReader::open(path);
  REQUIRE(reader.ok());
  RecordedFrame last;
  std::size_t frames = 0;
  for (; auto frame = (*reader)->next(); ++frames)
    last = std::move(*frame);
  CHECK(frames >= 4);
  REQUIRE(std::holds_alternative<RecordedEnd>(last.what));
  CHECK(std::get<RecordedEnd>(last.what).why.find("bound") != std::string::npos);
  CHECK((*reader)->trouble().empty());
  CHECK(std::filesystem::file_size(path) <= limits.bytes);
}

TEST_CASE("what the queue of a recorder does not hold is counted in the recording") {
  TempDir dir;
  const auto path = dir.path() + "/r";
  RecordedPackets packets = sample_packets();
  packets.heads = {{recorded_at, 1U << 20, 1U << 20}};
  packets.bytes.assign(1U << 20, 'x');
  std::uint64_t lost = 0;
  {
    auto recorder = Recorder::start(path, {});
    REQUIRE(recorder.ok());
    for (int i = 0; i < 400; ++i)
      (*recorder)->take_packets({recorded_at, 0}, packets);
    (*recorder)->finish();
    lost = (*recorder)->figures().lost.packets;
    CHECK(lost + (*recorder)->figures().packets == 400);
  }
  auto reader = RecordingReader::open(path);
  REQUIRE(reader.ok());
  std::uint64_t told = 0;
  while (auto frame = (*reader)->next())
    if (const auto* loss = std::get_if<RecordedLoss>(&frame->what)) told += loss->packets;
  CHECK(told == lost);
}
