#pragma once
#include "actors/query.hpp"
#include "cloud/frontdesk/frontdesk.hpp"

#include <string>
#include <vector>

namespace iris {

/// Answers that need the store only.
[[nodiscard]] QueryAnswer list_gateways(const FrontdeskState& state, const CloudWorld& world,
                                        const std::string& tenant);
[[nodiscard]] QueryAnswer list_services(const FrontdeskState& state, const CloudWorld& world,
                                        const std::string& tenant, const std::string& gateway);
/// [gateway=GATEWAY] [limit=N]: statements of loss, the newest first. What the limit leaves out is counted in
/// the answer's message.
[[nodiscard]] QueryAnswer list_losses(const CloudWorld& world, const std::string& tenant,
                                      const std::vector<std::string>& arguments);
[[nodiscard]] QueryAnswer list_sessions(const FrontdeskState& state, const CloudWorld& world,
                                        const std::string& tenant);
[[nodiscard]] QueryAnswer list_audit(const CloudWorld& world, const std::string& tenant);

struct ProfileName {
  std::string tenant, profile;
};
/// Profiles with evidence whose service is called `service` (or that are called so themselves); all for an
/// empty one.
[[nodiscard]] Result<std::vector<ProfileName>> find_profiles(const Store& store, const std::string& tenant,
                                                             const std::string& service);

} // namespace iris
