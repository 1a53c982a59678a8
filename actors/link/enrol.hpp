#pragma once
#include "actors/link/link.hpp"
#include "core/base/result.hpp"
#include "core/link/token.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace iris {

struct KeyAndRequest {
  std::string key; ///< PEM, ECDSA P-256; never leaves this machine
  std::string csr; ///< PEM; names nobody, since the cloud decides that
};
[[nodiscard]] Result<KeyAndRequest> make_key_and_request();
/// Whether a key (PEM) is that of a certificate (PEM).
[[nodiscard]] bool key_fits(const std::string& key, const std::string& certificate);
/// Whether two files of authorities (PEM) have one in common.
[[nodiscard]] bool share_authority(const std::string& one, const std::string& other);
/// A request (PEM) for a key (PEM) that is there.
[[nodiscard]] Result<std::string> make_request(const std::string& key);

/// Blocks, at most `patience` for each of the token's addresses. Says nothing to a server before it has shown
/// a certificate of the authority that the token names.
[[nodiscard]] Result<EnrolResponse> enrol(const JoinToken& token, const std::string& csr,
                                          const std::string& version,
                                          std::chrono::milliseconds patience = std::chrono::seconds{10});

/// The next certificate, on the strength of the present one. Blocks likewise.
[[nodiscard]] Result<EnrolResponse> renew(const TlsFiles& files, const std::vector<std::string>& addresses,
                                          const std::string& csr, const std::string& version,
                                          std::chrono::milliseconds patience = std::chrono::seconds{10});

/// Renews `files` in place, whoever they are of: the key stays, so that one rename is all that a crash can
/// fall into. Gives the end of the new certificate in seconds since 1970. Blocks likewise.
[[nodiscard]] Result<std::int64_t>
renew_in_place(const TlsFiles& files, const std::vector<std::string>& addresses, const std::string& version,
               std::chrono::milliseconds patience = std::chrono::seconds{10});

/// Of a certificate in PEM form, in seconds since 1970: when two thirds of its life are over, and its end.
struct CertificateTimes {
  std::int64_t renewable = 0, ends = 0;
};
[[nodiscard]] Result<CertificateTimes> certificate_times(const std::string& certificate);

} // namespace iris
