#include "cloud/pki/pki.hpp"

#include "cloud/pki/files.hpp"
#include "core/base/address.hpp"
#include "core/link/openssl_ptr.hpp"
#include "core/link/signature.hpp"
#include "core/link/token.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace iris::pki {

namespace {

// Gateways' clocks are often a little behind.
constexpr Duration backdated = 10 * 60 * second;
constexpr Duration ca_validity = 20 * 365 * day;
constexpr std::size_t largest_list = 64 << 20; ///< bytes of crl.pem: half a million entries

Error crypto_error(const char* what) {
  return {Errc::invalid, std::string{what} + ": " + ossl::error_text()};
}

std::string in(const std::string& directory, const char* name) { return directory + "/" + name; }

struct Authority {
  ossl::Cert cert;
  ossl::Key key;
};

Result<Authority> load(const std::string& directory) {
  auto cert = read_file(in(directory, ca_certificate));
  if (!cert) return Error{cert.error().code, cert.error().message + "; `iris-cloud init` makes it"};
  auto key = read_file(in(directory, ca_key));
  if (!key) return key.error();
  Authority authority{ossl::read_cert(*cert), ossl::read_key(*key)};
  if (!authority.cert)
    return Error{Errc::corrupt, in(directory, ca_certificate) + ": not a certificate in PEM form"};
  if (!authority.key || X509_check_private_key(authority.cert.get(), authority.key.get()) != 1) {
    ERR_clear_error();
    return Error{Errc::corrupt, in(directory, ca_key) + ": not the key of " + ca_certificate};
  }
  return Result<Authority>{std::move(authority)};
}

ossl::Key new_key() { return ossl::Key{EVP_EC_gen("P-256")}; }

bool extend(X509* cert, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  ossl::Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
  return extension && X509_add_ext(cert, extension.get(), -1) == 1;
}

bool name_alternatives(X509* cert, const std::string& uri, const std::vector<std::string>& hosts) {
  ossl::Names names{sk_GENERAL_NAME_new_null()};
  auto add = [&](int type, const std::string& value) {
    auto* name = a2i_GENERAL_NAME(nullptr, nullptr, nullptr, type, value.c_str(), 0);
    return name && sk_GENERAL_NAME_push(names.get(), name) > 0;
  };
  if (!names || !add(GEN_URI, uri)) return false;
  for (const auto& host : hosts)
    if (!add(parse_ip(host) ? GEN_IPADD : GEN_DNS, host)) return false;
  return X509_add1_ext_i2d(cert, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

/// A certificate without extensions: random serial of 127 bits, subject CN, validity, key.
ossl::Cert blank(const std::string& name, EVP_PKEY* key, Timestamp from, Timestamp until) {
  ossl::Cert cert{X509_new()};
  ossl::Number serial{BN_new()};
  if (!cert || !serial || BN_rand(serial.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      !BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(cert.get())))
    return {};
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_TIME_set(X509_getm_notBefore(cert.get()), from / second);
  ASN1_TIME_set(X509_getm_notAfter(cert.get()), until / second);
  auto* subject = X509_get_subject_name(cert.get());
  auto text = reinterpret_cast<const unsigned char*>(name.data());
  // RFC 5280: a common name has at most 64 characters.
  auto size = int(std::min<std::size_t>(name.size(), 64));
  if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, size, -1, 0) != 1) return {};
  if (X509_set_pubkey(cert.get(), key) != 1) return {};
  return cert;
}

Result<Certificate> certify(const Authority& authority, EVP_PKEY* key, const Identity& identity,
                            const std::vector<std::string>& hosts, Timestamp now, Duration validity) {
  auto uri = to_uri(identity);
  auto checked = parse_identity(uri);
  if (!checked) return checked.error();
  if (validity <= 0)
    return Error{Errc::invalid, "certificate for " + uri + ": its validity must be positive"};
  auto cert = blank(identity.name, key, now - backdated, now + validity);
  auto* issuer = authority.cert.get();
  // Shards connect to each other: the cloud is client and server. Nobody else can be a server.
  auto usage = identity.role == Role::cloud ? "serverAuth,clientAuth" : "clientAuth";
  if (!cert || X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer)) != 1 ||
      !extend(cert.get(), issuer, NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(cert.get(), issuer, NID_key_usage, "critical,digitalSignature") ||
      !extend(cert.get(), issuer, NID_ext_key_usage, usage) ||
      !extend(cert.get(), issuer, NID_subject_key_identifier, "hash") ||
      !extend(cert.get(), issuer, NID_authority_key_identifier, "keyid:always"))
    return crypto_error("cannot make a certificate");
  if (!name_alternatives(cert.get(), uri, hosts))
    return Error{Errc::invalid, "certificate for " + uri + ": a host is neither a DNS name nor an address"};
  if (X509_sign(cert.get(), authority.key.get(), EVP_sha256()) == 0)
    return crypto_error("cannot sign a certificate");
  return Certificate{ossl::to_pem(cert.get()), ossl::serial_hex(X509_get0_serialNumber(cert.get())),
                     (now + validity) / second * second};
}

