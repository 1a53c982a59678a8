// libFuzzer entry: a file that somebody calls a capture. What is read ends, with a line where it ends too
// early; and where our own reader takes the file, it reads the packets that libpcap reads.
#include "node/sources/capture_file.hpp"
#include "node/sources/pcap_reader.hpp"

#include <pcap/pcap.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace iris;

void check(bool good) {
  if (!good) std::abort();
}

void compare_with_libpcap(const std::string& path) {
  auto ours = PcapReader::open(path);
  if (!ours) return;
  char reason[PCAP_ERRBUF_SIZE] = {};
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> theirs{
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, reason), &pcap_close};
  if (!theirs) return;
  check(pcap_datalink(theirs.get()) == ours->link());
  // libpcap cuts what is longer than the file says its packets are, and its longest is shorter with some
  // links.
  const auto snapshot = std::size_t(pcap_snapshot(theirs.get()));
  CapturedFrame frame;
  pcap_pkthdr* header = nullptr;
  const unsigned char* bytes = nullptr;
  while (pcap_next_ex(theirs.get(), &header, &bytes) == 1) {
    check(ours->next(frame));
    check(header->caplen == std::min(frame.bytes.size(), snapshot));
    check(std::memcmp(bytes, frame.bytes.data(), header->caplen) == 0);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("capture", MFD_CLOEXEC);
  static const auto path = "/proc/self/fd/" + std::to_string(file);
  check(::ftruncate(file, 0) == 0 && ::pwrite(file, data, size, 0) == ssize_t(size));
  auto capture = CaptureFile::open(path);
  if (!capture) {
    check(!capture.error().message.empty() && capture.error().message.find('\n') == std::string::npos);
    return 0;
  }
  CapturedFrame frame;
  std::size_t frames = 0;
  while ((*capture)->next(frame)) {
    check(frame.at >= 0 && frame.bytes.size() <= 262'144 && ++frames <= size);
    volatile std::uint8_t sink = 0;
    for (auto byte : frame.bytes)
      sink = sink ^ byte;
  }
  check((*capture)->trouble().find('\n') == std::string::npos);
  compare_with_libpcap(path);
  return 0;
}
