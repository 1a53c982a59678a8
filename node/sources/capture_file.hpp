#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace iris {

/// One frame of a capture; valid until the next one is read.
struct CapturedFrame {
  std::span<const std::uint8_t> bytes;
  std::uint32_t wire_length = 0;
  Timestamp at = 0;
};

/// Reads pcap and pcapng files, both byte orders, micro- and nanoseconds ("-" is standard input).
class CaptureFile {
public:
  /// Fails with one line when the file is missing, is no capture, or holds a link layer that is not decoded.
  [[nodiscard]] static Result<std::unique_ptr<CaptureFile>> open(const std::string& path);
  ~CaptureFile();
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  /// @returns false at the end, which is where the file is cut or corrupt if `trouble()` says so.
  bool next(CapturedFrame& frame);
  [[nodiscard]] int link() const;
  /// Empty, or one line: what is wrong with the file, where, and how much of it was read.
  [[nodiscard]] const std::string& trouble() const;

private:
  struct State;
  explicit CaptureFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace iris
