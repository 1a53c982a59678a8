#pragma once
#include "actors/link/pump.hpp"

#include "actors/link/link.hpp"
#include "actors/link/scribe.hpp"
#include "actors/link/tls_stream.hpp"
#include "core/link/guard.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace iris {

/// Why a connection for one question ends when its answer is sent.
inline constexpr const char* answered = "answered";

class Connection;

/// Counters that connections of one end share.
struct ConnectionCounters {
  std::atomic<std::uint64_t> bytes_in{0}, bytes_out{0}, frames_in{0}, frames_out{0}, frames_dropped{0};
};

/// What a connection tells the end that it belongs to; on the connection's thread.
class ConnectionOwner {
public:
  virtual ~ConnectionOwner() = default;
  /// TLS is up. The owner calls begin_link() or begin_line(), or closes.
  virtual void on_established(const std::shared_ptr<Connection>& connection) = 0;
  /// Server: the peer named its node; nothing more is read until attach().
  virtual void on_node(const std::shared_ptr<Connection>& connection, const NodeId& node) = 0;
  /// A line of the enrolment dialogue, without its end.
  virtual void on_line(const std::shared_ptr<Connection>& connection, std::string line) = 0;
  virtual void on_pong(const std::shared_ptr<Connection>& connection) = 0;
  virtual void on_closed(const std::shared_ptr<Connection>& connection, const CloseReason& reason) = 0;
};

/// One TCP connection with TLS, the guard, and a scribe of CAF at its other end. Lives on one PumpThread;
/// only what says so may be called from other threads.
class Connection final : public std::enable_shared_from_this<Connection>, public ScribeSink {
public:
  using Socket = boost::asio::ip::tcp::socket;
  using Clock = std::chrono::steady_clock;

  Connection(std::uint64_t id, PumpThread& thread, Socket socket, SslPtr ssl, const LinkTiming& timing,
             ConnectionOwner& owner, ConnectionCounters& counters);

  void start();
  void begin_link(GuardOptions options);
  void begin_line();
  void attach(ScribePtr scribe);
  void send_line(std::string line); ///< closes after it was sent
  void write_line(std::string line);
  void ping();
  void tick(Clock::time_point now);
  /// `goodbye`: tell the peer why, if there is a link to tell it by.
  void close(CloseReason reason, bool goodbye = true);

  /// From any thread.
  void post_close(CloseReason reason);
  void from_caf(std::vector<char> frames) override;
  void caf_took(std::size_t bytes) override;
  void caf_closed() override;

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const std::string& remote() const { return remote_; }
  [[nodiscard]] PumpThread& thread() { return thread_; }
  [[nodiscard]] TlsStream& tls() { return tls_; }
  [[nodiscard]] bool closed() const { return mode_ == Mode::closed; }
  /// Bytes from CAF that the socket has not taken; may be read from any thread.
  [[nodiscard]] std::shared_ptr<const std::atomic<std::size_t>> buffered() const { return buffered_; }
  [[nodiscard]] const Guard* guard() const { return guard_ ? &*guard_ : nullptr; }

private:
  enum class Mode { handshake, idle, link, held, line, closed };

  void await_readable();
  void on_readable();
  bool take(std::string_view cipher);
  bool take_plain(std::string_view plain);
  bool take_frames();
  bool judge(const Frame& frame);
  void to_caf();
  void send_plain(std::string_view plain);
  void send_frames(std::string_view frames);
  void flush();
  void finish();
  void resume();
  void came_in();
  [[nodiscard]] std::size_t unsent() const { return out_.size() - sent_; }

  std::uint64_t id_;
  PumpThread& thread_;
  Socket socket_;
  TlsStream tls_;
  const LinkTiming& timing_;
  ConnectionOwner& owner_;
  ConnectionCounters& counters_;
  std::string remote_;
  Mode mode_ = Mode::handshake;
  std::optional<Guard> guard_;
  FrameReader reader_;
  ScribePtr scribe_;
  std::string inwards_; ///< frames that CAF gets next
  std::string line_;
  std::string out_; ///< ciphertext
  std::size_t sent_ = 0;
  std::atomic<std::size_t> posted_{0}; ///< bytes from CAF on their way to this thread
  std::shared_ptr<std::atomic<std::size_t>> buffered_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::size_t in_since_ = 0;              ///< bytes since last_in_
  std::size_t taken_since_ = 0;           ///< bytes that the peer took since slow_since_
  std::atomic<std::size_t> under_way_{0}; ///< bytes that CAF has not taken yet
  bool reading_ = false, paused_ = false, writing_ = false, close_when_sent_ = false;
  std::optional<CloseReason> said_goodbye_;
  Clock::time_point deadline_, last_in_, last_beat_;
  std::optional<Clock::time_point> slow_since_;
  std::optional<Clock::time_point> stalled_since_; ///< the guard is crowded: nothing is read
};

} // namespace iris
