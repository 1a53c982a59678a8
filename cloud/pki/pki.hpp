#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/link/identity.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The cloud's own certificate authority: a directory of files, each written whole or not at all, mode 0600.
/// Keys are ECDSA P-256, documents are signed with Ed25519. No function here keeps state, and those that
/// write must not run at once.
namespace iris::pki {

inline constexpr const char* ca_certificate = "ca.pem";
inline constexpr const char* ca_key = "ca.key";
inline constexpr const char* revocations = "crl.pem";
inline constexpr const char* server_certificate = "server.pem";
inline constexpr const char* server_key = "server.key";
inline constexpr const char* signing_key = "signing.key";

inline constexpr Duration day = 86'400 * second;
inline constexpr Duration gateway_validity = 30 * day;
inline constexpr Duration operator_validity = 365 * day;
inline constexpr Duration server_validity = 2 * 365 * day;
/// Certificates are good from a little before they were signed, at the most this.
inline constexpr Duration most_backdated = 10 * 60 * second;
/// No certificate of this authority but its own lives longer.
inline constexpr Duration longest_validity = server_validity;

struct Certificate {
  std::string pem;
  std::string serial; ///< hex, lower case
  Timestamp expires = 0;
  std::string authority; ///< fingerprint of who signed it, hex
};

/// What a person or a program needs to connect; all PEM.
struct Bundle {
  Certificate certificate;
  std::string key;
  std::string ca; ///< all that are trusted
};

/// Makes ca.pem, ca.key, an empty crl.pem and signing.key in a directory (made if missing) that has none yet.
[[nodiscard]] Result<void> make_authority(const std::string& directory, std::string_view name, Timestamp now);

/// Writes server.pem and server.key for `iris://cloud/<shard>`; `hosts` are DNS names and IP addresses.
[[nodiscard]] Result<Certificate> issue_server(const std::string& directory, const std::string& shard,
                                               const std::vector<std::string>& hosts, Timestamp now,
                                               Duration validity = server_validity);

/// Takes nothing but the public key from the request; who it becomes is in `identity`.
[[nodiscard]] Result<Certificate> sign_request(const std::string& directory, std::string_view csr,
                                               const Identity& identity, Timestamp now,
                                               Duration validity = gateway_validity);

/// SHA-256 of a request's public key, 32 bytes; nothing is checked.
[[nodiscard]] Result<std::string> key_of_request(std::string_view csr);

/// Makes a key and a certificate for it; keeps neither.
[[nodiscard]] Result<Bundle> issue(const std::string& directory, const Identity& identity, Timestamp now,
                                   Duration validity = operator_validity);

/// Adds serials (hex) to crl.pem. Revoking twice is no error. `expired_by`: when all of them have expired;
/// then they may leave the list, which they do when it is signed again.
[[nodiscard]] Result<void> revoke(const std::string& directory, const std::vector<std::string>& serials,
                                  Timestamp now, Timestamp expired_by);
[[nodiscard]] Result<std::vector<std::string>> revoked(const std::string& directory);

/// The certificate of server.pem anew, for the same key, names and authority: one rename.
[[nodiscard]] Result<Certificate> renew_server(const std::string& directory, Timestamp now,
                                               Duration validity = server_validity);
/// When two thirds of its life are over; at once when it lives longer than `longest` from now.
[[nodiscard]] Result<Timestamp> server_renewable(const std::string& directory, Timestamp now = 0,
                                                 Duration longest = longest_validity * 100);

struct AuthorityInfo {
  std::string fingerprint; ///< SHA-256 of its DER, hex
  std::string name;
  Timestamp expires = 0;
  bool signs_server = false; ///< else server.pem is of another
};
/// Newest first: that one signs gateways and operators.
[[nodiscard]] Result<std::vector<AuthorityInfo>> authorities(const std::string& directory);
/// A second authority that signs from now on, beside the one that everybody trusts; that one goes on signing
/// the server until retire(). Both are cut off at no point by a crash: what is there is complete before
/// ca.pem names it.
[[nodiscard]] Result<void> roll(const std::string& directory, Timestamp now);
/// Leaves the newest authority alone, and has it sign the server. May be repeated after a crash.
[[nodiscard]] Result<void> retire(const std::string& directory, Timestamp now,
                                  Duration validity = server_validity);

/// SHA-256 of the DER of the authority that signs the server, 32 bytes: what join tokens name.
[[nodiscard]] Result<std::string> fingerprint(const std::string& directory);
[[nodiscard]] Result<std::string> sign(const std::string& directory, std::string_view message);
[[nodiscard]] Result<std::string> signing_public_key(const std::string& directory); ///< 32 bytes

} // namespace iris::pki
