#include "cloud/admin/admin.hpp"
#include "cloud/admin/arguments.hpp"
#include "cloud/pki/pki.hpp"
#include "core/alert/json_writer.hpp"

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t older_kept = 3; ///< certificates of one operator beside his newest; others are revoked

QueryAnswer refused(const Error& error) { return answer_error(error.code, error.message); }
QueryAnswer invalid(const std::string& why) { return answer_error(Errc::invalid, why); }

std::string operator_key(const std::string& tenant, const std::string& name) {
  return KeyBuilder{}.text(tenant).text(name).str();
}

/// Where nobody noted the end of a certificate that was made at `since`.
Timestamp known_end(Timestamp ends, Timestamp since) {
  return ends == 0 ? since + pki::operator_validity + pki::day : ends;
}

} // namespace

QueryAnswer Admin::operators_add(const Arguments& arguments, const std::string& by) {
  auto parsed = AdminArguments::parse(arguments, {"tenant", "admin"});
  if (!parsed) return refused(parsed.error());
  if (parsed->plain.size() != 1) return invalid("operators add takes a name");
  Identity identity;
  identity.role = Role::operator_;
  identity.name = parsed->plain[0];
  identity.tenant = parsed->get("tenant", "*");
  identity.admin = parsed->get("admin", "false") == "true";
  if (auto good = check_part("operator", identity.name); !good) return refused(good.error());
  if (identity.tenant != "*")
    if (auto good = check_part("tenant", identity.tenant); !good) return refused(good.error());
  auto key = operator_key(identity.tenant, identity.name);
  auto stored = store_->get(Table::operators, key);
  if (!stored) return refused(stored.error());
  if (stored->has_value())
    if (auto row = decode_operator(**stored); row && !row->revoked)
      return answer_error(Errc::refused,
                          "there is an operator " + identity.name +
                              " already; revoke him first, and then add him into a new folder");
  auto bundle = pki::issue(terms_.pki, identity, terms_.now(), terms_.operator_life);
  if (!bundle) return refused(bundle.error());
  const auto& made = bundle->certificate;
  OperatorRow row{identity.admin, false, made.serial, terms_.now(), made.authority, made.expires};
  StoreWrite write;
  write.put(Table::operators, key, encode(row));
  audit(write, identity.tenant, by, "operators add", identity.name, identity.admin ? "admin" : "viewer");
  if (auto done = store_->write(write); !done) return refused(done.error());
  std::string addresses;
  for (const auto& address : terms_.public_addresses)
    addresses += address + "\n";
  JsonWriter out;
  out.object().field("name", identity.name).field("tenant", identity.tenant).field("admin", identity.admin);
  out.field("identity", to_uri(identity)).field("expires", rfc3339(bundle->certificate.expires));
  out.field("certificate", bundle->certificate.pem).field("key", bundle->key).field("ca", bundle->ca);
  out.field("addresses", addresses).end_object();
  QueryAnswer answer;
  answer.lines.push_back(out.take());
  return answer;
}

QueryAnswer Admin::operators_list() {
  QueryAnswer answer;
  const auto known = trusted();
  if (!known) return refused(known.error());
  auto scanned = store_->scan(Table::operators, "", [&](std::string_view key, std::string_view value) {
    auto row = decode_operator(value);
    KeyReader reader{key};
    auto tenant = reader.text();
    auto name = reader.text();
    if (!row || !reader.ok()) return true;
    JsonWriter out;
    out.object().field("name", name).field("tenant", tenant).field("admin", row->admin);
    out.field("created", rfc3339(row->created_at))
        .field("revoked", row->revoked)
        .field("serial", row->serial)
        .field("certificate_ends", row->ends == 0 ? std::string{} : rfc3339(row->ends))
        .field("state", standing(row->revoked, *known, row->issuer, row->ends, terms_.now()));
    out.end_object();
    answer.lines.push_back(out.take());
    return true;
  });
  return scanned ? answer : refused(scanned.error());
}

std::string Admin::no_operator(const std::string& tenant, const std::string& name) const {
  constexpr std::size_t most = 10;
  std::vector<std::string> others;
  auto scanned = store_->scan(Table::operators, "", [&](std::string_view key, std::string_view) {
    KeyReader reader{key};
    auto owner = reader.text();
    if (reader.text() == name && reader.ok()) others.push_back(std::move(owner));
    return others.size() < most;
  });
  std::string text = "there is no operator " + name;
  if (!scanned || others.empty()) return text + "; `iris-cloud operators list` has all";
  text += tenant == "*" ? " of all tenants" : " of tenant " + tenant;
  for (const auto& owner : others)
    text += owner == "*" ? "; one is of all tenants: say */" + name
                         : "; one is of tenant " + owner + ": say " + owner + "/" + name;
  return text;
}

