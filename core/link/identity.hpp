#pragma once
#include "core/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace iris {

/// What a certificate lets its holder be.
enum class Role : std::uint8_t { gateway, cloud, operator_ };
[[nodiscard]] const char* to_string(Role role); ///< "gateway", "cloud", "operator"

/// Who is at the other end of the link: the URI subject alternative name of its certificate, and nothing
/// else.
struct Identity {
  Role role = Role::gateway;
  std::string tenant; ///< empty for cloud; "*" only for operators: all tenants
  std::string name;   ///< gateway id, shard or operator name
  bool admin = false; ///< operators only
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// A part of an identity: 1 to 64 characters of [a-z0-9._-].
[[nodiscard]] bool valid_identity_part(std::string_view text);

/// Reads `iris://gateway/<tenant>/<id>`, `iris://cloud/<shard>` or
/// `iris://operator/<tenant>/<name>?role=viewer|admin`, byte for byte as to_uri() writes them.
[[nodiscard]] Result<Identity> parse_identity(std::string_view uri);
[[nodiscard]] std::string to_uri(const Identity& identity);

} // namespace iris
