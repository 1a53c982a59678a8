#pragma once
#include "core/base/result.hpp"

#include <string>
#include <vector>

namespace iris {

/// What an enrolled gateway has on disk under its data directory.
struct EnrolmentFiles {
  std::string directory;
  [[nodiscard]] std::string key() const { return directory + "/key.pem"; }
  [[nodiscard]] std::string certificate() const { return directory + "/cert.pem"; }
  [[nodiscard]] std::string ca() const { return directory + "/ca.pem"; }
  [[nodiscard]] std::string addresses() const { return directory + "/addresses.txt"; }
  [[nodiscard]] bool complete() const;
};

/// Writes a file so that a reader sees the old or the new one, mode 0600, synced.
[[nodiscard]] Result<void> write_private_file(const std::string& path, const std::string& content);
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t limit = 64 << 10);
/// Lines "HOST:PORT" of addresses.txt.
[[nodiscard]] Result<std::vector<std::string>> read_addresses(const EnrolmentFiles& files);

} // namespace iris
