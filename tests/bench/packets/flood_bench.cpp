// A spoofed SYN flood at full speed over a veth pair, in a network namespace of its own, between the traffic
// of fourteen services: memory stays flat, every packet is captured or counted as dropped, the flood is one
// alert, and the flows of the services are theirs still. Wrong counts are a failure; times are printed only.
// Usage: bench_flood [PACKETS]; needs root.
#include "core/alert/alert_book.hpp"
#include "node/router/routing.hpp"
#include "node/sources/packet_source.hpp"
#include "tests/unit/core/net/frames.hpp"

#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

using namespace iris;
using namespace iris::frames;

namespace {

constexpr int services = 14;
constexpr const char* gateway_address = "172.18.0.1";
constexpr const char* victim = "172.18.0.2"; // the first service
constexpr std::size_t between = 1'000;       ///< packets of the flood between two rounds of the services

std::string address_of(int service) { return "172.18.0." + std::to_string(2 + service); }
std::string name_of(int service) { return "edgex-service-" + std::to_string(service); }

bool run(const char* command) { return std::system(command) == 0; }

/// A pair of interfaces that lead nowhere else.
bool make_network() {
  return ::unshare(CLONE_NEWNET) == 0 && run("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6") &&
         run("ip link add flood type veth peer name watched && ip link set flood up && ip link set watched "
             "up");
}

std::size_t resident_bytes() {
  std::size_t pages = 0, resident = 0;
  if (auto* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu %zu", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * std::size_t(::sysconf(_SC_PAGESIZE));
}

/// Sends frames as fast as the kernel takes them.
class Sender {
public:
  Sender() : socket_{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)} {
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = int(::if_nametoindex("flood"));
    good_ = socket_ >= 0 && ::bind(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~Sender() { ::close(socket_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  void send(const Bytes& frame) {
    frames_.push_back(frame);
    if (frames_.size() == 64) flush();
  }
  void flush() {
    std::vector<iovec> parts(frames_.size());
    std::vector<mmsghdr> messages(frames_.size());
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      parts[i] = {frames_[i].data(), frames_[i].size()};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t done = 0; done < messages.size() && good_;) {
      auto count = ::sendmmsg(socket_, messages.data() + done, unsigned(messages.size() - done), 0);
      if (count < 0 && errno != ENOBUFS) good_ = false;
      if (count > 0) sent_ += std::uint64_t(count), done += std::size_t(count);
    }
    frames_.clear();
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

private:
  int socket_;
  bool good_ = false;
  std::uint64_t sent_ = 0;
  std::vector<Bytes> frames_;
};

Bytes segment(const std::string& src, const std::string& dst, std::uint16_t sport, std::uint16_t dport,
              std::uint8_t flags, std::size_t payload = 0) {
  return ethernet(0x0800, ipv4(src, dst, 6, tcp(sport, dport, flags, payload)));
}

/// What the node makes of it, as its router does.
struct Node {
  Routing routing;
  AlertBook book{[] {
    AlertPolicy policy;
    policy.late_after = 1'000'000'000 * second;
    return policy;
  }()};
  std::mutex mutex;
  std::map<std::string, std::uint64_t> packets_of; ///< by name, of flows to the database
  std::set<std::string> alerts;
  std::vector<std::string> titles;
  std::uint64_t strange = 0; ///< flows of services whose other side is not the one that they talk to
  std::uint64_t dropped = 0;
  PipelineStats stats;

  Node() {
    HostAddresses addresses;
    addresses.own = {*parse_ip(gateway_address)};
    routing.take(addresses);
    ContainerBatch batch;
    for (int i = 0; i < services; ++i) {
      ContainerFacts facts;
      facts.id = std::string(63, 'c') + char('a' + i);
      facts.name = facts.service = name_of(i);
      facts.digest = "sha256:1";
      facts.running = true;
      ContainerNetwork network;
      network.name = "edgex-network";
      network.address = *parse_ip(address_of(i));
      facts.networks = {network};
      batch.facts.push_back(facts);
    }
    Routing::Out out;
    routing.take(batch, 0, out);
  }

  void take(PacketBatch&& from) {
    const std::lock_guard lock{mutex};
    stats = from.stats;
    dropped = from.kernel_dropped;
    FlowBatch batch;
    batch.flows = std::move(from.harvest.flows);
    batch.alarms = std::move(from.harvest.alarms);
    Routing::Out out;
    routing.take(batch, out);
    for (auto& finding : out.findings) {
      const auto at = finding.last;
      auto alert = book.apply(std::move(finding), at);
      if (alerts.insert(alert.id).second) titles.push_back(title_of(alert));
    }
    for (const auto& observation : out.observations) {
      const auto* flow = std::get_if<Flow>(&observation.what);
      if (flow == nullptr || flow->inbound || observation.entity->kind != EntityKind::service) continue;
      packets_of[observation.entity->name] += flow->packets_out + flow->packets_in;
      if (flow->dport != 27'017 || !observation.peer || observation.peer->name != name_of(0)) ++strange;
    }
  }
};

struct Judged {
  bool good = true;
  void check(bool holds, const char* what) {
    std::printf("  %-62s %s\n", what, holds ? "yes" : "NO");
    good = good && holds;
  }
};

} // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  if (count < 100'000) return std::fprintf(stderr, "bench_flood: at least 100000 packets\n"), 2;
  if (!make_network()) {
    std::printf("bench_flood: skipped, as it may not make a network namespace and a veth pair (root only)\n");
    return 0;
  }
  Node node;
  PacketSourceOptions options;
  options.interface = "watched";
  options.pipeline.flows.seed = 0x5eed;
  auto source =
      std::make_unique<PacketSource>(options, [&](PacketBatch&& batch) { node.take(std::move(batch)); });
  std::this_thread::sleep_for(std::chrono::milliseconds{500}); // until it captures
  Sender sender;
  std::vector<std::uint64_t> rounds_of(services);
  auto talk = [&](int service, std::uint8_t flags, std::uint8_t answer, std::size_t payload) {
    const auto own = address_of(service);
    const auto port = std::uint16_t(50'000 + service);
    sender.send(segment(own, victim, port, 27'017, flags, payload));
    sender.send(segment(victim, own, 27'017, port, answer, payload));
  };
  for (int i = 1; i < services; ++i) {
    talk(i, tcp_flag::syn, tcp_flag::syn | tcp_flag::ack, 0);
    talk(i, tcp_flag::ack, tcp_flag::ack, 100);
  }
  sender.flush();
  std::this_thread::sleep_for(std::chrono::milliseconds{300});

  std::size_t memory_early = 0;
  auto frame = segment("10.0.0.1", victim, 1'024, 8'080, tcp_flag::syn);
  std::uint64_t state = 88'172'645'463'325'252ULL;
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17; // Marsaglia's xorshift
    frame[26] = std::uint8_t(11 + state % 80);                       // source address, never one of ours
    frame[27] = std::uint8_t(state >> 8);
    frame[28] = std::uint8_t(state >> 16);
    frame[29] = std::uint8_t(state >> 24);
    frame[34] = std::uint8_t(4 + (state >> 32) % 200); // source port
    frame[35] = std::uint8_t(state >> 40);
    sender.send(frame);
    if (i % between == 0)
      for (int service = 1; service < services; ++service)
        talk(service, tcp_flag::ack, tcp_flag::ack, 50);
    if (i == count / 2) memory_early = resident_bytes();
  }
  sender.flush();
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const auto memory_late = resident_bytes();
  std::this_thread::sleep_for(std::chrono::seconds{2}); // the kernel's counters are read once a second
  for (int service = 1; service < services; ++service)
    talk(service, tcp_flag::ack, tcp_flag::ack, 50);
  sender.flush();
  std::this_thread::sleep_for(std::chrono::milliseconds{1'500});
  source.reset();

  const auto& flows = node.stats.flows;
  std::printf("%zu packets in %.2f s (%.0f a second); %llu captured, %llu dropped by the kernel, %llu flows, "
              "%llu evicted unanswered, %.1f MiB then %.1f MiB\n",
              std::size_t(sender.sent()), seconds, double(sender.sent()) / seconds,
              static_cast<unsigned long long>(node.stats.frames),
              static_cast<unsigned long long>(node.dropped), static_cast<unsigned long long>(flows.flows),
              static_cast<unsigned long long>(flows.evicted_half_open), double(memory_early) / 1048576.0,
              double(memory_late) / 1048576.0);
  for (const auto& title : node.titles)
    std::printf("  alert: %s\n", title.c_str());
  Judged judged;
  judged.check(sender.good(), "all was sent");
  judged.check(node.stats.frames + node.dropped == sender.sent(),
               "each packet was captured or counted as dropped");
  judged.check(node.alerts.size() == 1, "one alert");
  judged.check(memory_late <= memory_early + (2U << 20), "memory at the end within 2 MiB of half-way");
  judged.check(flows.evicted_active == 0, "no flow of a service had to give way");
  judged.check(int(node.packets_of.size()) == services - 1 && node.strange == 0,
               "flows of all services, and only their own, are theirs");
  const auto least =
      node.packets_of.empty()
          ? 0
          : std::min_element(node.packets_of.begin(), node.packets_of.end(), [](auto& a, auto& b) {
              return a.second < b.second;
            })->second;
  const auto sent_each = 2 * (2 + (count + between - 1) / between + 1);
  std::printf("  of %llu packets of each service at least %llu were told of\n",
              static_cast<unsigned long long>(sent_each), static_cast<unsigned long long>(least));
  judged.check(node.dropped != 0 || least == sent_each,
               "where none was dropped, each packet of a service counts");
  judged.check(least >= 6, "each service is seen during and after the flood");
  return judged.good ? 0 : 1;
}
