#include "cloud/admin/admin.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "cloud/store/gateway_names.hpp"
#include "core/alert/json_writer.hpp"
#include "core/base/hash.hpp"
#include "core/link/token.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace iris {
namespace {

constexpr const char* beginning = "beginning";      ///< in Table::meta: u64, see Admin::note_beginning()
constexpr std::size_t serials_kept = 4;             ///< certificates of one gateway; older ones are revoked
constexpr Duration renewal_pause = 5 * 60 * second; ///< between two renewals of one peer, at the most

QueryAnswer refused(const Error& error) { return answer_error(error.code, error.message); }

/// By when all of its certificates have expired.
Timestamp latest(const EnrolmentRow& row) {
  Timestamp at = 0;
  // Where nobody noted it, it was signed for 30 days, before now.
  for (auto end : row.ends)
    at = std::max(at, end == 0 ? row.enrolled_at + 365 * pki::day : end);
  return at;
}

Duration pause_after_renewal(Duration life) { return std::min(renewal_pause, life / 20); }

std::string shown_key(const std::string& tenant, const std::string& gateway) {
  return KeyBuilder{}.u8('c').text(tenant).text(gateway).str();
}

/// By which key a token was used.
std::string use_key(const std::string& token, const std::string& key) {
  return KeyBuilder{}.u8('u').text(token).text(key).str();
}

void append(EnrolmentRow& row, const pki::Certificate& certificate) {
  row.issuers.resize(row.serials.size());
  row.ends.resize(row.serials.size());
  row.serials.push_back(certificate.serial);
  row.issuers.push_back(certificate.authority);
  row.ends.push_back(certificate.expires);
}

} // namespace

QueryAnswer Admin::gateways_list() {
  auto all = all_enrolled();
  if (!all) return refused(all.error());
  const auto known = trusted();
  if (!known) return refused(known.error());
  const auto now = terms_.now();
  QueryAnswer answer;
  for (const auto& [tenant, gateway, row] : *all) {
    auto seen = store_->get(Table::gateways, gateway_key(tenant, gateway));
    GatewayRow state;
    if (seen && *seen)
      if (auto decoded = decode_gateway(**seen)) state = std::move(*decoded);
    JsonWriter out;
    out.object().field("gateway", gateway).field("name", row.name).field("tenant", tenant);
    out.field("site", row.site).field("enrolled", rfc3339(row.enrolled_at));
    out.field("token", row.enrolled_by).field("revoked", row.revoked);
    out.field("last_seen", state.last_seen == 0 ? std::string{} : rfc3339(state.last_seen));
    const auto ends = row.ends.empty() || row.ends.back() == 0 ? std::string{} : rfc3339(row.ends.back());
    out.field("certificate_ends", ends).field("version", state.version);
    out.field("state", row.serials.empty()
                           ? standing(row.revoked, *known, "", 0, now)
                           : standing(row.revoked, *known, row.issuers.back(), row.ends.back(), now));
    out.end_object();
    answer.lines.push_back(out.take());
  }
  return answer;
}

Result<std::vector<Admin::Enrolled>> Admin::all_enrolled() const {
  std::vector<Enrolled> found;
  auto scanned = store_->scan(Table::gateways, KeyBuilder{}.u8('e').str(),
                              [&](std::string_view key, std::string_view value) {
                                KeyReader reader{key.substr(1)};
                                auto tenant = reader.text();
                                auto gateway = reader.text();
                                auto row = decode_enrolment(value);
                                if (row && reader.ok()) found.push_back({tenant, gateway, std::move(*row)});
                                return found.size() < 100'000;
                              });
  if (!scanned) return scanned.error();
  return found;
}

Result<Admin::Enrolled> Admin::find_enrolled(const std::string& wanted) const {
  auto found = find_gateway(*store_, "*", wanted);
  if (!found) return found.error();
  auto row = read_enrolment(found->tenant, found->id);
  if (!row) return row.error();
  return Enrolled{std::move(found->tenant), std::move(found->id), std::move(*row)};
}

Result<std::string> Admin::named_like(const std::string& tenant, const std::string& id) const {
  auto all = all_enrolled();
  if (!all) return all.error();
  for (const auto& one : *all)
    if (one.tenant == tenant && one.gateway != id && one.row.name == id) return one.gateway;
  return std::string{};
}

