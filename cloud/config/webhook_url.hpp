#pragma once
#include "core/base/result.hpp"

#include <string>

namespace iris {

struct WebhookUrl {
  bool tls = false;
  std::string host, port, target;
};
/// "http://host[:port]/path" or "https://…"; no user and password in it.
[[nodiscard]] Result<WebhookUrl> parse_webhook_url(const std::string& url);

} // namespace iris
