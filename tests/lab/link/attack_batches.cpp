#include "actors/ticks.hpp"
#include "node/uplink/session_messages.hpp"
#include "schemas/link.capnp.h"
#include "tests/fixtures/link/raw_peer.hpp"
#include "tests/lab/link/lab.hpp"
#include "tests/unit/core/link/frames.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>

/// A gateway with a valid certificate whose frames are good and whose content is not.
namespace linklab {

using namespace iris;
using namespace iris::test;
using linktest::RawPeer;

namespace {

std::string bytes_of(const std::vector<char>& bytes) { return {bytes.begin(), bytes.end()}; }

/// Words as Cap'n Proto has them: little endian.
std::string words(std::initializer_list<std::uint64_t> all) {
  std::string out;
  for (auto word : all)
    for (int i = 0; i < 8; ++i)
      out.push_back(char(word >> (8 * i)));
  return out;
}

/// Messages that a careless reader would follow into the ground; the text that each is.
std::vector<std::string> malformed() {
  std::vector<std::string> out;
  // One segment; a chain of structs with one pointer each, deeper than any stack.
  std::string deep = words({std::uint64_t(20'001) << 32});
  for (int i = 0; i < 20'001; ++i)
    deep += words({std::uint64_t(1) << 48});
  out.push_back(deep);
  // A far pointer to another segment, to itself, and a double-far one.
  out.push_back(words({std::uint64_t(1) << 32, 0x0000'0007'0000'0002}));
  out.push_back(words({std::uint64_t(1) << 32, 0x0000'0000'0000'0002}));
  out.push_back(words({std::uint64_t(1) << 32, 0x0000'0000'0000'0006}));
  // Amplification: lists of half a billion empty structs and of void, in a message of a few words.
  out.push_back(words({std::uint64_t(5) << 32, std::uint64_t(3) << 48 | std::uint64_t(1) << 32, 0,
                       0x0000'0007'0000'0001 | 8, std::uint64_t(0x1fff'ffff) << 2, 0}));
  out.push_back(words({std::uint64_t(4) << 32, std::uint64_t(4) << 48, 0xffff'fff8'0000'000d,
                       0xffff'fff8'0000'0009, 0xffff'fff8'0000'0005}));
  // 512 segments, and a segment table that lies.
  out.push_back(words({511}) + std::string(8 * 512, '\0'));
  out.push_back(words({0xffff'ffff'ffff'ffff, 0xffff'ffff'ffff'ffff}));
  out.push_back("x");
  out.push_back(std::string(1'000'000, '\xff'));
  return out;
}

struct Session {
  RawPeer peer;
  std::uint64_t next_id = 1;
  Session(const std::shared_ptr<TlsContext>& context, Lab& lab)
      : peer{context, lab.cloud.address(), linktest::random_node(), "127.7.7.8"} {
    if (!peer.handshake()) throw std::runtime_error{"the thief's own session was refused"};
  }
  bool send(const std::string& type, const std::string& content) {
    return peer.send(frame(Operation::direct, 0, 5, peer.session, message(type, content), next_id++));
  }
  bool batch(std::uint64_t epoch, std::uint64_t seq, const std::string& bytes) {
    return send("iris::wire::Batch", number(epoch, 8) + number(0, 1) + number(seq, 8) + text(bytes));
  }
  /// The frame of the next answer of this type; empty at the end.
  std::string answer(const std::string& type) {
    std::string frame;
    while (peer.next_frame(frame))
      if (frame.find(type) != std::string::npos) return frame.substr(frame.find(type) + type.size());
    return {};
  }
  /// The epoch that is granted; 0 when refused.
  std::uint64_t hello() {
    HelloOut hello;
    hello.version = "thief";
    hello.now = TickScale::wall_now();
    hello.instance = 7;
    send("iris::wire::Hello", text(bytes_of(encode_hello(hello))));
    auto content = answer("iris::wire::Welcome");
    PayloadReader in{content};
    std::string_view bytes;
    if (!in.text(bytes)) return 0;
    auto welcome = decode_welcome({bytes.begin(), bytes.end()});
    return welcome && welcome->refusal.empty() ? welcome->epoch : 0;
  }
};

std::string good_batch() {
  capnp::MallocMessageBuilder builder;
  auto findings = some_findings(2);
  auto list = builder.initRoot<schema::Batch>().initFindings(unsigned(findings.size()));
  for (unsigned i = 0; i < findings.size(); ++i)
    list.set(i, kj::arrayPtr(reinterpret_cast<const capnp::byte*>(findings[i].data()), findings[i].size()));
  auto flat = capnp::messageToFlatArray(builder);
  auto chars = flat.asChars();
  return {chars.begin(), chars.end()};
}

} // namespace

void batches(Lab& lab, const TlsFiles& files) {
  auto context = *TlsContext::load(TlsContext::Use::client, files);
  lab.attack("malformed Cap'n Proto in Hello", {"sessions_refused_total"}, [&]() -> std::uint64_t {
    std::uint64_t tries = 0;
    for (const auto& bytes : malformed()) {
      Session session{context, lab};
      session.send("iris::wire::Hello", text(bytes));
      if (session.answer("iris::wire::Welcome").empty()) return 1u << 30;
      ++tries;
    }
    return tries;
  });
  lab.attack("malformed Cap'n Proto in batches", {"entries_damaged_total"}, [&]() -> std::uint64_t {
    Session session{context, lab};
    auto epoch = session.hello();
    std::uint64_t seq = 0;
    for (const auto& bytes : malformed()) {
      if (epoch == 0 || !session.batch(epoch, ++seq, bytes) || session.answer("iris::wire::Ack").empty())
        return 1u << 30;
    }
    return seq - 3; // a null root, and lists of nothing, are an empty batch and no damage
  });
  lab.attack("replay of old batches", {"batches_repeated_total"}, [&]() -> std::uint64_t {
    Session session{context, lab};
    auto epoch = session.hello();
    const auto bytes = good_batch();
    for (std::uint64_t seq = 1; seq <= 5; ++seq)
      if (!session.batch(epoch, seq, bytes) || session.answer("iris::wire::Ack").empty()) return 1u << 30;
    const auto findings = lab.counted({"findings_total"});
    (void)findings;
    std::uint64_t tries = 0;
    for (int round = 0; round < 10; ++round)
      for (std::uint64_t seq = 1; seq <= 5; ++seq, ++tries)
        if (!session.batch(epoch, seq, bytes) || session.answer("iris::wire::Ack").empty()) return 1u << 30;
    return tries;
  });
  // Whose a batch is, its certificate says; what else names another gateway is the epoch.
  lab.attack("batches in another gateway's epoch", {"batches_refused_total"}, [&]() -> std::uint64_t {
    for (int i = 0; i < 5; ++i) {
      Session session{context, lab};
      (void)session.hello();
      auto& victim = *lab.healthy[std::size_t(i) % lab.healthy.size()];
      session.batch(victim.epoch() + (victim.epoch() == 0), victim.acked() + 1, good_batch());
      (void)session.answer("iris::wire::Ack");
    }
    return 5;
  });
  lab.attack("256 MiB of batches without reading", {"sessions_cut_total"}, [&]() -> std::uint64_t {
    Session session{context, lab};
    auto epoch = session.hello();
    const std::string block(1'000'000, 'x');
    std::uint64_t sent = 0;
    while (sent < 268 && session.batch(epoch, 1 + sent, block))
      ++sent;
    return epoch != 0 && sent < 268 ? 1 : 1u << 30; // cut long before
  });
}

} // namespace linklab
