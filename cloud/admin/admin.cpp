#include "cloud/admin/admin.hpp"
#include "cloud/admin/arguments.hpp"
#include "cloud/config/address.hpp"
#include "cloud/pki/pki.hpp"
#include "core/alert/json_writer.hpp"
#include "core/base/hash.hpp"
#include "core/link/token.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace iris {
namespace {

QueryAnswer refused(const Error& error) { return answer_error(error.code, error.message); }
QueryAnswer invalid(const std::string& why) { return answer_error(Errc::invalid, why); }

QueryAnswer one_line(JsonWriter& out) {
  QueryAnswer answer;
  answer.lines.push_back(out.take());
  return answer;
}

std::string token_id(const std::string& hash) { return hash.substr(0, 12); }

} // namespace

const char* standing(bool revoked, const std::set<std::string>& trusted, const std::string& issuer,
                     Timestamp ends, Timestamp now) {
  if (revoked) return "revoked";
  if (!issuer.empty() && trusted.count(issuer) == 0) return "authority retired";
  return ends != 0 && ends < now ? "ended" : "good";
}

Result<void> check_part(const char* what, const std::string& text) {
  if (valid_identity_part(text)) return {};
  return Error{Errc::invalid, std::string{what} + " \"" + text + "\": use 1 to 64 of a-z 0-9 . _ -"};
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, 0);
  if (getrandom(bytes.data(), count, 0) != ssize_t(count))
    std::abort(); // never for up to 256 bytes after boot
  return bytes;
}

