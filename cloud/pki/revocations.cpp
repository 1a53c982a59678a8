#include "cloud/pki/authority.hpp"
#include "cloud/pki/files.hpp"

#include <algorithm>
#include <ctime>
#include <map>

namespace iris::pki {

namespace {

constexpr std::size_t largest_list = 64 << 20; ///< bytes of crl.pem: half a million entries of one authority
constexpr Duration list_validity = 20 * 365 * day;

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

/// What all lists of the file say together.
struct Lists {
  std::map<std::string, Revoked> entries; ///< by serial
  long number = 0;                        ///< the highest
  Timestamp signed_at = 0;                ///< the latest; 0: none
};

Result<Lists> load_lists(const std::string& directory) {
  auto path = in(directory, revocations);
  auto pem = read_file(path, largest_list);
  if (!pem) return pem.error();
  const auto crls = ossl::read_crls(*pem);
  if (crls.empty()) return Error{Errc::corrupt, path + ": not a list of revocations in PEM form"};
  Lists lists;
  for (const auto& crl : crls) {
    ossl::Integer number{
        static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl.get(), NID_crl_number, nullptr, nullptr))};
    if (number) lists.number = std::max(lists.number, ASN1_INTEGER_get(number.get()));
    std::tm when{};
    if (ASN1_TIME_to_tm(X509_CRL_get0_lastUpdate(crl.get()), &when) == 1)
      lists.signed_at = std::max(lists.signed_at, Timestamp(timegm(&when)) * second + backdated);
    auto* entries = X509_CRL_get_REVOKED(crl.get());
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
      const auto* entry = sk_X509_REVOKED_value(entries, i);
      auto& place = lists.entries[ossl::serial_hex(X509_REVOKED_get0_serialNumber(entry))];
      if (!place) place.reset(X509_REVOKED_dup(entry));
    }
  }
  return Result<Lists>{std::move(lists)};
}

Result<std::string> signed_list(const Authority& authority, const Lists& lists, Timestamp now) {
  ossl::Crl crl{X509_CRL_new()};
  ossl::Integer count{ASN1_INTEGER_new()};
  ASN1_TIME* updated = ASN1_TIME_set(nullptr, (now - backdated) / second);
  // The list is read where it is written, so its age says nothing: it must never expire by itself.
  ASN1_TIME* next = ASN1_TIME_set(nullptr, (now + list_validity) / second);
  auto good = crl && count && updated && next && ASN1_INTEGER_set(count.get(), lists.number) == 1 &&
              X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(authority.cert.get())) == 1 &&
              X509_CRL_set1_lastUpdate(crl.get(), updated) == 1 &&
              X509_CRL_set1_nextUpdate(crl.get(), next) == 1 &&
              X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, count.get(), 0, X509V3_ADD_REPLACE) == 1;
  ASN1_TIME_free(updated);
  ASN1_TIME_free(next);
  for (const auto& [serial, entry] : lists.entries) {
    Revoked copy{good ? X509_REVOKED_dup(entry.get()) : nullptr};
    good = copy && X509_CRL_add0_revoked(crl.get(), copy.get()) == 1;
    if (good) (void)copy.release(); // the list's now
  }
  if (!good || X509_CRL_sort(crl.get()) != 1 ||
      X509_CRL_sign(crl.get(), authority.key.get(), EVP_sha256()) <= 0)
    return crypto_error("cannot sign the list of revocations");
  auto out = ossl::writer();
  PEM_write_bio_X509_CRL(out.get(), crl.get());
  return ossl::take(out);
}

Result<void> write_lists(const std::string& directory, const std::vector<Authority>& authorities,
                         const Lists& lists, Timestamp now) {
  std::string text;
  for (const auto& authority : authorities) {
    auto list = signed_list(authority, lists, now);
    if (!list) return list.error();
    text += *list;
  }
  return write_file(in(directory, revocations), text);
}

} // namespace

Result<void> write_revocations(const std::string& directory, const std::vector<Authority>& authorities,
                               Timestamp now) {
  auto lists = load_lists(directory);
  if (!lists && lists.error().code != Errc::not_found) return lists.error();
  auto kept = lists ? std::move(*lists) : Lists{};
  ++kept.number;
  return write_lists(directory, authorities, kept, now);
}

Result<void> revoke(const std::string& directory, const std::vector<std::string>& serials, Timestamp now,
                    Timestamp expired_by) {
  auto authorities = load(directory);
  if (!authorities) return authorities.error();
  auto lists = load_lists(directory);
  if (!lists) return lists.error();
  auto changed = false;
  for (const auto& serial : serials) {
    BIGNUM* parsed = nullptr;
    auto digits = BN_hex2bn(&parsed, serial.c_str());
    ossl::Number number{parsed};
    if (serial.empty() || std::size_t(digits) != serial.size())
      return Error{Errc::invalid, "serial \"" + serial.substr(0, 64) + "\": not a hexadecimal number"};
    ossl::Integer as_integer{BN_to_ASN1_INTEGER(number.get(), nullptr)};
    if (!as_integer) return crypto_error("cannot revoke");
    auto& place = lists->entries[ossl::serial_hex(as_integer.get())];
    if (place) continue;
    place = revocation(as_integer.get(), now, expired_by);
    if (!place) return crypto_error("cannot revoke");
    changed = true;
  }
  if (!changed) return {};
  // A clock that is ahead once must not empty the list: what leaves it had expired when it was last signed.
  const auto sure = std::min(now, lists->signed_at);
  std::erase_if(lists->entries, [&](const auto& entry) { return has_expired(entry.second.get(), sure); });
  ++lists->number;
  return write_lists(directory, *authorities, *lists, now);
}

Result<std::vector<std::string>> revoked(const std::string& directory) {
  auto lists = load_lists(directory);
  if (!lists) return lists.error();
  std::vector<std::string> serials;
  for (const auto& [serial, entry] : lists->entries)
    serials.push_back(serial);
  return serials;
}

} // namespace iris::pki
