#include "tests/fixtures/link/raw_peer.hpp"
#include "tests/lab/link/lab.hpp"
#include "tests/unit/core/link/frames.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <random>

/// Who has no certificate at all.
namespace linklab {

using namespace iris;
using namespace std::chrono_literals;

namespace {

constexpr unsigned many = 1'000;

struct Sockets {
  std::vector<int> all;
  ~Sockets() {
    for (auto fd : all)
      ::close(fd);
  }
  /// How many were closed by the other end within so long.
  std::uint64_t await_ends(std::chrono::milliseconds patience) {
    std::uint64_t ended = 0;
    const auto until = std::chrono::steady_clock::now() + patience;
    char sink[4096];
    std::vector<bool> gone(all.size());
    while (ended < all.size() && std::chrono::steady_clock::now() < until) {
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (gone[i]) continue;
        auto count = ::recv(all[i], sink, sizeof sink, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN)) gone[i] = true, ++ended;
      }
      std::this_thread::sleep_for(20ms);
    }
    return ended;
  }
};

std::string noise(std::mt19937& random, std::size_t size) {
  std::string out;
  while (out.size() < size)
    out.push_back(char(random()));
  return out;
}

} // namespace

void strangers(Lab& lab) {
  const auto address = lab.cloud.address();
  std::mt19937 random{17};
  auto context = *TlsContext::load(TlsContext::Use::client, join(lab.cloud, "half"));

  lab.attack("silent connections, from one address", {"link_refused_address"}, [&]() -> std::uint64_t {
    Sockets sockets;
    for (unsigned i = 0; i < 332; ++i)
      sockets.all.push_back(linktest::dial(address, "127.9.9.9"));
    std::this_thread::sleep_for(300ms);
    return 300;
  });
  lab.attack("random bytes, half a hello, plain BASP", {"link_tls_failed", "link_strangers_gone"},
             [&]() -> std::uint64_t {
               for (unsigned done = 0; done < many; done += 50) {
                 Sockets sockets;
                 for (unsigned i = 0; i < 50; ++i) {
                   std::string bytes;
                   if (i % 3 == 0) bytes = noise(random, 300);
                   if (i % 3 == 1) {
                     TlsStream tls{context->make()};
                     (void)tls.handshake();
                     tls.drain(bytes);
                     bytes.resize(bytes.size() / 2);
                   }
                   if (i % 3 == 2)
                     bytes = test::frame(Operation::client_handshake, 0, 0, 0,
                                         test::text_of(linktest::random_node()));
                   auto fd = linktest::dial(address, source(i, 2));
                   ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
                   sockets.all.push_back(fd);
                 }
                 (void)sockets.await_ends(30ms);
               }
               return many;
             });
}

struct Silent::Impl {
  Lab& lab;
  std::uint64_t deadline = lab.counted({"link_deadline"});
  Sockets sockets{};
};

Silent::Silent(Lab& lab) : impl_{new Impl{lab, lab.counted({"link_deadline"}), {}}} {
  lab.attack("silent connections, from 40 addresses", {"link_accepted"}, [&]() -> std::uint64_t {
    for (unsigned i = unsigned(impl_->sockets.all.size()); i < many; ++i)
      impl_->sockets.all.push_back(linktest::dial(lab.cloud.address(), source(i)));
    (void)join(lab.cloud, "meanwhile"); // still gets in
    return many;
  });
}
Silent::~Silent() = default;

void Silent::judge() {
  auto& lab = impl_->lab;
  const auto ended = impl_->sockets.await_ends(15s);
  const auto counted = lab.counted({"link_deadline"}) - impl_->deadline;
  lab.check(ended == many && counted >= many,
            "silent connections: " + std::to_string(ended) +
                " were closed, counted by deadline: " + std::to_string(counted));
}

struct Loris::Impl {
  Lab& lab;
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  std::uint64_t silent = lab.counted({"link_silent"}), slow = lab.counted({"link_slow"});
  std::vector<std::unique_ptr<linktest::RawPeer>> writers, readers;
  Sockets strangers;
  std::atomic<bool> stop{false};
  std::thread thread;

  explicit Impl(Lab& given) : lab{given} {
    for (int i = 0; i < 3; ++i) {
      for (auto* list : {&writers, &readers}) {
        auto name = (list == &writers ? "writer-" : "reader-") + std::to_string(i);
        list->push_back(std::make_unique<linktest::RawPeer>(join(lab.cloud, name), lab.cloud.address(),
                                                            linktest::random_node()));
        int small = 4096;
        ::setsockopt(list->back()->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        lab.check(list->back()->handshake(), name + " is connected");
      }
      strangers.all.push_back(linktest::dial(lab.cloud.address(), "127.8.0.1"));
    }
    thread = std::thread{[this] { run(); }};
  }
  ~Impl() {
    stop = true;
    thread.join();
  }
  void run() {
    // A frame of half a megabyte, a byte every half second; of a record of TLS likewise.
    FrameHeader header;
    header.operation = std::uint8_t(Operation::direct);
    header.payload_length = 512 << 10;
    for (auto& writer : writers)
      writer->send(encode_header(header));
    const std::string begin_of_hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
    // A reader asks for what it does not take: heartbeats are answered, one pong for one ping.
    std::string pings;
    for (int i = 0; i < 2'000; ++i)
      pings += heartbeat_frame(heartbeat_ping);
    for (std::size_t turn = 0; !stop; ++turn) {
      for (auto& writer : writers)
        writer->send("x");
      for (auto& reader : readers) {
        if (turn < 400) reader->send(pings);
        char byte = 0;
        (void)::recv(reader->fd, &byte, 1, MSG_DONTWAIT);
      }
      for (auto fd : strangers.all)
        ::send(fd, &begin_of_hello[turn % begin_of_hello.size()], 1, MSG_NOSIGNAL);
      std::this_thread::sleep_for(turn < 400 ? 5ms : 500ms);
    }
  }
};

Loris::Loris(Lab& lab) : impl_{std::make_unique<Impl>(lab)} {}
Loris::~Loris() = default;

void Loris::judge() {
  auto& lab = impl_->lab;
  const auto until = impl_->begin + 45s;
  auto grown = [&](const char* name, std::uint64_t before) { return lab.counted({name}) - before; };
  auto cut = [&] { return grown("link_silent", impl_->silent) + grown("link_slow", impl_->slow); };
  while (std::chrono::steady_clock::now() < until && cut() < 6)
    std::this_thread::sleep_for(250ms);
  // Which of the two it is depends on how much the system buffers; link_test.cpp has `slow` by itself.
  lab.check(cut() >= 6, "slow writers and readers with a certificate: 6 cut, counted by silent+slow");
  lab.check(impl_->strangers.await_ends(1s) == 3, "slow writers of a hello: 3 cut");
}

} // namespace linklab
