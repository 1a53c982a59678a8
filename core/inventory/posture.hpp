#pragma once
#include "core/inventory/container.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// One statement about how a container is set up: what it opens to others, and what it could do to its host.
struct PostureStatement {
  std::string key;  ///< the same for the same thing over restarts and new ids: "port:27017/tcp"
  std::string text; ///< completes "The container …"
  /// Bits of a finding when it was so from the start, and when it is new on a gateway that is known; 0: none.
  double standing = 0, fresh = 0;
  std::string_view attack; ///< ATT&CK ids, separated by spaces
  bool of_gateway = false; ///< true of many containers for one reason: told once for all of them
};

/// All that can be said of a container's settings, the weightiest first. A function of the facts alone.
[[nodiscard]] std::vector<PostureStatement> posture_of(const ContainerFacts& facts);

} // namespace iris
