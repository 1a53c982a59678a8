#include "tests/lab/services/http.hpp"
#include <cstdlib>
#include <strings.h>

namespace iris::lab {
namespace {

constexpr std::size_t max_body = 512 * 1024;

std::size_t content_length(std::string_view head) {
  for (std::size_t at = 0; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    constexpr std::string_view name = "content-length:";
    if (end - at > name.size() && strncasecmp(head.data() + at, name.data(), name.size()) == 0)
      return std::strtoul(std::string(head.substr(at + name.size(), end - at - name.size())).c_str(), nullptr,
                          10);
    at = end + 2;
  }
  return 0;
}

std::string render(const Response& response) {
  const char* reason = response.status < 300 ? "OK" : response.status == 404 ? "Not Found" : "Error";
  return "HTTP/1.1 " + std::to_string(response.status) + " " + reason +
         "\r\nServer: Apache-Coyote/1.1\r\nContent-Type: " + response.type +
         "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
}

} // namespace

TcpServer::Handler http_handler(std::function<Response(const Request&)> route) {
  return [route = std::move(route)](Connection& connection) {
    for (;;) {
      const auto head_end = connection.in.find("\r\n\r\n");
      if (head_end == std::string::npos) return;
      const auto head = std::string_view(connection.in).substr(0, head_end);
      const auto length = content_length(head);
      if (length > max_body) {
        connection.out += render({413, "too long"});
        connection.close_after_reply = true;
        return;
      }
      if (connection.in.size() < head_end + 4 + length) return;
      Request request;
      const auto first_space = head.find(' ');
      const auto second_space = head.find(' ', first_space + 1);
      if (first_space == std::string_view::npos || second_space == std::string_view::npos) {
        connection.out += render({400, "not HTTP"});
        connection.close_after_reply = true;
        return;
      }
      request.method = head.substr(0, first_space);
      request.path = head.substr(first_space + 1, second_space - first_space - 1);
      connection.close_after_reply = head.find("Connection: close") != std::string_view::npos;
      request.body = connection.in.substr(head_end + 4, length);
      connection.in.erase(0, head_end + 4 + length);
      connection.out += render(route(request));
    }
  };
}

Response HttpClient::request(const std::string& method, const std::string& path, const std::string& body) {
  const std::lock_guard lock(mutex_);
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: " + host_ + ":" + std::to_string(port_) +
                     "\r\nUser-Agent: Java/1.8.0_131\r\nAccept: application/json\r\n";
  if (limit_ <= 1) text += "Connection: close\r\n";
  if (!body.empty() || method == "POST")
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n" + body;

  const bool reused = static_cast<bool>(socket_);
  Response response;
  if (exchange(text, response)) return response;
  // The other side may have closed a connection that was idle: once more on a new one.
  if (reused && exchange(text, response)) return response;
  return {0, {}};
}

bool HttpClient::exchange(const std::string& text, Response& response) {
  if (!socket_) {
    socket_ = dial(host_, port_);
    used_ = 0;
  }
  std::string in;
  const auto fail = [this] {
    socket_.reset();
    return false;
  };
  if (!socket_ || !send_all(socket_.get(), text)) return fail();
  std::size_t head_end = std::string::npos;
  while ((head_end = in.find("\r\n\r\n")) == std::string::npos)
    if (in.size() > max_body || !receive_some(socket_.get(), in)) return fail();
  const auto length = content_length(std::string_view(in).substr(0, head_end));
  while (in.size() < head_end + 4 + length)
    if (length > max_body || !receive_some(socket_.get(), in)) return fail();
  response.status = in.size() > 12 ? std::atoi(in.c_str() + 9) : 0;
  response.body = in.substr(head_end + 4, length);
  if (++used_ >= limit_) socket_.reset();
  return response.status != 0;
}

} // namespace iris::lab
