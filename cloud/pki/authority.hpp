#pragma once
#include "cloud/pki/pki.hpp"
#include "core/link/openssl_ptr.hpp"

/// What the sources of this folder have in common.
namespace iris::pki {

/// The key of the newer of two authorities, until the older one is gone and this one takes the name ca.key.
inline constexpr const char* next_key = "ca.new.key";
/// Gateways' clocks are often a little behind. Of short lives (laboratories) it is a tenth.
inline constexpr Duration backdated = most_backdated;

struct Authority {
  ossl::Cert cert;
  ossl::Key key;
};

inline std::string in(const std::string& directory, const char* name) { return directory + "/" + name; }
[[nodiscard]] Error crypto_error(const char* what);

/// All in ca.pem, the newest first, each with its key, whichever file that is in.
[[nodiscard]] Result<std::vector<Authority>> load(const std::string& directory);
[[nodiscard]] Result<Authority> self_signed(const std::string& name, Timestamp now);
/// SHA-256 of the DER.
[[nodiscard]] std::string fingerprint_of(X509* cert);
[[nodiscard]] Result<Certificate> certify(const Authority& authority, EVP_PKEY* key, const Identity& identity,
                                          const std::vector<std::string>& hosts, Timestamp now,
                                          Duration validity);
/// Writes crl.pem: a list of each authority with all that is on the lists now. A serial number is random and
/// so nobody else's; nobody has to know which authority it is of.
[[nodiscard]] Result<void> write_revocations(const std::string& directory,
                                             const std::vector<Authority>& authorities, Timestamp now);

} // namespace iris::pki
