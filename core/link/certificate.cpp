#include "core/link/certificate.hpp"

#include "core/link/openssl_ptr.hpp"

namespace iris {

Result<Identity> identity_of(const X509* certificate) {
  ossl::Names names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::string uri;
  int uris = 0;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    ++uris;
    const auto* text = name->d.uniformResourceIdentifier;
    uri.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
               std::size_t(ASN1_STRING_length(text)));
  }
  if (uris != 1)
    return Error{Errc::refused, "certificate: has " + std::to_string(uris) + " identities instead of one"};
  return parse_identity(uri);
}

Result<Identity> identity_of_certificate(std::string_view bytes) {
  auto certificate = ossl::read_cert(bytes);
  if (!certificate) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    certificate.reset(d2i_X509(nullptr, &at, long(bytes.size())));
  }
  ERR_clear_error();
  if (!certificate) return Error{Errc::corrupt, "certificate: neither PEM nor DER"};
  auto identity = identity_of(certificate.get());
  ERR_clear_error();
  return identity;
}

} // namespace iris
