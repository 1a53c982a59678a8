#include "cloud/notify/sink.hpp"
#include "core/base/hash.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace iris {
namespace {

/// PRINTUSASCII without spaces, at most `limit` characters; "-" for nothing (RFC 5424 section 6).
std::string header_text(const std::string& text, std::size_t limit) {
  std::string out;
  for (unsigned char c : text) {
    if (out.size() == limit) break;
    out += c > 0x20 && c < 0x7f ? char(c) : '_';
  }
  return out.empty() ? "-" : out;
}

/// Value of a structured data parameter: quote, backslash and bracket are escaped.
std::string parameter(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
  return out;
}

} // namespace

std::string webhook_signature(const std::string& secret, const std::string& body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), int(secret.size()), reinterpret_cast<const unsigned char*>(body.data()),
       body.size(), digest.data(), &length);
  return "sha256=" + to_hex(std::string_view{reinterpret_cast<const char*>(digest.data()), length});
}

std::string syslog_frame(const Alert& alert) {
  // Facility local0 (16); critical, error, warning, notice and informational of RFC 5424.
  static constexpr std::array<int, 5> severities{6, 5, 4, 3, 2};
  const auto priority = 16 * 8 + severities[std::size_t(alert.finding.severity)];
  auto message = "<" + std::to_string(priority) + ">1 " + rfc3339(alert.received) + " " +
                 header_text(alert.gateway, 255) + " iris - " + header_text(alert.finding.detector, 32) +
                 " [iris@32473 id=\"" + parameter(alert.id) + "\" revision=\"" +
                 std::to_string(alert.revision) + "\"] " + to_cef(alert);
  return std::to_string(message.size()) + " " + message;
}

} // namespace iris
