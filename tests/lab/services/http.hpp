#pragma once
#include "tests/lab/services/server.hpp"

namespace iris::lab {

struct Request {
  std::string method, path, body;
};
struct Response {
  int status = 200;
  std::string body;
  const char* type = "application/json";
};

/// HTTP/1.1 with keep-alive and Content-Length bodies, no more.
[[nodiscard]] TcpServer::Handler http_handler(std::function<Response(const Request&)> route);

/// A client that keeps its connection for so many requests, as a JVM's connection pool does; 1 = a new one
/// each time.
class HttpClient {
public:
  HttpClient(std::string host, std::uint16_t port, int requests_per_connection = 20)
      : host_(std::move(host)), port_(port), limit_(requests_per_connection) {}

  /// Status 0 where no answer came.
  Response request(const std::string& method, const std::string& path, const std::string& body = {});

private:
  bool exchange(const std::string& text, Response& response);

  std::string host_;
  std::uint16_t port_;
  int limit_, used_ = 0;
  Socket socket_;
  std::mutex mutex_;
};

} // namespace iris::lab
