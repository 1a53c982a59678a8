#include "tests/lab/services/devices.hpp"
#include <arpa/inet.h>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace iris::lab {
namespace {

std::string tlv(char tag, const std::string& value) { // every length here is below 128
  return std::string{tag, static_cast<char>(value.size())} + value;
}

std::string object_identifier(const std::string& dotted) {
  std::istringstream parts(dotted);
  std::vector<unsigned> numbers;
  for (std::string part; std::getline(parts, part, '.');)
    numbers.push_back(static_cast<unsigned>(std::strtoul(part.c_str(), nullptr, 10)));
  std::string bytes(1, static_cast<char>(numbers.at(0) * 40 + numbers.at(1)));
  for (std::size_t i = 2; i < numbers.size(); ++i) {
    std::string group(1, static_cast<char>(numbers[i] & 0x7f));
    for (auto rest = numbers[i] >> 7; rest > 0; rest >>= 7)
      group.insert(group.begin(), static_cast<char>(rest | 0x80));
    bytes += group;
  }
  return tlv('\x06', bytes);
}

using Answer = std::string (*)(const std::string& request);

int answer_datagrams(const std::string& address, std::uint16_t port, Answer answer) {
  auto socket = bind_udp(address, port);
  if (!socket) {
    std::fprintf(stderr, "cannot bind udp %s:%u: %s\n", address.c_str(), port, std::strerror(errno));
    return 1;
  }
  char buffer[1500];
  for (;;) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto got =
        recvfrom(socket.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got <= 0) continue;
    const auto reply = answer(std::string(buffer, static_cast<std::size_t>(got)));
    if (!reply.empty())
      sendto(socket.get(), reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
  }
}

// BVLC original unicast, NPDU expecting a reply, confirmed request, ReadProperty, object and property 85.
std::string thermostat_answer(const std::string& request) {
  if (request.size() != 17 || request.compare(0, 4, std::string("\x81\x0a\0\x11", 4)) != 0 ||
      request[6] != '\0' || request[9] != '\x0c')
    return {};
  const float value = 18.0F + static_cast<float>(static_cast<unsigned char>(request[14]) % 16) * 0.5F;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  std::string reply("\x81\x0a\0\x17\x01\0\x30", 7);
  reply += request.substr(8, 1) + '\x0c' + request.substr(10, 7) + "\x3e\x44";
  for (int shift = 24; shift >= 0; shift -= 8)
    reply += static_cast<char>(bits >> shift);
  return reply + '\x3f';
}

constexpr std::pair<const char*, const char*> outside_names[] = {{"ingest.example.net", "198.51.100.10"},
                                                                 {"updates.example.net", "198.51.100.80"}};

std::string name_answer(const std::string& request) {
  if (request.size() < 17) return {};
  std::string name;
  std::size_t at = 12;
  while (at < request.size() && request[at] != 0) {
    const auto length = static_cast<unsigned char>(request[at]);
    if (length > 63 || at + 1 + length >= request.size()) return {};
    name += (name.empty() ? "" : ".") + request.substr(at + 1, length);
    at += 1U + length;
  }
  if (at + 5 > request.size()) return {};
  const auto question = request.substr(12, at + 5 - 12);
  const bool wants_address = request[at + 1] == 0 && request[at + 2] == 1;
  for (const auto& [known, address] : outside_names) {
    if (name != known) continue;
    in_addr parsed{};
    inet_pton(AF_INET, address, &parsed);
    auto reply = request.substr(0, 2) + std::string("\x81\x80\0\x01\0", 5) + (wants_address ? '\1' : '\0') +
                 std::string("\0\0\0\0", 4) + question;
    if (wants_address) // pointer to the name, A, IN, 60 s, 4 bytes
      reply += std::string("\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04", 12) +
               std::string(reinterpret_cast<const char*>(&parsed), 4);
    return reply;
  }
  return request.substr(0, 2) + std::string("\x81\x83\0\x01\0\0\0\0\0\0", 10) + question; // no such name
}

} // namespace

std::string snmp_get(const std::string& community, const std::string& object, std::uint8_t request_id) {
  const auto integer = [](int value) { return tlv('\x02', std::string(1, static_cast<char>(value))); };
  const auto binding = tlv('\x30', object_identifier(object) + std::string("\x05\0", 2));
  const auto request = integer(request_id & 0x7f) + integer(0) + integer(0) + tlv('\x30', binding);
  return tlv('\x30', integer(0) + tlv('\x04', community) + tlv('\xa0', request));
}

int run_thermostat(const std::string& address) { return answer_datagrams(address, 47808, thermostat_answer); }

int run_name_server(const std::string& address) { return answer_datagrams(address, 53, name_answer); }

} // namespace iris::lab
