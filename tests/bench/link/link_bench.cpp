// What the link costs: batches of 64 KiB over loopback, acknowledged one by one with sixteen under way,
// through TLS, pump, guard and CAF; beside plain BASP (CAF's own publish and remote_actor); beside openssl's
// s_server and s_time. Rounds alternate, the best of each counts. Prints one JSON object; says when the
// budget (half of plain BASP) is missed. bench_link [SECONDS A ROUND] [ROUNDS]
#include "actors/actor_config.hpp"
#include "actors/interfaces.hpp"
#include "actors/link/client.hpp"
#include "actors/link/server.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace iris;
using Clock = std::chrono::steady_clock;

constexpr std::size_t batch_size = 64 << 10;
constexpr unsigned under_way = 16;
constexpr double budget = 0.5; ///< of plain BASP
/// Of encrypted bytes: what openssl's programs send over one connection before the next.
constexpr std::size_t file_size = 256 << 20;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench_link: %s\n", why.c_str());
  std::exit(1);
}

caf::behavior taker(caf::event_based_actor*) {
  return {[](const wire::Batch& batch) { return wire::Ack{batch.epoch, batch.lane, batch.seq}; }};
}

struct Flow {
  std::uint64_t sent = 0, acked = 0;
  Clock::time_point until;
  std::promise<void> done;
};

void next(caf::event_based_actor* self, const caf::actor& to, const std::shared_ptr<Flow>& flow) {
  wire::Batch batch{1, 1, ++flow->sent, std::vector<char>(batch_size, 'x')};
  self->request(to, std::chrono::seconds{20}, std::move(batch))
      .then(
          [=](const wire::Ack&) {
            ++flow->acked;
            if (Clock::now() < flow->until)
              next(self, to, flow);
            else if (flow->acked == flow->sent)
              flow->done.set_value();
          },
          [=](const caf::error& error) {
            fail("a batch was not acknowledged: " + self->system().render(error));
          });
}

/// Batches a second.
double measure(caf::actor_system& system, const caf::actor& to, double seconds) {
  auto flow = std::make_shared<Flow>();
  const auto begin = Clock::now();
  flow->until = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  system.spawn([=](caf::event_based_actor* self) {
    for (unsigned i = 0; i < under_way; ++i)
      next(self, to, flow);
  });
  flow->done.get_future().wait();
  return double(flow->acked) / std::chrono::duration<double>(Clock::now() - begin).count();
}

ActorConfig::Options remote() {
  ActorConfig::Options options;
  options.remote = true;
  return options;
}

struct Side {
  ActorConfig config{remote()};
  caf::actor_system system{config};
};

struct Plain {
  Side cloud, node;
  caf::actor session = cloud.system.spawn(taker);
  caf::actor remote;
  Plain() {
    auto port = cloud.system.middleman().publish(session, 0, "127.0.0.1");
    if (!port) fail("plain BASP does not listen");
    auto found = node.system.middleman().remote_actor("127.0.0.1", *port);
    if (!found) fail("plain BASP does not connect");
    remote = *found;
  }
  ~Plain() { caf::anon_send_exit(session, caf::exit_reason::kill); }
};

struct Linked {
  Side cloud, node;
  caf::actor session = cloud.system.spawn(taker);
  std::unique_ptr<LinkServer> server;
  std::unique_ptr<LinkClient> client;
  caf::actor remote;

  explicit Linked(const std::string& directory, Timestamp now) {
    if (!pki::make_authority(directory, "Iris bench", now) ||
        !pki::issue_server(directory, "shard-0", {"127.0.0.1"}, now))
      fail("no authority in " + directory);
    auto bundle = pki::issue(directory, {Role::gateway, "acme", "gw-1", false}, now);
    if (!bundle || !pki::write_file(directory + "/gw.pem", bundle->certificate.pem) ||
        !pki::write_file(directory + "/gw.key", bundle->key))
      fail("no certificate for the gateway");
    LinkServerOptions serve;
    serve.listen = {"127.0.0.1:0"};
    serve.tls = {directory + "/server.pem", directory + "/server.key", directory + "/ca.pem",
                 directory + "/crl.pem"};
    LinkServerEvents events;
    events.open = [this](const ConnectionInfo&) { return caf::actor_cast<caf::strong_actor_ptr>(session); };
    events.closed = [](const ConnectionInfo&, const CloseReason& reason) {
      if (reason.cause != CloseCause::peer_closed && reason.cause != CloseCause::local)
        fail("the link was closed: " + to_string(reason));
    };
    auto listening = LinkServer::start(cloud.system, serve, std::move(events));
    if (!listening) fail(listening.error().message);
    server = std::move(*listening);
    std::promise<caf::strong_actor_ptr> connected;
    LinkClientOptions connect;
    connect.addresses = {"127.0.0.1:" + std::to_string(server->ports().front())};
    connect.tls = {directory + "/gw.pem", directory + "/gw.key", directory + "/ca.pem", ""};
    LinkClientEvents heard;
    heard.up = [&](caf::strong_actor_ptr up, const Identity&, const std::string&) {
      connected.set_value(std::move(up));
    };
    auto connecting = LinkClient::start(node.system, connect, std::move(heard));
    if (!connecting) fail(connecting.error().message);
    client = std::move(*connecting);
    auto up = connected.get_future();
    if (up.wait_for(std::chrono::seconds{10}) != std::future_status::ready) fail("the link does not connect");
    remote = caf::actor_cast<caf::actor>(up.get());
  }
  ~Linked() {
    client.reset();
    server.reset();
    caf::anon_send_exit(session, caf::exit_reason::kill);
  }
};

