#include "core/link/token.hpp"

#include "core/base/hash.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace iris {

namespace {

constexpr std::string_view prefix = "iris1.";
constexpr std::size_t most_addresses = 16, longest_address = 255;
constexpr std::size_t hash_size = 32, checksum_size = 4;
constexpr std::size_t shortest_secret = 16, longest_secret = 64;
constexpr std::size_t longest_token = 8192;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void put_text(std::string& out, std::string_view text) {
  out.push_back(static_cast<char>(text.size()));
  out.append(text);
}

bool take(std::string_view& in, std::size_t count, std::string& out) {
  if (in.size() < count) return false;
  out = in.substr(0, count);
  in.remove_prefix(count);
  return true;
}

bool take_text(std::string_view& in, std::string& out) {
  if (in.empty()) return false;
  auto length = static_cast<unsigned char>(in.front());
  in.remove_prefix(1);
  return take(in, length, out);
}

Error damaged() {
  return {Errc::corrupt, "join token: damaged; copy the whole line that `iris-cloud token create` printed"};
}

} // namespace

std::string base64url(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 4 / 3 + 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (auto c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6)
      out.push_back(alphabet[bits >> (count - 6) & 63]);
  }
  if (count > 0) out.push_back(alphabet[bits << (6 - count) & 63]);
  return out;
}

Result<std::string> from_base64url(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (auto c : text) {
    auto value = alphabet.find(c);
    if (value == std::string_view::npos) return Error{Errc::invalid, "not base64url"};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count));
    }
  }
  if (count == 6 || (bits & ((1u << count) - 1)) != 0) return Error{Errc::invalid, "not base64url"};
  return out;
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, hash_size> hash{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), &length, EVP_sha256(), nullptr);
  return {hash.begin(), hash.begin() + length};
}

std::string secret_hash(std::string_view secret) { return to_hex(sha256(secret)); }

std::string format_token(const JoinToken& token) {
  std::string body;
  body.push_back(static_cast<char>(token.addresses.size()));
  for (const auto& address : token.addresses)
    put_text(body, address);
  body += token.fingerprint;
  put_text(body, token.secret);
  auto seconds = static_cast<std::uint64_t>(token.expires / second);
  for (int shift = 56; shift >= 0; shift -= 8)
    body.push_back(static_cast<char>(seconds >> shift));
  body += sha256(body).substr(0, checksum_size);
  return std::string{prefix} + base64url(body);
}

Result<JoinToken> parse_token(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return Error{Errc::invalid, "join token: empty"};
  text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
  if (text.size() > longest_token) return Error{Errc::invalid, "join token: too long to be one"};
  if (!text.starts_with(prefix)) {
    auto newer =
        text.size() > 6 && text.starts_with("iris") && text[4] >= '2' && text[4] <= '9' && text[5] == '.';
    if (newer) return Error{Errc::version, "join token: made by a newer cloud; upgrade iris-node"};
    return Error{Errc::invalid,
                 "join token: does not start with \"iris1.\"; it is the line that `iris-cloud token "
                 "create` printed"};
  }
  auto decoded = from_base64url(text.substr(prefix.size()));
  if (!decoded || decoded->size() < checksum_size) return damaged();
  auto body = std::string_view{*decoded}.substr(0, decoded->size() - checksum_size);
  if (sha256(body).substr(0, checksum_size) != std::string_view{*decoded}.substr(body.size()))
    return damaged();
  JoinToken token;
  if (body.empty()) return damaged();
  auto count = static_cast<unsigned char>(body.front());
  body.remove_prefix(1);
  if (count == 0 || count > most_addresses) return damaged();
  for (unsigned i = 0; i < count; ++i) {
    std::string address;
    if (!take_text(body, address) || address.empty()) return damaged();
    token.addresses.push_back(std::move(address));
  }
  std::string expires;
  if (!take(body, hash_size, token.fingerprint) || !take_text(body, token.secret) ||
      !take(body, 8, expires) || !body.empty() || token.secret.size() < shortest_secret ||
      token.secret.size() > longest_secret)
    return damaged();
  std::uint64_t seconds = 0;
  for (auto c : expires)
    seconds = seconds << 8 | static_cast<unsigned char>(c);
  constexpr std::uint64_t latest = 9'000'000'000; // keeps nanoseconds within 63 bits: year 2255
  token.expires = static_cast<Timestamp>(std::min(seconds, latest)) * second;
  return token;
}

bool expired(const JoinToken& token, Timestamp now) { return now >= token.expires; }

} // namespace iris
