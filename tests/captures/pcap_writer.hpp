#pragma once
#include "core/base/time.hpp"

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

namespace iris {

/// Writes Ethernet frames as classic pcap with microseconds.
class PcapWriter {
public:
  static constexpr std::uint32_t ethernet = 1;
  explicit PcapWriter(const std::string& path, std::uint32_t link = ethernet)
      : file_{std::fopen(path.c_str(), "wbe")} {
    std::uint32_t header[6] = {0xa1b2c3d4, 4U << 16 | 2U, 0, 0, 262'144, link};
    put(header, sizeof header);
  }
  ~PcapWriter() { close(); }
  PcapWriter(const PcapWriter&) = delete;
  PcapWriter& operator=(const PcapWriter&) = delete;

  void write(std::span<const std::uint8_t> frame, Timestamp at) {
    auto length = std::uint32_t(frame.size());
    std::uint32_t header[4] = {std::uint32_t(at / second), std::uint32_t(at % second / microsecond), length,
                               length};
    put(header, sizeof header);
    put(frame.data(), frame.size());
  }
  [[nodiscard]] bool good() const { return file_ != nullptr && good_; }
  /// @returns whether everything was written.
  bool close() {
    if (file_ != nullptr && std::fclose(file_) != 0) good_ = false;
    bool written = file_ != nullptr && good_;
    file_ = nullptr;
    return written;
  }

private:
  void put(const void* bytes, std::size_t size) {
    if (file_ != nullptr && std::fwrite(bytes, 1, size, file_) != size) good_ = false;
  }
  std::FILE* file_;
  bool good_ = true;
};

} // namespace iris
