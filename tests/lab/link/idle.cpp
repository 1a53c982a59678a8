#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "tests/fixtures/link/raw_peer.hpp"
#include "tests/lab/link/lab.hpp"
#include "tests/unit/core/link/frames.hpp"

#include <cstdio>
#include <ctime>

namespace linklab {

using namespace iris;
using namespace std::chrono_literals;

/// Operators, because one may have many connections: of each eight, with a session actor of its own. They are
/// there and say nothing but a heartbeat now and then.
int idle_connections(std::size_t count) {
  constexpr std::size_t each = 8;
  CloudProcess cloud{{"--connections", std::to_string(count + 1'000)}};
  const auto now = Timestamp(std::time(nullptr)) * iris::second;
  const auto ca = cloud.pki() + "/" + pki::ca_certificate;
  std::vector<std::unique_ptr<linktest::RawPeer>> peers;
  std::shared_ptr<TlsContext> context;
  auto open = [&] {
    if (peers.size() % each == 0) {
      const auto base = cloud.scratch() + "/idle";
      auto bundle = pki::issue(
          cloud.pki(), {Role::operator_, "*", "idle-" + std::to_string(peers.size() / each), false}, now);
      if (!bundle || !pki::write_file(base + ".pem", bundle->certificate.pem) ||
          !pki::write_file(base + ".key", bundle->key))
        throw std::runtime_error{"no certificate"};
      context = *TlsContext::load(TlsContext::Use::client, {base + ".pem", base + ".key", ca, ""});
    }
    auto peer = std::make_unique<linktest::RawPeer>(context, cloud.address(), linktest::random_node(),
                                                    source(unsigned(peers.size())));
    if (peer->fd < 0 || !peer->handshake())
      throw std::runtime_error{"connection " + std::to_string(peers.size()) + " was refused"};
    peers.push_back(std::move(peer));
  };
  auto beat = [&] {
    for (auto& peer : peers)
      peer->send(heartbeat_frame(heartbeat_plain));
  };
  for (int i = 0; i < 64; ++i) // what is allocated once
    open();
  std::this_thread::sleep_for(1s);
  const auto memory = cloud.resident(), files = cloud.descriptors();
  const auto before = peers.size();
  for (auto last = std::chrono::steady_clock::now(); peers.size() < before + count; open())
    if (std::chrono::steady_clock::now() - last > 8s) {
      beat();
      last = std::chrono::steady_clock::now();
    }
  beat();
  std::this_thread::sleep_for(2s);
  auto counters = cloud.metrics();
  const auto kib = double(cloud.resident() - memory) / 1024 / double(count);
  const auto descriptors = double(cloud.descriptors() - files) / double(count);
  std::printf(
      "%zu idle connections: %.1f KiB and %.3f descriptors each, %.1f MiB in all, sessions alive %llu\n",
      count, kib, descriptors, double(cloud.resident()) / (1 << 20),
      static_cast<unsigned long long>(counters["actors"]));
  return kib < 40 && descriptors < 1.01 && counters["link_admitted"] == before + count ? 0 : 1;
}

} // namespace linklab