bool Admin::knows(const std::string& verb) {
  static constexpr std::array verbs{"token-create",    "token-list",       "token-revoke",  "operators-add",
                                    "operators-list",  "operators-revoke", "gateways-list", "gateways-revoke",
                                    "gateways-rename", "ca-list",          "ca-roll",       "ca-retire",
                                    "backup"};
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

QueryAnswer Admin::execute(const QueryRequest& request) {
  const auto& verb = request.verb;
  const auto& arguments = request.arguments;
  const auto by = request.asked_by.empty() ? std::string{"local"} : request.asked_by;
  if (verb == "backup") { // long, and needs no order with the others
    if (arguments.size() != 1) return invalid("backup takes a directory");
    auto done = store_->backup(arguments[0]);
    return done ? QueryAnswer{} : refused(done.error());
  }
  const std::lock_guard lock{mutex_};
  if (verb == "token-create") return token_create(arguments, by);
  if (verb == "token-list") return token_list();
  if (verb == "token-revoke") return token_revoke(arguments, by);
  if (verb == "operators-add") return operators_add(arguments, by);
  if (verb == "operators-list") return operators_list();
  if (verb == "operators-revoke") return operators_revoke(arguments, by);
  if (verb == "gateways-list") return gateways_list();
  if (verb == "gateways-revoke") return gateways_revoke(arguments, by);
  if (verb == "gateways-rename") return gateways_rename(arguments, by);
  if (verb == "ca-list") return ca_list();
  if (verb == "ca-roll") return ca_roll(by);
  if (verb == "ca-retire") return ca_retire(arguments, by);
  return invalid("there is no command " + verb);
}

void Admin::audit(StoreWrite& write, const std::string& tenant, const std::string& by,
                  const std::string& what, const std::string& target, const std::string& detail) {
  // The high bit keeps these apart from what the actors write in the same nanosecond.
  write.put(Table::audit, audit_key(tenant, terms_.now(), (std::uint64_t(1) << 63) + next_audit_++),
            encode(AuditRow{by, what, target, detail}));
}

QueryAnswer Admin::token_create(const Arguments& arguments, const std::string& by) {
  auto parsed = AdminArguments::parse(arguments, {"gateway", "tenant", "site", "ttl", "uses", "address"});
  if (!parsed) return refused(parsed.error());
  if (!parsed->plain.empty()) return invalid("token-create takes options only");
  TokenRow row;
  row.tenant = parsed->get("tenant", "default");
  row.site = parsed->get("site", "");
  row.gateway = parsed->get("gateway", "");
  if (auto good = check_part("tenant", row.tenant); !good) return refused(good.error());
  if (!row.gateway.empty())
    if (auto good = check_part("gateway", row.gateway); !good) return refused(good.error());
  if (!row.gateway.empty())
    if (auto other = named_like(row.tenant, row.gateway); !other || !other->empty())
      return other ? answer_error(Errc::refused, "gateway " + *other + " is called " + row.gateway +
                                                     "; give one of them another name")
                   : refused(other.error());
  if (row.site.size() > 128) return invalid("a site's name has at most 128 characters");
  auto ttl = parse_duration(parsed->get("ttl", "1h"));
  if (!ttl || *ttl < second || *ttl > 90 * 86'400 * second)
    return invalid("ttl must be a duration from 1s to 90d, e.g. 1h");
  auto uses = parsed->get("uses", "1");
  auto [end, failure] = std::from_chars(uses.data(), uses.data() + uses.size(), row.uses_left);
  if (failure != std::errc{} || end != uses.data() + uses.size() || row.uses_left == 0 ||
      row.uses_left > 100'000)
    return invalid("uses must be a number from 1 to 100000");
  auto fingerprint = pki::fingerprint(terms_.pki);
  if (!fingerprint) return refused(fingerprint.error());
  row.authority = to_hex(*fingerprint);
  auto trusted = pki::authorities(terms_.pki);
  if (!trusted) return refused(trusted.error());
  const bool ends_with_old = trusted->size() > 1 && row.authority != trusted->front().fingerprint;
  auto secret = terms_.random(32);
  row.secret_hash = secret_hash(secret);
  row.created_at = terms_.now();
  row.expires = row.created_at + *ttl;
  auto given = parsed->named.find("address");
  if (given != parsed->named.end())
    for (const auto& address : given->second)
      if (auto good = check_public_address(address); !good) return refused(good.error());
  JoinToken token{given == parsed->named.end() ? terms_.public_addresses : given->second, *fingerprint,
                  secret, row.expires};
  auto text = format_token(token);
  if (auto good = parse_token(text); !good) return refused(good.error());
  StoreWrite write;
  write.put(Table::tokens, row.secret_hash, encode(row));
  audit(write, row.tenant, by, "token create", token_id(row.secret_hash), "gateway " + row.gateway);
  if (auto done = store_->write(write); !done) return refused(done.error());
  JsonWriter out;
  out.object().field("token", text).field("id", token_id(row.secret_hash)).field("tenant", row.tenant);
  out.field("site", row.site).field("gateway", row.gateway).field("expires", rfc3339(row.expires));
  out.field("uses", row.uses_left).field("authority", row.authority);
  out.field("ends_with_authority", ends_with_old).end_object();
  return one_line(out);
}

QueryAnswer Admin::token_list() {
  QueryAnswer answer;
  const auto now = terms_.now();
  const auto known = trusted();
  if (!known) return refused(known.error());
  auto scanned = store_->scan(Table::tokens, "", [&](std::string_view, std::string_view value) {
    auto row = decode_token(value);
    if (!row) return true;
    JsonWriter out;
    out.object()
        .field("id", token_id(row->secret_hash))
        .field("tenant", row->tenant)
        .field("site", row->site);
    out.field("gateway", row->gateway).field("created", rfc3339(row->created_at));
    out.field("expires", rfc3339(row->expires)).field("uses_left", row->uses_left);
    out.field("authority", row->authority);
    out.field("state", row->revoked          ? "revoked"
                       : row->expires < now  ? "expired"
                       : row->uses_left == 0 ? "used"
                                             : standing(false, *known, row->authority, 0, now));
    out.end_object();
    answer.lines.push_back(out.take());
    return answer.lines.size() < 10'000;
  });
  return scanned ? answer : refused(scanned.error());
}

QueryAnswer Admin::token_revoke(const Arguments& arguments, const std::string& by) {
  if (arguments.size() != 1 || arguments[0].size() < 4)
    return invalid("token revoke takes the id of a token");
  std::vector<TokenRow> rows;
  auto scanned = store_->scan(Table::tokens, arguments[0], [&](std::string_view, std::string_view value) {
    if (auto row = decode_token(value)) rows.push_back(std::move(*row));
    return rows.size() < 2;
  });
  if (!scanned) return refused(scanned.error());
  if (rows.empty()) return answer_error(Errc::not_found, "there is no token " + arguments[0]);
  if (rows.size() > 1) return invalid("more than one token begins with " + arguments[0]);
  rows[0].revoked = true;
  StoreWrite write;
  write.put(Table::tokens, rows[0].secret_hash, encode(rows[0]));
  audit(write, rows[0].tenant, by, "token revoke", token_id(rows[0].secret_hash), "");
  auto done = store_->write(write);
  return done ? QueryAnswer{} : refused(done.error());
}

} // namespace iris
