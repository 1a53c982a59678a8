// Honest recordings, in the form that recording_fuzz.cpp takes apart.
#include "node/recording/recording_file.hpp"
#include "tests/fuzz/seeds.hpp"
#include "tests/unit/node/recording/samples.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace iris::fuzz {

void recording_seeds() {
  const auto frames = test::sample_frames();
  int number = 0;
  for (const auto& frame : frames) {
    if (frame.size() > 4'096) continue; // longer than a fuzzer's input
    std::string one{'\1', char(frame.size() >> 8), char(frame.size())};
    one.append(frame.begin(), frame.end());
    seed("recording", ("frame" + std::to_string(number++)).c_str(), one);
  }
  const auto path =
      std::filesystem::temp_directory_path() / ("iris-fuzz-recording-" + std::to_string(::getpid()));
  {
    auto writer = RecordingWriter::open(path, {});
    if (!writer) std::exit(1);
    for (const auto& frame : frames)
      if (frame.size() < 1'024 && !(*writer)->append(frame)) std::exit(1);
  }
  std::ifstream file{path, std::ios::binary};
  const std::string whole{std::istreambuf_iterator<char>{file}, {}};
  std::filesystem::remove(path);
  seed("recording", "whole", '\0' + whole);
  seed("recording", "cut", '\0' + whole.substr(0, whole.size() - 9));
}

} // namespace iris::fuzz
