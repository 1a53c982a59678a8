#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "cloud/program/cloud_program.hpp"
#include "core/learn/signed_baseline.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace iris {

Result<SigningKey> load_signing_key(const std::string& pki_directory) {
  const auto path = pki_directory + "/" + pki::signing_key;
  auto pem = pki::read_file(path);
  if (!pem) return pem.error();
  std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new_mem_buf(pem->data(), int(pem->size())), BIO_free};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr, EVP_PKEY_free};
  std::string seed(32, 0);
  auto length = seed.size();
  if (!key || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(seed.data()), &length) != 1 ||
      length != 32)
    return Error{Errc::corrupt, path + " holds no Ed25519 key; restore it from a copy, or make a new cloud"};
  return signing_key_of(seed);
}

} // namespace iris
