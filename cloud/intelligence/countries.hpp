#pragma once
#include "core/base/address.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

#include <memory>
#include <string>

namespace iris {

struct Place {
  std::string country; ///< ISO 3166 alpha-2; empty where the database does not know
  std::string network; ///< operator where the database names one, else the network's prefix
};

/// A MaxMind database file (MMDB 2.0) of countries, networks, or both. Lookups are safe from any thread.
class AddressDatabase {
public:
  static Result<AddressDatabase> open(const std::string& path);
  [[nodiscard]] Place lookup(const IpAddress& address) const;
  [[nodiscard]] std::string
  type() const; ///< what its maker calls it, e.g. "GeoLite2-Country"; at most 128 bytes
  [[nodiscard]] Timestamp built() const;

private:
  struct File;
  std::shared_ptr<const File> file_;
};

} // namespace iris