QueryAnswer Admin::gateways_revoke(const Arguments& arguments, const std::string& by) {
  if (arguments.size() != 1)
    return answer_error(
        Errc::invalid, "gateways revoke takes a gateway: its id or its name, perhaps with TENANT/ before it");
  auto found = find_enrolled(arguments[0]);
  if (!found) return refused(found.error());
  auto& [tenant, wanted, row] = *found;
  row.revoked = true; // written first: from here on it is not admitted, whatever the list says
  StoreWrite write;
  write.put(Table::gateways, enrolment_key(tenant, wanted), encode(row));
  audit(write, tenant, by, "gateways revoke", wanted, std::to_string(row.serials.size()) + " certificates");
  if (auto done = store_->write(write); !done) return refused(done.error());
  auto listed = revoke_all(row.serials, latest(row));
  if (terms_.cut_off) terms_.cut_off(Identity{Role::gateway, tenant, wanted, false});
  if (!listed) return refused(listed.error());
  return {};
}

/// Its id is in its certificate, in every alert, baseline and sink, and stays; this is what people call it.
QueryAnswer Admin::gateways_rename(const Arguments& arguments, const std::string& by) {
  if (arguments.size() != 2)
    return answer_error(Errc::invalid,
                        "gateways rename takes a gateway, by its id or its name, and its new name");
  const auto& name = arguments[1];
  if (!valid_identity_part(name))
    return answer_error(Errc::invalid, "name \"" + name + "\": use 1 to 64 of a-z 0-9 . _ -");
  if (name == "cloud") // the shell's `actors cloud` are the cloud's own
    return answer_error(Errc::invalid, "name \"cloud\": so the cloud itself is called; take another");
  auto found = find_enrolled(arguments[0]);
  if (!found) return refused(found.error());
  auto all = all_enrolled();
  if (!all) return refused(all.error());
  for (const auto& one : *all) {
    if (one.tenant != found->tenant || one.gateway == found->gateway) continue;
    if (one.gateway == name)
      return answer_error(Errc::refused,
                          name + " is the id of another gateway" +
                              (one.row.name.empty() ? "" : ", which is called " + one.row.name) +
                              "; take another name (a gateway's own id takes its name away again)");
    if (one.row.name == name)
      return answer_error(Errc::refused, "gateway " + one.gateway + " is called " + name + " already");
  }
  found->row.name = name == found->gateway ? std::string{} : name;
  StoreWrite write;
  write.put(Table::gateways, enrolment_key(found->tenant, found->gateway), encode(found->row));
  audit(write, found->tenant, by, "gateways rename", found->gateway, name);
  auto done = store_->write(write);
  return done ? QueryAnswer{} : refused(done.error());
}

Result<EnrolmentRow> Admin::read_enrolment(const std::string& tenant, const std::string& gateway) const {
  auto stored = store_->get(Table::gateways, enrolment_key(tenant, gateway));
  if (!stored) return stored.error();
  if (!stored->has_value()) return EnrolmentRow{};
  return decode_enrolment(**stored);
}

Result<void> Admin::revoke_all(const std::vector<std::string>& serials, Timestamp ends) {
  if (serials.empty()) return {};
  const auto now = terms_.now();
  return pki::revoke(terms_.pki, serials, now, std::max(ends, now) + pki::day);
}

Result<void> Admin::note_beginning(Store& store, Timestamp now) {
  StoreWrite write;
  write.put(Table::meta, beginning, KeyBuilder{}.u64(std::uint64_t(now)).str());
  return store.write(write);
}

/// Signed before the database began and not before `since`: a backup may not know it.
bool Admin::may_be_forgotten(Timestamp issued, Timestamp since) const {
  auto stored = store_->get(Table::meta, beginning);
  if (!stored || !stored->has_value()) return false;
  const auto began = Timestamp(KeyReader{**stored}.u64());
  return issued <= began && since <= began && issued + pki::most_backdated >= since;
}

bool Admin::may_connect(const Identity& identity, const std::string& serial, Timestamp issued) const {
  if (identity.role == Role::gateway) {
    auto row = read_enrolment(identity.tenant, identity.name);
    if (!row || row->revoked) return false;
    return std::find(row->serials.begin(), row->serials.end(), serial) != row->serials.end() ||
           may_be_forgotten(issued, row->enrolled_at);
  }
  if (identity.role != Role::operator_) return true;
  auto stored = store_->get(Table::operators, KeyBuilder{}.text(identity.tenant).text(identity.name).str());
  if (!stored) return false;
  if (!stored->has_value()) return true;
  auto row = decode_operator(**stored);
  if (!row || row->revoked) return false;
  return row->serial == serial || may_be_forgotten(issued, row->created_at) ||
         std::any_of(row->older.begin(), row->older.end(),
                     [&](const auto& one) { return one.serial == serial; });
}