Result<void> sign_revocations(X509_CRL* crl, const Authority& authority, long number, Timestamp now,
                              const std::string& path) {
  ossl::Integer count{ASN1_INTEGER_new()};
  ASN1_TIME* updated = ASN1_TIME_set(nullptr, (now - backdated) / second);
  // The list is read where it is written, so its age says nothing: it must never expire by itself.
  ASN1_TIME* next = ASN1_TIME_set(nullptr, (now + ca_validity) / second);
  auto good = count && updated && next && ASN1_INTEGER_set(count.get(), number) == 1 &&
              X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(crl, X509_get_subject_name(authority.cert.get())) == 1 &&
              X509_CRL_set1_lastUpdate(crl, updated) == 1 && X509_CRL_set1_nextUpdate(crl, next) == 1 &&
              X509_CRL_add1_ext_i2d(crl, NID_crl_number, count.get(), 0, X509V3_ADD_REPLACE) == 1 &&
              X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, authority.key.get(), EVP_sha256()) > 0;
  ASN1_TIME_free(updated);
  ASN1_TIME_free(next);
  if (!good) return crypto_error("cannot sign the list of revocations");
  auto out = ossl::writer();
  PEM_write_bio_X509_CRL(out.get(), crl);
  return write_file(path, ossl::take(out));
}

using Revoked = ossl::Ptr<X509_REVOKED, X509_REVOKED_free>;
using Object = ossl::Ptr<ASN1_OBJECT, ASN1_OBJECT_free>;
using Octets = ossl::Ptr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using Time = ossl::Ptr<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free>;

/// Of an entry, not critical: the time (GeneralizedTime) by which its certificate has expired. Below 2.25 are
/// numbers that anybody may take, from a random UUID.
Object expiry_object() { return Object{OBJ_txt2obj("2.25.253066139171520541823742107413961532081", 1)}; }

Revoked revocation(ASN1_INTEGER* serial, Timestamp now, Timestamp expired_by) {
  Revoked entry{X509_REVOKED_new()};
  Time when{ASN1_TIME_set(nullptr, now / second)};
  Time until{ASN1_GENERALIZEDTIME_set(nullptr, expired_by / second)};
  Octets value{ASN1_OCTET_STRING_new()};
  auto object = expiry_object();
  unsigned char* der = nullptr;
  auto size = until ? i2d_ASN1_GENERALIZEDTIME(until.get(), &der) : -1;
  auto copied = value && size > 0 && ASN1_OCTET_STRING_set(value.get(), der, size) == 1;
  OPENSSL_free(der);
  if (!copied || !entry || !when || !object) return {};
  ossl::Extension extension{X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 0, value.get())};
  if (!extension || X509_REVOKED_set_serialNumber(entry.get(), serial) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), when.get()) != 1 ||
      X509_REVOKED_add_ext(entry.get(), extension.get(), -1) != 1)
    return {};
  return entry;
}

