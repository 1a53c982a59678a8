// libFuzzer entry: a certificate, PEM or DER, and a URI. An identity that is accepted is written in one way.
#include "core/link/certificate.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

void check(const iris::Result<iris::Identity>& identity) {
  if (!identity) return;
  auto again = iris::parse_identity(iris::to_uri(*identity));
  if (!again || !(*again == *identity)) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  check(iris::identity_of_certificate(bytes));
  auto identity = iris::parse_identity(bytes);
  if (identity && iris::to_uri(*identity) != bytes) std::abort();
  return 0;
}
