#include "tests/lab/services/messaging.hpp"
#include <cerrno>

namespace iris::lab {
namespace zmtp {
namespace {

constexpr std::size_t greeting_bytes = 64;
constexpr std::size_t max_message = 1 << 20;

std::string greeting(bool server) {
  std::string bytes("\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL", 16);
  bytes.resize(greeting_bytes, '\0');
  bytes[32] = server ? '\1' : '\0';
  return bytes;
}

std::string ready(std::string_view socket_type) {
  std::string body = "\x05READY";
  body +=
      std::string("\x0bSocket-Type", 12) + std::string("\0\0\0", 3) + static_cast<char>(socket_type.size());
  body += socket_type;
  return std::string("\x04", 1) + static_cast<char>(body.size()) + body;
}

// Bytes of the whole frame at the front, 0 while it is not all there; `payload` is what it holds.
std::size_t take_frame(std::string_view in, std::string_view& payload) {
  if (in.size() < 2) return 0;
  std::size_t length = static_cast<unsigned char>(in[1]), head = 2;
  if ((in[0] & 2) != 0) {
    if (in.size() < 9) return 0;
    length = 0;
    for (int i = 1; i <= 8; ++i)
      length = length << 8 | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
    head = 9;
  }
  if (length > max_message || in.size() < head + length) return 0;
  payload = in.substr(head, length);
  return head + length;
}

} // namespace

std::string frame(std::string_view message) {
  std::string head;
  if (message.size() < 256) {
    head = std::string(1, '\0') + static_cast<char>(message.size());
  } else {
    head = "\x02";
    for (int shift = 56; shift >= 0; shift -= 8)
      head += static_cast<char>(message.size() >> shift);
  }
  return head + std::string(message);
}

TcpServer::Handler publisher() {
  return [](Connection& connection) {
    if (connection.stage == 0) {
      if (connection.in.size() < greeting_bytes) return;
      connection.in.erase(0, greeting_bytes);
      connection.out += greeting(true) + ready("PUB");
      connection.stage = 1;
    }
    std::string_view payload;
    while (const auto bytes = take_frame(connection.in, payload)) {
      if (connection.in[0] == '\0' && payload.starts_with('\1')) connection.stage = subscribed;
      connection.in.erase(0, bytes);
    }
  };
}

void subscribe(const std::string& host, std::uint16_t port,
               const std::function<void(const std::string&)>& on_message) {
  auto socket = dial(host, port);
  std::string in;
  if (!socket || !send_all(socket.get(), greeting(false) + ready("SUB") + frame(std::string_view("\1", 1))) ||
      !receive_exactly(socket.get(), greeting_bytes, in))
    return;
  in.clear();
  for (int silent = 0; silent < 60;) { // a read gives up after 5 s; five minutes without a message end it
    const auto before = in.size();
    errno = 0;
    if (!receive_some(socket.get(), in) && (errno != EAGAIN || in.size() != before)) return;
    silent = in.size() == before ? silent + 1 : 0;
    std::string_view payload;
    while (const auto bytes = take_frame(in, payload)) {
      if ((in[0] & 4) == 0) on_message(std::string(payload));
      in.erase(0, bytes);
    }
  }
}

} // namespace zmtp

namespace mqtt {
namespace {

std::string text(std::string_view value) {
  return std::string{static_cast<char>(value.size() >> 8), static_cast<char>(value.size())} +
         std::string(value);
}

std::string packet(unsigned char kind, const std::string& body) {
  std::string head(1, static_cast<char>(kind));
  auto length = body.size();
  do {
    head += static_cast<char>(length % 128 | (length >= 128 ? 0x80 : 0));
    length /= 128;
  } while (length > 0);
  return head + body;
}

} // namespace

TcpServer::Handler broker() {
  return [](Connection& connection) {
    auto& in = connection.in;
    for (;;) {
      std::size_t length = 0, head = 1;
      int shift = 0;
      for (;; shift += 7) {
        if (in.size() <= head || shift > 21) return;
        const auto byte = static_cast<unsigned char>(in[head++]);
        length |= static_cast<std::size_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) break;
      }
      if (in.size() < head + length) return;
      const auto kind = static_cast<unsigned char>(in[0]);
      const std::string_view body = std::string_view(in).substr(head, length);
      if (kind == 0x10)
        connection.out += std::string("\x20\x02\0\0", 4);
      else if (kind == 0xc0)
        connection.out += std::string("\xd0\0", 2);
      else if (kind == 0xe0)
        connection.close_after_reply = true;
      else if ((kind & 0xf6) == 0x32 && body.size() >= 4) { // PUBLISH, quality of service 1
        const auto topic = static_cast<std::size_t>(static_cast<unsigned char>(body[0]) << 8 |
                                                    static_cast<unsigned char>(body[1]));
        if (body.size() >= topic + 4)
          connection.out += std::string("\x40\x02", 2) + std::string(body.substr(topic + 2, 2));
      }
      in.erase(0, head + length);
    }
  };
}

bool Client::connect() {
  if (socket_) return true;
  socket_ = dial(host_, port_);
  std::string answer;
  const auto hello =
      text("MQTT") + std::string("\x04\x02\0\x0a", 4) + text(id_); // clean session, keep-alive 10 s
  if (socket_ && send_all(socket_.get(), packet(0x10, hello)) && receive_exactly(socket_.get(), 4, answer))
    return true;
  socket_.reset();
  return false;
}

bool Client::publish(const std::string& topic, const std::string& payload) {
  const std::lock_guard lock(mutex_);
  if (!connect()) return false;
  const auto id = next_packet_++;
  std::string answer;
  const auto body = text(topic) + std::string{static_cast<char>(id >> 8), static_cast<char>(id)} + payload;
  if (send_all(socket_.get(), packet(0x32, body)) && receive_exactly(socket_.get(), 4, answer)) return true;
  socket_.reset();
  return false;
}

void Client::keep_alive() {
  const std::lock_guard lock(mutex_);
  std::string answer;
  if (socket_ &&
      (!send_all(socket_.get(), std::string("\xc0\0", 2)) || !receive_exactly(socket_.get(), 2, answer)))
    socket_.reset();
}

void Client::disconnect() {
  const std::lock_guard lock(mutex_);
  if (socket_) (void)send_all(socket_.get(), std::string("\xe0\0", 2));
  socket_.reset();
}

} // namespace mqtt
} // namespace iris::lab
