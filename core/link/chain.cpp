#include "core/link/chain.hpp"

#include "core/link/openssl_ptr.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <stdexcept>

namespace iris {
namespace {

Bytes32 hmac(std::string_view key, std::string_view message) {
  Bytes32 out{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
           message.size(), reinterpret_cast<unsigned char*>(out.data()), &size) == nullptr)
    throw std::runtime_error{"HMAC-SHA256 is not available"}; // a broken OpenSSL; nothing can be sealed
  return out;
}

std::string_view view(const Bytes32& bytes) { return {bytes.data(), bytes.size()}; }

void put(std::string& to, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8)
    to.push_back(char(number >> shift));
}

} // namespace

struct PartsDigest::State {
  ossl::Digest context{EVP_MD_CTX_new()};
};

PartsDigest::PartsDigest() : state_{std::make_unique<State>()} {
  if (!state_->context || EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1)
    throw std::runtime_error{"SHA-256 is not available"};
}
PartsDigest::~PartsDigest() = default;

PartsDigest& PartsDigest::text(std::string_view part) {
  number(part.size());
  EVP_DigestUpdate(state_->context.get(), part.data(), part.size());
  return *this;
}

PartsDigest& PartsDigest::number(std::uint64_t part) {
  std::string bytes;
  put(bytes, part);
  EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
  return *this;
}

Bytes32 PartsDigest::finish() {
  Bytes32 out{};
  EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

ChainLink ChainLink::first(std::string_view chain_key, std::uint8_t lane) {
  ChainLink link;
  link.key = hmac(chain_key, "iris lane " + std::to_string(lane));
  return link;
}

Bytes32 ChainLink::mac(const BatchPlace& place, const BatchSeal& seal, const Bytes32& losses_digest) const {
  std::string message{"iris batch 1"};
  put(message, place.epoch);
  put(message, place.lane);
  put(message, place.seq);
  message += view(previous);
  message += view(seal.entries_digest);
  message += view(losses_digest);
  for (auto number : {seal.entries, seal.observations, seal.merged_entries, seal.merged_observations,
                      std::uint64_t(seal.since), std::uint64_t(seal.until), std::uint64_t(seal.losses)})
    put(message, number);
  return hmac(view(key), message);
}

void ChainLink::step(const Bytes32& mac) {
  auto next = hmac(view(key), "iris ratchet");
  OPENSSL_cleanse(key.data(), key.size());
  key = next;
  OPENSSL_cleanse(next.data(), next.size());
  previous = mac;
}

void ChainLink::erase() { OPENSSL_cleanse(key.data(), key.size()); }

std::string LaneChain::take(const BatchPlace& place, const std::optional<BatchSeal>& seal,
                            const Found& found) {
  if (!active) return {};
  std::string why;
  if (!seal) {
    why = "has no seal";
    link.step(link.previous);
  } else {
    const auto& s = *seal;
    const auto mac = link.mac(place, s, found.losses_digest);
    if (CRYPTO_memcmp(mac.data(), s.mac.data(), mac.size()) != 0)
      why = "is not what the gateway sealed";
    else if (s.state == BatchSeal::State::whole && found.entries_digest != s.entries_digest)
      why = "has other entries than were sealed";
    else if (s.state != BatchSeal::State::whole && found.entries != 0)
      why = "has entries though they were dropped";
    else if (s.state == BatchSeal::State::shed &&
             (found.told_entries != s.entries || found.told_observations != s.observations))
      why = "was dropped and tells another loss than it had entries";
    else if (s.state == BatchSeal::State::whole && s.merged_entries != 0 &&
             found.observations != s.observations)
      why = "counts other than what was merged into it";
    if (s.merged_entries != 0 && why.empty()) {
      owed_entries -= std::min(owed_entries, s.merged_entries);
      owed_observations -= std::min(owed_observations, s.merged_observations);
    }
    if (s.state == BatchSeal::State::merged) {
      if (s.into <= place.seq && why.empty()) why = "was merged into an older one";
      owed_entries += s.entries;
      owed_observations += s.observations;
      into = std::max(into, s.into);
    }
    link.step(s.mac);
  }
  if (why.empty() && into != 0 && place.seq >= into && (owed_entries != 0 || owed_observations != 0))
    why = "should have the counts of batches that were merged, and has not";
  if (place.seq >= into) owed_entries = owed_observations = into = 0;
  return why;
}

} // namespace iris
