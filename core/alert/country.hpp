#pragma once
#include <string>
#include <string_view>

namespace iris {

/// English short name of an ISO 3166-1 alpha-2 code in either case; the code itself where it is not assigned.
[[nodiscard]] std::string country_name(std::string_view alpha2);

} // namespace iris