/// MiB a second that openssl's own programs move: `s_server -WWW` gives a file, `s_time` takes it. 0: not
/// there.
double measure_openssl(const std::string& directory, double seconds) {
  std::ofstream{directory + "/bulk"}.close();
  std::filesystem::resize_file(directory + "/bulk", file_size);
  const auto port = 20'000 + ::getpid() % 10'000;
  const auto pid = ::fork();
  if (pid == 0) {
    if (::chdir(directory.c_str()) != 0 || !std::freopen("/dev/null", "w", stdout) ||
        !std::freopen("/dev/null", "w", stderr))
      ::_exit(1);
    const auto at = "127.0.0.1:" + std::to_string(port);
    ::execlp("openssl", "openssl", "s_server", "-accept", at.c_str(), "-cert", "server.pem", "-key",
             "server.key", "-tls1_3", "-WWW", nullptr);
    ::_exit(1);
  }
  ::usleep(500'000);
  const auto whole = std::max(2, int(seconds * 2));
  const auto command = fmt::format(
      "openssl s_time -connect 127.0.0.1:{} -new -www /bulk -time {} -tls1_3 2>/dev/null", port, whole);
  double rate = 0;
  const auto begin = Clock::now();
  if (auto* out = ::popen(command.c_str(), "r")) {
    char line[256];
    double connections = 0, real = 0, bytes = 0, part = 0;
    while (std::fgets(line, sizeof line, out) != nullptr)
      if (std::sscanf(line, "%lf connections in %lf real seconds, %lf bytes read per connection",
                      &connections, &part, &bytes) == 3)
        real = std::chrono::duration<double>(Clock::now() - begin).count();
    ::pclose(out);
    if (real > 0) rate = connections * bytes / real / (1 << 20);
  }
  ::kill(pid, SIGTERM);
  ::waitpid(pid, nullptr, 0);
  return rate;
}

} // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::clamp(std::atof(argv[1]), 0.1, 600.0) : 3;
  const int rounds = argc > 2 ? std::clamp(std::atoi(argv[2]), 1, 100) : 3;
  char directory[] = "/tmp/iris-bench-link-XXXXXX";
  if (::mkdtemp(directory) == nullptr) fail("no directory in /tmp");
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  double plain = 0, linked = 0;
  {
    Plain without;
    Linked with{directory, now};
    measure(without.node.system, without.remote, 0.3);
    measure(with.node.system, with.remote, 0.3);
    for (int round = 0; round < rounds; ++round) {
      plain = std::max(plain, measure(without.node.system, without.remote, seconds));
      linked = std::max(linked, measure(with.node.system, with.remote, seconds));
    }
  }
  const auto openssl = measure_openssl(directory, seconds);
  std::filesystem::remove_all(directory);
  const double size = double(batch_size) / (1 << 20);
  fmt::print("{{\"batch_bytes\":{},\"under_way\":{},\"link_batches_s\":{:.0f},\"link_mib_s\":{:.1f},"
             "\"basp_batches_s\":{:.0f},\"basp_mib_s\":{:.1f},\"openssl_mib_s\":{:.1f},"
             "\"link_of_basp\":{:.2f},\"budget\":{},\"met\":{}}}\n",
             batch_size, under_way, linked, linked * size, plain, plain * size, openssl, linked / plain,
             budget, linked >= budget * plain);
  return linked >= budget * plain ? 0 : 1;
}
