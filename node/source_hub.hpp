#pragma once
#include "core/base/result.hpp"
#include "core/inventory/inventory.hpp"
#include "node/options.hpp"
#include "node/source_outlet.hpp"

#include <memory>

namespace iris {

/// Starts every source, passes on what they see to the router, and keeps packet sources on the interfaces
/// that matter as container networks come and go. Each source is an actor in the directory.
class SourceHub {
public:
  [[nodiscard]] static Result<std::unique_ptr<SourceHub>> start(const NodeOptions& options,
                                                                SourceHubWorld world);
  ~SourceHub(); ///< stops all; nothing is sent afterwards
  SourceHub(const SourceHub&) = delete;
  SourceHub& operator=(const SourceHub&) = delete;

  /// As the cloud set it: how long windows of counters are, and a day of getting to know the containers.
  void set_scale(const TimeScale& scale);

private:
  struct State;
  explicit SourceHub(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace iris
