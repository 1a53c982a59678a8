#include "tests/lab/services/mongo.hpp"
#include "tests/lab/services/bson.hpp"
#include <cstring>

namespace iris::lab {
namespace {

// Op codes of the wire protocol (mongodb.com/docs/manual/reference/mongodb-wire-protocol).
enum : std::int32_t { op_reply = 1, op_insert = 2002, op_query = 2004, op_msg = 2013 };
constexpr std::size_t header_bytes = 16;
constexpr std::size_t max_message = 1 << 20;
constexpr std::size_t max_cursors = 64;
constexpr std::size_t max_batch_bytes = 1 << 20;
constexpr std::int64_t first_batch = 101;
constexpr std::int64_t created = 1'508'400'000'000; // 2017-10-19, milliseconds

struct Collection {
  const char* ns;
  std::uint64_t documents;
};
// About 25 MB of readings and events, as a gateway has after a few weeks.
constexpr Collection collections[] = {{"coredata.event", 24'000},    {"coredata.reading", 96'000},
                                      {"metadata.addressable", 12},  {"metadata.device", 2},
                                      {"metadata.deviceProfile", 2}, {"notifications.notification", 20},
                                      {"logging.logEntry", 400}};

std::uint64_t documents_in(const std::string& ns) {
  for (const auto& collection : collections)
    if (ns == collection.ns) return collection.documents;
  return 0;
}

std::string document_of(const std::string& ns, std::uint64_t number) {
  static constexpr const char* names[] = {"Temperature", "Humidity", "CoolingPoint", "HeatingPoint"};
  Bson document;
  const auto at = created + static_cast<std::int64_t>(number) * 7'500;
  document.add_object_id("_id", static_cast<std::uint32_t>(at / 1000), number)
      .add("_class", "org.edgexfoundry." + ns);
  if (ns == "coredata.reading")
    document.add("name", names[number % 4])
        .add("value", std::to_string(20 + number % 7) + "." + std::to_string(number % 10))
        .add("device", "KMC-BAC-121036CE 10.77.0.21");
  else
    document.add("device", "KMC-BAC-121036CE 10.77.0.21").add("readings", static_cast<std::int32_t>(4));
  return document.add("pushed", std::int64_t{0})
      .add("created", at)
      .add("modified", at)
      .add("origin", at)
      .done();
}

template <class T>
T read_at(std::string_view bytes, std::size_t offset) {
  T value{};
  if (offset + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string int32s(std::initializer_list<std::int32_t> values) {
  std::string bytes;
  for (const auto value : values)
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

std::string framed(std::int32_t request, std::int32_t response_to, std::int32_t op, const std::string& body) {
  return int32s({static_cast<std::int32_t>(header_bytes + body.size()), request, response_to, op}) + body;
}

std::string query(std::int32_t request, const std::string& database, const std::string& command) {
  return framed(request, 0, op_query, int32s({0}) + database + ".$cmd" + '\0' + int32s({0, -1}) + command);
}

std::string hello_reply() {
  return Bson{}
      .add("ismaster", true)
      .add("maxBsonObjectSize", 16'777'216)
      .add("maxMessageSizeBytes", 48'000'000)
      .add("maxWriteBatchSize", 1000)
      .add_date("localTime", created)
      .add("maxWireVersion", 6)
      .add("minWireVersion", 0)
      .add("readOnly", false)
      .add("ok", 1.0)
      .done();
}

std::string array_of_documents(const std::vector<std::string>& documents) {
  Bson array;
  for (std::size_t i = 0; i < documents.size(); ++i)
    array.add_document(std::to_string(i), documents[i]);
  return array.done();
}

std::string databases_reply() {
  std::vector<std::string> names;
  std::int64_t total = 0;
  for (const char* name : {"coredata", "logging", "metadata", "notifications"}) {
    const std::int64_t size = std::strcmp(name, "coredata") == 0 ? 25'000'000 : 83'000;
    total += size;
    names.push_back(
        Bson{}.add("name", name).add("sizeOnDisk", static_cast<double>(size)).add("empty", false).done());
  }
  return Bson{}
      .add_array("databases", array_of_documents(names))
      .add("totalSize", static_cast<double>(total))
      .add("ok", 1.0)
      .done();
}

std::string collections_reply(const std::string& database) {
  std::vector<std::string> found;
  for (const auto& collection : collections) {
    const std::string_view ns = collection.ns;
    if (ns.starts_with(database + "."))
      found.push_back(Bson{}.add("name", ns.substr(database.size() + 1)).add("type", "collection").done());
  }
  const auto cursor = Bson{}
                          .add("id", std::int64_t{0})
                          .add("ns", database + ".$cmd.listCollections")
                          .add_array("firstBatch", array_of_documents(found))
                          .done();
  return Bson{}.add_document("cursor", cursor).add("ok", 1.0).done();
}

} // namespace

TcpServer::Handler MongoStandIn::handler() {
  return [this](Connection& connection) {
    while (connection.in.size() >= header_bytes) {
      const auto length = read_at<std::int32_t>(connection.in, 0);
      if (length < static_cast<std::int32_t>(header_bytes) ||
          static_cast<std::size_t>(length) > max_message) {
        connection.in.clear();
        connection.close_after_reply = true;
        return;
      }
      if (connection.in.size() < static_cast<std::size_t>(length)) return;
      const auto message = connection.in.substr(0, static_cast<std::size_t>(length));
      connection.in.erase(0, message.size());
      serve_message(connection, message);
    }
  };
}

void MongoStandIn::serve_message(Connection& connection, std::string_view message) {
  const auto request = read_at<std::int32_t>(message, 4);
  const auto op = read_at<std::int32_t>(message, 12);
  auto body = message.substr(header_bytes);
  if (op == op_insert) {
    ++inserted_;
  } else if (op == op_query && body.size() > 12) {
    const auto name_end = body.find('\0', 4);
    if (name_end == std::string_view::npos || name_end + 9 > body.size()) return;
    const std::string ns(body.substr(4, name_end - 4));
    const auto reply = command(body.substr(name_end + 9), ns.substr(0, ns.find('.')), 0);
    connection.out +=
        framed(0, request, op_reply, int32s({8, 0, 0, 0, 1}) + reply); // flags, cursor id, from, number
  } else if (op == op_msg && body.size() > 5) {
    const auto flags = read_at<std::uint32_t>(body, 0);
    body.remove_prefix(4);
    std::string_view document;
    std::size_t beside = 0;
    while (body.size() > 5) {
      const char kind = body[0];
      const auto size = read_at<std::uint32_t>(body, 1);
      if (kind == 0)
        document = body.substr(1);
      else
        ++beside; // a sequence of documents, as inserts carry
      if (size < 5 || size + 1 > body.size()) break;
      body.remove_prefix(size + 1);
    }
    const auto reply = command(document, BsonReader(document).text("$db"), beside);
    if ((flags & 2) == 0) // moreToCome: no answer wanted
      connection.out += framed(0, request, op_msg, int32s({0}) + '\0' + reply);
  } else {
    connection.close_after_reply = true;
  }
}

std::string MongoStandIn::command(std::string_view document, std::string database,
                                  std::size_t documents_beside) {
  const BsonReader asked(document);
  const auto name = asked.first_name();
  if (name == "isMaster" || name == "ismaster" || name == "hello") return hello_reply();
  if (name == "listDatabases") return databases_reply();
  if (name == "listCollections") return collections_reply(database);
  if (name == "buildInfo" || name == "buildinfo") return Bson{}.add("version", "3.4.9").add("ok", 1.0).done();
  if (name == "count")
    return Bson{}
        .add("n", static_cast<std::int32_t>(documents_in(database + "." + asked.text(name))))
        .add("ok", 1.0)
        .done();
  if (name == "insert") {
    const auto count = std::max(documents_beside, asked.elements("documents"));
    inserted_ += count;
    return Bson{}.add("n", static_cast<std::int32_t>(count)).add("ok", 1.0).done();
  }
  if (name == "find") {
    if (cursors_.size() >= max_cursors) cursors_.erase(cursors_.begin());
    const auto id = next_cursor_++;
    auto& cursor = cursors_[id] = Cursor{database + "." + asked.text(name)};
    const auto limit = asked.integer("limit");
    auto reply =
        batch_reply(id, cursor, limit > 0 ? limit : asked.integer("batchSize", first_batch), "firstBatch");
    if (limit > 0) cursors_.erase(id);
    return reply;
  }
  if (name == "getMore") {
    const auto found = cursors_.find(asked.integer(name));
    if (found == cursors_.end())
      return Bson{}.add("ok", 0.0).add("errmsg", "cursor not found").add("code", 43).done();
    return batch_reply(found->first, found->second, asked.integer("batchSize", 1'000'000), "nextBatch");
  }
  for (const char* accepted :
       {"ping", "createUser", "getLastError", "getlasterror", "killCursors", "endSessions"})
    if (name == accepted) return Bson{}.add("ok", 1.0).done();
  return Bson{}.add("ok", 0.0).add("errmsg", "no such command: '" + name + "'").add("code", 59).done();
}

std::string MongoStandIn::batch_reply(std::int64_t id, Cursor& cursor, std::int64_t wanted,
                                      const char* field) {
  const auto ns = cursor.ns;
  const auto total = documents_in(ns);
  std::vector<std::string> documents;
  std::size_t bytes = 0;
  while (cursor.next < total && static_cast<std::int64_t>(documents.size()) < wanted &&
         bytes < max_batch_bytes) {
    documents.push_back(document_of(ns, cursor.next++));
    bytes += documents.back().size();
  }
  const bool finished = cursor.next >= total;
  if (finished) cursors_.erase(id); // `cursor` is gone from here on
  const auto body = Bson{}
                        .add("id", finished ? std::int64_t{0} : id)
                        .add("ns", ns)
                        .add_array(field, array_of_documents(documents))
                        .done();
  return Bson{}.add_document("cursor", body).add("ok", 1.0).done();
}

bool MongoClient::hello() { return run("admin", Bson{}.add("isMaster", 1).done()); }

bool MongoClient::insert(const std::string& database, const std::string& collection,
                         const std::string& document) {
  return run(database,
             Bson{}.add("insert", collection).add_array("documents", array_of_documents({document})).done());
}

bool MongoClient::find(const std::string& database, const std::string& collection, std::int32_t limit) {
  return run(database, Bson{}.add("find", collection).add("limit", limit).done());
}

bool MongoClient::run(const std::string& database, const std::string& command) {
  const std::lock_guard lock(mutex_);
  if (!socket_) {
    socket_ = dial(host_, port_);
    std::string greeting;
    if (!socket_ ||
        !send_all(socket_.get(), query(next_request_++, "admin", Bson{}.add("isMaster", 1).done())) ||
        !receive_exactly(socket_.get(), 4, greeting) ||
        !receive_exactly(socket_.get(),
                         std::min<std::size_t>(read_at<std::uint32_t>(greeting, 0), max_message) - 4,
                         greeting)) {
      socket_.reset();
      return false;
    }
  }
  std::string reply;
  if (send_all(socket_.get(), query(next_request_++, database, command)) &&
      receive_exactly(socket_.get(), 4, reply)) {
    const auto length = read_at<std::uint32_t>(reply, 0);
    if (length >= header_bytes && length <= 2 * max_message &&
        receive_exactly(socket_.get(), length - 4, reply))
      return true;
  }
  socket_.reset();
  return false;
}

} // namespace iris::lab
