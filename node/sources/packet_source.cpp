#include "node/sources/packet_source.hpp"

#include "node/sources/node_clock.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace iris {

namespace {

constexpr int wake_milliseconds = 50; ///< how late a timer may be while no packet comes
constexpr int whole_frame = 1'600;    ///< an Ethernet frame with tags
constexpr std::size_t harvest_limit = 8'192;
constexpr Duration reordering = second; ///< by which stamps of several processors may differ

} // namespace

struct PacketSource::State {
  PacketSourceOptions options;
  Sink sink;
  PacketPipeline pipeline;
  pcap_t* pcap = nullptr;
  int link = 0;
  int stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::atomic<bool> stopping{false};
  std::atomic<Duration> window;
  std::atomic<Shedding> shedding{Shedding::nothing};
  std::vector<SensorHealth> health;
  BlindWatch blind;
  std::uint32_t last_kernel_drops = 0; ///< libpcap's counter, which wraps
  std::uint64_t kernel_dropped = 0;
  bool down_told = false;
  Timestamp next_flush = 0, next_counters = 0;
  /// The kernel stamps packets with the wall clock, which may be set meanwhile. `earliest`: no packet is
  /// before another that came earlier; `latest`: of the present batch, none is after now.
  Duration shift = 0;
  Timestamp earliest = 0, latest = 0;
  std::thread thread;

  State(PacketSourceOptions given, Sink given_sink)
      : options{std::move(given)}, sink{std::move(given_sink)}, pipeline{options.pipeline},
        window{options.pipeline.flows.window} {}
  ~State() {
    close_capture();
    if (stop_event >= 0) ::close(stop_event);
  }

  void tell(const char* what, std::uint64_t count, std::string detail) {
    SensorHealth report;
    report.sensor = "packet:" + options.interface;
    report.what = what;
    report.count = count;
    report.since = node_clock().now();
    report.detail = std::move(detail);
    health.push_back(std::move(report));
  }

  void close_capture() {
    if (pcap != nullptr) pcap_close(pcap);
    pcap = nullptr;
  }

