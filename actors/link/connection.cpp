#include "actors/link/connection.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace iris {

namespace asio = boost::asio;

namespace {

constexpr std::size_t feed_at_a_time = 16 * 1024; ///< what the memory BIO holds at most, per connection
constexpr int reads_per_turn = 8;                 ///< then others on this thread have theirs
constexpr std::size_t to_caf_at_a_time = 256 * 1024;
constexpr std::size_t kept_between_ticks = 256 * 1024; ///< of the buffer for ciphertext
constexpr std::size_t kept_when_idle = 4096;

std::string address_of(const Connection::Socket& socket) {
  boost::system::error_code failure;
  auto end = socket.remote_endpoint(failure);
  return failure ? "unknown" : end.address().to_string() + ":" + std::to_string(end.port());
}

} // namespace

Connection::Connection(std::uint64_t id, PumpThread& thread, Socket socket, SslPtr ssl,
                       const LinkTiming& timing, ConnectionOwner& owner, ConnectionCounters& counters)
    : id_{id}, thread_{thread}, socket_{std::move(socket)}, tls_{std::move(ssl)}, timing_{timing},
      owner_{owner}, counters_{counters}, remote_{address_of(socket_)} {}

void Connection::start() {
  last_in_ = last_beat_ = Clock::now();
  deadline_ = last_in_ + timing_.handshake;
  thread_.add(shared_from_this());
  boost::system::error_code failure;
  socket_.non_blocking(true, failure);
  socket_.set_option(asio::ip::tcp::no_delay{true}, failure);
  if (failure) return close({CloseCause::peer_closed, Violation::none, failure.message()});
  // A client speaks first. A server waits for a byte before TLS takes its buffers: a stranger that says
  // nothing costs little.
  if (!SSL_is_server(tls_.ssl()) && !tls_.handshake())
    return close({CloseCause::tls, Violation::none, tls_.error()});
  flush();
  await_readable();
}

void Connection::begin_link(GuardOptions options) {
  guard_.emplace(std::move(options));
  mode_ = Mode::link;
}

void Connection::begin_line() { mode_ = Mode::line; }

void Connection::attach(ScribePtr scribe) {
  if (mode_ == Mode::closed) return scribe->end();
  scribe_ = std::move(scribe);
  mode_ = Mode::link;
  last_in_ = Clock::now();
  if (take_frames()) await_readable();
}

void Connection::await_readable() {
  if (mode_ == Mode::closed || mode_ == Mode::held || reading_ || paused_ || stalled_since_) return;
  reading_ = true;
  socket_.async_wait(Socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& failure) {
                       self->reading_ = false;
                       if (failure)
                         return self->close({CloseCause::peer_closed, Violation::none, failure.message()});
                       self->on_readable();
                     });
}

void Connection::on_readable() {
  static thread_local std::array<char, feed_at_a_time> buffer;
  for (int turn = 0;
       turn < reads_per_turn && mode_ != Mode::closed && mode_ != Mode::held && !paused_ && !stalled_since_;
       ++turn) {
    auto count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (count < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) break;
      return close({CloseCause::peer_closed, Violation::none, std::generic_category().message(errno)});
    }
    if (count == 0) return close({CloseCause::peer_closed, Violation::none, "end of stream"});
    // Single bytes of a frame that never ends are no sign of life.
    if (in_since_ += std::size_t(count); in_since_ >= least_progress) came_in();
    counters_.bytes_in += std::uint64_t(count);
    if (!take({buffer.data(), std::size_t(count)})) return;
  }
  to_caf();
  if (under_way_ > max_inwards) paused_ = true;
  await_readable();
}

/// False when the connection is closed.
bool Connection::take(std::string_view cipher) {
  tls_.feed(cipher);
  if (mode_ == Mode::handshake) {
    auto good = tls_.handshake();
    flush(); // also the alert that says why it failed
    if (mode_ == Mode::closed) return false;
    if (!good) {
      close({CloseCause::tls, Violation::none, tls_.error()});
      return false;
    }
    if (!tls_.established()) return true;
    mode_ = Mode::idle;
    owner_.on_established(shared_from_this());
  }
  for (;;) {
    if (mode_ == Mode::closed) return false;
    std::string_view plain;
    switch (tls_.read(plain)) {
    case TlsStream::Read::data:
      if (!take_plain(plain)) return false;
      break;
    case TlsStream::Read::more:
      flush();
      return mode_ != Mode::closed;
    case TlsStream::Read::closed:
      close({CloseCause::peer_closed, Violation::none, "closed by the peer"});
      return false;
    case TlsStream::Read::failed:
      close({CloseCause::tls, Violation::none, tls_.error()});
      return false;
    }
  }
}

