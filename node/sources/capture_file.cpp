#include "node/sources/capture_file.hpp"

#include "core/net/packet.hpp"
#include "node/sources/pcap_reader.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace iris {

struct CaptureFile::State {
  std::string path;
  std::unique_ptr<PcapReader> classic; ///< null where libpcap reads
  std::unique_ptr<char[]> buffer;      ///< outlives the stream that uses it
  pcap_t* pcap = nullptr;
  int link = 0;
  std::uint64_t frames = 0;
  std::string trouble;

  void cut(const char* why) {
    trouble = path + " is cut or corrupt behind packet " + std::to_string(frames) + " (" + why +
              "); what comes before was read";
  }
  ~State() {
    if (pcap != nullptr) pcap_close(pcap);
  }
};

CaptureFile::CaptureFile(std::unique_ptr<State> state) : state_{std::move(state)} {}
CaptureFile::~CaptureFile() = default;

namespace {

template <class State>
Result<void> open_with_libpcap(State& state) {
  auto* file = state.path == "-" ? stdin : std::fopen(state.path.c_str(), "rbe");
  if (file == nullptr) {
    auto code = errno == ENOENT ? Errc::not_found : Errc::io;
    return Error{code, "cannot open capture " + state.path + ": " + std::strerror(errno)};
  }
  constexpr std::size_t buffer_size = 1U << 18;
  state.buffer = std::make_unique_for_overwrite<char[]>(buffer_size);
  std::setvbuf(file, state.buffer.get(), _IOFBF, buffer_size);
  char reason[PCAP_ERRBUF_SIZE] = {};
  state.pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
  if (state.pcap == nullptr) {
    if (file != stdin) std::fclose(file);
    return Error{Errc::corrupt, state.path + " cannot be read as a pcap or pcapng capture: " + reason};
  }
  state.link = pcap_datalink(state.pcap);
  return {};
}

} // namespace

Result<std::unique_ptr<CaptureFile>> CaptureFile::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->classic = path == "-" ? nullptr : PcapReader::open(path);
  if (state->classic) {
    state->link = state->classic->link();
  } else if (auto opened = open_with_libpcap(*state); !opened) {
    return opened.error();
  }
  if (!is_supported_link(state->link)) {
    const auto* name = pcap_datalink_val_to_name(state->link);
    return Error{Errc::invalid, path + " holds link layer " +
                                    (name != nullptr ? name : std::to_string(state->link)) +
                                    "; Ethernet, Linux cooked, loopback and raw IP are understood"};
  }
  return std::unique_ptr<CaptureFile>{new CaptureFile{std::move(state)}};
}

bool CaptureFile::next(CapturedFrame& frame) {
  if (state_->classic) {
    if (state_->classic->next(frame)) return ++state_->frames, true;
    if (const auto* trouble = state_->classic->trouble(); trouble != nullptr) state_->cut(trouble);
    return false;
  }
  pcap_pkthdr* header = nullptr;
  const unsigned char* bytes = nullptr;
  auto result = pcap_next_ex(state_->pcap, &header, &bytes);
  if (result == 1) {
    ++state_->frames;
    frame.bytes = {bytes, header->caplen};
    frame.wire_length = header->len;
    // A broken file may claim any time; nanoseconds of 64 bits reach to the year 2262.
    auto seconds = std::clamp<Timestamp>(header->ts.tv_sec, 0, 8'000'000'000);
    frame.at = seconds * second +
               std::clamp<Timestamp>(header->ts.tv_usec, 0, second - 1); // nanoseconds, as asked for
    return true;
  }
  if (result == PCAP_ERROR) state_->cut(pcap_geterr(state_->pcap));
  return false;
}

int CaptureFile::link() const { return state_->link; }
const std::string& CaptureFile::trouble() const { return state_->trouble; }

} // namespace iris
