#include "cloud/pki/authority.hpp"
#include "cloud/pki/files.hpp"
#include "core/base/address.hpp"
#include "core/base/hash.hpp"
#include "core/link/signature.hpp"
#include "core/link/token.hpp"

#include <algorithm>
#include <filesystem>

namespace iris::pki {

namespace {

constexpr Duration ca_validity = 20 * 365 * day;

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

} // namespace

Error crypto_error(const char* what) {
  return {Errc::invalid, std::string{what} + ": " + ossl::error_text()};
}

std::string fingerprint_of(X509* cert) { return sha256(ossl::to_der(cert)); }

Result<Certificate> certify(const Authority& authority, EVP_PKEY* key, const Identity& identity,
                            const std::vector<std::string>& hosts, Timestamp now, Duration validity) {
  auto uri = to_uri(identity);
  auto checked = parse_identity(uri);
  if (!checked) return checked.error();
  if (validity <= 0)
    return Error{Errc::invalid, "certificate for " + uri + ": its validity must be positive"};
  auto cert = blank(identity.name, key, now - std::min(backdated, validity / 10), now + validity);
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
                     (now + validity) / second * second, to_hex(fingerprint_of(issuer))};
}

Result<std::vector<Authority>> load(const std::string& directory) {
  auto pem = read_file(in(directory, ca_certificate));
  if (!pem) return Error{pem.error().code, pem.error().message + "; `iris-cloud init` makes it"};
  auto certs = ossl::read_certs(*pem);
  if (certs.empty())
    return Error{Errc::corrupt, in(directory, ca_certificate) + ": not certificates in PEM form"};
  auto first = read_file(in(directory, ca_key));
  if (!first) return first.error();
  std::vector<ossl::Key> keys;
  keys.push_back(ossl::read_key(*first));
  if (auto next = read_file(in(directory, next_key))) keys.push_back(ossl::read_key(*next));
  ERR_clear_error();
  std::vector<Authority> authorities;
  for (auto& cert : certs) {
    auto own = std::find_if(keys.begin(), keys.end(), [&](const ossl::Key& key) {
      return key && X509_check_private_key(cert.get(), key.get()) == 1;
    });
    ERR_clear_error();
    if (own == keys.end())
      return Error{Errc::corrupt, in(directory, ca_key) + ": not the key of " + ca_certificate};
    EVP_PKEY_up_ref(own->get());
    authorities.push_back({std::move(cert), ossl::Key{own->get()}});
  }
  return Result<std::vector<Authority>>{std::move(authorities)};
}

Result<Authority> self_signed(const std::string& name, Timestamp now) {
  Authority authority{nullptr, new_key()};
  authority.cert = blank(name, authority.key.get(), now - day, now + ca_validity);
  auto* cert = authority.cert.get();
  if (!cert || X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
      !extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !extend(cert, cert, NID_subject_key_identifier, "hash") ||
      X509_sign(cert, authority.key.get(), EVP_sha256()) == 0)
    return crypto_error("cannot make the authority's certificate");
  return Result<Authority>{std::move(authority)};
}

Result<void> make_authority(const std::string& directory, std::string_view name, Timestamp now) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return Error{Errc::io, directory + ": cannot create: " + failure.message()};
  if (std::filesystem::exists(in(directory, ca_key), failure))
    return Error{Errc::refused,
                 in(directory, ca_key) + ": there is an authority already; it is not replaced"};
  auto authority = self_signed(std::string{name}, now);
  if (!authority) return authority.error();
  std::vector<Authority> all;
  all.push_back(std::move(*authority));
  ossl::Key signer{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  if (!signer) return crypto_error("cannot make the signing key");
  // The key last but one and the certificate last: a run that was cut off is begun anew.
  if (auto done = write_file(in(directory, signing_key), ossl::to_pem(signer.get())); !done) return done;
  std::filesystem::remove(in(directory, revocations), failure); // of a run that was cut off
  if (auto listed = write_revocations(directory, all, now); !listed) return listed;
  const auto& made = all.front();
  if (auto done = write_file(in(directory, ca_certificate), ossl::to_pem(made.cert.get())); !done)
    return done;
  return write_file(in(directory, ca_key), ossl::to_pem(made.key.get()));
}

Result<Certificate> issue_server(const std::string& directory, const std::string& shard,
                                 const std::vector<std::string>& hosts, Timestamp now, Duration validity) {
  auto authority = load(directory);
  if (!authority) return authority.error();
  auto key = new_key();
  auto certificate =
      certify(authority->front(), key.get(), {Role::cloud, "", shard, false}, hosts, now, validity);
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
  return certify(authority->front(), key, identity, {}, now, validity);
}

Result<std::string> key_of_request(std::string_view csr) {
  auto input = ossl::reader(csr);
  ossl::Request request{PEM_read_bio_X509_REQ(input.get(), nullptr, nullptr, nullptr)};
  unsigned char* der = nullptr;
  const auto size = request ? i2d_PUBKEY(X509_REQ_get0_pubkey(request.get()), &der) : -1;
  ERR_clear_error();
  if (size <= 0) return Error{Errc::invalid, "certificate request: not in PEM form"};
  auto hash = sha256({reinterpret_cast<const char*>(der), std::size_t(size)});
  OPENSSL_free(der);
  return hash;
}

Result<Bundle> issue(const std::string& directory, const Identity& identity, Timestamp now,
                     Duration validity) {
  auto authority = load(directory);
  if (!authority) return authority.error();
  auto key = new_key();
  auto certificate = certify(authority->front(), key.get(), identity, {}, now, validity);
  if (!certificate) return certificate.error();
  std::string all;
  for (const auto& each : *authority)
    all += ossl::to_pem(each.cert.get());
  return Bundle{*certificate, ossl::to_pem(key.get()), std::move(all)};
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
