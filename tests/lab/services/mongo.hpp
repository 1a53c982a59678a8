#pragma once
#include "tests/lab/services/server.hpp"
#include <atomic>

namespace iris::lab {

/// Stand-in for mongod 3.4: the wire protocol (OP_QUERY commands, OP_MSG, OP_INSERT) and the commands that
/// drivers and a dump use, over readings that are generated as they are asked for. No authentication, as
/// EdgeX of 2017 ran it.
class MongoStandIn {
public:
  [[nodiscard]] TcpServer::Handler handler();

private:
  struct Cursor {
    std::string ns;
    std::uint64_t next = 0;
  };
  void serve_message(Connection& connection, std::string_view message);
  std::string command(std::string_view document, std::string database, std::size_t documents_beside);
  std::string batch_reply(std::int64_t id, Cursor& cursor, std::int64_t wanted, const char* field);

  std::map<std::int64_t, Cursor> cursors_; ///< at most 64; the oldest goes
  std::int64_t next_cursor_ = 1;
  std::uint64_t inserted_ = 0;
};

/// What a Java driver of 2017 does: a connection kept, commands by OP_QUERY.
class MongoClient {
public:
  MongoClient(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}
  bool hello();
  bool insert(const std::string& database, const std::string& collection, const std::string& document);
  bool find(const std::string& database, const std::string& collection, std::int32_t limit);

private:
  bool run(const std::string& database, const std::string& command);

  std::string host_;
  std::uint16_t port_;
  std::int32_t next_request_ = 1;
  Socket socket_;
  std::mutex mutex_;
};

} // namespace iris::lab
