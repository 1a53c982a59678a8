#pragma once
#include "node/recording/recording_file.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace iris {

/// Writes what reaches the router to a recording, in a thread of its own, and brings it to disk once a
/// second. What it is given from any thread is encoded there and waits in a queue; what does not fit is not
/// recorded, and the recording says how much that was.
class Recorder {
public:
  static constexpr std::size_t queue_limit = 16U << 20;        ///< bytes that wait, packets left out
  static constexpr std::size_t packet_queue_limit = 16U << 20; ///< bytes of packets that wait
  static constexpr Duration tick_pace = 10 * second;           ///< a quiet time is told this often

  struct Figures {
    std::uint64_t batches = 0, packets = 0, bytes = 0; ///< recorded; bytes of the file
    RecordedLoss lost;                                 ///< since the start
    std::string ended;                                 ///< why nothing is written any more; empty while it is
  };

  [[nodiscard]] static Result<std::shared_ptr<Recorder>> start(const std::string& path,
                                                               const RecordingLimits& limits);
  ~Recorder() { finish(); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  template <class What>
  void take(FrameMoment moment, const What& what) {
    if constexpr (requires { encode_frames(moment, what); })
      put(moment, encode_frames(moment, what));
    else
      put(moment, {encode_frame(moment, what)});
  }
  void take_packets(FrameMoment moment, const RecordedPackets& packets);
  /// Writes all that waits, and that this is the end; nothing is taken any more.
  void finish();
  /// Says that time passes where nothing else does.
  void tick(FrameMoment moment);
  [[nodiscard]] Figures figures() const;

private:
  struct Waiting {
    FrameMoment moment;
    EncodedFrame bytes;
    std::uint64_t packets = 0; ///< 0: a batch
  };

  explicit Recorder(std::unique_ptr<RecordingWriter> writer);
  void put(FrameMoment moment, std::vector<EncodedFrame> frames);
  void run();
  void write(Waiting&& waiting);
  void fail(const Error& error, FrameMoment moment);

  std::unique_ptr<RecordingWriter> writer_; ///< the thread's only
  RecordedLoss told_;                       ///< the thread's only
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> queue_;
  std::size_t queued_ = 0, queued_packets_ = 0; ///< bytes
  Figures figures_;
  FrameMoment latest_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace iris
