#pragma once
#include "cloud/config/config.hpp"
#include "cloud/config/data_directory.hpp"
#include "core/base/result.hpp"

#include <memory>
#include <string>

namespace iris {

/// Everything that `iris-cloud run` runs.
class CloudProgram {
public:
  /// Opens the store, starts the actors, then listens. Errors are one line for the person who started it.
  [[nodiscard]] static Result<std::unique_ptr<CloudProgram>> start(CloudPaths paths, CloudConfig config,
                                                                   bool create_store);
  ~CloudProgram(); ///< orderly: stops listening, ends the actors, closes the store
  CloudProgram(const CloudProgram&) = delete;
  CloudProgram& operator=(const CloudProgram&) = delete;

  /// Makes a backup into the configured directory.
  [[nodiscard]] Result<void> backup();

  /// Renews the certificate of its own when that is due; called every second.
  void look_after_certificates();
  /// Tells of gateways that are away; called every second.
  void look_after_gateways();

private:
  struct Impl;
  explicit CloudProgram(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The key that baselines are signed with, from the PKI directory.
struct SigningKey;
[[nodiscard]] Result<SigningKey> load_signing_key(const std::string& pki_directory);

} // namespace iris
