#include "shell/greeting.hpp"

#include "core/base/capnp_reader.hpp"
#include "core/link/protocol.hpp"
#include "schemas/link.capnp.h"

#include <fmt/format.h>

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t welcome_limit = 64 * 1024;
constexpr std::size_t text_limit = 512;

std::string bounded(capnp::Text::Reader text) {
  return {text.cStr(), std::min<std::size_t>(text.size(), text_limit)};
}

} // namespace

std::vector<char> encode_operator_hello(const std::string& version) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Hello>();
  root.setProtocolMajor(link_major);
  root.setProtocolMinor(link_minor);
  root.setVersion(version);
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

Result<CloudGreeting> decode_operator_welcome(const std::vector<char>& bytes) {
  return read_message<schema::Welcome>(
      bytes, {welcome_limit}, "the cloud's welcome",
      [](schema::Welcome::Reader root) -> Result<CloudGreeting> {
        if (const auto refusal = bounded(root.getRefusal()); !refusal.empty())
          return Error{Errc::refused, "the cloud refused: " + refusal};
        CloudGreeting greeting{bounded(root.getVersion())};
        if (const auto why =
                version_refusal(root.getProtocolMajor(), root.getProtocolMinor(), "the cloud", "this shell");
            !why.empty())
          return Error{Errc::version, fmt::format("{} (it is iris-cloud {})", why, greeting.version)};
        return greeting;
      });
}

} // namespace iris
