#pragma once
#include "actors/link/link.hpp"
#include "core/base/result.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace iris {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;
using SslContextPtr = std::unique_ptr<SSL_CTX, SslDeleter>;

inline constexpr const char* alpn_link = "iris-link";
inline constexpr const char* alpn_enrol = "iris-enroll";
inline constexpr const char* alpn_renew = "iris-renew";

/// Certificates, keys and rules of TLS for one end: TLS 1.3 only, both sides have a certificate of our CA, no
/// resumption (it would skip the list of revocations). The file of the CA may hold several, e.g. while a new
/// one takes over; each needs a list in the file of revocations. Thread-safe. A file that changed for the
/// worse never replaces what works.
class TlsContext {
public:
  enum class Use { server, client };
  /// `enrol`: a server that also takes clients without a certificate when they ask for alpn_enrol, and
  /// alpn_renew.
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> load(Use use, TlsFiles files, bool enrol = false);

  /// For one new connection, with memory BIOs in place.
  [[nodiscard]] SslPtr make() const;
  [[nodiscard]] SslPtr make_renewal() const; ///< client
  /// Looks at the files' times; true when new ones are in use now.
  [[nodiscard]] Result<bool> refresh();
  /// Reads all files again.
  [[nodiscard]] Result<void> reload();
  [[nodiscard]] bool revoked(const std::string& serial) const;
  /// Whether an authority (PeerCertificate::authority) is still one of ours.
  [[nodiscard]] bool trusts(const std::string& authority) const;
  [[nodiscard]] Identity identity() const;    ///< our own
  [[nodiscard]] std::int64_t expires() const; ///< of our own certificate, seconds since the epoch
  [[nodiscard]] std::string serial() const;   ///< of our own certificate, hex
  /// Where this clock is before our own certificate was made or after its end: what to tell people after an
  /// error; else empty.
  [[nodiscard]] std::string about_dates(std::int64_t now) const;
  /// Whether a client with this certificate (PEM) would be taken now.
  [[nodiscard]] Result<void> takes_client(const std::string& certificate) const;

private:
  struct Material;
  TlsContext(Use use, TlsFiles files, bool enrol);
  [[nodiscard]] Result<std::shared_ptr<const Material>> read() const;
  [[nodiscard]] std::string stamp() const;
  [[nodiscard]] std::shared_ptr<const Material> current() const;

  Use use_;
  TlsFiles files_;
  bool enrol_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Material> material_;
  std::string stamp_;
};

/// For a client that has no certificate yet: verifies nothing by itself, see verify_enrolment().
[[nodiscard]] SslPtr make_enrolment_tls();
/// That the server's chain ends in the CA of this fingerprint and names the cloud; its identity.
[[nodiscard]] Result<Identity> verify_enrolment(SSL* ssl, std::string_view fingerprint);

struct PeerCertificate {
  Identity identity;
  std::string serial;         ///< hex
  std::int64_t renewable = 0; ///< see renewal_time()
  std::string authority;      ///< SHA-256 of the DER of the one that it was verified by
  std::int64_t issued = 0;    ///< good from, seconds since the epoch; a little before it was signed
  std::int64_t expires = 0;   ///< seconds since the epoch
};
/// When two thirds of a certificate's life are over, in seconds since the epoch; nothing if it cannot be
/// read.
[[nodiscard]] std::optional<std::int64_t> renewal_time(const X509* certificate);
/// Of a connection whose handshake is done.
[[nodiscard]] Result<PeerCertificate> peer_certificate(SSL* ssl);

} // namespace iris
