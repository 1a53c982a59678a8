#include "cloud/admin/admin.hpp"
#include "cloud/admin/arguments.hpp"
#include "cloud/pki/pki.hpp"
#include "core/alert/json_writer.hpp"

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t names_said = 50; ///< of those who would be cut off; the rest is a number

QueryAnswer refused(const Error& error) { return answer_error(error.code, error.message); }

} // namespace

QueryAnswer Admin::ca_list() {
  auto all = pki::authorities(terms_.pki);
  if (!all) return refused(all.error());
  QueryAnswer answer;
  for (const auto& authority : *all) {
    JsonWriter out;
    out.object().field("name", authority.name).field("fingerprint", authority.fingerprint);
    out.field("expires", rfc3339(authority.expires));
    out.field("signs_gateways", &authority == &all->front()).field("signs_server", authority.signs_server);
    out.end_object();
    answer.lines.push_back(out.take());
  }
  return answer;
}

QueryAnswer Admin::ca_roll(const std::string& by) {
  if (auto done = pki::roll(terms_.pki, terms_.now()); !done) return refused(done.error());
  auto all = pki::authorities(terms_.pki);
  StoreWrite write;
  audit(write, "*", by, "ca roll", all ? all->front().name : std::string{},
        all ? all->front().fingerprint : std::string{});
  if (auto done = store_->write(write); !done) return refused(done.error());
  return {};
}

Result<std::vector<std::string>> Admin::who_needs_the_old() const {
  auto authorities = pki::authorities(terms_.pki);
  if (!authorities) return authorities.error();
  const auto newest = authorities->front().fingerprint;
  const auto now = terms_.now();
  std::vector<std::string> found;
  auto enrolled = all_enrolled();
  if (!enrolled) return enrolled.error();
  for (const auto& [tenant, gateway, row] : *enrolled) {
    if (row.revoked || row.serials.empty() || row.issuers.back() == newest) continue;
    if (row.ends.back() != 0 && row.ends.back() < now) continue; // cannot connect any more anyway
    found.push_back("gateway " + tenant + "/" + gateway);
  }
  auto scanned = store_->scan(Table::operators, "", [&](std::string_view key, std::string_view value) {
    KeyReader reader{key};
    auto tenant = reader.text();
    auto name = reader.text();
    auto row = decode_operator(value);
    if (row && !row->revoked && row->issuer != newest && (row->ends == 0 || row->ends > now))
      found.push_back("operator " + tenant + "/" + name);
    return true;
  });
  if (!scanned) return scanned.error();
  // Tokens name who signs the server, which is the older one until it is gone.
  if (authorities->front().signs_server) return found;
  scanned = store_->scan(Table::tokens, "", [&](std::string_view, std::string_view value) {
    auto row = decode_token(value);
    if (row && !row->revoked && row->uses_left > 0 && row->expires > now)
      found.push_back("token " + row->secret_hash.substr(0, 12));
    return true;
  });
  if (!scanned) return scanned.error();
  return found;
}

QueryAnswer Admin::ca_retire(const Arguments& arguments, const std::string& by) {
  auto parsed = AdminArguments::parse(arguments, {"force"});
  if (!parsed) return refused(parsed.error());
  auto before = pki::authorities(terms_.pki);
  if (!before) return refused(before.error());
  std::vector<std::string> losers;
  if (before->size() > 1) {
    auto found = who_needs_the_old();
    if (!found) return refused(found.error());
    losers = std::move(*found);
  }
  if (!losers.empty() && parsed->get("force", "false") != "true") {
    std::string text = std::to_string(losers.size()) +
                       " still need the older authority: they get what they need with their next renewal "
                       "(operators and tokens: make new ones); --force shuts them out:";
    for (std::size_t i = 0; i < std::min(losers.size(), names_said); ++i)
      text += (i == 0 ? " " : ", ") + losers[i];
    if (losers.size() > names_said) text += ", and " + std::to_string(losers.size() - names_said) + " more";
    return answer_error(Errc::refused, text);
  }
  StoreWrite write;
  audit(write, "*", by, "ca retire", before->back().name,
        before->back().fingerprint + (losers.empty() ? "" : ", shuts out " + std::to_string(losers.size())));
  if (auto done = store_->write(write); !done) return refused(done.error());
  if (auto done = pki::retire(terms_.pki, terms_.now(), terms_.server_life); !done)
    return refused(done.error());
  QueryAnswer answer;
  for (const auto& loser : losers) {
    JsonWriter out;
    out.object().field("shut_out", loser).end_object();
    answer.lines.push_back(out.take());
  }
  return answer;
}

Result<std::optional<Timestamp>> Admin::look_after_server() {
  const std::lock_guard lock{mutex_};
  const auto now = terms_.now();
  auto due = pki::server_renewable(terms_.pki, now, terms_.server_life);
  if (!due) return due.error();
  if (now < *due) return std::optional<Timestamp>{};
  auto fresh = pki::renew_server(terms_.pki, now, terms_.server_life);
  if (!fresh) return fresh.error();
  StoreWrite write;
  audit(write, "*", "local", "renew", "server", fresh->serial);
  if (auto done = store_->write(write); !done) return done.error();
  return std::optional<Timestamp>{fresh->expires};
}

} // namespace iris
