#include "actors/link/tls_context.hpp"

#include "core/base/time.hpp"
#include "core/link/certificate.hpp"
#include "core/link/openssl_ptr.hpp"
#include "core/link/token.hpp"

#include <sys/stat.h>

#include <cstring>
#include <ctime>
#include <fstream>
#include <set>
#include <sstream>

namespace iris {

namespace {

constexpr const char* suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256";
constexpr const char* signatures = "ECDSA+SHA256:ECDSA+SHA384:ed25519";
// Ours are below 2 KiB; what a stranger makes us keep before he is known is bounded by this.
constexpr long largest_chain = 16 * 1024;

Result<std::string> slurp(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  if (!in || !(out << in.rdbuf())) return Error{Errc::io, path + ": cannot read: " + std::strerror(errno)};
  return out.str();
}

/// "\x09iris-link" and so on: how ALPN writes a list.
std::string alpn_list(std::string_view name) { return std::string(1, char(name.size())) + std::string{name}; }

int select_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void* enrol) {
  auto offered = [&](const char* name) {
    static thread_local std::string list;
    list = alpn_list(name);
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(list.data()),
                              unsigned(list.size()), in, in_size) != OPENSSL_NPN_NEGOTIATED)
      return false;
    *out = chosen; // within `list`; OpenSSL copies it at once
    return true;
  };
  if (offered(alpn_link)) return SSL_TLSEXT_ERR_OK;
  if (enrol && offered(alpn_renew)) return SSL_TLSEXT_ERR_OK;
  if (enrol && offered(alpn_enrol)) {
    SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void common_rules(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, suites);
  SSL_CTX_set1_groups_list(context, groups);
  SSL_CTX_set1_sigalgs_list(context, signatures);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, largest_chain);
  SSL_CTX_set_verify_depth(context, 1);
}

/// A list is read where it is written, so its dates say nothing: one that was signed while the clock was
/// ahead must not lock everybody out when the clock is right again.
int ignore_dates_of_lists(int good, X509_STORE_CTX* context) {
  if (good == 1) return 1;
  const auto error = X509_STORE_CTX_get_error(context);
  if (error != X509_V_ERR_CRL_NOT_YET_VALID && error != X509_V_ERR_CRL_HAS_EXPIRED) return 0;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? std::int64_t(timegm(&parts)) : 0;
}

bool memory_bios(SSL* ssl) {
  auto* in = BIO_new(BIO_s_mem());
  auto* out = BIO_new(BIO_s_mem());
  if (!in || !out) {
    BIO_free(in);
    BIO_free(out);
    return false;
  }
  SSL_set_bio(ssl, in, out);
  return true;
}

} // namespace

struct TlsContext::Material {
  SslContextPtr context;
  Identity identity;
  std::int64_t issued = 0, expires = 0;
  std::string serial;
  std::set<std::string> revoked, authorities;
};

TlsContext::TlsContext(Use use, TlsFiles files, bool enrol)
    : use_{use}, files_{std::move(files)}, enrol_{enrol} {}

Result<std::shared_ptr<TlsContext>> TlsContext::load(Use use, TlsFiles files, bool enrol) {
  std::shared_ptr<TlsContext> self{new TlsContext{use, std::move(files), enrol}};
  auto done = self->reload();
  if (!done) return done.error();
  return self;
}