/// Whether an entry's certificate has expired: by its extension, or because none lives that long.
bool has_expired(const X509_REVOKED* entry, Timestamp now) {
  static const Object object = expiry_object();
  auto at = X509_REVOKED_get_ext_by_OBJ(entry, object.get(), -1);
  if (at >= 0) {
    const auto* value = X509_EXTENSION_get_data(X509_REVOKED_get_ext(entry, at));
    const auto* der = ASN1_STRING_get0_data(value);
    Time until{d2i_ASN1_GENERALIZEDTIME(nullptr, &der, ASN1_STRING_length(value))};
    if (until) return ASN1_TIME_cmp_time_t(until.get(), now / second) < 0;
    ERR_clear_error();
  }
  return ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(entry), (now - longest_validity) / second) < 0;
}

std::set<std::string> serials_of(X509_CRL* crl) {
  std::set<std::string> serials;
  auto* entries = X509_CRL_get_REVOKED(crl);
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i)
    serials.insert(ossl::serial_hex(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  return serials;
}

void forget_expired(X509_CRL* crl, Timestamp now) {
  auto* entries = X509_CRL_get_REVOKED(crl);
  for (int i = sk_X509_REVOKED_num(entries) - 1; i >= 0; --i)
    if (has_expired(sk_X509_REVOKED_value(entries, i), now))
      X509_REVOKED_free(sk_X509_REVOKED_delete(entries, i));
}

Result<ossl::Crl> load_revocations(const std::string& directory) {
  auto path = in(directory, revocations);
  auto pem = read_file(path, largest_list);
  if (!pem) return pem.error();
  auto input = ossl::reader(*pem);
  ossl::Crl crl{PEM_read_bio_X509_CRL(input.get(), nullptr, nullptr, nullptr)};
  if (!crl) {
    ERR_clear_error();
    return Error{Errc::corrupt, path + ": not a list of revocations in PEM form"};
  }
  return Result<ossl::Crl>{std::move(crl)};
}

} // namespace

Result<void> make_authority(const std::string& directory, std::string_view name, Timestamp now) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return Error{Errc::io, directory + ": cannot create: " + failure.message()};
  if (std::filesystem::exists(in(directory, ca_key), failure))
    return Error{Errc::refused,
                 in(directory, ca_key) + ": there is an authority already; it is not replaced"};
  Authority authority{nullptr, new_key()};
  authority.cert = blank(std::string{name}, authority.key.get(), now - day, now + ca_validity);
  auto* cert = authority.cert.get();
  if (!cert || X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
      !extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !extend(cert, cert, NID_subject_key_identifier, "hash") ||
      X509_sign(cert, authority.key.get(), EVP_sha256()) == 0)
    return crypto_error("cannot make the authority's certificate");
  ossl::Key signer{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  ossl::Crl crl{X509_CRL_new()};
  if (!signer || !crl) return crypto_error("cannot make the signing key");
  // The key last but one and the certificate last: a run that was cut off is begun anew.
  if (auto done = write_file(in(directory, signing_key), ossl::to_pem(signer.get())); !done) return done;
  auto listed = sign_revocations(crl.get(), authority, 1, now, in(directory, revocations));
  if (!listed) return listed;
  if (auto done = write_file(in(directory, ca_certificate), ossl::to_pem(cert)); !done) return done;
  return write_file(in(directory, ca_key), ossl::to_pem(authority.key.get()));
}

Result<Certificate> issue_server(const std::string& directory, const std::string& shard,
                                 const std::vector<std::string>& hosts, Timestamp now, Duration validity) {
  auto authority = load(directory);
  if (!authority) return authority.error();
  auto key = new_key();
  auto certificate = certify(*authority, key.get(), {Role::cloud, "", shard, false}, hosts, now, validity);
  if (!certificate) return certificate;
  if (auto done = write_file(in(directory, server_key), ossl::to_pem(key.get())); !done) return done.error();
  if (auto done = write_file(in(directory, server_certificate), certificate->pem); !done) return done.error();
  return certificate;
}

