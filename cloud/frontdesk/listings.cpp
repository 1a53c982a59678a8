#include "cloud/frontdesk/listings.hpp"
#include "cloud/aggregator/evidence_store.hpp"
#include "cloud/store/gateway_names.hpp"
#include "cloud/store/rows.hpp"
#include "core/alert/json_writer.hpp"

#include <algorithm>
#include <optional>

namespace iris {
namespace {

constexpr std::size_t line_limit = 20'000;
constexpr std::size_t audit_lines = 500;

bool may_see(const std::string& asker, const std::string& tenant) { return asker == "*" || asker == tenant; }

const SessionNotice* session_of(const FrontdeskState& state, const std::string& tenant,
                                const std::string& gateway) {
  const SessionNotice* newest = nullptr;
  for (const auto& [number, notice] : state.sessions)
    if (notice.identity.role == Role::gateway && notice.identity.tenant == tenant &&
        notice.identity.name == gateway)
      newest = &notice;
  return newest;
}

struct KnownGateway {
  GatewayRow row;
  EnrolmentRow enrolment;
};

/// By tenant and name: those that spoke and those that only enrolled.
Result<std::map<std::pair<std::string, std::string>, KnownGateway>> known_gateways(const Store& store,
                                                                                   const std::string& asker) {
  std::map<std::pair<std::string, std::string>, KnownGateway> result;
  for (char kind : {'s', 'e'}) {
    auto prefix = KeyBuilder{}.u8(std::uint8_t(kind)).str();
    auto scanned = store.scan(Table::gateways, prefix, [&](std::string_view key, std::string_view value) {
      KeyReader reader{key.substr(1)};
      auto tenant = reader.text();
      auto gateway = reader.text();
      if (!reader.ok() || !may_see(asker, tenant)) return true;
      auto& known = result[{tenant, gateway}];
      if (kind == 's') {
        if (auto row = decode_gateway(value)) known.row = std::move(*row);
      } else if (auto row = decode_enrolment(value)) {
        known.enrolment = std::move(*row);
      }
      return result.size() < line_limit;
    });
    if (!scanned) return scanned.error();
  }
  return result;
}

std::string time_or_empty(Timestamp at) { return at == 0 ? std::string{} : rfc3339(at); }

std::string audit_line(Timestamp at, const std::string& tenant, const AuditRow& row) {
  JsonWriter out;
  out.object().field("at", rfc3339(at)).field("tenant", tenant).field("by", row.by).field("what", row.what);
  out.field("target", row.target).field("detail", row.detail).end_object();
  return out.take();
}

} // namespace

QueryAnswer list_gateways(const FrontdeskState& state, const CloudWorld& world, const std::string& tenant) {
  auto known = known_gateways(*world.store, tenant);
  if (!known) return answer_error(known.error().code, known.error().message);
  QueryAnswer answer;
  for (const auto& [name, gateway] : *known) {
    const auto* session = session_of(state, name.first, name.second);
    const auto& site = gateway.enrolment.site.empty() ? gateway.row.site : gateway.enrolment.site;
    auto profiles = profiles_of(*world.store, name.first, name.second);
    JsonWriter out;
    out.object().field("gateway", name.second).field("gateway_name", gateway.enrolment.name);
    out.field("tenant", name.first).field("site", site);
    out.field("connected", session != nullptr).field("address", session ? session->address : std::string{});
    out.field("version", gateway.row.version)
        .field("last_seen", time_or_empty(session ? world.now() : gateway.row.last_seen));
    out.field("first_seen", time_or_empty(gateway.row.first_seen));
    out.field("enrolled", time_or_empty(gateway.enrolment.enrolled_at))
        .field("revoked", gateway.enrolment.revoked);
    out.field("epoch", gateway.row.epoch).field("findings", gateway.row.applied[0]);
    out.field("counts", gateway.row.applied[1]);
    out.field("services", std::uint64_t(profiles ? profiles->size() : 0));
    out.field("clock_off_ms", gateway.row.clock / millisecond).end_object();
    answer.lines.push_back(out.take());
  }
  return answer;
}

QueryAnswer list_services(const FrontdeskState& state, const CloudWorld& world, const std::string& tenant,
                          const std::string& only) {
  auto known = known_gateways(*world.store, tenant);
  if (!known) return answer_error(known.error().code, known.error().message);
  std::vector<GatewayName> wanted;
  if (!only.empty()) {
    auto found = find_gateways(*world.store, tenant, only);
    if (!found) return answer_error(found.error().code, found.error().message);
    wanted = std::move(*found);
  }
  QueryAnswer answer;
  std::map<std::pair<std::string, std::string>, BaselinePtr> baselines;
  for (const auto& [name, gateway] : *known) {
    if (!only.empty() && std::none_of(wanted.begin(), wanted.end(), [&, &who = name](const GatewayName& one) {
          return one.tenant == who.first && one.id == who.second;
        }))
      continue;
    auto profiles = profiles_of(*world.store, name.first, name.second);
    if (!profiles) return answer_error(profiles.error().code, profiles.error().message);
    for (const auto& profile : *profiles) {
      if (answer.lines.size() >= line_limit) {
        answer.partial = true;
        return answer;
      }
      auto [at, fresh] = baselines.try_emplace({name.first, profile});
      if (fresh)
        if (auto latest = latest_baseline(*world.store, name.first, profile)) at->second = *latest;
      const auto* baseline = at->second.get();
      JsonWriter out;
      out.object().field("service", baseline ? baseline->entity.name : profile.substr(0, profile.find('@')));
      out.field("profile", profile).field("gateway", name.second);
      out.field("gateway_name", gateway.enrolment.name).field("tenant", name.first);
      out.field("kind", baseline ? to_string(baseline->entity.kind) : "");
      out.field("image", baseline ? baseline->entity.image : std::string{});
      out.field("connected", session_of(state, name.first, name.second) != nullptr);
      out.field("version", baseline ? baseline->version : 0);
      out.field("state", baseline ? to_string(baseline->state_for(name.second)) : "learning");
      out.field("promise", baseline ? baseline->progress_for(name.second).promise : std::uint32_t(0));
      out.field("reason",
                baseline ? baseline->progress_for(name.second).reason : std::string{"no baseline yet"});
      out.end_object();
      answer.lines.push_back(out.take());
    }
  }
  return answer;
}

QueryAnswer list_sessions(const FrontdeskState& state, const CloudWorld& world, const std::string& tenant) {
  QueryAnswer answer;
  GatewayNames names{*world.store};
  for (const auto& [number, notice] : state.sessions) {
    if (!may_see(tenant, notice.identity.tenant)) continue;
    JsonWriter out;
    out.object().field("session", number).field("role", to_string(notice.identity.role));
    const auto& identity = notice.identity;
    out.field("tenant", identity.tenant).field("name", identity.name);
    out.field("gateway_name",
              identity.role == Role::gateway ? names.of(identity.tenant, identity.name) : std::string{});
    out.field("address", notice.address)
        .field("version", notice.version)
        .field("since", rfc3339(notice.since));
    out.end_object();
    answer.lines.push_back(out.take());
  }
  return answer;
}

QueryAnswer list_audit(const CloudWorld& world, const std::string& tenant) {
  std::vector<std::pair<Timestamp, std::string>> rows;
  // Rows lie by tenant and time; the newest of every tenant, then the newest of all.
  auto newest_of = [&](const std::string& owner) {
    std::size_t taken = 0;
    return world.store->scan_back(Table::audit, KeyBuilder{}.text(owner).str(),
                                  [&](std::string_view key, std::string_view value) {
                                    KeyReader reader{key};
                                    (void)reader.text();
                                    const auto at = Timestamp(reader.u64());
                                    const auto row = decode_audit(value);
                                    if (!row) return true;
                                    rows.emplace_back(at, audit_line(at, owner, *row));
                                    return ++taken < audit_lines;
                                  });
  };
  std::vector<std::string> owners;
  if (tenant != "*") {
    owners.push_back(tenant);
  } else {
    for (std::string from;;) {
      std::optional<std::string> owner;
      auto scanned = world.store->scan_from(Table::audit, "", from, [&](std::string_view key, auto) {
        owner = KeyReader{key}.text();
        return false;
      });
      if (!scanned) return answer_error(scanned.error().code, scanned.error().message);
      if (!owner || owners.size() >= line_limit) break;
      from = KeyBuilder{}.text(*owner).str() + std::string(8, char(0xff)); // no time is so late
      owners.push_back(std::move(*owner));
    }
  }
  for (const auto& owner : owners) {
    if (auto scanned = newest_of(owner); !scanned)
      return answer_error(scanned.error().code, scanned.error().message);
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    if (rows.size() > audit_lines) rows.resize(audit_lines);
  }
  QueryAnswer answer;
  for (auto& [at, line] : rows)
    answer.lines.push_back(std::move(line));
  return answer;
}

Result<std::vector<ProfileName>> find_profiles(const Store& store, const std::string& tenant,
                                               const std::string& service) {
  std::vector<ProfileName> result;
  auto prefix = KeyBuilder{}.u8('p').str();
  if (tenant != "*") prefix = KeyBuilder{}.u8('p').text(tenant).str();
  auto scanned = store.scan(Table::behaviours, prefix, [&](std::string_view key, std::string_view) {
    KeyReader reader{key.substr(1)};
    ProfileName name{reader.text(), reader.text()};
    if (!reader.ok() ||
        (!result.empty() && result.back().profile == name.profile && result.back().tenant == name.tenant))
      return true;
    auto at = name.profile.find('@');
    auto colon = name.profile.find(':');
    const bool matches =
        service.empty() || name.profile == service || name.profile.substr(0, at) == service ||
        (at == std::string::npos && colon != std::string::npos && name.profile.substr(colon + 1) == service);
    if (matches) result.push_back(std::move(name));
    return result.size() < 1'000;
  });
  if (!scanned) return scanned.error();
  return result;
}

} // namespace iris
