// libFuzzer entry: the contents of wire messages as a hostile peer would send them, both sides. The first
// byte says which. What was decoded must survive its own encoding.
#include "actors/query_codec.hpp"
#include "cloud/aggregator/batch_codec.hpp"
#include "cloud/session/session_codec.hpp"
#include "core/alert/codec.hpp"
#include "node/uplink/session_messages.hpp"

#include <cstdlib>
#include <string_view>

namespace {

using namespace iris;

void check(bool good) {
  if (!good) std::abort();
}

void batch(const std::vector<char>& bytes) {
  auto content = decode_batch(bytes);
  check(content.damaged.size() <= 8 && content.damaged.size() <= content.damaged_total);
  for (const auto& finding : content.findings) {
    auto encoded = encode(finding);
    check(bool(decode_finding({encoded.data(), encoded.size()})));
  }
  for (const auto& delta : content.deltas) {
    auto encoded = encode(delta);
    check(bool(decode_delta(encoded.data(), encoded.size())));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::vector<char> bytes{data + 1, data + size};
  switch (data[0] % 7) {
  case 0:
    if (auto hello = decode_hello(bytes))
      (void)version_refusal(hello->major, hello->minor, "the gateway", "the cloud");
    break;
  case 1:
    if (auto welcome = decode_welcome(bytes))
      check(welcome->credit_batches >= 1 && welcome->credit_bytes <= (4u << 20));
    break;
  case 2:
    batch(bytes);
    break;
  case 3:
    (void)decode_push(bytes);
    break;
  case 4:
    (void)decode_push_ack(bytes);
    break;
  case 5:
    if (auto query = decode_query(bytes)) {
      auto again = decode_query(encode_query(*query));
      check(again && again->verb == query->verb && again->arguments == query->arguments &&
            again->deadline_ms == query->deadline_ms);
    }
    break;
  case 6:
    if (auto reply = decode_reply(bytes)) check(bool(decode_reply(encode_reply(*reply))));
    break;
  }
  return 0;
}
