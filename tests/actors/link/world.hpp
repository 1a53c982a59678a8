#pragma once
#include "actors/link/client.hpp"
#include "actors/link/server.hpp"
#include "tests/fixtures/link/raw_peer.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace linktest {

struct Ping {
  std::uint64_t number = 0;
  std::vector<char> bytes;
};
struct Pong {
  std::uint64_t number = 0;
  std::vector<char> bytes;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Ping& x) {
  return f(caf::meta::type_name("ping"), x.number, x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Pong& x) {
  return f(caf::meta::type_name("pong"), x.number, x.bytes);
}

} // namespace linktest

CAF_BEGIN_TYPE_ID_BLOCK(linktest, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(linktest, (linktest::Ping))
CAF_ADD_TYPE_ID(linktest, (linktest::Pong))
CAF_ADD_ATOM(linktest, linktest, whisper_atom, "whisper")
CAF_END_TYPE_ID_BLOCK(linktest)

/// Two ends of a link in one process over real TLS on loopback, and peers that do not keep to the rules.
namespace linktest {

using namespace std::chrono_literals;

/// Things that happened on other threads, to be waited for.
template <class T>
class Happened {
public:
  void add(T what) {
    std::lock_guard lock{mutex_};
    all_.push_back(std::move(what));
    changed_.notify_all();
  }
  /// Takes the oldest that fits; false when none came in time.
  bool wait(T& what, std::function<bool(const T&)> fits = {}, std::chrono::milliseconds patience = 5s) {
    std::unique_lock lock{mutex_};
    auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      for (auto i = all_.begin(); i != all_.end(); ++i)
        if (!fits || fits(*i)) {
          what = *i;
          all_.erase(i);
          return true;
        }
      if (changed_.wait_until(lock, until) == std::cv_status::timeout) return false;
    }
  }
  std::size_t size() {
    std::lock_guard lock{mutex_};
    return all_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> all_;
};

struct Config : caf::actor_system_config {
  Config();
};

/// A certificate authority in a directory of its own, and files for whoever it knows.
struct Authority {
  std::string directory;
  Authority();
  ~Authority();
  iris::TlsFiles cloud(const std::string& shard = "shard-0");
  iris::TlsFiles give(const iris::Identity& identity); ///< one certificate per identity and authority
  std::string serial_of(const iris::Identity& identity);
};

struct Closed {
  iris::ConnectionInfo info;
  iris::CloseReason reason;
};

/// The cloud's end: a session actor per connection that answers Ping with Pong.
struct Cloud {
  Config config;
  caf::actor_system system;
  Happened<iris::ConnectionInfo> opened;
  Happened<Closed> closed, alarms;
  Happened<std::string> lines; ///< of the log
  std::atomic<std::uint64_t> pings{0};
  std::unique_ptr<iris::LinkServer> server;

  explicit Cloud(const iris::TlsFiles& files, std::function<void(iris::LinkServerOptions&)> change = {},
                 iris::EnrolHandler enrol = {});
  ~Cloud();
  std::string address() const;
  std::uint64_t counter(const std::string& name) const;

private:
  std::mutex mutex_;
  std::map<std::uint64_t, caf::actor> sessions_;
};

struct Up {
  caf::strong_actor_ptr session;
  iris::Identity server;
};

struct Node {
  Config config;
  caf::actor_system system;
  caf::scoped_actor self;
  Happened<Up> up;
  Happened<iris::CloseReason> down, failed;
  std::unique_ptr<iris::LinkClient> client;

  Node(const iris::TlsFiles& files, std::vector<std::string> addresses,
       std::function<void(iris::LinkClientOptions&)> change = {});
  ~Node();
  /// The session, or null when no connection came about in time.
  caf::actor connect();
  /// The answer's number, or the error's text.
  std::string ping(const caf::actor& session, std::uint64_t number, std::size_t bytes = 3);
};

iris::NodeId random_node(caf::actor_system& system);

iris::Identity gateway(const std::string& name);

} // namespace linktest
