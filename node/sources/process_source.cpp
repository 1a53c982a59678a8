#include "node/sources/process_source.hpp"

#include "node/sources/node_clock.hpp"
#include "node/sources/process_attribution.hpp"
#include "node/sources/process_bpf.hpp"
#include "node/sources/process_connector.hpp"
#include "node/sources/process_poll.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace iris {
namespace {

constexpr int gather_ms = 4;  ///< events are gathered for so long while there are any
constexpr int settle_ms = 10; ///< the last look before a sleep without end
constexpr Duration tell_every = second, tell_unseen_every = 60 * second;
constexpr std::size_t command_limit = 8192;

std::int64_t clock_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t(now.tv_sec) * second + now.tv_nsec;
}

class Source final : public ProcessSource {
public:
  Source(const ProcessSourceOptions& options, ProcessSourceSinks sinks, std::unique_ptr<ProcessSensor> sensor,
         std::string fallback)
      : options_{options}, sinks_{std::move(sinks)}, sensor_{std::move(sensor)}, fallback_{std::move(
                                                                                     fallback)},
        attribution_{options.table_limit}, wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    thread_ = std::thread{[this] { run(); }};
    ::pthread_setname_np(thread_.native_handle(), "iris-process");
  }

  ~Source() override {
    stop_ = true;
    nudge();
    thread_.join();
    ::close(wake_);
  }

  void container_started(const ContainerFacts& facts) override { command({Command::started, facts, {}}); }
  void container_stopped(const ContainerFacts& facts) override { command({Command::stopped, facts, {}}); }
  void container_gone(const std::string& id) override { command({Command::gone, {}, id}); }
  const char* sensor() const override { return sensor_->name(); }

  ProcessSourceStatistics statistics() const override {
    std::lock_guard guard{lock_};
    return shown_;
  }

