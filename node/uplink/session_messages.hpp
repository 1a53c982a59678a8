#pragma once
#include "actors/terms.hpp"
#include "core/base/result.hpp"
#include "node/spool/messages.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What the gateway says and hears on the link, as plain structs beside their Cap'n Proto form
/// (schemas/link.capnp).
namespace iris {

struct HelloOut {
  std::string version;
  SpoolState spool;
  std::vector<std::pair<std::string, std::uint64_t>> baselines; ///< profile, version
  std::uint64_t intelligence = 0;
  Timestamp now = 0;
  std::uint64_t instance = 0;
  std::string site;
};

struct WelcomeIn {
  std::uint16_t major = 0, minor = 0;
  std::string version, refusal;
  std::uint64_t epoch = 0;
  std::array<std::uint64_t, lane_count> applied{};
  std::uint32_t credit_batches = 1, credit_bytes = 1 << 20;
  TimeScale scale;
  std::string baseline_key, tenant, site;
  std::string gateway;              ///< who we are there
  std::string chain_key;            ///< with a new epoch; empty from a cloud that knows no chain
  std::optional<EpochTaken> before; ///< with a new epoch
};

struct PushIn {
  enum class Kind { baseline, indicators, credit, clock } kind{};
  std::vector<char> bytes;
  std::uint64_t version = 0;
  std::uint32_t credit_batches = 0, credit_bytes = 0;
};

[[nodiscard]] std::vector<char> encode_hello(const HelloOut& hello);
/// Why nothing comes of this Welcome: the cloud refuses us, or we its version. Reads nothing else, which may
/// mean something else in another version.
struct WelcomeRefusal {
  std::string why;      ///< one line; empty: welcome
  bool version = false; ///< for as long as neither side is upgraded
};
[[nodiscard]] Result<WelcomeRefusal> welcome_refusal(const std::vector<char>& bytes);
[[nodiscard]] Result<WelcomeIn> decode_welcome(const std::vector<char>& bytes);
[[nodiscard]] Result<PushIn> decode_push(const std::vector<char>& bytes);
/// The cloud's terms as they rest in the spool: a Welcome with nothing else in it.
[[nodiscard]] std::vector<char> encode_terms(const LinkTerms& terms);
[[nodiscard]] std::vector<char> encode_push_ack(bool accepted, const std::string& reason,
                                                Timestamp clock = 0);

} // namespace iris
