#include "cloud/config/webhook_url.hpp"
#include "actors/link/endpoint.hpp"
#include "cloud/config/address.hpp"

namespace iris {

Result<WebhookUrl> parse_webhook_url(const std::string& url) {
  WebhookUrl result;
  std::string rest;
  if (url.rfind("https://", 0) == 0) {
    result.tls = true;
    rest = url.substr(8);
  } else if (url.rfind("http://", 0) == 0) {
    rest = url.substr(7);
  } else {
    return Error{Errc::invalid, "a webhook needs url = \"http://...\" or \"https://...\""};
  }
  auto slash = rest.find_first_of("/?");
  auto authority = rest.substr(0, slash);
  result.target = slash == std::string::npos ? "/" : rest.substr(slash);
  if (result.target.front() == '?') result.target = "/" + result.target;
  if (authority.find('@') != std::string::npos)
    return Error{Errc::invalid, "a webhook's address must not hold a password; use secret"};
  auto bracket = authority.find(']');
  auto colon = authority.rfind(':');
  if (colon == std::string::npos || (bracket != std::string::npos && colon < bracket))
    authority += result.tls ? ":443" : ":80";
  auto endpoint = parse_endpoint(authority);
  if (!endpoint || endpoint->port == 0 || result.target.find_first_of(" \r\n") != std::string::npos)
    return Error{Errc::invalid,
                 "url \"" + url.substr(0, 200) +
                     "\" is not an address of a webhook; write http://HOST[:PORT]/PATH or https://..."};
  if (auto good = check_public_address(authority); !good) return good.error();
  result.host = endpoint->host;
  result.port = std::to_string(endpoint->port);
  return result;
}

} // namespace iris
