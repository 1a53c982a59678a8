#include "shell/greeting.hpp"

#include "core/link/protocol.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fmt/format.h>
#include <kj/exception.h>

#include <cstring>

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
  if (bytes.empty() || bytes.size() % 8 != 0 || bytes.size() > welcome_limit)
    return Error{Errc::corrupt, "the cloud's welcome does not decode"};
  auto words = kj::heapArray<capnp::word>(bytes.size() / 8);
  std::memcpy(words.asBytes().begin(), bytes.data(), bytes.size());
  capnp::ReaderOptions options;
  options.traversalLimitInWords = words.size() + 64;
  options.nestingLimit = 8;
  try {
    capnp::FlatArrayMessageReader reader{words, options};
    const auto root = reader.getRoot<schema::Welcome>();
    if (const auto refusal = bounded(root.getRefusal()); !refusal.empty())
      return Error{Errc::refused, "the cloud refused: " + refusal};
    CloudGreeting greeting{bounded(root.getVersion())};
    if (root.getProtocolMajor() != link_major)
      return Error{Errc::version,
                   fmt::format("the cloud (version {}) speaks another protocol; upgrade the older of both",
                               greeting.version)};
    return greeting;
  } catch (const kj::Exception&) {
    return Error{Errc::corrupt, "the cloud's welcome does not decode"};
  }
}

} // namespace iris
