#pragma once
#include "core/base/time.hpp"
#include "core/inventory/posture_book.hpp"
#include "node/sources/docker_source.hpp"

#include <map>
#include <mutex>
#include <string>

namespace iris {

/// The PostureBook on this gateway's disk (`containers` in the data folder), so that a restart tells nothing
/// again. Any thread. What was told and not yet written when the power went is told once more, and meets the
/// same alert.
class PostureKeeper {
public:
  explicit PostureKeeper(std::string path); ///< "": what was said is forgotten at the end

  void set_day(Duration day);
  /// Fills in what is to be told of the container now.
  void note(ContainerReport& report);
  /// Every few seconds: counts the time and writes what is new.
  void tick();
  /// For the shell: all that can be said of the containers now, told or not. JSON.
  [[nodiscard]] std::string describe(const std::map<std::string, ContainerFacts>& containers);

private:
  void write();

  std::string path_;
  std::mutex mutex_;
  PostureBook book_;
  Duration day_ = TimeScale{}.day;
  Timestamp last_tick_ = 0, written_at_ = 0; ///< of the monotonic clock
  std::uint64_t written_ = 0;
  bool complained_ = false;
};

} // namespace iris
