#include "node/uplink/session_messages.hpp"

#include "core/base/capnp_reader.hpp"
#include "core/link/payload.hpp"
#include "core/link/protocol.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>
#include <cstring>

namespace iris {
namespace {

constexpr std::size_t longest_refusal = 400; ///< characters of the cloud's words

std::vector<char> flat(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

/// Calls `read` with a reader whose limits are those of a peer that is not trusted. Copies once for
/// alignment.
template <class Root, class Read>
auto decode(const std::vector<char>& bytes, const char* what, Read read)
    -> decltype(read(std::declval<typename Root::Reader>())) {
  return read_message<Root>(bytes, {1 << 20, 4, 8}, what, read);
}

} // namespace

std::vector<char> encode_hello(const HelloOut& hello) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Hello>();
  root.setProtocolMajor(link_major);
  root.setProtocolMinor(link_minor);
  root.setVersion(hello.version);
  root.setEpoch(hello.spool.epoch);
  auto lanes = root.initLanes(lane_count);
  for (unsigned i = 0; i < lane_count; ++i) {
    lanes[i].setLane(std::uint8_t(i));
    lanes[i].setFirstSeq(hello.spool.first[i]);
    lanes[i].setLastSeq(hello.spool.last[i]);
  }
  auto baselines = root.initBaselines(unsigned(hello.baselines.size()));
  for (unsigned i = 0; i < hello.baselines.size(); ++i) {
    baselines[i].setProfile(hello.baselines[i].first);
    baselines[i].setVersion(hello.baselines[i].second);
  }
  root.setIntelligence(hello.intelligence);
  root.setBootTime(hello.now);
  root.setInstance(hello.instance);
  root.setSite(hello.site);
  root.setSeals(true);
  return flat(message);
}

Result<WelcomeRefusal> welcome_refusal(const std::vector<char>& bytes) {
  return decode<schema::Welcome>(
      bytes, "welcome", [](schema::Welcome::Reader root) -> Result<WelcomeRefusal> {
        auto why =
            version_refusal(root.getProtocolMajor(), root.getProtocolMinor(), "the cloud", "this gateway");
        const bool version = !why.empty();
        const auto words = root.getRefusal();
        if (words.size() > 0) // in its own words, which name the same two versions
          why = "the cloud refuses: " + printable({words.cStr(), words.size()}, longest_refusal);
        else if (version)
          why += " (it is iris-cloud " + printable({root.getVersion().cStr(), root.getVersion().size()}, 64) +
                 ")";
        return WelcomeRefusal{std::move(why), version};
      });
}

Result<WelcomeIn> decode_welcome(const std::vector<char>& bytes) {
  return decode<schema::Welcome>(bytes, "welcome", [](schema::Welcome::Reader root) -> Result<WelcomeIn> {
    WelcomeIn welcome;
    welcome.major = root.getProtocolMajor();
    welcome.minor = root.getProtocolMinor();
    welcome.version = root.getVersion();
    welcome.refusal = root.getRefusal();
    welcome.epoch = root.getEpoch();
    for (auto lane : root.getApplied()) {
      if (lane.getLane() >= lane_count) return Error{Errc::invalid, "welcome: unknown lane"};
      welcome.applied[lane.getLane()] = lane.getLastSeq();
    }
    welcome.credit_batches = std::clamp<std::uint32_t>(root.getCreditBatches(), 1, 1'024);
    welcome.credit_bytes = std::clamp<std::uint32_t>(root.getCreditBytes(), 64 << 10, 4 << 20);
    auto scale = root.getScale();
    welcome.scale = {scale.getDay(), scale.getWindow(), scale.getStartup(), scale.getAlertQuiet()};
    if (welcome.refusal.empty() &&
        (welcome.scale.day < second || welcome.scale.window < 100 * millisecond || welcome.scale.startup < 0))
      return Error{Errc::invalid, "welcome: impossible time scale"};
    auto key = root.getBaselineKey();
    welcome.baseline_key.assign(reinterpret_cast<const char*>(key.begin()), key.size());
    welcome.tenant = root.getTenant();
    welcome.site = root.getSite();
    welcome.gateway = root.getGateway();
    auto chain = root.getChainKey();
    if (chain.size() != 0 && chain.size() != 32)
      return Error{Errc::invalid, "welcome: a chain key of another size"};
    welcome.chain_key.assign(reinterpret_cast<const char*>(chain.begin()), chain.size());
    if (root.hasBefore()) {
      auto& before = welcome.before.emplace();
      before.epoch = root.getBefore().getEpoch();
      const auto lanes = root.getBefore().getLanes();
      for (unsigned i = 0; i < lanes.size() && i < before.lanes.size(); ++i)
        before.lanes[i] = {lanes[i].getApplied(), lanes[i].getEntries(), lanes[i].getObservations(),
                           lanes[i].getUntil()};
    }
    return welcome;
  });
}

Result<PushIn> decode_push(const std::vector<char>& bytes) {
  return decode<schema::Push>(bytes, "push", [](schema::Push::Reader root) -> Result<PushIn> {
    PushIn push;
    push.version = root.getVersion();
    auto take = [&push](capnp::Data::Reader data) {
      push.bytes.assign(reinterpret_cast<const char*>(data.begin()),
                        reinterpret_cast<const char*>(data.end()));
    };
    switch (root.which()) {
    case schema::Push::BASELINE:
      push.kind = PushIn::Kind::baseline;
      take(root.getBaseline());
      return push;
    case schema::Push::INDICATORS:
      push.kind = PushIn::Kind::indicators;
      take(root.getIndicators());
      return push;
    case schema::Push::CREDIT:
      push.kind = PushIn::Kind::credit;
      push.credit_batches = root.getCredit().getBatches();
      push.credit_bytes = root.getCredit().getBytes();
      return push;
    case schema::Push::CLOCK:
      push.kind = PushIn::Kind::clock;
      return push;
    }
    return Error{Errc::version, "push: of a kind that this version does not know"};
  });
}

std::vector<char> encode_terms(const LinkTerms& terms) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Welcome>();
  auto scale = root.initScale();
  scale.setDay(terms.scale.day);
  scale.setWindow(terms.scale.window);
  scale.setStartup(terms.scale.startup);
  scale.setAlertQuiet(terms.scale.alert_quiet);
  root.setTenant(terms.tenant);
  root.setSite(terms.site);
  root.setBaselineKey(kj::arrayPtr(reinterpret_cast<const capnp::byte*>(terms.baseline_key.data()),
                                   terms.baseline_key.size()));
  return flat(message);
}

std::vector<char> encode_push_ack(bool accepted, const std::string& reason, Timestamp clock) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::PushAck>();
  root.setAccepted(accepted);
  root.setReason(reason);
  root.setClock(clock);
  return flat(message);
}

} // namespace iris
