#include "cloud/admin/arguments.hpp"

#include <algorithm>

namespace iris {

Result<AdminArguments> AdminArguments::parse(const std::vector<std::string>& texts,
                                             const std::vector<std::string>& known) {
  AdminArguments result;
  for (const auto& text : texts) {
    auto equals = text.find('=');
    if (equals == std::string::npos) {
      result.plain.push_back(text);
      continue;
    }
    auto name = text.substr(0, equals);
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Error{Errc::invalid, "there is no option " + name};
    result.named[name].push_back(text.substr(equals + 1));
  }
  return result;
}

} // namespace iris
