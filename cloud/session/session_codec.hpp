#pragma once
#include "cloud/messages.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/link/protocol.hpp"

#include <string>
#include <vector>

/// The cloud's side of schemas/link.capnp.
namespace iris {

struct HelloIn {
  std::uint16_t major = 0, minor = 0;
  SessionStart start; ///< without session and number
};
/// Lists are cut at 1024 baselines; texts that are too long are refused.
[[nodiscard]] Result<HelloIn> decode_hello(const std::vector<char>& bytes);

/// Empty when the two can work together: same major version, minor versions at most one apart. Otherwise one
/// line that says which side to upgrade.
[[nodiscard]] std::string version_refusal(std::uint16_t major, std::uint16_t minor, const std::string& who);

struct WelcomeOut {
  std::string version, refusal;
  SessionTerms terms;
  std::uint32_t credit_batches = 0, credit_bytes = 0;
  TimeScale scale;
  std::string baseline_key, tenant, gateway;
};
[[nodiscard]] std::vector<char> encode_welcome(const WelcomeOut& welcome);
[[nodiscard]] std::vector<char> encode_push(const PushOut& push);

struct PushAnswer {
  bool accepted = false;
  std::string reason;
};
[[nodiscard]] Result<PushAnswer> decode_push_ack(const std::vector<char>& bytes);

} // namespace iris
