#pragma once
#include "cloud/store/store.hpp"
#include "core/learn/baseline.hpp"
#include "core/learn/evidence.hpp"

#include <optional>
#include <string>
#include <vector>

namespace iris {

/// Nothing where the gateway has not shown the profile. A damaged row is left out and told in `problems`.
[[nodiscard]] Result<std::optional<Evidence>> load_evidence(const Store& store, const std::string& tenant,
                                                            const std::string& gateway,
                                                            const std::string& profile,
                                                            std::vector<std::string>& problems);
/// Rows of what a delta touched.
void put_evidence(StoreWrite& write, const std::string& tenant, const Evidence& evidence,
                  const Evidence::Touched& touched);
[[nodiscard]] Result<std::vector<std::string>> profiles_of(const Store& store, const std::string& tenant,
                                                           const std::string& gateway);
[[nodiscard]] Result<std::vector<std::string>> gateways_of(const Store& store, const std::string& tenant,
                                                           const std::string& profile);
/// The newest version of a profile's baseline; null where there is none.
[[nodiscard]] Result<BaselinePtr> latest_baseline(const Store& store, const std::string& tenant,
                                                  const std::string& profile);

} // namespace iris
