#include "node/sources/proc_net.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace iris {
namespace {

bool hex(std::string_view text, std::uint32_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

/// "0100007F:1F90": words of the address as the machine holds them, the port as people write it.
bool parse_end(std::string_view text, IpAddress& address, std::uint16_t& port) {
  const auto colon = text.find(':');
  if (colon != 8 && colon != 32) return false;
  std::uint32_t number = 0;
  if (!hex(text.substr(colon + 1), number) || number > 0xffff) return false;
  port = std::uint16_t(number);
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t at = 0; at < colon; at += 8) {
    if (!hex(text.substr(at, 8), number)) return false;
    std::memcpy(bytes.data() + at / 2, &number, 4);
  }
  if (colon == 8)
    address = IpAddress::v4(std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 |
                            std::uint32_t(bytes[2]) << 8 | bytes[3]);
  else
    address.bytes = bytes;
  return true;
}

std::string_view next_word(std::string_view& line) {
  const auto begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

} // namespace

std::vector<ProcSocket> parse_proc_net(std::string_view file, std::uint8_t protocol, std::size_t limit) {
  std::vector<ProcSocket> out;
  while (!file.empty() && out.size() < limit) {
    const auto end = std::min(file.find('\n'), file.size());
    auto line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
    std::array<std::string_view, 10> words;
    for (auto& word : words)
      word = next_word(line);
    ProcSocket socket;
    socket.protocol = protocol;
    std::uint32_t state = 0;
    const auto& inode = words[9];
    if (!parse_end(words[1], socket.local, socket.local_port) ||
        !parse_end(words[2], socket.remote, socket.remote_port) || !hex(words[3], state) || inode.empty() ||
        std::from_chars(inode.data(), inode.data() + inode.size(), socket.inode).ec != std::errc{})
      continue;
    socket.state = std::uint8_t(state);
    out.push_back(socket);
  }
  return out;
}

bool awaits_callers(const ProcSocket& socket) {
  constexpr std::uint16_t first_chosen = 32'768, bacnet_first = 47'808, bacnet_last = 47'823;
  constexpr std::uint8_t listens = 10, unconnected = 7;
  if (socket.local_port == 0) return false;
  if (socket.protocol == 6) return socket.state == listens;
  return socket.protocol == 17 && socket.state == unconnected && socket.remote_port == 0 &&
         (socket.local_port < first_chosen ||
          (socket.local_port >= bacnet_first && socket.local_port <= bacnet_last));
}

} // namespace iris
