#pragma once
#include "core/base/time.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace iris {

/// Makes a capture that every analyst's tool reads (pcapng, draft-ietf-opsawg-pcapng): packets of several
/// interfaces, times in nanoseconds. Bytes only; where they go is the caller's.
class PcapngWriter {
public:
  static constexpr std::size_t interface_limit = 1'024; ///< interfaces of one capture

  /// The start of the capture; before everything else.
  void begin(std::string& out, std::string_view made_by) const;
  /// Appends one packet, and its interface where it is the first of it.
  /// @param interface name; packets of the same name and link layer belong together
  /// @returns false, and appends nothing, for an interface too many.
  bool packet(std::string& out, std::string_view interface, int link, Timestamp at, std::uint32_t wire_length,
              std::span<const char> captured);

private:
  std::map<std::pair<std::string, int>, std::uint32_t, std::less<>> interfaces_;
};

} // namespace iris
