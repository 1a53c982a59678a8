#pragma once
#include "core/base/result.hpp"

#include <string>
#include <vector>

namespace iris {

/// A private key that never leaves the gateway and the request for a certificate over it. The cloud takes
/// nothing but the public key from the request; who the gateway is comes from the token.
struct KeyAndRequest {
  std::string key_pem, csr_pem;
};
[[nodiscard]] Result<KeyAndRequest> make_key_and_request();

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