Result<std::shared_ptr<const TlsContext::Material>> TlsContext::read() const {
  auto certificate = slurp(files_.certificate), key = slurp(files_.key), ca = slurp(files_.ca);
  for (const auto* file : {&certificate, &key, &ca})
    if (!*file) return file->error();
  auto own = ossl::read_cert(*certificate);
  const auto authorities = ossl::read_certs(*ca);
  auto own_key = ossl::read_key(*key);
  ERR_clear_error();
  if (!own) return Error{Errc::corrupt, files_.certificate + ": not a certificate in PEM form"};
  if (authorities.empty())
    return Error{Errc::corrupt, files_.ca + ": not one to " + std::to_string(ossl::most_authorities) +
                                    " certificates in PEM form"};
  if (!own_key) return Error{Errc::corrupt, files_.key + ": not a private key in PEM form"};
  auto identity = identity_of(own.get());
  if (!identity) return Error{identity.error().code, files_.certificate + ": " + identity.error().message};
  auto material = std::make_shared<Material>();
  material->identity = *identity;
  material->expires = seconds_of(X509_get0_notAfter(own.get()));
  material->issued = seconds_of(X509_get0_notBefore(own.get()));
  material->serial = ossl::serial_hex(X509_get0_serialNumber(own.get()));
  auto* context = SSL_CTX_new(use_ == Use::server ? TLS_server_method() : TLS_client_method());
  material->context.reset(context);
  if (!context) return Error{Errc::io, "TLS: " + ossl::error_text()};
  common_rules(context);
  auto* store = SSL_CTX_get_cert_store(context);
  for (const auto& authority : authorities) {
    material->authorities.insert(sha256(ossl::to_der(authority.get())));
    if (X509_STORE_add_cert(store, authority.get()) != 1)
      return Error{Errc::corrupt, files_.ca + ": " + ossl::error_text()};
  }
  auto* issuer = ossl::issuer_of(own.get(), authorities);
  // A client may start with a certificate of an authority that it does not know itself: the server decides.
  if (!issuer && (use_ == Use::server || current()))
    return Error{Errc::corrupt, files_.certificate + ": not signed by an authority in " + files_.ca};
  if (SSL_CTX_use_certificate(context, own.get()) != 1 ||
      (issuer && SSL_CTX_add1_chain_cert(context, issuer) != 1))
    return Error{Errc::corrupt, files_.certificate + ": " + ossl::error_text()};
  if (SSL_CTX_use_PrivateKey(context, own_key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return Error{Errc::corrupt, files_.key + ": not the key of " + files_.certificate};
  }
  if (!files_.crl.empty()) {
    auto list = slurp(files_.crl);
    if (!list) return list.error();
    const auto lists = ossl::read_crls(*list);
    std::set<const X509*> covered;
    // One of an authority that is no longer, or not yet, ours does no harm.
    for (const auto& crl : lists)
      for (const auto& authority : authorities)
        if (X509_CRL_verify(crl.get(), X509_get0_pubkey(authority.get())) == 1) {
          covered.insert(authority.get());
          X509_STORE_add_crl(store, crl.get());
          auto* entries = X509_CRL_get_REVOKED(crl.get());
          for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i)
            material->revoked.insert(
                ossl::serial_hex(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
        }
    ERR_clear_error();
    if (covered.size() != authorities.size())
      return Error{Errc::corrupt, files_.crl + ": not a list of revocations of " + files_.ca};
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, ignore_dates_of_lists);
  if (use_ == Use::server) {
    SSL_CTX_set_alpn_select_cb(context, select_protocol, enrol_ ? context : nullptr);
  } else {
    auto list = alpn_list(alpn_link);
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                            unsigned(list.size()));
  }
  return std::shared_ptr<const Material>{std::move(material)};
}

std::shared_ptr<const TlsContext::Material> TlsContext::current() const {
  std::lock_guard lock{mutex_};
  return material_;
}

SslPtr TlsContext::make() const {
  auto material = current();
  SslPtr ssl{SSL_new(material->context.get())};
  if (!ssl || !memory_bios(ssl.get())) return {};
  if (use_ == Use::server)
    SSL_set_accept_state(ssl.get());
  else
    SSL_set_connect_state(ssl.get());
  return ssl;
}

SslPtr TlsContext::make_renewal() const {
  auto ssl = make();
  auto list = alpn_list(alpn_renew);
  if (ssl)
    SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(list.data()),
                        unsigned(list.size()));
  return ssl;
}

std::string TlsContext::stamp() const {
  std::ostringstream out;
  for (const auto* path : {&files_.certificate, &files_.key, &files_.ca, &files_.crl}) {
    struct stat info {};
    if (path->empty() || ::stat(path->c_str(), &info) != 0) continue;
    out << info.st_ino << ' ' << info.st_size << ' ' << info.st_mtim.tv_sec << '.' << info.st_mtim.tv_nsec
        << '\n';
  }
  return out.str();
}

Result<bool> TlsContext::refresh() {
  auto now = stamp();
  {
    std::lock_guard lock{mutex_};
    if (now == stamp_) return false;
  }
  auto done = reload();
  if (!done) return done.error();
  return true;
}

Result<void> TlsContext::reload() {
  auto seen = stamp();
  auto fresh = read();
  std::lock_guard lock{mutex_};
  // A bad file is reported once, and again when it changes.
  stamp_ = seen;
  if (!fresh) return fresh.error();
  material_ = *fresh;
  return {};
}

bool TlsContext::revoked(const std::string& serial) const { return current()->revoked.contains(serial); }
bool TlsContext::trusts(const std::string& authority) const {
  return current()->authorities.contains(authority);
}
Identity TlsContext::identity() const { return current()->identity; }
std::int64_t TlsContext::expires() const { return current()->expires; }
std::string TlsContext::serial() const { return current()->serial; }

