#include "core/learn/signed_baseline.hpp"

#include "core/learn/wire.hpp"

#include "schemas/baseline.capnp.h"

#include <openssl/evp.h>

#include <memory>

namespace iris {
namespace {

/// Signed together with the document, so that a signature made for something else never counts as one of a
/// baseline.
constexpr std::string_view purpose = "iris-baseline-1\n";
constexpr std::size_t key_size = 32, signature_size = 64;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string to_sign(const char* data, std::size_t size) {
  std::string message{purpose};
  message.append(data, size);
  return message;
}

} // namespace

Result<SigningKey> signing_key_of(std::string_view seed) {
  if (seed.size() != key_size) return Error{Errc::invalid, "a signing key is made of 32 random bytes"};
  Key key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(seed), seed.size())};
  SigningKey pair{std::string{seed}, std::string(key_size, '\0')};
  auto size = key_size;
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(pair.public_key.data()),
                                          &size) != 1)
    return Error{Errc::unavailable, "OpenSSL has no Ed25519"};
  return pair;
}

Result<std::vector<char>> sign_document(const std::vector<char>& document, const SigningKey& pair) {
  Key key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(pair.seed), pair.seed.size())};
  Context context{EVP_MD_CTX_new()};
  unsigned char signature[signature_size];
  auto size = signature_size;
  auto message = to_sign(document.data(), document.size());
  if (!key || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature, &size, bytes(message), message.size()) != 1)
    return Error{Errc::invalid, "baseline could not be signed: the key is not an Ed25519 key of 32 bytes"};
  capnp::MallocMessageBuilder out;
  auto root = out.initRoot<schema::SignedBaseline>();
  root.setDocument({reinterpret_cast<const kj::byte*>(document.data()), document.size()});
  root.setSignature({signature, size});
  return learn_wire::flatten(out);
}

Result<Baseline> open_signed(const char* data, std::size_t size, std::string_view public_key,
                             std::uint64_t newer_than) {
  struct Opened {
    std::vector<char> document;
    std::string signature;
  };
  auto opened =
      learn_wire::read_message<Opened>(data, size, "signed baseline", [](capnp::MessageReader& message) {
        auto in = message.getRoot<schema::SignedBaseline>();
        auto document = in.getDocument().asChars();
        auto signature = in.getSignature().asChars();
        return Opened{{document.begin(), document.end()}, {signature.begin(), signature.size()}};
      });
  if (!opened) return opened.error();
  if (public_key.size() != key_size)
    return Error{Errc::invalid, "the key that baselines are checked with is not 32 bytes"};
  Key key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(public_key), public_key.size())};
  Context context{EVP_MD_CTX_new()};
  auto message = to_sign(opened->document.data(), opened->document.size());
  if (!key || !context || opened->signature.size() != signature_size ||
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestVerify(context.get(), bytes(opened->signature), signature_size, bytes(message),
                       message.size()) != 1)
    return Error{Errc::refused,
                 "baseline refused: its signature is not by the key that this gateway was given"};
  auto baseline = decode_baseline(opened->document.data(), opened->document.size());
  if (baseline && baseline->version <= newer_than)
    return Error{Errc::refused, "baseline of " + baseline->profile + " refused: its number " +
                                    std::to_string(baseline->version) + " is not higher than " +
                                    std::to_string(newer_than) + ", which is in use"};
  return baseline;
}

} // namespace iris
