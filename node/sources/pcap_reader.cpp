#include "node/sources/pcap_reader.hpp"

#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace iris {

namespace {

std::uint32_t word(const std::uint8_t* at, bool swapped) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, 4);
  return swapped ? __builtin_bswap32(value) : value;
}

constexpr std::size_t file_header = 24;
constexpr std::size_t record_header = 16;

} // namespace

PcapReader::PcapReader(int file)
    : file_{file}, buffer_{
                       std::make_unique_for_overwrite<std::uint8_t[]>(block + frame_limit + record_header)} {}

PcapReader::~PcapReader() { ::close(file_); }

std::unique_ptr<PcapReader> PcapReader::open(const std::string& path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  std::unique_ptr<PcapReader> reader{new PcapReader{file}};
  struct stat status {};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || !reader->fill(file_header)) return nullptr;
  const auto* header = reader->buffer_.get();
  for (bool swapped : {false, true}) {
    auto magic = word(header, swapped);
    if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d) continue;
    reader->swapped_ = swapped;
    reader->fraction_ = magic == 0xa1b2c3d4 ? microsecond : 1;
    auto version = word(header + 4, swapped);
    auto link = word(header + 20, swapped);
    bool usual = (swapped ? version == (2U << 16 | 4U) : version == (4U << 16 | 2U)) && link < 0x10000;
    if (!usual) return nullptr;
    // Of the link types that are decoded, only this one has another number in files than in memory.
    reader->link_ = link == 101 ? 12 : int(link);
    reader->begin_ = file_header;
    return reader;
  }
  return nullptr;
}

/// Makes `needed` bytes lie at begin_. @returns false when the file does not have them.
bool PcapReader::fill(std::size_t needed) {
  if (end_ - begin_ >= needed) return true;
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  while (end_ < needed && !ended_) {
    auto got = ::read(file_, buffer_.get() + end_, block);
    if (got <= 0) ended_ = true;
    if (got > 0) end_ += std::size_t(got);
  }
  return end_ >= needed;
}

bool PcapReader::next(CapturedFrame& frame) {
  if (trouble_ != nullptr) return false;
  if (!fill(record_header)) {
    if (end_ != begin_) trouble_ = "the file ends within a packet's header";
    return false;
  }
  const auto* header = buffer_.get() + begin_;
  auto captured = word(header + 8, swapped_);
  if (captured > frame_limit) {
    trouble_ = "a packet's length is impossible";
    return false;
  }
  auto seconds = word(header, swapped_);
  auto fraction = word(header + 4, swapped_);
  auto wire = word(header + 12, swapped_);
  begin_ += record_header;
  if (!fill(captured)) {
    trouble_ = "the file ends within a packet";
    return false;
  }
  frame.at = Timestamp(seconds) * second + Timestamp(fraction) * fraction_;
  frame.wire_length = wire;
  frame.bytes = {buffer_.get() + begin_, captured};
  begin_ += captured;
  return true;
}

} // namespace iris
