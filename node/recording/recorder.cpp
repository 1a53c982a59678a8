#include "node/recording/recorder.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

namespace iris {

Result<std::shared_ptr<Recorder>> Recorder::start(const std::string& path, const RecordingLimits& limits) {
  auto writer = RecordingWriter::open(path, limits);
  if (!writer) return writer.error();
  if (!(*writer)->trouble().empty())
    spdlog::warn("{}: recording goes on behind the last whole frame", (*writer)->trouble());
  return std::shared_ptr<Recorder>{new Recorder{std::move(*writer)}};
}

Recorder::Recorder(std::unique_ptr<RecordingWriter> writer) : writer_{std::move(writer)} {
  figures_.bytes = writer_->bytes();
  thread_ = std::thread{[this] { run(); }};
}

void Recorder::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Recorder::put(FrameMoment moment, std::vector<EncodedFrame> frames) {
  const std::lock_guard lock{mutex_};
  latest_.at = std::max(latest_.at, moment.at);
  latest_.shift = moment.shift;
  if (!figures_.ended.empty()) return;
  for (auto& frame : frames) {
    if (queued_ + frame.size() > queue_limit || frame.size() > frame_limit) {
      ++figures_.lost.batches;
      continue;
    }
    queued_ += frame.size();
    queue_.push_back({moment, std::move(frame), 0});
  }
  changed_.notify_one();
}

void Recorder::take_packets(FrameMoment moment, const RecordedPackets& packets) {
  auto bytes = encode_frame(moment, packets);
  const auto count = packets.heads.size();
  const std::lock_guard lock{mutex_};
  if (!figures_.ended.empty()) return;
  if (queued_packets_ + bytes.size() > packet_queue_limit) {
    figures_.lost.packets += count;
    return;
  }
  queued_packets_ += bytes.size();
  queue_.push_back({moment, std::move(bytes), count});
  changed_.notify_one();
}

void Recorder::tick(FrameMoment moment) {
  {
    const std::lock_guard lock{mutex_};
    if (moment.at < latest_.at + tick_pace) return;
  }
  take(moment, RecordedTick{});
}

Recorder::Figures Recorder::figures() const {
  const std::lock_guard lock{mutex_};
  return figures_;
}

void Recorder::fail(const Error& error, FrameMoment moment) {
  {
    const std::lock_guard lock{mutex_};
    if (!figures_.ended.empty()) return;
    figures_.ended = error.message;
    queue_.clear();
    queued_ = queued_packets_ = 0;
  }
  if (error.code == Errc::limit)
    (void)writer_->append(encode_frame(moment, RecordedEnd{error.message}), true);
  spdlog::warn("nothing is recorded any more: {}", error.message);
}

void Recorder::write(Waiting&& waiting) {
  auto done = writer_->append(waiting.bytes);
  if (!done) return fail(done.error(), waiting.moment);
  const std::lock_guard lock{mutex_};
  figures_.bytes = writer_->bytes();
  if (waiting.packets != 0)
    figures_.packets += waiting.packets;
  else
    ++figures_.batches;
}

void Recorder::run() {
  using namespace std::chrono_literals;
  auto next_sync = std::chrono::steady_clock::now() + 1s;
  bool dirty = false;
  while (true) {
    std::deque<Waiting> taken;
    RecordedLoss lost;
    FrameMoment moment;
    bool stopping = false;
    {
      std::unique_lock lock{mutex_};
      changed_.wait_for(lock, 1s, [this] { return stopping_ || !queue_.empty(); });
      taken.swap(queue_);
      queued_ = queued_packets_ = 0;
      lost = {figures_.lost.batches - told_.batches, figures_.lost.packets - told_.packets};
      told_ = figures_.lost;
      moment = latest_;
      stopping = stopping_ && taken.empty();
    }
    dirty = dirty || !taken.empty();
    for (auto& waiting : taken)
      write(std::move(waiting));
    if (lost.batches + lost.packets != 0) {
      spdlog::warn("{} batches and {} packets could not be recorded: the disk does not keep up", lost.batches,
                   lost.packets);
      write({moment, encode_frame(moment, lost), 0});
    }
    if (stopping) break;
    if (!dirty || std::chrono::steady_clock::now() < next_sync) continue;
    if (auto done = writer_->sync(); !done) fail(done.error(), moment);
    next_sync = std::chrono::steady_clock::now() + 1s;
    dirty = false;
  }
  if (figures().ended.empty()) (void)writer_->append(encode_frame(latest_, RecordedEnd{"stopped"}), true);
  if (auto done = writer_->sync(); !done) fail(done.error(), latest_);
  const std::lock_guard lock{mutex_};
  figures_.bytes = writer_->bytes();
  if (figures_.ended.empty()) figures_.ended = "stopped";
}

} // namespace iris
