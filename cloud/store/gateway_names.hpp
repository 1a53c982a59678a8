#pragma once
#include "core/base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What people may call a gateway by: its id, which is in its certificate and never changes, or the name that
/// `iris-cloud gateways rename` gave it.
namespace iris {

class Store;

struct GatewayName {
  std::string tenant, id;
  std::string name; ///< empty: as its id
};

/// Whom `wanted` means among those that an asker of `tenant` ("*": all) may see: [TENANT/]ID, or
/// [TENANT/]NAME. An id goes before a name; one that several tenants use gives all of them. A name that two
/// gateways share is refused with their ids. Errc::not_found for nobody.
[[nodiscard]] Result<std::vector<GatewayName>> find_gateways(const Store& store, std::string_view tenant,
                                                             std::string_view wanted);
/// The same where it must be one.
[[nodiscard]] Result<GatewayName> find_gateway(const Store& store, std::string_view tenant,
                                               std::string_view wanted);

/// Names of gateways for a listing: each row is read once.
class GatewayNames {
public:
  explicit GatewayNames(const Store& store) : store_{store} {}
  /// Empty where it is called as its id.
  [[nodiscard]] const std::string& of(const std::string& tenant, const std::string& id);

private:
  const Store& store_;
  std::map<std::pair<std::string, std::string>, std::string> known_;
};

} // namespace iris
