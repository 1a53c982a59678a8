#pragma once
#include "core/base/result.hpp"
#include "core/net/pcapng.hpp"
#include "node/recording/frame.hpp"

#include <fstream>
#include <string>

namespace iris {

/// Writes the packets of recordings as pcapng, in wall time.
class ReplayPackets {
public:
  /// @param path empty: nothing is written
  explicit ReplayPackets(std::string path);
  [[nodiscard]] Result<void> write(const RecordedPackets& packets, Duration shift);
  [[nodiscard]] Result<void> finish();

private:
  [[nodiscard]] Result<void> flush();

  std::string path_;
  std::ofstream file_;
  PcapngWriter writer_;
  std::string out_;
};

} // namespace iris
