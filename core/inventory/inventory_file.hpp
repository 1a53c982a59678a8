#pragma once
#include "core/base/entity.hpp"
#include "core/base/result.hpp"

#include <string_view>
#include <vector>

namespace iris {

/// One line of an inventory file: `ADDRESS NAME [service|device|gateway]`.
struct InventoryEntry {
  IpAddress address;
  std::string name;
  EntityKind kind = EntityKind::device;
};

/// '#' starts a comment; blank lines are skipped; `device` is the default. An error names `origin` and the
/// line.
[[nodiscard]] Result<std::vector<InventoryEntry>> parse_inventory(std::string_view text,
                                                                  std::string_view origin);

} // namespace iris
