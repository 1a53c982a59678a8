// libFuzzer entry: a join token as somebody pasted it. What is accepted must be the one way to write it. An
// odd first byte makes the checksum of the rest right, so that mutations get past it.
#include "core/link/token.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace iris;
  if (size < 1) return 0;
  std::string text{reinterpret_cast<const char*>(data) + 1, size - 1};
  if (data[0] % 2 != 0) text = "iris1." + base64url(text + sha256(text).substr(0, 4));
  auto token = parse_token(text);
  if (token) {
    auto again = parse_token(format_token(*token));
    if (!again || !(*again == *token)) std::abort();
    (void)expired(*token, 0);
  } else if (token.error().message.empty() || token.error().message.size() > 512)
    std::abort();
  return 0;
}
