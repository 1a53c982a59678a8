#pragma once
#include "node/sources/capture_file.hpp"

#include <memory>
#include <string>

namespace iris {

/// Reads the classic pcap format in large blocks, in place: a quarter of the time that a library call and a
/// copy for each packet take. Everything else is libpcap's.
class PcapReader {
public:
  /// Null where the file cannot be read in this way (pcapng, a pipe, an unusual header).
  [[nodiscard]] static std::unique_ptr<PcapReader> open(const std::string& path);
  ~PcapReader();
  PcapReader(const PcapReader&) = delete;
  PcapReader& operator=(const PcapReader&) = delete;

  /// @returns false at the end; `trouble()` says why it came before the file's own.
  bool next(CapturedFrame& frame);
  [[nodiscard]] int link() const { return link_; }
  [[nodiscard]] const char* trouble() const { return trouble_; }

private:
  explicit PcapReader(int file);
  bool fill(std::size_t needed);

  static constexpr std::size_t block = 1U << 17;        ///< stays in the second-level cache
  static constexpr std::uint32_t frame_limit = 262'144; ///< what libpcap takes for the longest frame, too
  int file_;
  int link_ = 0;
  bool swapped_ = false;  ///< written on a machine of the other byte order
  Duration fraction_ = 0; ///< unit of the second half of a time stamp
  bool ended_ = false;
  const char* trouble_ = nullptr;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

} // namespace iris
