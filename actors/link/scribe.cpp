#include "actors/link/scribe.hpp"

#include <caf/io/network/multiplexer.hpp>

namespace iris {

namespace {

/// Above every number that a file descriptor can have: CAF makes handles of those.
std::int64_t next_handle() {
  static std::atomic<std::int64_t> last{std::int64_t{1} << 40};
  return ++last;
}

} // namespace

Scribe::Scribe(caf::io::network::multiplexer& multiplexer, std::shared_ptr<ScribeSink> sink)
    : caf::io::scribe(caf::io::connection_handle::from_int(next_handle())),
      multiplexer_{multiplexer}, sink_{std::move(sink)} {}

void Scribe::deliver(std::string frames) {
  multiplexer_.post([self = ScribePtr{this}, bytes = std::move(frames)]() mutable {
    if (self->offset_ == self->inwards_.size()) {
      self->inwards_ = std::move(bytes);
      self->offset_ = 0;
    } else {
      self->inwards_.append(bytes);
    }
    self->pump();
  });
}

void Scribe::end() {
  multiplexer_.post([self = ScribePtr{this}] {
    auto sink = std::exchange(self->sink_, nullptr);
    if (sink) self->io_failure(&self->multiplexer_, caf::io::network::operation::read);
  });
}

void Scribe::configure_read(caf::io::receive_policy::config config) {
  wanted_ = config.second;
  // What arrived before the broker was ready waits in inwards_; never call back from within.
  if (pumping_) return;
  multiplexer_.post([self = ScribePtr{this}] {
    self->pump();
    // The peer was gone before the broker took us: tell it now.
    if (!self->sink_ && !self->detached())
      self->io_failure(&self->multiplexer_, caf::io::network::operation::read);
  });
}

void Scribe::ack_writes(bool) {
  // nop: nobody asks
}
void Scribe::add_to_loop() {
  // nop: no descriptor
}
void Scribe::remove_from_loop() {
  // nop: no descriptor
}

void Scribe::flush() {
  if (outwards_.empty()) return;
  auto frames = std::exchange(outwards_, {});
  if (sink_) sink_->from_caf(std::move(frames));
}

void Scribe::graceful_shutdown() {
  if (auto sink = std::exchange(sink_, nullptr)) sink->caf_closed();
  detach(&multiplexer_, false);
}

void Scribe::pump() {
  if (pumping_) return;
  pumping_ = true;
  // All scribes of a thread share what a frame needs: a frame of 1 MiB must not stay allocated in every idle
  // connection.
  static thread_local std::vector<char> shared_piece;
  piece_.swap(shared_piece);
  auto start = offset_;
  while (sink_ && wanted_ > 0 && inwards_.size() - offset_ >= wanted_) {
    auto size = wanted_;
    piece_.assign(inwards_.begin() + std::ptrdiff_t(offset_),
                  inwards_.begin() + std::ptrdiff_t(offset_ + size));
    offset_ += size;
    if (!consume(&multiplexer_, piece_.data(), size)) break;
  }
  auto taken = offset_ - start;
  if (offset_ == inwards_.size()) {
    inwards_ = {};
    offset_ = 0;
  }
  piece_.swap(shared_piece);
  pumping_ = false;
  if (sink_ && taken > 0) sink_->caf_took(taken);
}

} // namespace iris