void Admin::note_shown(const Identity& identity, const std::string& serial) {
  if (identity.role != Role::gateway) return;
  const auto key = shown_key(identity.tenant, identity.name);
  const std::lock_guard lock{mutex_};
  if (auto stored = store_->get(Table::gateways, key); stored && *stored && **stored == serial) return;
  StoreWrite write;
  write.put(Table::gateways, key, serial);
  if (auto done = store_->write(write); !done)
    spdlog::warn("which certificate {} shows is not noted: {}", to_uri(identity), done.error().message);
}

/// That a certificate was signed does not say that it arrived.
Result<bool> Admin::has_its_newest(const Enrolled& gateway, const std::string& authority) const {
  const auto& row = gateway.row;
  auto shown = store_->get(Table::gateways, shown_key(gateway.tenant, gateway.gateway));
  if (!shown) return shown.error();
  const auto serial = *shown ? **shown : std::string{};
  const auto now = terms_.now();
  auto other = false;
  for (std::size_t i = 0; i < row.serials.size(); ++i) {
    if (row.issuers[i] == authority && row.serials[i] == serial) return true;
    // One that is no longer good cannot be what it has, unless nobody noted its end.
    if (row.issuers[i] != authority && (row.ends[i] == 0 || row.ends[i] >= now)) other = true;
  }
  return !other;
}

EnrolResponse Admin::enrol(const EnrolRequest& request) {
  const std::lock_guard lock{mutex_};
  auto response = request.renews ? renew(request) : join(request);
  if (response) return *response;
  return EnrolResponse{response.error().message, "", "", ""};
}

/// Neither before two thirds of the certificate's life are over, unless its authority has a successor that it
/// should change to, nor in a loop.
Result<void> Admin::may_renew(const EnrolRequest& request, const std::string& issuer, const std::string& key,
                              Duration life, const char* who) {
  const auto now = terms_.now();
  bool superseded = false;
  if (now < request.renewable * second && !issuer.empty()) {
    auto all = pki::authorities(terms_.pki);
    if (!all) return all.error();
    superseded = issuer != all->front().fingerprint;
  }
  if (now < request.renewable * second && !superseded)
    return Error{Errc::refused, "too early: this certificate can be renewed from " +
                                    rfc3339(request.renewable * second) + " on"};
  // An answer that was lost is asked for again, but not in a loop: each costs a signature and rows.
  std::erase_if(renewed_, [&](const auto& entry) { return entry.second <= now; });
  if (renewed_.count(key) != 0)
    return Error{Errc::refused, std::string{"this "} + who +
                                    " renewed its certificate a moment ago; try again in " +
                                    human_duration(pause_after_renewal(life))};
  return {};
}

void Admin::note_renewed(const std::string& key, Duration life) {
  renewed_[key] = terms_.now() + pause_after_renewal(life);
}

/// The next certificate of a gateway, on the strength of one of its newest.
Result<EnrolResponse> Admin::renew(const EnrolRequest& request) {
  const auto& identity = *request.renews;
  const auto now = terms_.now();
  if (identity.role == Role::operator_) return renew_operator(request);
  if (identity.role != Role::gateway)
    return Error{Errc::refused, "only gateways and operators renew their certificates here"};
  auto row = read_enrolment(identity.tenant, identity.name);
  if (!row) return row.error();
  auto& serials = row->serials;
  if (serials.empty() || row->revoked) return Error{Errc::refused, "this gateway is not enrolled here"};
  const auto shown = std::find(serials.begin(), serials.end(), request.serial);
  if (shown == serials.end())
    return Error{Errc::refused,
                 "this certificate is not one of the newest that the cloud knows of this gateway; enrol it "
                 "again with a new token"};
  const auto key = enrolment_key(identity.tenant, identity.name);
  const auto issuer = row->issuers[std::size_t(shown - serials.begin())];
  if (auto may = may_renew(request, issuer, key, terms_.gateway_life, "gateway"); !may) return may.error();
  auto certificate = pki::sign_request(terms_.pki, request.csr, identity, now, terms_.gateway_life);
  if (!certificate) return certificate.error();
  const auto ends = latest(*row);
  append(*row, *certificate);
  // What leaves the row could not be revoked later. Never the one that was shown: the gateway may have lost
  // all that came after it.
  std::vector<std::string> evicted;
  for (std::size_t at = 0; serials.size() > serials_kept;) {
    if (serials[at] == request.serial) {
      ++at;
      continue;
    }
    evicted.push_back(serials[at]);
    serials.erase(serials.begin() + std::ptrdiff_t(at));
    row->issuers.erase(row->issuers.begin() + std::ptrdiff_t(at));
    row->ends.erase(row->ends.begin() + std::ptrdiff_t(at));
  }
  if (auto done = revoke_all(evicted, ends); !done) return done.error();
  StoreWrite write;
  write.put(Table::gateways, key, encode(*row));
  audit(write, identity.tenant, "gateway " + identity.name, "renew", certificate->serial, request.remote);
  if (auto done = store_->write(write); !done) return done.error();
  note_renewed(key, terms_.gateway_life);
  return answer_with(*certificate, identity);
}

