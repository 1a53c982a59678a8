#pragma once
#include "core/base/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace iris {

/// Arguments of an administrative question: plain ones and name=value pairs, of which only `known` names are
/// taken.
struct AdminArguments {
  std::vector<std::string> plain;
  std::map<std::string, std::vector<std::string>> named;

  [[nodiscard]] static Result<AdminArguments> parse(const std::vector<std::string>& texts,
                                                    const std::vector<std::string>& known);
  [[nodiscard]] std::string get(const std::string& name, const std::string& otherwise) const {
    auto found = named.find(name);
    return found == named.end() ? otherwise : found->second.back();
  }
};

} // namespace iris
