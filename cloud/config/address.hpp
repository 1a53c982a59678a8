#pragma once
#include "core/base/result.hpp"

#include <string>

namespace iris {

/// HOST:PORT or [IPv6]:PORT that others connect to: a name or an address of one machine, port 1 to 65535.
[[nodiscard]] Result<void> check_public_address(const std::string& text);
/// ADDRESS:PORT to listen on: a numeric address port 0 to 65535.
[[nodiscard]] Result<void> check_listen_address(const std::string& text);
/// Whether only this machine itself can reach it.
[[nodiscard]] bool is_local_address(const std::string& text);

} // namespace iris
