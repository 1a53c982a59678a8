#include "node/recording/recording_file.hpp"
#include "node/replay/replay.hpp"
#include "node/sources/capture_file.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace iris;

namespace {

constexpr Timestamp start = 1'800'000'000 * second;

ProcessBatch run(const char* program, Timestamp at) {
  ProcessStart started;
  started.process.exe = program;
  started.process.args = {program};
  return {{{std::string(64, 'a'), at, 0, started}}};
}

/// Two minutes of a container that runs one program, then another once.
void write(const std::string& path) {
  auto writer = RecordingWriter::open(path, {});
  REQUIRE(writer.ok());
  const auto put = [&](const EncodedFrame& frame) { REQUIRE((*writer)->append(frame).ok()); };
  put(encode_frame({start, 0}, RecordedStart{"gw", "0.1.0", {}}));
  ContainerFacts facts;
  facts.id = std::string(64, 'a');
  facts.name = facts.service = "edgex-core-data";
  facts.digest = "sha256:1";
  facts.running = true;
  facts.started_at = start - 3'600 * second;
  put(encode_frame({start, 0}, ContainerBatch{{facts}, {}, true}));
  for (int i = 0; i < 60; ++i)
    for (const auto& frame :
         encode_frames({start + 2 * i * second, 0}, run("/core-data", start + 2 * i * second)))
      put(frame);
  RecordedPackets packets;
  packets.link = 1;
  packets.interface = "br-edgex";
  packets.bytes.assign(60, 'x');
  packets.heads = {{start + 5, 90, 60}};
  put(encode_frame({start + 100 * second, 7}, packets));
  packets.interface = "eth1";
  put(encode_frame({start + 100 * second, 7}, packets));
  for (const auto& frame : encode_frames({start + 130 * second, 0}, run("/bin/nice", start + 130 * second)))
    put(frame);
}

Result<std::vector<Alert>> judge(ReplayOptions options, std::vector<std::string>& notes) {
  ReplayStats stats;
  return replay(options, stats, [&](const std::string& line) { notes.push_back(line); });
}

} // namespace

TEST_CASE("a recording can be learned from, and its packets taken out for other tools") {
  TempDir dir;
  const auto path = dir.path("recording");
  write(path);
  ReplayOptions options;
  options.captures = {path};
  std::vector<std::string> notes;
  CHECK(judge(options, notes)->empty()); // without a baseline
  options.learn_until = 125;
  options.write_pcap = dir.path("packets");
  const auto alerts = judge(options, notes);
  REQUIRE(alerts.ok());
  REQUIRE(alerts->size() == 1);
  CHECK(alerts->front().finding.act == "ran /bin/nice");
  CHECK(notes.empty());

  auto capture = CaptureFile::open(options.write_pcap);
  REQUIRE(capture.ok());
  CapturedFrame frame;
  int count = 0;
  for (; (*capture)->next(frame); ++count) {
    CHECK(frame.at == start + 12); // as the wall clock stood
    CHECK(frame.wire_length == 90);
    CHECK(frame.bytes.size() == 60);
  }
  CHECK(count == 2);
}

TEST_CASE("a recording that a crash cut is judged as far as it goes, with a line about it") {
  TempDir dir;
  const auto path = dir.path("recording");
  write(path);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
  ReplayOptions options;
  options.captures = {path};
  options.learn_until = 50;
  std::vector<std::string> notes;
  REQUIRE(judge(options, notes).ok());
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("unfinished frame") != std::string::npos);
}