bool Connection::take_plain(std::string_view plain) {
  if (mode_ == Mode::line) {
    line_.append(plain);
    if (line_.size() > largest_enrolment) {
      close({CloseCause::limit, Violation::none, "enrolment of more than 8 KiB"});
      return false;
    }
    if (auto end = line_.find('\n'); end != std::string::npos) {
      auto line = line_.substr(0, end);
      line_.clear();
      mode_ = Mode::idle; // one line a connection: more is an error
      owner_.on_line(shared_from_this(), std::move(line));
    }
    return mode_ != Mode::closed;
  }
  if (mode_ != Mode::link && mode_ != Mode::held) {
    close({CloseCause::violation, Violation::order, "speaks out of turn"});
    return false;
  }
  reader_.feed(plain);
  return mode_ == Mode::held || take_frames();
}

bool Connection::take_frames() {
  while (mode_ == Mode::link) {
    if (guard_->crowded()) { // what was read already waits in reader_; resume() comes back here
      if (!stalled_since_) stalled_since_ = Clock::now();
      break;
    }
    Frame frame;
    auto status = reader_.next(frame);
    if (status == FrameReader::Status::more) break;
    if (status == FrameReader::Status::oversized) {
      close({CloseCause::violation, Violation::oversized,
             std::to_string(frame.header.payload_length) + " bytes"});
      return false;
    }
    ++counters_.frames_in;
    came_in();
    if (!judge(frame)) return false;
  }
  to_caf();
  return mode_ != Mode::closed;
}

void Connection::came_in() {
  last_in_ = Clock::now();
  in_since_ = 0;
}

bool Connection::judge(const Frame& frame) {
  auto named = guard_->peer_node() != nullptr;
  auto verdict = guard_->inward(frame);
  switch (verdict.action) {
  case Guard::Inward::pass:
    inwards_.append(frame.bytes);
    if (inwards_.size() >= to_caf_at_a_time) to_caf();
    if (!named && guard_->peer_node() && !scribe_) {
      mode_ = Mode::held;
      owner_.on_node(shared_from_this(), *guard_->peer_node());
    }
    break;
  case Guard::Inward::absorb:
    break;
  case Guard::Inward::ping:
    send_plain(heartbeat_frame(heartbeat_pong));
    break;
  case Guard::Inward::pong:
    owner_.on_pong(shared_from_this());
    break;
  case Guard::Inward::goodbye:
    if (!said_goodbye_) {
      auto known = verdict.code <= std::uint64_t(CloseCause::unreachable);
      auto cause = known ? CloseCause(verdict.code) : CloseCause::peer_closed;
      said_goodbye_ = CloseReason{cause, Violation::none, "said by the peer"};
    }
    break;
  case Guard::Inward::violation:
    close({CloseCause::violation, verdict.violation, std::move(verdict.detail)});
    return false;
  }
  return mode_ != Mode::closed;
}

void Connection::to_caf() {
  if (!scribe_ || inwards_.empty()) return;
  under_way_ += inwards_.size();
  scribe_->deliver(std::exchange(inwards_, {}));
}

void Connection::caf_took(std::size_t bytes) {
  auto left = under_way_ -= bytes;
  // Only the step over the threshold wakes the reader; a second wake is harmless.
  if (left > max_inwards / 4 || left + bytes <= max_inwards / 4) return;
  asio::post(thread_.io(), [self = shared_from_this()] {
    if (!self->paused_) return;
    self->paused_ = false;
    self->on_readable();
  });
}

void Connection::caf_closed() { post_close({CloseCause::local, Violation::none, "closed by CAF"}); }

void Connection::post_close(CloseReason reason) {
  asio::post(thread_.io(), [self = shared_from_this(), reason = std::move(reason)] { self->close(reason); });
}

void Connection::from_caf(std::vector<char> frames) {
  // Nothing is kept for one that is let go.
  if (posted_ + frames.size() > max_buffered)
    return post_close({CloseCause::slow, Violation::none, "more waits for it than it may"});
  posted_ += frames.size();
  *buffered_ += frames.size();
  asio::post(thread_.io(), [self = shared_from_this(), frames = std::move(frames)] {
    self->posted_ -= frames.size();
    if (self->mode_ == Mode::closed) {
      *self->buffered_ = self->posted_ + self->unsent();
      return;
    }
    self->send_frames({frames.data(), frames.size()});
    *self->buffered_ = self->posted_ + self->unsent();
    if (self->stalled_since_ && !self->guard_->crowded()) self->resume();
  });
}

/// Frames that stay as they are leave in one piece, without a copy.
void Connection::send_frames(std::string_view frames) {
  std::size_t begin = 0, end = 0;
  while (frames.size() - end >= frame_header_size) {
    auto header = decode_header(frames.data() + end);
    auto size = frame_header_size + std::size_t(header.payload_length);
    if (frames.size() - end < size) break;
    ++counters_.frames_out;
    std::string rewritten;
    auto outward = guard_->outward({header, frames.substr(end, size)}, rewritten);
    if (outward != Guard::Outward::pass) {
      send_plain(frames.substr(begin, end - begin));
      if (outward == Guard::Outward::rewritten) send_plain(rewritten);
      if (outward == Guard::Outward::drop) ++counters_.frames_dropped;
      begin = end + size;
    }
    end += size;
  }
  send_plain(frames.substr(begin, end - begin));
}

