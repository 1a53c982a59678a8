#pragma once
#include "core/base/time.hpp"

#include <string>

namespace iris {

/// What the cloud set for this gateway when the session began.
struct LinkTerms {
  TimeScale scale;
  std::string tenant, site;
  std::string baseline_key; ///< Ed25519 public key, 32 bytes
};

} // namespace iris