std::string TlsContext::about_dates(std::int64_t now) const {
  const auto material = current();
  if (now >= material->expires)
    return "; " + files_.certificate + " ended at " + rfc3339(material->expires * second) + ": " +
           (material->identity.role == Role::gateway ? "iris-node enroll --again with a new token"
                                                     : "have yourself revoked and added again");
  if (now >= material->issued) return {};
  return "; this machine's clock says " + rfc3339(now * second) +
         ", which is before its own certificate was made: set the clock";
}

Result<void> TlsContext::takes_client(const std::string& certificate) const {
  const auto material = current();
  auto cert = ossl::read_cert(certificate);
  ossl::StoreContext context{X509_STORE_CTX_new()};
  auto* store = SSL_CTX_get_cert_store(material->context.get());
  if (!cert || !context || X509_STORE_CTX_init(context.get(), store, cert.get(), nullptr) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT) != 1)
    return Error{Errc::invalid, "certificate: " + ossl::error_text()};
  X509_STORE_CTX_set_verify_cb(context.get(), ignore_dates_of_lists);
  const auto good = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (good) return {};
  return Error{Errc::refused, X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))};
}

SslPtr make_enrolment_tls() {
  SslContextPtr context{SSL_CTX_new(TLS_client_method())};
  if (!context) return {};
  common_rules(context.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  auto list = alpn_list(alpn_enrol);
  SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(list.data()),
                          unsigned(list.size()));
  SslPtr ssl{SSL_new(context.get())};
  if (!ssl || !memory_bios(ssl.get())) return {};
  SSL_set_connect_state(ssl.get());
  return ssl;
}

Result<Identity> verify_enrolment(SSL* ssl, std::string_view fingerprint) {
  auto* chain = SSL_get_peer_cert_chain(ssl);
  X509* authority = nullptr;
  for (int i = 0; i < sk_X509_num(chain); ++i)
    if (sha256(ossl::to_der(sk_X509_value(chain, i))) == fingerprint) authority = sk_X509_value(chain, i);
  if (!authority)
    return Error{Errc::refused,
                 "the server is not of the authority that the join token names; somebody may stand in "
                 "between, or the token is of another cloud"};
  ossl::Cert leaf{SSL_get1_peer_certificate(ssl)};
  ossl::Store store{X509_STORE_new()};
  ossl::StoreContext context{X509_STORE_CTX_new()};
  if (!leaf || !store || !context || X509_STORE_add_cert(store.get(), authority) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER) != 1 ||
      X509_verify_cert(context.get()) != 1) {
    ERR_clear_error();
    const auto error = context ? X509_STORE_CTX_get_error(context.get()) : X509_V_ERR_OUT_OF_MEM;
    auto text =
        std::string{"the server's certificate does not hold: "} + X509_verify_cert_error_string(error);
    if (error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED)
      text += "; this machine's clock says " + rfc3339(std::time(nullptr) * second);
    return Error{Errc::refused, std::move(text)};
  }
  auto identity = identity_of(leaf.get());
  if (!identity) return identity;
  if (identity->role != Role::cloud)
    return Error{Errc::refused, "the server is " + to_uri(*identity) + ", not a cloud"};
  return identity;
}

std::optional<std::int64_t> renewal_time(const X509* certificate) {
  std::tm from{}, until{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &from) != 1 ||
      ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) != 1) {
    ERR_clear_error();
    return {};
  }
  auto begin = timegm(&from), end = timegm(&until);
  return begin + (end - begin) / 3 * 2;
}

Result<PeerCertificate> peer_certificate(SSL* ssl) {
  ossl::Cert cert{SSL_get1_peer_certificate(ssl)};
  if (!cert) return Error{Errc::refused, "the peer has no certificate"};
  if (SSL_get_verify_result(ssl) != X509_V_OK)
    return Error{Errc::refused, "the peer's certificate was not verified"};
  auto identity = identity_of(cert.get());
  if (!identity) return identity.error();
  auto renewable = renewal_time(cert.get());
  if (!renewable) return Error{Errc::refused, "the peer's certificate has no readable dates"};
  auto* chain = SSL_get0_verified_chain(ssl);
  auto* root = chain && sk_X509_num(chain) > 0 ? sk_X509_value(chain, sk_X509_num(chain) - 1) : nullptr;
  if (!root) return Error{Errc::refused, "the peer's certificate was not verified"};
  return PeerCertificate{*identity,
                         ossl::serial_hex(X509_get0_serialNumber(cert.get())),
                         *renewable,
                         sha256(ossl::to_der(root)),
                         seconds_of(X509_get0_notBefore(cert.get())),
                         seconds_of(X509_get0_notAfter(cert.get()))};
}

} // namespace iris
