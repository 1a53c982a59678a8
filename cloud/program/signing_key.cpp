#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "cloud/program/cloud_program.hpp"
#include "core/learn/signed_baseline.hpp"
#include "core/link/openssl_ptr.hpp"

namespace iris {

Result<SigningKey> load_signing_key(const std::string& pki_directory) {
  const auto path = pki_directory + "/" + pki::signing_key;
  auto pem = pki::read_file(path);
  if (!pem) return pem.error();
  const auto key = ossl::read_key(*pem); // one with a pass phrase is none: nobody is there to be asked
  std::string seed(32, 0);
  auto length = seed.size();
  const bool good =
      key && EVP_PKEY_id(key.get()) == EVP_PKEY_ED25519 &&
      EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(seed.data()), &length) == 1 &&
      length == 32;
  ERR_clear_error();
  if (!good)
    return Error{Errc::corrupt, path +
                                    " holds no Ed25519 key without a pass phrase; restore it from a copy, or "
                                    "make a new cloud"};
  return signing_key_of(seed);
}

} // namespace iris