private:
  struct Command {
    enum Kind : std::uint8_t { started, stopped, gone } kind;
    ContainerFacts facts; ///< not of gone
    std::string id;       ///< of gone
  };

  void command(Command what) {
    {
      std::lock_guard guard{lock_};
      if (commands_.size() >= command_limit) {
        ++commands_dropped_; // far more than there are containers: the source's thread stands still
        return;
      }
      commands_.push_back(std::move(what));
    }
    nudge();
  }

  void nudge() {
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
  }

  /// Waits for a nudge, for the sensor if `with_sensor`, or for the time to pass (-1: for ever).
  void wait(int milliseconds, bool with_sensor) {
    pollfd fds[2] = {{wake_, POLLIN, 0}, {sensor_->descriptor(), POLLIN, 0}};
    if (::poll(fds, with_sensor ? 2 : 1, milliseconds) > 0 && (fds[0].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      (void)!::read(wake_, &count, sizeof count);
    }
  }

  void run_commands() {
    std::vector<Command> commands;
    std::uint64_t dropped = 0;
    {
      std::lock_guard guard{lock_};
      commands.swap(commands_);
      dropped = std::exchange(commands_dropped_, 0);
      shown_.commands_dropped += dropped;
    }
    if (dropped > 0)
      tell("left-out", dropped, node_clock().now(),
           "news of containers came faster than they were taken up: where their files come from may not be "
           "known");
    for (auto& what : commands)
      switch (what.kind) {
      case Command::started:
        attribution_.container_started(what.facts);
        break;
      case Command::stopped:
        attribution_.container_stopped(what.facts);
        break;
      case Command::gone:
        attribution_.container_gone(what.id);
        break;
      }
  }

  /// Before events are looked at and after: those behind a gap must not be taken for a known process's.
  void note_losses() {
    const auto lost = sensor_->take_lost();
    if (lost == 0) return;
    attribution_.events_lost();
    untold_lost_ += lost;
    std::lock_guard guard{lock_};
    shown_.lost += lost;
  }

  void flush() {
    if (attribution_.pending()) sinks_.deliver(attribution_.take());
    if (attribution_.sockets_pending())
      if (auto sockets = attribution_.take_sockets(); sinks_.sockets) sinks_.sockets(std::move(sockets));
    note_losses();
    const auto unread = sensor_->take_unread();
    untold_unread_ += unread;
    const auto lost_sockets = sensor_->take_lost_sockets();
    untold_sockets_ += lost_sockets;
    untold_unseen_ += sensor_->take_unseen();
    tell_losses();
    std::lock_guard guard{lock_};
    const auto totals = shown_;
    shown_ = attribution_.counters();
    shown_.lost = totals.lost;
    shown_.lost_sockets = totals.lost_sockets + lost_sockets;
    shown_.unread = totals.unread + unread;
    shown_.commands_dropped = totals.commands_dropped;
    shown_.evicted = attribution_.table().evicted();
    shown_.strayed = attribution_.table().strayed();
    shown_.processes = attribution_.table().size();
  }

  /// At most once a second, since losses come by the thousand or not at all.
  void tell_losses() {
    const auto evicted = attribution_.table().evicted();
    if (!owing()) return;
    const auto now = clock_now(CLOCK_BOOTTIME);
    if (now < next_tell_) return;
    const auto since = node_clock().now() - std::min(now - next_tell_ + tell_every, tell_every);
    if (auto count = std::exchange(untold_lost_, 0); count > 0)
      tell("dropped", count, since, "the kernel's buffer of process events was full");
    if (auto count = std::exchange(untold_unread_, 0); count > 0)
      tell("unread", count, since, "processes were gone before their arguments could be read");
    if (auto count = evicted - std::exchange(told_evicted_, evicted); count > 0)
      tell("forgotten", count, since,
           "more processes live than are remembered: their children's lineage is cut");
    if (auto count = std::exchange(untold_sockets_, 0); count > 0)
      if (sinks_.health)
        sinks_.health(
            {"sockets", "dropped", count, since,
             "connections were opened faster than they are taken up: the programs behind them are not "
             "known"});
    // Every sensor of this kind has such a loss all the time, so that it is summed up for longer.
    if (now >= next_tell_unseen_)
      if (auto count = std::exchange(untold_unseen_, 0); count > 0) {
        tell("blind", count, since - tell_unseen_every,
             "at most so many processes and threads came and went between two looks at /proc");
        next_tell_unseen_ = now + tell_unseen_every;
      }
    next_tell_ = now + tell_every;
  }

  /// For ever, or until there is a loss to be told.
  int rest_ms() const { return owing() ? int(tell_every / millisecond) : -1; }
  bool owing() const {
    return untold_lost_ > 0 || untold_unread_ > 0 || untold_sockets_ > 0 || untold_unseen_ > 0 ||
           attribution_.table().evicted() != told_evicted_;
  }

  void tell(const char* what, std::uint64_t count, Timestamp since, std::string detail) {
    if (sinks_.health) sinks_.health({"process", what, count, since, std::move(detail)});
  }

  /// The processes of before our time. Events since the start wait in the sensor's buffer meanwhile.
  void seed(Timestamp attached) {
    const auto ticks = std::uint64_t(::sysconf(_SC_CLK_TCK));
    for (auto& process : read_all_processes()) {
      const auto started = Timestamp(process.start_ticks) * (second / std::int64_t(ticks)) + offset();
      const bool announce = options_.announce_running && started < attached;
      attribution_.seed(std::move(process), started, announce);
    }
    attribution_.exclude(std::uint32_t(::getpid()));
  }

  static std::int64_t offset() { return node_clock().line_minus_boot(); }

  std::size_t step() {
    attribution_.set_clock(offset());
    run_commands();
    note_losses();
    const auto count = sensor_->drain(attribution_);
    flush();
    return count;
  }

  void run() {
    const auto attached = node_clock().now();
    attribution_.set_clock(offset());
    attribution_.set_host_net(host_network_namespace());
    std::string how = sensor_->name();
    if (how == "procfs") how += ", which mostly misses what lives for less than a quarter of a second";
    tell("up", 0, attached, how + (fallback_.empty() ? "" : ", since " + fallback_));
    if (const auto& why = sensor_->without_sockets(); !why.empty() && sinks_.health)
      sinks_.health(
          {"sockets", "limited", 0, attached, "only what /proc/net shows now and then, since " + why});
    run_commands();
    seed(attached);
    flush();
    while (!stop_) {
      if (sensor_->urgent()) {
        (void)step();
        wait(rest_ms(), true);
        continue;
      }
      if (step() > 0) {
        wait(gather_ms, false);
        continue;
      }
      // Nothing there: ask to be woken, then look once more, since something may have come in between.
      sensor_->about_to_sleep();
      if (step() > 0) continue;
      wait(settle_ms, true);
      if (step() > 0 || stop_) continue;
      sensor_->about_to_sleep();
      wait(rest_ms(), true);
    }
    next_tell_ = 0;
    (void)step();
  }

  ProcessSourceOptions options_;
  ProcessSourceSinks sinks_;
  std::unique_ptr<ProcessSensor> sensor_;
  std::string fallback_; ///< why it is not the first choice
  ProcessAttribution attribution_;
  int wake_;
  std::atomic<bool> stop_{false};
  mutable std::mutex lock_;
  std::vector<Command> commands_;
  std::uint64_t commands_dropped_ = 0; ///< not told yet
  ProcessSourceStatistics shown_;
  std::uint64_t untold_lost_ = 0, untold_unread_ = 0, told_evicted_ = 0; ///< of the source's thread
  std::uint64_t untold_sockets_ = 0, untold_unseen_ = 0;
  std::int64_t next_tell_unseen_ = 0;
  std::int64_t next_tell_ = 0; ///< boot time
  std::thread thread_;
};

} // namespace

Result<std::unique_ptr<ProcessSource>> ProcessSource::start(const ProcessSourceOptions& options,
                                                            ProcessSourceSinks sinks) {
  // From the best to the last; what was refused on the way is told with the one that works.
  struct Way {
    ProcessSensorChoice choice;
    Result<std::unique_ptr<ProcessSensor>> (*open)();
  };
  constexpr Way ways[] = {{ProcessSensorChoice::ebpf, open_process_bpf},
                          {ProcessSensorChoice::connector, open_process_connector},
                          {ProcessSensorChoice::procfs, open_process_poll}};
  std::string fallback;
  std::unique_ptr<ProcessSensor> sensor;
  for (const auto& way : ways) {
    if (options.sensor != ProcessSensorChoice::automatic && options.sensor != way.choice) continue;
    auto opened = way.open();
    if (opened) {
      sensor = std::move(opened.value());
      break;
    }
    fallback += (fallback.empty() ? "" : "; and ") + opened.error().message;
    if (options.sensor != ProcessSensorChoice::automatic) return opened.error();
  }
  if (!sensor) return Error{Errc::unavailable, fallback};
  return std::unique_ptr<ProcessSource>{
      new Source{options, std::move(sinks), std::move(sensor), std::move(fallback)}};
}

} // namespace iris
