#include "cloud/pki/pki.hpp"

#include "cloud/pki/files.hpp"
#include "core/link/openssl_ptr.hpp"
#include "core/link/signature.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <sys/stat.h>

using namespace iris;

namespace {

const Timestamp now = 1'790'000'000 * second;

struct Directory {
  std::string path;
  Directory() {
    char name[] = "/tmp/iris-pki-XXXXXX";
    path = mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
};

struct Authority : Directory {
  Authority() { REQUIRE(pki::make_authority(path, "Iris test", now)); }
  ossl::Cert ca() { return ossl::read_cert(*pki::read_file(path + "/ca.pem")); }
  int verify(const std::string& pem, int purpose, bool with_crl = false) {
    ossl::Store store{X509_STORE_new()};
    X509_STORE_add_cert(store.get(), ca().get());
    if (with_crl) {
      auto list = *pki::read_file(path + "/crl.pem", 64 << 20);
      auto in = ossl::reader(list);
      ossl::Crl crl{PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)};
      X509_STORE_add_crl(store.get(), crl.get());
      X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK);
    }
    auto cert = ossl::read_cert(pem);
    ossl::StoreContext context{X509_STORE_CTX_new()};
    X509_STORE_CTX_init(context.get(), store.get(), cert.get(), nullptr);
    X509_STORE_CTX_set_purpose(context.get(), purpose);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), now / second);
    X509_verify_cert(context.get());
    return X509_STORE_CTX_get_error(context.get());
  }
};

std::string request(const char* curve, bool spoil = false) {
  ossl::Key key{EVP_EC_gen(curve)}, other{EVP_EC_gen(curve)};
  ossl::Request csr{X509_REQ_new()};
  // What it asks for must not matter.
  X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(csr.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("iris://cloud/evil"), -1, -1, 0);
  auto* asked = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(
      asked, X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "URI:iris://cloud/evil"));
  X509_REQ_add_extensions(csr.get(), asked);
  sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
  X509_REQ_set_pubkey(csr.get(), key.get());
  X509_REQ_sign(csr.get(), spoil ? other.get() : key.get(), EVP_sha256());
  auto out = ossl::writer();
  PEM_write_bio_X509_REQ(out.get(), csr.get());
  return ossl::take(out);
}

std::string uri_of(const std::string& pem) {
  auto cert = ossl::read_cert(pem);
  ossl::Names names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert.get(), NID_subject_alt_name, nullptr, nullptr))};
  std::string uris;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    uris.append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5)),
                std::size_t(ASN1_STRING_length(name->d.ia5)));
  }
  return uris;
}

const Identity gateway{Role::gateway, "acme", "gw-1", false};

} // namespace

