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
/// Lists are cut at 1024 baselines; texts that are too long are refused. Of a version that we refuse nothing
/// else is read.
[[nodiscard]] Result<HelloIn> decode_hello(const std::vector<char>& bytes);

struct WelcomeOut {
  std::string version, refusal;
  SessionTerms terms;
  std::uint32_t credit_batches = 0, credit_bytes = 0;
  TimeScale scale;
  std::string baseline_key, tenant, gateway;
};
[[nodiscard]] std::vector<char> encode_welcome(const WelcomeOut& welcome);
[[nodiscard]] std::vector<char> encode_push(const PushOut& push);

/// What time it is there; the answer's `clock` says it.
[[nodiscard]] std::vector<char> encode_clock_question();

struct PushAnswer {
  bool accepted = false;
  std::string reason;
  Timestamp clock = 0; ///< the gateway's wall time; 0: it was not asked, or does not know the question
};
[[nodiscard]] Result<PushAnswer> decode_push_ack(const std::vector<char>& bytes);

} // namespace iris
