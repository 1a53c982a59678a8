#include "cloud/store/gateway_names.hpp"

#include "cloud/store/rows.hpp"
#include "cloud/store/store.hpp"

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t named_in_error = 10;
constexpr std::size_t wanted_shown = 130; ///< of what was asked for: a tenant, a slash and an id are 129

std::string list_of(const std::vector<GatewayName>& gateways) {
  std::string text;
  for (std::size_t i = 0; i < std::min(gateways.size(), named_in_error); ++i)
    text += (i == 0 ? "" : ", ") + gateways[i].tenant + "/" + gateways[i].id;
  if (gateways.size() > named_in_error)
    text += " and " + std::to_string(gateways.size() - named_in_error) + " more";
  return text;
}

} // namespace

Result<std::vector<GatewayName>> find_gateways(const Store& store, std::string_view tenant,
                                               std::string_view wanted) {
  const Error nobody{Errc::not_found, "no gateway " + std::string{wanted.substr(0, wanted_shown)} +
                                          " is known; \"gateways\" lists them"};
  const auto slash = wanted.find('/');
  const auto owner = slash == std::string_view::npos ? std::string_view{} : wanted.substr(0, slash);
  const auto called = slash == std::string_view::npos ? wanted : wanted.substr(slash + 1);
  if (called.empty() || called.size() > 64 || (slash != std::string_view::npos && owner.empty()))
    return nobody;
  if (!owner.empty() && tenant != "*" && owner != tenant) return nobody;
  const auto only = owner.empty() && tenant != "*" ? tenant : owner; // empty: of all tenants
  std::vector<GatewayName> by_id, by_name;
  for (const char kind : {'e', 's'}) { // those that enrolled, and those whose enrolment is not here
    auto prefix = KeyBuilder{}.u8(std::uint8_t(kind));
    if (!only.empty()) prefix.text(only);
    auto scanned =
        store.scan(Table::gateways, prefix.str(), [&](std::string_view key, std::string_view value) {
          KeyReader reader{key.substr(1)};
          GatewayName found{reader.text(), reader.text(), {}};
          if (!reader.ok()) return true;
          if (kind == 'e')
            if (auto row = decode_enrolment(value)) found.name = std::move(row->name);
          const auto same = [&](const auto& other) {
            return other.tenant == found.tenant && other.id == found.id;
          };
          if (found.id == called && std::none_of(by_id.begin(), by_id.end(), same))
            by_id.push_back(std::move(found));
          else if (found.name == called)
            by_name.push_back(std::move(found));
          return true;
        });
    if (!scanned) return scanned.error();
  }
  if (!by_id.empty()) return by_id;
  if (by_name.size() > 1)
    return Error{Errc::invalid, std::to_string(by_name.size()) + " gateways are called " +
                                    std::string{called} + ": " + list_of(by_name) + "; say which by its id"};
  if (by_name.empty()) return nobody;
  return by_name;
}

Result<GatewayName> find_gateway(const Store& store, std::string_view tenant, std::string_view wanted) {
  auto found = find_gateways(store, tenant, wanted);
  if (!found) return found.error();
  if (found->size() > 1)
    return Error{Errc::invalid, found->front().id + " is a gateway of several tenants: " + list_of(*found) +
                                    "; say TENANT/" + found->front().id};
  return std::move(found->front());
}

const std::string& GatewayNames::of(const std::string& tenant, const std::string& id) {
  auto [at, fresh] = known_.try_emplace({tenant, id});
  if (fresh)
    if (auto stored = store_.get(Table::gateways, enrolment_key(tenant, id)); stored && *stored)
      if (auto row = decode_enrolment(**stored)) at->second = std::move(row->name);
  return at->second;
}

} // namespace iris