/// A gateway that a token's secret lets in.
Result<EnrolResponse> Admin::join(const EnrolRequest& request) {
  const auto now = terms_.now();
  // One answer for a secret that never was and one that is over: a stranger learns nothing.
  const Error no{Errc::refused, "the token is not known, used up, revoked or expired; ask for a new one"};
  const auto hash = secret_hash(request.secret);
  auto stored = store_->get(Table::tokens, hash);
  if (!stored) return stored.error();
  if (!stored->has_value()) return no;
  auto ticket = decode_token(**stored);
  if (!ticket) return ticket.error();
  if (ticket->revoked || ticket->expires < now) return no;
  auto key_hash = pki::key_of_request(request.csr);
  if (!key_hash) return key_hash.error();
  // The same key asks again: the answer was lost, or could not be written. That is no further use.
  const auto use = use_key(hash, *key_hash);
  auto used = store_->get(Table::gateways, use);
  if (!used) return used.error();
  // Not when the gateway was revoked, or enrolled with another key since.
  std::string again;
  if (*used) {
    KeyReader reader{**used};
    const auto name = reader.text();
    const auto since = Timestamp(reader.u64());
    auto before = read_enrolment(ticket->tenant, name);
    if (!before) return before.error();
    if (reader.ok() && !before->revoked && before->enrolled_at == since) again = name;
  }
  if (ticket->uses_left == 0 && again.empty()) return no;
  if (again.empty()) ticket->uses_left -= 1;
  Identity identity;
  identity.role = Role::gateway;
  identity.tenant = ticket->tenant;
  identity.name = !again.empty()            ? again
                  : ticket->gateway.empty() ? "gw-" + to_hex(terms_.random(6))
                                            : ticket->gateway;
  auto row = read_enrolment(identity.tenant, identity.name);
  if (!row) return row.error();
  if (row->serials.size() > 2 * serials_kept)
    return Error{Errc::unavailable,
                 "the earlier certificates of " + identity.name +
                     " cannot be revoked; see the cloud's log and its list of revocations"};
  // Whatever can fail comes before anything that the gateway would miss.
  auto certificate = pki::sign_request(terms_.pki, request.csr, identity, now, terms_.gateway_life);
  if (!certificate) return certificate.error();
  const auto earlier = row->serials;
  const auto token = hash.substr(0, 12);
  if (!ticket->site.empty()) row->site = ticket->site;
  row->enrolled_at = now;
  row->enrolled_by = token;
  row->revoked = false;
  const auto ends = latest(*row);
  append(*row, *certificate);
  const auto key = enrolment_key(identity.tenant, identity.name);
  StoreWrite write;
  write.put(Table::tokens, hash, encode(*ticket));
  write.put(Table::gateways, use, KeyBuilder{}.text(identity.name).u64(std::uint64_t(now)).str());
  write.put(Table::gateways, key, encode(*row));
  audit(write, identity.tenant, "gateway " + identity.name, "enrol", token, request.remote);
  if (auto done = store_->write(write); !done) return done.error();
  // Who enrols anew has a new key; the certificates of the old one end here. Until they did they stay in the
  // row, so that the next enrolment or revocation ends them.
  auto ended = revoke_all(earlier, ends);
  if (ended && !earlier.empty()) {
    row->serials.clear();
    append(*row, *certificate);
    StoreWrite rest;
    rest.put(Table::gateways, key, encode(*row));
    ended = store_->write(rest);
  }
  if (!ended)
    spdlog::error("enrolment of {}/{}: its earlier certificates are not revoked: {}", identity.tenant,
                  identity.name, ended.error().message);
  return answer_with(*certificate, identity);
}

Result<EnrolResponse> Admin::answer_with(const pki::Certificate& certificate,
                                         const Identity& identity) const {
  auto ca = pki::read_file(terms_.pki + "/" + pki::ca_certificate);
  if (!ca) return ca.error();
  return EnrolResponse{"", certificate.pem, *ca, to_uri(identity)};
}

} // namespace iris
