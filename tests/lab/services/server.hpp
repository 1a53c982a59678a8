#pragma once
#include "tests/lab/services/net.hpp"
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace iris::lab {

/// One client of a TcpServer. A handler consumes `in` and appends to `out`.
struct Connection {
  Socket socket;
  std::string in, out;
  std::unique_ptr<char[]> footprint; ///< memory that the service spends on every connection
  std::chrono::steady_clock::time_point last_used;
  int stage = 0; ///< the handler's own
  bool close_after_reply = false;
};

struct ServerOptions {
  std::string address = "0.0.0.0";
  std::uint16_t port = 0;
  std::size_t footprint = 0; ///< bytes written once per connection, as a thread's stack and buffers would be
  Seconds idle_limit = Seconds{0}; ///< 0: never closed for being idle
  std::size_t max_connections = 20'000;
};

/// An epoll server in one thread: as many protocols as there are handlers.
class TcpServer {
public:
  using Handler = std::function<void(Connection&)>;

  TcpServer(ServerOptions options, Handler handler);

  /// False where the port cannot be had (the reason is printed).
  [[nodiscard]] bool start();
  /// Sends these bytes to every connection at this stage; from any thread.
  void broadcast(std::string bytes, int stage);

private:
  void run();
  void accept_all();
  void serve(int fd);
  void flush(Connection& connection);
  void drop_idle();
  void drain_broadcasts();

  ServerOptions options_;
  Handler handler_;
  Socket listener_, epoll_, wake_;
  std::map<int, Connection> connections_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, int>> pending_;
};

} // namespace iris::lab
