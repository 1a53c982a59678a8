#include "tests/fixtures/link/raw_peer.hpp"
#include "tests/lab/link/lab.hpp"
#include "tests/unit/core/link/frames.hpp"

#include <caf/atom.hpp>

/// A gateway with a valid certificate that writes frames of BASP as it likes.
namespace linklab {

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;
using linktest::RawPeer;

namespace {

constexpr std::uint64_t last_actor = 10'000;

struct Thief {
  Lab& lab;
  std::shared_ptr<TlsContext> context;
  std::uint64_t tries = 0;

  /// One connection, one attack; whatever it is, the connection must end for a violation.
  void once(const std::function<std::string(const RawPeer&)>& bytes) {
    RawPeer peer{context, lab.cloud.address(), linktest::random_node(), "127.7.7.7"};
    if (!peer.handshake()) throw std::runtime_error{"the thief's own session was refused"};
    peer.send(bytes(peer));
    tries += peer.farewell() == CloseCause::violation ? 1 : 1u << 30;
  }
};

std::string nodes(const RawPeer& peer) { return text_of(peer.node) + text_of(peer.cloud); }
std::string batch_message() {
  return message("iris::wire::Batch", number(1, 8) + number(0, 1) + number(1, 8) + text("x"));
}

} // namespace

void frames(Lab& lab, const TlsFiles& files) {
  auto context = *TlsContext::load(TlsContext::Use::client, files);
  auto attack = [&](const std::string& what, const char* counter, const std::function<void(Thief&)>& act) {
    lab.attack(what, {counter}, [&]() -> std::uint64_t {
      Thief thief{lab, context};
      act(thief);
      return thief.tries;
    });
  };
  const auto kill = message("@exit_msg", number(0, 8) + number(1, 8) + error(1));
  const auto link = message("@atom", number(std::uint64_t(caf::atom("link")), 8));
  // A connection ends with its first forbidden frame, so a sweep is many: every 200th of 10,000 numbers
  // alone, and all 10,000 one after the other on one connection. The guard's unit test has each number by
  // itself.
  auto sweep = [&](const std::function<std::string(const RawPeer&, std::uint64_t)>& one) {
    return [one](Thief& thief) {
      for (std::uint64_t id = 1; id <= last_actor; id += 200)
        thief.once([&](const RawPeer& peer) { return one(peer, id); });
      thief.once([&](const RawPeer& peer) {
        std::string all;
        for (std::uint64_t id = 1; id <= last_actor; ++id)
          if (id != peer.session) all += one(peer, id);
        return all;
      });
    };
  };
  auto other = [](const RawPeer& peer, std::uint64_t id) { return id == peer.session ? id + 1 : id; };
  attack("kill actors 1 to 10,000", "link_violation_destination",
         sweep([&](const RawPeer& peer, std::uint64_t id) {
           return frame(Operation::direct, 0, 0, other(peer, id), kill, async_id);
         }));
  attack("link to actors 1 to 10,000", "link_violation_destination",
         sweep([&](const RawPeer& peer, std::uint64_t id) {
           return frame(Operation::direct, 0, 5, other(peer, id), link, async_id);
         }));
  attack("monitor actors 1 to 10,000", "link_violation_destination",
         sweep([&](const RawPeer& peer, std::uint64_t id) {
           return frame(Operation::monitor, 0, 0, other(peer, id), nodes(peer));
         }));
  attack("message actors 1 to 10,000", "link_violation_destination",
         sweep([&](const RawPeer& peer, std::uint64_t id) {
           return frame(Operation::direct, 0, 5, other(peer, id), batch_message(), async_id);
         }));
  attack("kill its own session", "link_violation_message_type", [&](Thief& thief) {
    for (int i = 0; i < 20; ++i)
      thief.once(
          [&](const RawPeer& peer) { return frame(Operation::direct, 0, 0, peer.session, kill, async_id); });
  });
  attack("SpawnServ, ConfigServ and others by name", "link_violation_named_receiver", [&](Thief& thief) {
    for (auto name :
         {caf::atom("SpawnServ"), caf::atom("ConfigServ"), caf::atom("BASP"), caf::atom("StreamServ")})
      for (int i = 0; i < 5; ++i)
        thief.once([&](const RawPeer& peer) {
          return frame(Operation::direct, flag_named_receiver, 5, std::uint64_t(name),
                       i % 2 ? kill : batch_message(), async_id);
          (void)peer;
        });
  });
  const auto victim = lab.healthy.front()->node();
  attack("route to another gateway's node", "link_violation_routed", [&](Thief& thief) {
    for (int i = 0; i < 20; ++i)
      thief.once([&](const RawPeer& peer) {
        return frame(Operation::routed, 0, 5, 1 + std::uint64_t(i),
                     text_of(peer.node) + text_of(victim) + kill, async_id);
      });
  });
  attack("have an answer forwarded elsewhere", "link_violation_forwarding", [&](Thief& thief) {
    for (int i = 0; i < 20; ++i)
      thief.once([&](const RawPeer& peer) {
        return frame(Operation::direct, 0, 5, peer.session, message("iris::wire::Hello", text("x"), 1), 9);
      });
  });
  attack("another gateway's node id in DOWN", "link_violation_node", [&](Thief& thief) {
    for (int i = 0; i < 20; ++i)
      thief.once([&](const RawPeer& peer) {
        return frame(Operation::monitor, 0, 0, peer.session, text_of(victim) + text_of(peer.cloud));
      });
  });
  lab.attack("claim another gateway's node id", {"link_violation_node_taken"}, [&]() -> std::uint64_t {
    for (int i = 0; i < 20; ++i) {
      RawPeer peer{context, lab.cloud.address(), victim, "127.7.7.7"};
      if (peer.handshake()) return 1u << 30;
    }
    return 20;
  });
  attack("a frame of 256 MiB", "link_violation_oversized", [&](Thief& thief) {
    for (int i = 0; i < 5; ++i)
      thief.once([&](const RawPeer& peer) {
        FrameHeader header{2, 0, 0, 0, 256u << 20, async_id, 5, peer.session};
        return encode_header(header) + std::string(i == 0 ? 0 : 4 << 20, 'x');
      });
  });
  attack("a length of 4 GiB within a message", "link_violation_message_layout", [&](Thief& thief) {
    for (int i = 0; i < 20; ++i)
      thief.once([&](const RawPeer& peer) {
        return frame(Operation::direct, 0, 5, peer.session,
                     message("iris::wire::Hello", varint(0xffffffff) + "x"), async_id);
      });
  });
  attack("handles and atoms in messages", "link_violation_message_type", [&](Thief& thief) {
    for (const auto* type :
         {"@strong_actor_ptr", "@atom", "@message", "@down_msg", "iris::wire::Ack", "iris::wire::Push"})
      thief.once([&](const RawPeer& peer) {
        return frame(Operation::direct, 0, 5, peer.session, message(type, std::string(64, '\0')), async_id);
      });
  });
  attack("17 actors that speak", "link_violation_sources", [&](Thief& thief) {
    for (int i = 0; i < 5; ++i)
      thief.once([&](const RawPeer& peer) {
        std::string all;
        for (std::uint64_t source = 1; source <= 17; ++source)
          all += frame(Operation::direct, 0, source, peer.session, message("iris::wire::Hello", text("x")),
                       async_id);
        return all;
      });
  });
}

} // namespace linklab