/// Answers have gone out: takes what waits, then reads on.
void Connection::resume() {
  if (mode_ == Mode::closed) return;
  stalled_since_.reset();
  if (take_frames()) await_readable();
}

void Connection::send_plain(std::string_view plain) {
  if (mode_ == Mode::closed || plain.empty()) return;
  // In pieces, so that the memory BIO stays small.
  while (!plain.empty()) {
    auto piece = plain.substr(0, feed_at_a_time);
    if (!tls_.write(piece)) return close({CloseCause::tls, Violation::none, tls_.error()}, false);
    tls_.drain(out_);
    plain.remove_prefix(piece.size());
  }
  flush();
}

void Connection::write_line(std::string line) { send_plain(line + "\n"); }

void Connection::send_line(std::string line) {
  close_when_sent_ = true;
  write_line(std::move(line));
}

void Connection::ping() {
  if (guard_ && scribe_) send_plain(heartbeat_frame(heartbeat_ping));
}

void Connection::flush() {
  if (mode_ == Mode::closed) return;
  tls_.drain(out_);
  while (unsent() > 0) {
    auto count = ::send(socket_.native_handle(), out_.data() + sent_, unsent(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      return close({CloseCause::peer_closed, Violation::none, std::generic_category().message(errno)}, false);
    }
    counters_.bytes_out += std::uint64_t(count);
    sent_ += std::size_t(count);
    if (taken_since_ += std::size_t(count); taken_since_ >= least_progress) slow_since_.reset();
  }
  *buffered_ = posted_ + unsent();
  if (unsent() == 0) {
    out_.clear();
    if (out_.capacity() > kept_between_ticks) out_.shrink_to_fit();
    sent_ = 0;
    slow_since_.reset();
    if (close_when_sent_) close({CloseCause::local, Violation::none, answered});
    return;
  }
  if (sent_ > max_buffered / 4) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  // Also what TLS answers by itself (key updates) ends here.
  if (unsent() + posted_ > max_buffered)
    return close({CloseCause::slow, Violation::none, "more than 4 MiB wait for it"}, false);
  if (!slow_since_) {
    slow_since_ = Clock::now();
    taken_since_ = 0;
  }
  if (writing_) return;
  writing_ = true;
  socket_.async_wait(Socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& failure) {
                       self->writing_ = false;
                       if (!failure) self->flush();
                     });
}

void Connection::tick(Clock::time_point now) {
  if (mode_ == Mode::closed) return;
  if (out_.empty() && out_.capacity() > kept_when_idle) out_.shrink_to_fit();
  if (!scribe_) {
    if (now > deadline_) close({CloseCause::deadline, Violation::none, "not admitted in time"});
    return;
  }
  if (slow_since_ && now - *slow_since_ > timing_.slow)
    return close({CloseCause::slow, Violation::none, "does not take what it is sent"}, false);
  // While we do not read, silence is ours.
  if (stalled_since_ && now - *stalled_since_ > timing_.stalled)
    return close({CloseCause::violation, Violation::unanswered,
                  std::to_string(guard_->unanswered()) + " messages under way, and none of them answered"});
  if (paused_ || stalled_since_) last_in_ = now;
  if (now - last_in_ > timing_.silence) return close({CloseCause::silent, Violation::none, "no heartbeat"});
  if (now - last_beat_ >= timing_.heartbeat) {
    last_beat_ = now;
    send_plain(heartbeat_frame(heartbeat_plain));
  }
}

void Connection::close(CloseReason reason, bool goodbye) {
  if (mode_ == Mode::closed) return;
  auto self = shared_from_this();
  // When both speak of the end, the one that knows the reason is believed.
  if (reason.cause == CloseCause::peer_closed && said_goodbye_) reason = *said_goodbye_;
  if (goodbye && tls_.established() && unsent() == 0) {
    // One attempt; what the socket does not take at once is lost.
    if (guard_ && reason.cause != CloseCause::peer_closed &&
        tls_.write(heartbeat_frame(heartbeat_goodbye + std::uint64_t(reason.cause))))
      tls_.drain(out_);
    tls_.close_notify();
    tls_.drain(out_);
    auto count = ::send(socket_.native_handle(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)count;
  }
  to_caf(); // what was judged good before the end is still delivered, in order
  mode_ = Mode::closed;
  finish();
  owner_.on_closed(self, reason);
}

void Connection::finish() {
  boost::system::error_code ignored;
  // Unread data would turn our farewell into a reset.
  socket_.shutdown(Socket::shutdown_send, ignored);
  char sink[4096];
  for (int i = 0; i < 64 && ::recv(socket_.native_handle(), sink, sizeof sink, MSG_DONTWAIT) > 0; ++i) {
  }
  socket_.close(ignored);
  if (auto scribe = std::exchange(scribe_, nullptr)) scribe->end();
  out_ = {};
  sent_ = 0;
  thread_.remove(shared_from_this());
}

} // namespace iris