QueryAnswer Admin::operators_revoke(const Arguments& arguments, const std::string& by) {
  auto parsed = AdminArguments::parse(arguments, {"tenant"});
  if (!parsed) return refused(parsed.error());
  if (parsed->plain.size() != 1) return invalid("operators revoke takes a name");
  const auto slash = parsed->plain[0].find('/');
  const auto name = parsed->plain[0].substr(slash == std::string::npos ? 0 : slash + 1);
  const auto tenant =
      slash == std::string::npos ? parsed->get("tenant", "*") : parsed->plain[0].substr(0, slash);
  auto stored = store_->get(Table::operators, operator_key(tenant, name));
  if (!stored) return refused(stored.error());
  if (!stored->has_value()) return answer_error(Errc::not_found, no_operator(tenant, name));
  auto row = decode_operator(**stored);
  if (!row) return refused(row.error());
  std::vector<std::string> serials{row->serial};
  auto ends = known_end(row->ends, row->created_at);
  for (const auto& one : row->older) {
    serials.push_back(one.serial);
    ends = std::max(ends, known_end(one.ends, row->created_at));
  }
  auto listed = revoke_all(serials, ends);
  if (!listed) return refused(listed.error());
  row->revoked = true;
  StoreWrite write;
  write.put(Table::operators, operator_key(tenant, name), encode(*row));
  audit(write, tenant, by, "operators revoke", name, "");
  if (auto done = store_->write(write); !done) return refused(done.error());
  if (terms_.cut_off) terms_.cut_off(Identity{Role::operator_, tenant, name, row->admin});
  return {};
}

/// As for gateways: on the strength of one of his newest certificates. What he is stands in the row.
Result<EnrolResponse> Admin::renew_operator(const EnrolRequest& request) {
  const auto now = terms_.now();
  const auto key = operator_key(request.renews->tenant, request.renews->name);
  auto stored = store_->get(Table::operators, key);
  if (!stored) return stored.error();
  if (!stored->has_value()) return Error{Errc::refused, "this operator is not known here"};
  auto row = decode_operator(**stored);
  if (!row) return row.error();
  if (row->revoked) return Error{Errc::refused, "this operator is revoked"};
  auto& older = row->older;
  const auto shown =
      std::find_if(older.begin(), older.end(), [&](const auto& one) { return one.serial == request.serial; });
  if (request.serial != row->serial && shown == older.end())
    return Error{
        Errc::refused,
        "this certificate is not one of the newest that the cloud knows of this operator; revoke and "
        "add him again"};
  const auto pause_key = "operator " + key;
  const auto issuer = shown == older.end() ? row->issuer : shown->issuer;
  if (auto may = may_renew(request, issuer, pause_key, terms_.operator_life, "operator"); !may)
    return may.error();
  Identity identity;
  identity.role = Role::operator_;
  identity.tenant = request.renews->tenant;
  identity.name = request.renews->name;
  identity.admin = row->admin;
  auto certificate = pki::sign_request(terms_.pki, request.csr, identity, now, terms_.operator_life);
  if (!certificate) return certificate.error();
  std::erase_if(older, [&](const auto& one) { return one.ends != 0 && one.ends < now; });
  older.push_back({row->serial, row->issuer, row->ends});
  row->serial = certificate->serial;
  row->issuer = certificate->authority;
  row->ends = certificate->expires;
  // What leaves the row could not be revoked later. Never the one that was shown: the answer may be lost.
  while (older.size() > older_kept) {
    auto out = older.begin();
    if (out->serial == request.serial) ++out;
    if (auto done = revoke_all({out->serial}, known_end(out->ends, row->created_at)); !done)
      return done.error();
    older.erase(out);
  }
  StoreWrite write;
  write.put(Table::operators, key, encode(*row));
  audit(write, identity.tenant, "operator " + identity.name, "renew", certificate->serial, request.remote);
  if (auto done = store_->write(write); !done) return done.error();
  note_renewed(pause_key, terms_.operator_life);
  return answer_with(*certificate, identity);
}

} // namespace iris
