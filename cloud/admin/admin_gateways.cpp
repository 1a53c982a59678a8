#include "cloud/admin/admin.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "core/alert/json_writer.hpp"
#include "core/base/hash.hpp"
#include "core/link/token.hpp"

namespace iris {
namespace {

constexpr std::size_t serials_kept = 8; ///< of one gateway; older ones have expired or were revoked

QueryAnswer refused(const Error& error) { return answer_error(error.code, error.message); }

} // namespace

QueryAnswer Admin::gateways_list() {
  QueryAnswer answer;
  auto prefix = KeyBuilder{}.u8('e').str();
  auto scanned = store_->scan(Table::gateways, prefix, [&](std::string_view key, std::string_view value) {
    KeyReader reader{key.substr(1)};
    auto tenant = reader.text();
    auto gateway = reader.text();
    auto row = decode_enrolment(value);
    if (!row || !reader.ok()) return true;
    auto seen = store_->get(Table::gateways, gateway_key(tenant, gateway));
    GatewayRow state;
    if (seen && *seen)
      if (auto decoded = decode_gateway(**seen)) state = std::move(*decoded);
    JsonWriter out;
    out.object().field("gateway", gateway).field("tenant", tenant).field("site", row->site);
    out.field("enrolled", rfc3339(row->enrolled_at))
        .field("token", row->enrolled_by)
        .field("revoked", row->revoked);
    out.field("last_seen", state.last_seen == 0 ? std::string{} : rfc3339(state.last_seen));
    out.field("version", state.version).end_object();
    answer.lines.push_back(out.take());
    return answer.lines.size() < 100'000;
  });
  return scanned ? answer : refused(scanned.error());
}

QueryAnswer Admin::gateways_revoke(const Arguments& arguments, const std::string& by) {
  if (arguments.size() != 1)
    return answer_error(Errc::invalid, "gateways revoke takes a gateway: [TENANT/]ID");
  auto slash = arguments[0].find('/');
  const auto wanted = slash == std::string::npos ? arguments[0] : arguments[0].substr(slash + 1);
  const auto of_tenant = slash == std::string::npos ? std::string{} : arguments[0].substr(0, slash);
  std::vector<std::pair<std::string, EnrolmentRow>> found;
  auto scanned = store_->scan(Table::gateways, KeyBuilder{}.u8('e').str(),
                              [&](std::string_view key, std::string_view value) {
                                KeyReader reader{key.substr(1)};
                                auto tenant = reader.text();
                                if (reader.text() != wanted || (!of_tenant.empty() && tenant != of_tenant))
                                  return true;
                                if (auto row = decode_enrolment(value))
                                  found.emplace_back(tenant, std::move(*row));
                                return true;
                              });
  if (!scanned) return refused(scanned.error());
  if (found.empty()) return answer_error(Errc::not_found, "there is no gateway " + arguments[0]);
  if (found.size() > 1)
    return answer_error(Errc::invalid, wanted + " is a gateway of several tenants; say TENANT/" + wanted);
  auto& [tenant, row] = found[0];
  for (const auto& serial : row.serials)
    if (auto done = pki::revoke(terms_.pki, serial, terms_.now()); !done) return refused(done.error());
  row.revoked = true;
  StoreWrite write;
  write.put(Table::gateways, enrolment_key(tenant, wanted), encode(row));
  audit(write, tenant, by, "gateways revoke", wanted, std::to_string(row.serials.size()) + " certificates");
  if (auto done = store_->write(write); !done) return refused(done.error());
  if (terms_.cut_off) terms_.cut_off(Identity{Role::gateway, tenant, wanted, false});
  return {};
}

Result<EnrolmentRow> Admin::read_enrolment(const std::string& tenant, const std::string& gateway) {
  auto stored = store_->get(Table::gateways, enrolment_key(tenant, gateway));
  if (!stored) return stored.error();
  if (!stored->has_value()) return EnrolmentRow{};
  return decode_enrolment(**stored);
}

/// Whom the request speaks for: one that renews, or one that a good token lets in; the token's use is in
/// `write`.
Result<Identity> Admin::identity_of(const EnrolRequest& request, StoreWrite& write, EnrolmentRow& row,
                                    std::string& token) {
  const auto now = terms_.now();
  if (request.renews) {
    const auto& identity = *request.renews;
    if (identity.role != Role::gateway) return Error{Errc::refused, "only gateways renew their certificates"};
    auto known = read_enrolment(identity.tenant, identity.name);
    if (!known) return known.error();
    if (known->serials.empty() || known->revoked)
      return Error{Errc::refused, "this gateway is not enrolled here"};
    row = std::move(*known);
    return identity;
  }
  // One answer for a secret that never was and one that is over: a stranger learns nothing.
  const Error no{Errc::refused, "the token is not known, used up, revoked or expired; ask for a new one"};
  const auto hash = secret_hash(request.secret);
  auto stored = store_->get(Table::tokens, hash);
  if (!stored) return stored.error();
  if (!stored->has_value()) return no;
  auto ticket = decode_token(**stored);
  if (!ticket) return ticket.error();
  if (ticket->revoked || ticket->uses_left == 0 || ticket->expires < now) return no;
  ticket->uses_left -= 1;
  write.put(Table::tokens, hash, encode(*ticket));
  token = hash.substr(0, 12);
  Identity identity;
  identity.role = Role::gateway;
  identity.tenant = ticket->tenant;
  identity.name = ticket->gateway.empty() ? "gw-" + to_hex(terms_.random(6)) : ticket->gateway;
  auto known = read_enrolment(identity.tenant, identity.name);
  if (!known) return known.error();
  row = std::move(*known);
  if (!ticket->site.empty()) row.site = ticket->site;
  row.enrolled_at = now;
  row.enrolled_by = token;
  row.revoked = false;
  // Who enrols anew has a new key; the certificates of the old one end here.
  for (const auto& serial : row.serials)
    if (auto done = pki::revoke(terms_.pki, serial, now); !done) return done.error();
  row.serials.clear();
  return identity;
}

EnrolResponse Admin::enrol(const EnrolRequest& request) {
  const std::lock_guard lock{mutex_};
  auto fail = [](const Error& error) {
    EnrolResponse response;
    response.error = error.message;
    return response;
  };
  StoreWrite write;
  EnrolmentRow row;
  std::string token;
  auto identity = identity_of(request, write, row, token);
  if (!identity) return fail(identity.error());
  auto certificate = pki::sign_request(terms_.pki, request.csr, *identity, terms_.now());
  if (!certificate) return fail(certificate.error());
  row.serials.push_back(certificate->serial);
  if (row.serials.size() > serials_kept) row.serials.erase(row.serials.begin());
  write.put(Table::gateways, enrolment_key(identity->tenant, identity->name), encode(row));
  audit(write, identity->tenant, "gateway " + identity->name, request.renews ? "renew" : "enrol",
        request.renews ? certificate->serial : token, request.remote);
  if (auto done = store_->write(write); !done) return fail(done.error());
  auto ca = pki::read_file(terms_.pki + "/" + pki::ca_certificate);
  if (!ca) return fail(ca.error());
  return EnrolResponse{"", certificate->pem, *ca, to_uri(*identity)};
}

} // namespace iris