TEST_CASE("an authority's files are private and it is made once", "[pki]") {
  Authority authority;
  for (auto file : {"ca.pem", "ca.key", "crl.pem", "signing.key"}) {
    struct stat info {};
    REQUIRE(stat((authority.path + "/" + file).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
  }
  auto again = pki::make_authority(authority.path, "x", now);
  REQUIRE(!again);
  CHECK(again.error().code == Errc::refused);
  CHECK(pki::fingerprint(authority.path)->size() == 32);
}

TEST_CASE("who a certificate makes somebody comes from us, never from the request", "[pki]") {
  Authority authority;
  auto certificate = pki::sign_request(authority.path, request("P-256"), gateway, now);
  REQUIRE(certificate);
  CHECK(uri_of(certificate->pem) == "iris://gateway/acme/gw-1");
  CHECK(certificate->expires == now + 30 * pki::day);
  CHECK(certificate->serial.size() == 32);
  CHECK(authority.verify(certificate->pem, X509_PURPOSE_SSL_CLIENT) == X509_V_OK);
  CHECK(authority.verify(certificate->pem, X509_PURPOSE_SSL_SERVER) == X509_V_ERR_INVALID_PURPOSE);
}

TEST_CASE("requests that prove nothing or have weak keys are refused", "[pki]") {
  Authority authority;
  CHECK(!pki::sign_request(authority.path, "no pem", gateway, now));
  CHECK(!pki::sign_request(authority.path, request("P-256", true), gateway, now));
  CHECK(!pki::sign_request(authority.path, request("P-224"), gateway, now));
  CHECK(!pki::sign_request(authority.path, request("P-256"), {Role::gateway, "*", "x", false}, now));
}

TEST_CASE("a server's certificate names its hosts and can be client and server", "[pki]") {
  Authority authority;
  auto certificate = pki::issue_server(authority.path, "shard-0", {"cloud.example", "127.0.0.1", "::1"}, now);
  REQUIRE(certificate);
  CHECK(uri_of(certificate->pem) == "iris://cloud/shard-0");
  auto cert = ossl::read_cert(certificate->pem);
  CHECK(X509_check_host(cert.get(), "cloud.example", 0, 0, nullptr) == 1);
  CHECK(X509_check_ip_asc(cert.get(), "127.0.0.1", 0) == 1);
  CHECK(X509_check_ip_asc(cert.get(), "::1", 0) == 1);
  CHECK(authority.verify(certificate->pem, X509_PURPOSE_SSL_SERVER) == X509_V_OK);
  CHECK(authority.verify(certificate->pem, X509_PURPOSE_SSL_CLIENT) == X509_V_OK);
  CHECK(pki::read_file(authority.path + "/server.pem").value() == certificate->pem);
}

TEST_CASE("revoking adds to the list, once", "[pki]") {
  Authority authority;
  auto first = pki::issue(authority.path, {Role::operator_, "*", "root", true}, now);
  auto second_one = pki::issue(authority.path, {Role::operator_, "acme", "eve", false}, now);
  REQUIRE(first);
  REQUIRE(second_one);
  CHECK(ossl::read_key(first->key) != nullptr);
  CHECK(authority.verify(first->certificate.pem, X509_PURPOSE_SSL_CLIENT, true) == X509_V_OK);
  REQUIRE(pki::revoke(authority.path, {first->certificate.serial}, now, now + pki::operator_validity));
  REQUIRE(pki::revoke(authority.path, {first->certificate.serial}, now, now + pki::operator_validity));
  REQUIRE(pki::revoke(authority.path, {"0abc"}, now, now + pki::operator_validity));
  CHECK(authority.verify(first->certificate.pem, X509_PURPOSE_SSL_CLIENT, true) == X509_V_ERR_CERT_REVOKED);
  CHECK(authority.verify(second_one->certificate.pem, X509_PURPOSE_SSL_CLIENT, true) == X509_V_OK);
  CHECK(pki::revoked(authority.path)->size() == 2);
  CHECK(!pki::revoke(authority.path, {"xyz"}, now, now + pki::operator_validity));
  CHECK(!pki::revoke(authority.path, {""}, now, now + pki::operator_validity));
}

TEST_CASE("a signature holds for its message and key only", "[pki]") {
  Authority authority;
  auto signature = pki::sign(authority.path, "baseline 7");
  auto key = pki::signing_public_key(authority.path);
  REQUIRE(signature);
  REQUIRE(key);
  CHECK(verify_signature(*key, "baseline 7", *signature));
  CHECK(!verify_signature(*key, "baseline 8", *signature));
  CHECK(!verify_signature(std::string(32, 'x'), "baseline 7", *signature));
  CHECK(!verify_signature("short", "baseline 7", *signature));
  CHECK(!verify_signature(*key, "baseline 7", "short"));
}

TEST_CASE("missing and damaged files give one clear line", "[pki]") {
  Directory empty;
  auto missing = pki::issue(empty.path, gateway, now);
  REQUIRE(!missing);
  CHECK(missing.error().code == Errc::not_found);
  CHECK(missing.error().message.find("ca.pem") != std::string::npos);
  Authority authority;
  REQUIRE(pki::write_file(authority.path + "/ca.key", "garbage"));
  auto damaged = pki::issue(authority.path, gateway, now);
  REQUIRE(!damaged);
  CHECK(damaged.error().code == Errc::corrupt);
}

TEST_CASE("issue: expired entries leave the list, which may be larger than any other file", "[pki]") {
  Authority authority;
  std::vector<std::string> serials;
  for (int i = 0; i < 25'000; ++i) {
    char serial[33];
    std::snprintf(serial, sizeof serial, "7%031x", i + 1);
    serials.emplace_back(serial);
  }
  REQUIRE(pki::revoke(authority.path, serials, now, now + pki::gateway_validity));
  CHECK(std::filesystem::file_size(authority.path + "/crl.pem") > (1 << 20));
  auto bundle = pki::issue(authority.path, {Role::operator_, "*", "root", true}, now);
  const auto& lasting = bundle->certificate.serial;
  REQUIRE(pki::revoke(authority.path, {lasting}, now, now + pki::operator_validity));
  CHECK(pki::revoked(authority.path)->size() == 25'001);
  CHECK(authority.verify(bundle->certificate.pem, X509_PURPOSE_SSL_CLIENT, true) == X509_V_ERR_CERT_REVOKED);
  REQUIRE(pki::revoke(authority.path, {"0abc"}, now + 31 * pki::day, now + 61 * pki::day));
  // A clock that is ahead once must not empty the list: they leave it when it is signed for the second time.
  CHECK(pki::revoked(authority.path)->size() == 25'002);
  REQUIRE(pki::revoke(authority.path, {"0abd"}, now + 31 * pki::day, now + 61 * pki::day));
  auto left = *pki::revoked(authority.path);
  CHECK(left.size() == 3);
  CHECK(std::count(left.begin(), left.end(), lasting) == 1);
}