Result<Certificate> sign_request(const std::string& directory, std::string_view csr, const Identity& identity,
                                 Timestamp now, Duration validity) {
  auto input = ossl::reader(csr);
  ossl::Request request{PEM_read_bio_X509_REQ(input.get(), nullptr, nullptr, nullptr)};
  auto* key = request ? X509_REQ_get0_pubkey(request.get()) : nullptr;
  auto proven = key && X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  if (!request) return Error{Errc::invalid, "certificate request: not in PEM form"};
  if (!proven) return Error{Errc::refused, "certificate request: not signed with its own key"};
  auto kind = EVP_PKEY_get_base_id(key);
  if (!(kind == EVP_PKEY_ED25519 || (kind == EVP_PKEY_EC && EVP_PKEY_get_bits(key) >= 256)))
    return Error{Errc::refused, "certificate request: its key must be ECDSA of 256 bits or more, or Ed25519"};
  auto authority = load(directory);
  if (!authority) return authority.error();
  return certify(*authority, key, identity, {}, now, validity);
}

Result<Bundle> issue(const std::string& directory, const Identity& identity, Timestamp now,
                     Duration validity) {
  auto authority = load(directory);
  if (!authority) return authority.error();
  auto key = new_key();
  auto certificate = certify(*authority, key.get(), identity, {}, now, validity);
  if (!certificate) return certificate.error();
  return Bundle{*certificate, ossl::to_pem(key.get()), ossl::to_pem(authority->cert.get())};
}

Result<void> revoke(const std::string& directory, const std::vector<std::string>& serials, Timestamp now,
                    Timestamp expired_by) {
  auto authority = load(directory);
  if (!authority) return authority.error();
  auto crl = load_revocations(directory);
  if (!crl) return crl.error();
  auto known = serials_of(crl->get());
  auto changed = false;
  for (const auto& serial : serials) {
    BIGNUM* parsed = nullptr;
    auto digits = BN_hex2bn(&parsed, serial.c_str());
    ossl::Number number{parsed};
    if (serial.empty() || std::size_t(digits) != serial.size())
      return Error{Errc::invalid, "serial \"" + serial.substr(0, 64) + "\": not a hexadecimal number"};
    ossl::Integer as_integer{BN_to_ASN1_INTEGER(number.get(), nullptr)};
    if (!as_integer) return crypto_error("cannot revoke");
    if (!known.insert(ossl::serial_hex(as_integer.get())).second) continue;
    auto entry = revocation(as_integer.get(), now, expired_by);
    if (!entry || X509_CRL_add0_revoked(crl->get(), entry.get()) != 1) return crypto_error("cannot revoke");
    (void)entry.release(); // the list's now
    changed = true;
  }
  if (!changed) return {};
  forget_expired(crl->get(), now);
  ossl::Integer last{
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl->get(), NID_crl_number, nullptr, nullptr))};
  auto next = last ? ASN1_INTEGER_get(last.get()) + 1 : 2;
  return sign_revocations(crl->get(), *authority, next, now, in(directory, revocations));
}

Result<std::vector<std::string>> revoked(const std::string& directory) {
  auto crl = load_revocations(directory);
  if (!crl) return crl.error();
  auto serials = serials_of(crl->get());
  return std::vector<std::string>{serials.begin(), serials.end()};
}

Result<std::string> fingerprint(const std::string& directory) {
  auto pem = read_file(in(directory, ca_certificate));
  if (!pem) return pem.error();
  auto cert = ossl::read_cert(*pem);
  if (!cert) return Error{Errc::corrupt, in(directory, ca_certificate) + ": not a certificate in PEM form"};
  return sha256(ossl::to_der(cert.get()));
}

Result<std::string> sign(const std::string& directory, std::string_view message) {
  auto key = read_file(in(directory, signing_key));
  if (!key) return key.error();
  return sign_message(*key, message);
}

Result<std::string> signing_public_key(const std::string& directory) {
  auto key = read_file(in(directory, signing_key));
  if (!key) return key.error();
  return public_key_of(*key);
}

} // namespace iris::pki
