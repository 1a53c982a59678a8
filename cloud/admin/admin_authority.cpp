#include "cloud/admin/admin.hpp"
#include "cloud/admin/arguments.hpp"
#include "cloud/pki/pki.hpp"
#include "core/alert/json_writer.hpp"

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t names_said = 50; ///< of those who would be cut off; the rest is a number

QueryAnswer refused(const Error& error) { return answer_error(error.code, error.message); }

std::string count_of(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

} // namespace

Result<std::set<std::string>> Admin::trusted() const {
  auto all = pki::authorities(terms_.pki);
  if (!all) return all.error();
  std::set<std::string> found;
  for (const auto& authority : *all)
    found.insert(authority.fingerprint);
  return found;
}

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

std::vector<std::string> Admin::Losers::lines() const {
  std::vector<std::string> all;
  for (const auto* some : {&gateways, &operators, &tokens})
    all.insert(all.end(), some->begin(), some->end());
  return all;
}

Result<Admin::Losers> Admin::who_needs_the_old() const {
  auto authorities = pki::authorities(terms_.pki);
  if (!authorities) return authorities.error();
  const auto newest = authorities->front().fingerprint;
  const auto now = terms_.now();
  Losers found;
  auto enrolled = all_enrolled();
  if (!enrolled) return enrolled.error();
  for (const auto& one : *enrolled) {
    const auto& [tenant, gateway, row] = one;
    if (row.revoked || row.serials.empty()) continue;
    auto has = has_its_newest(one, newest);
    if (!has) return has.error();
    if (*has) continue;
    found.gateways.push_back("gateway " + tenant + "/" + gateway);
  }
  auto scanned = store_->scan(Table::operators, "", [&](std::string_view key, std::string_view value) {
    KeyReader reader{key};
    auto tenant = reader.text();
    auto name = reader.text();
    auto row = decode_operator(value);
    if (row && !row->revoked && row->issuer != newest && (row->ends == 0 || row->ends > now))
      found.operators.push_back("operator " + tenant + "/" + name);
    return true;
  });
  if (!scanned) return scanned.error();
  // Tokens name who signs the server, which is the older one until it is gone.
  if (authorities->front().signs_server) return found;
  scanned = store_->scan(Table::tokens, "", [&](std::string_view, std::string_view value) {
    auto row = decode_token(value);
    if (row && !row->revoked && row->uses_left > 0 && row->expires > now && row->authority != newest)
      found.tokens.push_back("token " + row->secret_hash.substr(0, 12));
    return true;
  });
  if (!scanned) return scanned.error();
  return found;
}

QueryAnswer Admin::ca_retire(const Arguments& arguments, const std::string& by) {
  auto parsed = AdminArguments::parse(arguments, {"force", "dry"});
  if (!parsed) return refused(parsed.error());
  auto before = pki::authorities(terms_.pki);
  if (!before) return refused(before.error());
  Losers losers;
  if (before->size() > 1) {
    auto found = who_needs_the_old();
    if (!found) return refused(found.error());
    losers = std::move(*found);
  }
  const auto names = losers.lines();
  const auto counts = count_of(losers.gateways.size(), "gateway") + ", " +
                      count_of(losers.operators.size(), "operator") + " and " +
                      count_of(losers.tokens.size(), "unused join token");
  if (parsed->get("dry", "false") == "true") {
    JsonWriter out;
    out.object().field("authority", before->back().name).field("fingerprint", before->back().fingerprint);
    out.field("authorities", std::uint64_t(before->size()));
    out.field("gateways", std::uint64_t(losers.gateways.size()));
    out.field("operators", std::uint64_t(losers.operators.size()));
    out.field("tokens", std::uint64_t(losers.tokens.size())).field("shuts_out", counts).end_object();
    QueryAnswer answer;
    answer.lines.push_back(out.take());
    return answer;
  }
  if (losers.size() > 0 && parsed->get("force", "false") != "true") {
    std::string text =
        counts + " still need the older authority: gateways and operators get what they need with their "
                 "next renewal, tokens are to be made anew; --force shuts them out:";
    for (std::size_t i = 0; i < std::min(names.size(), names_said); ++i)
      text += (i == 0 ? " " : ", ") + names[i];
    if (names.size() > names_said) text += ", and " + std::to_string(names.size() - names_said) + " more";
    return answer_error(Errc::refused, text);
  }
  if (before->size() == 1) { // refused, or what is left of one that was cut off
    auto done = pki::retire(terms_.pki, terms_.now(), terms_.server_life);
    return done ? QueryAnswer{} : refused(done.error());
  }
  StoreWrite write;
  audit(write, "*", by, "ca retire", before->back().name,
        before->back().fingerprint + (names.empty() ? "" : ", shuts out " + counts));
  if (auto done = store_->write(write); !done) return refused(done.error());
  if (auto done = pki::retire(terms_.pki, terms_.now(), terms_.server_life); !done)
    return refused(done.error());
  QueryAnswer answer;
  for (const auto& loser : names) {
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
