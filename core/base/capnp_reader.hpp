#pragma once
#include "core/base/printable.hpp"
#include "core/base/result.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>
#include <kj/exception.h>

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

namespace iris {

/// What a message from somewhere else may cost. For sources: this header is heavy.
struct ReadLimits {
  std::size_t bytes = 0; ///< the largest message
  unsigned visits = 1;   ///< how often each of its words may be read: more than once is amplification
  int nesting = 8;       ///< lists in structs in lists
};

/// One line: Cap'n Proto puts bytes of the message into its own.
inline std::string description(const kj::Exception& exception) {
  return printable(exception.getDescription().cStr(), 256);
}

/// Calls `read` with the root of the message, and gives its Result; damage and what is beyond a limit become
/// an Error that begins with `what`.
template <class Struct, class Read>
auto read_message(std::span<const char> bytes, const ReadLimits& limits, const char* what, Read read)
    -> std::invoke_result_t<Read, typename Struct::Reader> {
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0 || bytes.size() > limits.bytes)
    return Error{Errc::corrupt,
                 std::string{what} + " is damaged: its length is " + std::to_string(bytes.size())};
  auto words =
      kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word)); // aligned, which bytes need not be
  std::memcpy(words.asBytes().begin(), bytes.data(), bytes.size());
  capnp::ReaderOptions options;
  options.traversalLimitInWords = limits.visits * words.size() + 64;
  options.nestingLimit = limits.nesting;
  try {
    capnp::FlatArrayMessageReader reader{words, options};
    return read(reader.template getRoot<Struct>());
  } catch (const kj::Exception& exception) {
    return Error{Errc::corrupt, std::string{what} + " is damaged: " + description(exception)};
  }
}

/// Bytes of exactly that many; false, and nothing taken, where they are not.
template <std::size_t Size>
bool take_bytes(capnp::Data::Reader from, std::array<char, Size>& to) {
  if (from.size() != Size) return false;
  std::memcpy(to.data(), from.begin(), Size);
  return true;
}

} // namespace iris
