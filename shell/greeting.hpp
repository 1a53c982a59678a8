#pragma once
#include "core/base/result.hpp"

#include <string>
#include <vector>

/// An operator's part of schemas/link.capnp: he says hello before he asks.
namespace iris {

[[nodiscard]] std::vector<char> encode_operator_hello(const std::string& version);

struct CloudGreeting {
  std::string version;
};
/// Errc::refused with the cloud's own words when it does not want us, Errc::version when we cannot speak with
/// it.
[[nodiscard]] Result<CloudGreeting> decode_operator_welcome(const std::vector<char>& bytes);

} // namespace iris
