#include "core/link/identity.hpp"

#include <algorithm>

namespace iris {

namespace {

constexpr std::size_t longest_part = 64;
constexpr std::string_view scheme = "iris://";

Error refuse(std::string_view uri, const char* why) {
  // The text comes from a certificate: show a bounded, printable part of it.
  std::string shown{uri.substr(0, 160)};
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 32 || c > 126; }, '?');
  return {Errc::invalid, "identity \"" + shown + "\": " + why};
}

/// Cuts the text before the next '/' (or all of it) off the front of `rest`.
std::string_view next_part(std::string_view& rest) {
  auto slash = rest.find('/');
  auto part = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return part;
}

} // namespace

const char* to_string(Role role) {
  switch (role) {
  case Role::gateway:
    return "gateway";
  case Role::cloud:
    return "cloud";
  case Role::operator_:
    return "operator";
  }
  return "unknown";
}

bool valid_identity_part(std::string_view text) {
  return !text.empty() && text.size() <= longest_part && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

Result<Identity> parse_identity(std::string_view uri) {
  if (!uri.starts_with(scheme)) return refuse(uri, "does not start with iris://");
  auto rest = uri.substr(scheme.size());
  auto role = next_part(rest);
  Identity identity;
  if (role == "cloud") {
    identity.role = Role::cloud;
    identity.name = rest;
  } else if (role == "gateway") {
    identity.role = Role::gateway;
    identity.tenant = next_part(rest);
    identity.name = rest;
  } else if (role == "operator") {
    identity.role = Role::operator_;
    identity.tenant = next_part(rest);
    auto query = rest.find('?');
    if (query == std::string_view::npos) return refuse(uri, "an operator needs ?role=viewer or ?role=admin");
    auto rights = rest.substr(query);
    if (rights == "?role=admin") {
      identity.admin = true;
    } else if (rights != "?role=viewer") {
      return refuse(uri, "an operator's role is viewer or admin");
    }
    identity.name = rest.substr(0, query);
  } else {
    return refuse(uri, "the role is gateway, cloud or operator");
  }
  auto any_tenant = identity.role == Role::operator_ && identity.tenant == "*";
  if (identity.role != Role::cloud && !any_tenant && !valid_identity_part(identity.tenant))
    return refuse(uri, "the tenant must be 1 to 64 characters of a-z 0-9 . _ -");
  if (!valid_identity_part(identity.name))
    return refuse(uri, "the name must be 1 to 64 characters of a-z 0-9 . _ -");
  return identity;
}

std::string to_uri(const Identity& identity) {
  switch (identity.role) {
  case Role::cloud:
    return "iris://cloud/" + identity.name;
  case Role::gateway:
    return "iris://gateway/" + identity.tenant + "/" + identity.name;
  case Role::operator_:
    return "iris://operator/" + identity.tenant + "/" + identity.name +
           (identity.admin ? "?role=admin" : "?role=viewer");
  }
  return {};
}

} // namespace iris
