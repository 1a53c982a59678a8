#pragma once
#include "actors/link/link.hpp"
#include "actors/query.hpp"
#include "cloud/store/rows.hpp"
#include "cloud/store/store.hpp"
#include "core/base/result.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace iris {
namespace pki {
struct Certificate;
}

/// What people and enrolling gateways ask of the authority: tokens, operators, gateways. The same code serves
/// the running process (over its control socket) and a command that opened the database itself. Safe from any
/// thread.
///
///   token-create [gateway=ID] [tenant=T] [site=S] [ttl=1h] [uses=1] [address=HOST:PORT]...
///   token-list | token-revoke ID
///   operators-add NAME [tenant=T] [admin=true] | operators-list | operators-revoke [TENANT/]NAME [tenant=T]
///   gateways-list | gateways-revoke GATEWAY | gateways-rename GATEWAY NAME | backup DIRECTORY
///   ca-list | ca-roll | ca-retire [force=true] [dry=true]
/// GATEWAY is [TENANT/]ID, or the name that it was given.
class Admin {
public:
  struct Terms {
    std::string pki;                           ///< directory
    std::vector<std::string> public_addresses; ///< "host:port" for tokens and bundles
    std::function<Timestamp()> now;
    std::function<std::string(std::size_t)> random; ///< that many random bytes
    std::function<void(const Identity&)> cut_off;   ///< a revoked peer that may be connected; may be empty
    Duration gateway_life = 30 * 86'400 * second, operator_life = 365 * 86'400 * second,
             server_life = 730 * 86'400 * second; ///< of certificates
  };
  Admin(std::shared_ptr<Store> store, Terms terms) : store_{std::move(store)}, terms_{std::move(terms)} {}

  [[nodiscard]] static bool knows(const std::string& verb);
  [[nodiscard]] QueryAnswer execute(const QueryRequest& request);
  /// A gateway that brings a token's secret; a gateway or an operator who asks for the next certificate.
  [[nodiscard]] EnrolResponse enrol(const EnrolRequest& request);
  /// Renews the cloud's own certificate when two thirds of its life are over; when it did, until when it is
  /// good.
  [[nodiscard]] Result<std::optional<Timestamp>> look_after_server();
  /// False for who was revoked and for a certificate that another one replaced, whatever the list of
  /// revocations remembers. `issued`: since when it is good. Reads rows; does not wait for the others.
  [[nodiscard]] bool may_connect(const Identity& identity, const std::string& serial, Timestamp issued) const;
  /// A gateway was admitted with this certificate: so it has it.
  void note_shown(const Identity& identity, const std::string& serial);
  /// The database begins here, empty or as a backup was: certificates signed earlier need not be known to it.
  [[nodiscard]] static Result<void> note_beginning(Store& store, Timestamp now);

private:
  using Arguments = std::vector<std::string>;
  QueryAnswer token_create(const Arguments& arguments, const std::string& by);
  QueryAnswer token_list();
  QueryAnswer token_revoke(const Arguments& arguments, const std::string& by);
  QueryAnswer operators_add(const Arguments& arguments, const std::string& by);
  QueryAnswer operators_list();
  QueryAnswer operators_revoke(const Arguments& arguments, const std::string& by);
  QueryAnswer gateways_list();
  QueryAnswer gateways_revoke(const Arguments& arguments, const std::string& by);
  QueryAnswer gateways_rename(const Arguments& arguments, const std::string& by);
  QueryAnswer ca_list();
  QueryAnswer ca_roll(const std::string& by);
  QueryAnswer ca_retire(const Arguments& arguments, const std::string& by);
  /// That there is no such operator, and of which tenants there is one.
  std::string no_operator(const std::string& tenant, const std::string& name) const;
  struct Enrolled {
    std::string tenant, gateway;
    EnrolmentRow row;
  };
  Result<std::vector<Enrolled>> all_enrolled() const;
  /// By id, else by name, in one tenant or where it is the only one.
  Result<Enrolled> find_enrolled(const std::string& wanted) const;
  /// Who could not connect without the older authority, and tokens that could not be used; a line each.
  struct Losers {
    std::vector<std::string> gateways, operators, tokens;
    [[nodiscard]] std::size_t size() const { return gateways.size() + operators.size() + tokens.size(); }
    [[nodiscard]] std::vector<std::string> lines() const;
  };
  Result<Losers> who_needs_the_old() const;
  /// Fingerprints of the authorities whose certificates are taken now.
  Result<std::set<std::string>> trusted() const;
  /// The gateway that is called as this id; empty for none.
  Result<std::string> named_like(const std::string& tenant, const std::string& id) const;
  Result<bool> has_its_newest(const Enrolled& gateway, const std::string& authority) const;
  Result<EnrolmentRow> read_enrolment(const std::string& tenant, const std::string& gateway) const;
  Result<void> revoke_all(const std::vector<std::string>& serials, Timestamp ends);
  [[nodiscard]] bool may_be_forgotten(Timestamp issued, Timestamp since) const;
  Result<EnrolResponse> renew(const EnrolRequest& request);
  Result<EnrolResponse> renew_operator(const EnrolRequest& request);
  /// `issuer`: fingerprint of who signed the certificate that was shown; empty: not known.
  Result<void> may_renew(const EnrolRequest& request, const std::string& issuer, const std::string& key,
                         Duration life, const char* who);
  void note_renewed(const std::string& key, Duration life);
  Result<EnrolResponse> join(const EnrolRequest& request);
  Result<EnrolResponse> answer_with(const pki::Certificate& certificate, const Identity& identity) const;
  void audit(StoreWrite& write, const std::string& tenant, const std::string& by, const std::string& what,
             const std::string& target, const std::string& detail);

  std::mutex mutex_;
  std::shared_ptr<Store> store_;
  Terms terms_;
  std::uint64_t next_audit_ = 1;
  std::map<std::string, Timestamp> renewed_; ///< who renewed a moment ago, until when he must wait
};

/// How a certificate or a token stands, for lists: "revoked", "authority retired", "ended" or "good".
/// `issuer` is the fingerprint of its authority, empty where nobody noted it; `ends` likewise 0.
[[nodiscard]] const char* standing(bool revoked, const std::set<std::string>& trusted,
                                   const std::string& issuer, Timestamp ends, Timestamp now);

/// Errc::invalid, naming `what`, where it cannot be a part of an identity.
[[nodiscard]] Result<void> check_part(const char* what, const std::string& text);
/// From the kernel's pool.
[[nodiscard]] std::string random_bytes(std::size_t count);

} // namespace iris
