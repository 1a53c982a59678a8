#pragma once
#include "cloud/intelligence/countries.hpp"
#include "core/intel/indicator_set.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace iris {

struct IntelligenceFiles {
  std::vector<std::string> lists; ///< paths; a list is called what its file is called, without the ending
  std::vector<std::string> mmdb;  ///< paths; the first one that knows a thing says it
};

/// What is known about outside addresses; immutable once shared.
struct Intelligence {
  IndicatorSet indicators;           ///< all of them
  std::vector<char> edge;            ///< what is pushed to gateways: encoded, at most edge_limit bytes
  std::uint64_t edge_version = 0;    ///< a hash of its content; 0 while there is none
  std::uint32_t edge_confidence = 1; ///< gateways get entries of at least this confidence
  std::vector<AddressDatabase> databases;

  static constexpr std::size_t edge_limit = 900'000; ///< bytes; a message of the link holds 1 MiB
  [[nodiscard]] Place place_of(const IpAddress& address) const;
};
using IntelligencePtr = std::shared_ptr<const Intelligence>;

/// Reads all files. What cannot be read or parsed is left out and told in `problems`, one line each.
[[nodiscard]] IntelligencePtr load_intelligence(const IntelligenceFiles& files,
                                                std::vector<std::string>& problems);

/// Size and time of every file; differs when one was changed.
[[nodiscard]] std::string stamp_of(const IntelligenceFiles& files);

/// The snapshot that everyone uses now.
class IntelligenceBox {
public:
  [[nodiscard]] IntelligencePtr get() const {
    const std::lock_guard lock{mutex_};
    return now_;
  }
  void set(IntelligencePtr next) {
    const std::lock_guard lock{mutex_};
    now_ = std::move(next);
  }

private:
  mutable std::mutex mutex_;
  IntelligencePtr now_ = std::make_shared<const Intelligence>();
};

} // namespace iris
