#include "core/link/signature.hpp"

#include "core/link/openssl_ptr.hpp"

namespace iris {

namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Result<ossl::Key> signing_key(std::string_view pem) {
  auto key = ossl::read_key(pem);
  ERR_clear_error();
  if (!key || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519)
    return Error{Errc::corrupt, "signing key: not an Ed25519 private key in PEM form"};
  return Result<ossl::Key>{std::move(key)};
}

} // namespace

bool verify_signature(std::string_view public_key, std::string_view message, std::string_view signature) {
  ossl::Key key{
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(public_key), public_key.size())};
  ossl::Digest context{EVP_MD_CTX_new()};
  auto good = key && context &&
              EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
              EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                               message.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<std::string> sign_message(std::string_view private_key, std::string_view message) {
  auto key = signing_key(private_key);
  if (!key) return key.error();
  ossl::Digest context{EVP_MD_CTX_new()};
  std::string signature(64, '\0');
  auto size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key->get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(message), message.size()) != 1)
    return Error{Errc::invalid, "signing failed: " + ossl::error_text()};
  signature.resize(size);
  return signature;
}

Result<std::string> public_key_of(std::string_view private_key) {
  auto key = signing_key(private_key);
  if (!key) return key.error();
  std::string out(32, '\0');
  auto size = out.size();
  if (EVP_PKEY_get_raw_public_key(key->get(), reinterpret_cast<unsigned char*>(out.data()), &size) != 1)
    return Error{Errc::invalid, "signing key: " + ossl::error_text()};
  return out;
}

} // namespace iris
