#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Owners of OpenSSL's objects; for sources, not for headers.
namespace iris::ossl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Ptr = std::unique_ptr<T, Deleter<Free>>;

using Bio = Ptr<BIO, BIO_free_all>;
using Key = Ptr<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Ptr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Digest = Ptr<EVP_MD_CTX, EVP_MD_CTX_free>;
using Cert = Ptr<X509, X509_free>;
using Request = Ptr<X509_REQ, X509_REQ_free>;
using Crl = Ptr<X509_CRL, X509_CRL_free>;
using Store = Ptr<X509_STORE, X509_STORE_free>;
using StoreContext = Ptr<X509_STORE_CTX, X509_STORE_CTX_free>;
using Number = Ptr<BIGNUM, BN_free>;
using Integer = Ptr<ASN1_INTEGER, ASN1_INTEGER_free>;
using Names = Ptr<GENERAL_NAMES, GENERAL_NAMES_free>;
using Extension = Ptr<X509_EXTENSION, X509_EXTENSION_free>;

inline Bio reader(std::string_view bytes) { return Bio{BIO_new_mem_buf(bytes.data(), int(bytes.size()))}; }
inline Bio writer() { return Bio{BIO_new(BIO_s_mem())}; }
inline std::string take(const Bio& bio) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, std::size_t(size)};
}

inline Cert read_cert(std::string_view pem) {
  auto in = reader(pem);
  return Cert{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
}
/// All certificates or lists of revocations of a PEM text, in its order. Empty when there is none, when one
/// cannot be read, when the text breaks off, or when there are more than `most`.
template <class Object, auto Read>
std::vector<Object> read_all(std::string_view pem, std::size_t most) {
  const auto last = pem.rfind("-----END ");
  const auto line = last == std::string_view::npos ? last : pem.find('\n', last);
  if (line == std::string_view::npos || pem.find('-', line) != std::string_view::npos) return {};
  std::vector<Object> found;
  auto in = reader(pem);
  while (auto* next = Read(in.get(), nullptr, nullptr, nullptr)) {
    found.emplace_back(next);
    if (found.size() > most) return {};
  }
  const auto end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!end) found.clear();
  return found;
}
/// Authorities that are trusted at once: one, and two while one takes over from the other.
inline constexpr std::size_t most_authorities = 4;
inline std::vector<Cert> read_certs(std::string_view pem) {
  return read_all<Cert, PEM_read_bio_X509>(pem, most_authorities);
}
inline std::vector<Crl> read_crls(std::string_view pem) {
  return read_all<Crl, PEM_read_bio_X509_CRL>(pem, 2 * most_authorities);
}
/// Which of them signed this one; null for none.
inline X509* issuer_of(X509* cert, const std::vector<Cert>& authorities) {
  for (const auto& authority : authorities)
    if (cert && X509_verify(cert, X509_get0_pubkey(authority.get())) == 1) return authority.get();
  ERR_clear_error();
  return nullptr;
}
inline Key read_key(std::string_view pem) {
  auto in = reader(pem);
  // An encrypted key must fail instead of asking at the terminal: an empty passphrase.
  return Key{PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, const_cast<char*>(""))};
}
inline std::string to_pem(X509* cert) {
  auto out = writer();
  PEM_write_bio_X509(out.get(), cert);
  return take(out);
}
inline std::string to_pem(EVP_PKEY* key) {
  auto out = writer();
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return take(out);
}
inline std::string to_der(X509* cert) {
  unsigned char* bytes = nullptr;
  auto size = i2d_X509(cert, &bytes);
  if (size <= 0) return {};
  std::string out{reinterpret_cast<char*>(bytes), std::size_t(size)};
  OPENSSL_free(bytes);
  return out;
}
inline std::string serial_hex(const ASN1_INTEGER* serial) {
  Number number{ASN1_INTEGER_to_BN(serial, nullptr)};
  if (!number) return {};
  auto* text = BN_bn2hex(number.get());
  std::string out = text ? text : "";
  OPENSSL_free(text);
  for (auto& c : out)
    c = char(c >= 'A' && c <= 'F' ? c + 32 : c);
  return out;
}

/// The oldest error of this thread as text, and empties the queue.
inline std::string error_text() {
  auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

} // namespace iris::ossl