  /// @returns "" or why not.
  std::string open_capture() {
    char reason[PCAP_ERRBUF_SIZE] = {};
    pcap = pcap_create(options.interface.c_str(), reason);
    if (pcap == nullptr) return reason;
    // The library that names application protocols wants whole frames.
    pcap_set_snaplen(pcap, options.pipeline.label_applications ? std::max(options.snapshot, whole_frame)
                                                               : options.snapshot);
    pcap_set_promisc(pcap, options.promiscuous ? 1 : 0);
    pcap_set_timeout(pcap, wake_milliseconds);
    pcap_set_buffer_size(pcap, options.buffer);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    std::string trouble;
    if (auto status = pcap_activate(pcap); status < 0) {
      trouble = pcap_geterr(pcap);
      if (trouble.empty()) trouble = pcap_statustostr(status);
    } else if (pcap_setnonblock(pcap, 1, reason) != 0) {
      trouble = reason;
    } else if (link = pcap_datalink(pcap); !is_supported_link(link)) {
      trouble = "link layer " + std::to_string(link) + " is not decoded";
    } else if (!options.filter.empty()) {
      bpf_program program{};
      if (pcap_compile(pcap, &program, options.filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
        trouble = "filter \"" + options.filter + "\": " + pcap_geterr(pcap);
      } else {
        if (pcap_setfilter(pcap, &program) != 0) trouble = pcap_geterr(pcap);
        pcap_freecode(&program);
      }
    }
    if (!trouble.empty()) close_capture();
    last_kernel_drops = 0;
    return trouble;
  }

  static void on_packet(unsigned char* context, const pcap_pkthdr* header, const unsigned char* bytes) {
    auto& state = *reinterpret_cast<State*>(context);
    auto at = Timestamp(header->ts.tv_sec) * second + header->ts.tv_usec; // nanoseconds, as asked for
    at = std::max(std::min(at - state.shift, state.latest), state.earliest);
    state.earliest = std::max(state.earliest, at - reordering);
    state.pipeline.packet(state.link, {bytes, header->caplen}, header->len, at);
    for (const auto& tap : state.options.taps)
      tap->frame({state.link, {bytes, header->caplen}, header->len, at, state.pipeline.last_ip()});
  }

  void read_counters(Timestamp now) {
    if (now < next_counters && now > next_counters - 2 * second) return;
    next_counters = now + second;
    for (auto& report : blind.look(pipeline.stats(), now)) {
      report.sensor = "packet:" + options.interface;
      health.push_back(std::move(report));
    }
    pcap_stat counters{};
    if (pcap == nullptr || pcap_stats(pcap, &counters) != 0) return;
    auto dropped = counters.ps_drop - last_kernel_drops;
    last_kernel_drops = counters.ps_drop;
    if (dropped == 0) return;
    kernel_dropped += dropped;
    tell("dropped", dropped,
         "the kernel's ring of " + human_bytes(std::uint64_t(options.buffer)) + " was full");
  }

  void hand_on(Timestamp now, bool force) {
    const auto& harvest = pipeline.harvest();
    bool full = harvest.flows.size() >= harvest_limit;
    if (!force && !full && now < next_flush && now > next_flush - 2 * options.flush) return;
    next_flush = now + options.flush;
    if (harvest.empty() && health.empty()) return;
    PacketBatch batch;
    pipeline.take(batch.harvest);
    std::swap(batch.health, health);
    batch.stats = pipeline.stats();
    batch.kernel_dropped = kernel_dropped;
    sink(std::move(batch));
  }

  /// Waits for packets, the time to look at timers, or the end. @returns false at the end.
  bool wait(int milliseconds) {
    pollfd waited[2] = {{stop_event, POLLIN, 0},
                        {pcap != nullptr ? pcap_get_selectable_fd(pcap) : -1, POLLIN, 0}};
    poll(waited, 2, milliseconds);
    return !stopping;
  }

  /// As wait(), though packets are there.
  void rest() {
    pollfd waited{stop_event, POLLIN, 0};
    poll(&waited, 1, wake_milliseconds);
  }

  void run() {
    while (!stopping) {
      pipeline.set_window(window.load(std::memory_order_relaxed));
      const auto shed = shedding.load(std::memory_order_relaxed);
      pipeline.shed(shed);
      if (pcap == nullptr) {
        if (auto trouble = open_capture(); !trouble.empty()) {
          if (!std::exchange(down_told, true))
            tell("down", 1,
                 options.interface + " cannot be captured: " + trouble + "; it is tried again every " +
                     human_duration(options.retry));
          pipeline.advance(node_clock().now());
          hand_on(node_clock().now(), true);
          wait(int(options.retry / millisecond));
          continue;
        }
        if (std::exchange(down_told, false)) tell("up", 1, options.interface + " is captured again");
      }
      shift = node_clock().shift();
      latest = node_clock().now() + second; // a batch may take that long to be read
      for (const auto& tap : options.taps)
        tap->begin();
      // At rest what came is left to the kernel, which drops what its ring cannot hold and counts it.
      int got = shed < Shedding::packets
                    ? pcap_dispatch(pcap, 4'096, on_packet, reinterpret_cast<unsigned char*>(this))
                    : 0;
      auto now = node_clock().now();
      for (const auto& tap : options.taps)
        tap->end(now);
      if (got < 0) {
        read_counters(now);
        down_told = true;
        tell("down", 1, options.interface + " went away: " + pcap_geterr(pcap));
        close_capture();
      } else {
        // A little behind, since an answer may still wait in the kernel's ring.
        if (got == 0) pipeline.advance(now - 2 * wake_milliseconds * millisecond);
        read_counters(now);
      }
      hand_on(now, false);
      if (shed == Shedding::packets)
        rest();
      else if (got <= 0)
        wait(pcap == nullptr ? int(options.retry / millisecond) : wake_milliseconds);
    }
    pipeline.flush();
    hand_on(node_clock().now(), true);
  }
};

PacketSource::PacketSource(PacketSourceOptions options, Sink sink)
    : state_{std::make_unique<State>(std::move(options), std::move(sink))} {
  state_->thread = std::thread{[state = state_.get()] { state->run(); }};
}

void PacketSource::shed(Shedding shedding) { state_->shedding.store(shedding, std::memory_order_relaxed); }

void PacketSource::set_window(Duration window) { state_->window.store(window, std::memory_order_relaxed); }

PacketSource::~PacketSource() {
  state_->stopping = true;
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(state_->stop_event, &one, sizeof one);
  state_->thread.join();
}

} // namespace iris
