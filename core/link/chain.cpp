#include "core/link/chain.hpp"

#include "core/base/saturating.hpp"
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

constexpr std::uint8_t findings_lane = 0;
constexpr Duration clocks_differ = 3'600 * second; ///< more is an alert of its own

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

/// What the seal alone tells. Only counts are merged, so on the other lane every such word is a lie: there
/// is no sum that findings could have. And a debt is paid with what came, not with what the seal says of it.
std::string LaneChain::compare(const BatchPlace& place, const BatchSeal& s, const Found& found) const {
  using State = BatchSeal::State;
  const auto mac = link.mac(place, s, found.losses_digest);
  if (CRYPTO_memcmp(mac.data(), s.mac.data(), mac.size()) != 0) return "is not what the gateway sealed";
  const bool took = s.merged_entries != 0 || s.merged_observations != 0;
  if (place.lane == findings_lane && (took || s.state == State::merged))
    return "says that it was merged, but findings are never merged";
  if (s.merged_entries > s.entries || s.merged_observations > s.observations)
    return "says that more was merged into it than it has";
  switch (s.state) {
  case State::whole:
    if (found.entries_digest != s.entries_digest) return "has other entries than were sealed";
    if (took && (found.entries == 0 || found.observations != s.observations))
      return "counts other than what was merged into it";
    return {};
  case State::shed:
    if (found.entries != 0) return "has entries though they were dropped";
    if (found.told_entries != s.entries || found.told_observations != s.observations)
      return "was dropped and tells another loss than it had entries";
    return {};
  case State::merged:
    if (found.entries != 0) return "has entries though they were dropped";
    if (s.into <= place.seq) return "was merged into an older one";
    return {};
  }
  return "is in a state that is not known";
}

/// Keeps account of what was merged and has not come.
std::string LaneChain::settle(const BatchPlace& place, const BatchSeal& s, bool good, Timestamp now) {
  if (good) {
    owed_entries -= std::min(owed_entries, s.merged_entries);
    owed_observations -= std::min(owed_observations, s.merged_observations);
  }
  if (s.state == BatchSeal::State::merged && place.lane != findings_lane) {
    owed_entries = saturating_add(owed_entries, s.entries);
    owed_observations = saturating_add(owed_observations, s.observations);
    into = std::max(into, s.into);
    owed_at = now;
  } else if (good && place.seq < into && s.until > owed_at && s.until - owed_at > clocks_differ) {
    // `into` may name a batch that never comes; but it was there at `owed_at`, so what was made later comes
    // after it.
    into = place.seq;
    return "was made after the one that should have the counts of batches that were merged";
  }
  return {};
}

std::string LaneChain::take(const BatchPlace& place, const std::optional<BatchSeal>& seal, const Found& found,
                            Timestamp now) {
  if (!active) return {};
  std::string why;
  if (!seal) {
    why = "has no seal";
    link.step(link.previous);
  } else {
    why = compare(place, *seal, found);
    const auto unpaid = settle(place, *seal, why.empty(), now);
    if (why.empty()) why = unpaid;
    link.step(seal->mac);
  }
  if (why.empty() && into != 0 && place.seq >= into && (owed_entries != 0 || owed_observations != 0))
    why = "should have the counts of batches that were merged, and has not";
  if (place.seq >= into) owed_entries = owed_observations = into = 0;
  return why;
}

} // namespace iris
