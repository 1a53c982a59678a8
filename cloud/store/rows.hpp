#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/link/chain.hpp"
#include "core/link/epoch_taken.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Rows of the database as plain structs beside their Cap'n Proto form (schemas/store.capnp), and their keys.
namespace iris {

struct GatewayRow {
  std::uint64_t epoch = 0;
  std::array<std::uint64_t, 2> applied{};
  std::string site, version;
  Timestamp first_seen = 0, last_seen = 0;
  Duration clock = 0;       ///< its clock minus ours as last measured
  Duration clock_told = 0;  ///< what an alert said of it; 0: none, or it was right since
  Timestamp away_since = 0; ///< as the alert `away_alert` says; 0: it is not away
  std::string away_alert;
  std::array<LaneChain, 2> chains{};
  std::uint64_t granted_from = 0;   ///< the epoch that the gateway named when this one was granted
  std::array<LaneTaken, 2> taken{}; ///< without `applied`
  EpochTaken before;                ///< the last epoch before this one of which a batch was applied
};
struct EnrolmentRow {
  std::string site, enrolled_by;
  Timestamp enrolled_at = 0;
  bool revoked = false;
  std::vector<std::string> serials; ///< newest last
  std::vector<std::string> issuers; ///< of each serial, the authority's fingerprint; empty: not known
  std::vector<Timestamp> ends;      ///< of each serial; 0: not known
  std::string name;                 ///< what people call it; empty: as its id
};
struct TokenRow {
  std::string secret_hash, tenant, site, gateway;
  Timestamp expires = 0, created_at = 0;
  std::uint32_t uses_left = 0;
  bool revoked = false;
  std::string authority; ///< that it names, fingerprint; empty: not known
};
/// Of an operator: renewed since, and still good.
struct OlderCertificate {
  std::string serial, issuer;
  Timestamp ends = 0; ///< 0: not known
};
struct OperatorRow {
  bool admin = false, revoked = false;
  std::string serial;
  Timestamp created_at = 0;
  std::string issuer;                    ///< fingerprint of the authority; empty: not known
  Timestamp ends = 0;                    ///< 0: not known
  std::vector<OlderCertificate> older{}; ///< newest last
};
struct AuditRow {
  std::string by, what, target, detail;
};
struct ProfileRow {
  std::map<std::uint64_t, std::string> accepted; ///< finest key -> who accepted it
  std::string forced_by;
};
struct LossRow {
  std::string kind, sensor; ///< link.capnp SpanLoss
  std::uint64_t count = 0;
  Timestamp since = 0, until = 0;
};

[[nodiscard]] std::vector<char> encode(const GatewayRow& row);
[[nodiscard]] std::vector<char> encode(const EnrolmentRow& row);
[[nodiscard]] std::vector<char> encode(const TokenRow& row);
[[nodiscard]] std::vector<char> encode(const OperatorRow& row);
[[nodiscard]] std::vector<char> encode(const AuditRow& row);
[[nodiscard]] std::vector<char> encode(const ProfileRow& row);
[[nodiscard]] std::vector<char> encode(const LossRow& row);
[[nodiscard]] std::vector<char> encode_outbox(const std::vector<char>& alert, const std::string& owner = {});
[[nodiscard]] Result<GatewayRow> decode_gateway(std::string_view bytes);
[[nodiscard]] Result<EnrolmentRow> decode_enrolment(std::string_view bytes);
[[nodiscard]] Result<TokenRow> decode_token(std::string_view bytes);
[[nodiscard]] Result<OperatorRow> decode_operator(std::string_view bytes);
[[nodiscard]] Result<AuditRow> decode_audit(std::string_view bytes);
[[nodiscard]] Result<ProfileRow> decode_profile(std::string_view bytes);
[[nodiscard]] Result<LossRow> decode_loss(std::string_view bytes);
[[nodiscard]] Result<std::string> decode_outbox(std::string_view bytes); ///< record.capnp Alert
[[nodiscard]] Result<std::string> outbox_owner(std::string_view bytes);

[[nodiscard]] std::string gateway_key(std::string_view tenant, std::string_view gateway);
[[nodiscard]] std::string enrolment_key(std::string_view tenant, std::string_view gateway);
[[nodiscard]] std::string alert_prefix(std::string_view tenant, std::string_view gateway);
[[nodiscard]] std::string loss_key(std::string_view tenant, std::string_view gateway, Timestamp at,
                                   std::uint64_t number);
[[nodiscard]] std::string alert_key(std::string_view tenant, std::string_view gateway, std::string_view id);
[[nodiscard]] std::string outbox_key(std::string_view sink, std::uint64_t number);
[[nodiscard]] std::string audit_key(std::string_view tenant, Timestamp at, std::uint64_t number);

/// Kinds of rows in the family "behaviours".
enum class EvidenceRow : std::uint8_t { head, key, slice };
[[nodiscard]] std::string evidence_key(std::string_view tenant, std::string_view gateway,
                                       std::string_view profile, EvidenceRow kind, std::uint64_t number);
[[nodiscard]] std::string evidence_prefix(std::string_view tenant, std::string_view gateway);
[[nodiscard]] std::string evidence_prefix(std::string_view tenant, std::string_view gateway,
                                          std::string_view profile);
/// Which gateways have shown a profile.
[[nodiscard]] std::string profile_index_prefix(std::string_view tenant, std::string_view profile);
[[nodiscard]] std::string profile_index_key(std::string_view tenant, std::string_view profile,
                                            std::string_view gateway);
[[nodiscard]] std::string baseline_prefix(std::string_view tenant, std::string_view profile);
[[nodiscard]] std::string baseline_key(std::string_view tenant, std::string_view profile,
                                       std::uint64_t version);
[[nodiscard]] std::string profile_row_key(std::string_view tenant, std::string_view profile);

} // namespace iris
