#include "cloud/session/session_codec.hpp"
#include "core/base/capnp_reader.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>

namespace iris {
namespace {

constexpr std::size_t text_limit = 1'024;
constexpr unsigned baseline_limit = 1'024;

std::vector<char> flatten(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

template <class Root, class Read>
auto decode(const std::vector<char>& bytes, const char* what, Read read)
    -> decltype(read(std::declval<typename Root::Reader>())) {
  return read_message<Root>(bytes, {1 << 20, 4, 4}, what, read);
}

kj::ArrayPtr<const kj::byte> data(const char* bytes, std::size_t size) {
  return {reinterpret_cast<const kj::byte*>(bytes), size};
}

} // namespace

Result<HelloIn> decode_hello(const std::vector<char>& bytes) {
  return decode<schema::Hello>(bytes, "hello", [](schema::Hello::Reader root) -> Result<HelloIn> {
    HelloIn hello;
    auto& start = hello.start;
    hello.major = root.getProtocolMajor();
    hello.minor = root.getProtocolMinor();
    // The rest may mean something else there.
    if (!version_refusal(hello.major, hello.minor, {}, {}).empty()) return hello;
    if (root.getVersion().size() > text_limit || root.getSite().size() > text_limit)
      return Error{Errc::invalid, "hello: a text is too long"};
    start.version = root.getVersion();
    start.site = root.getSite();
    start.epoch = root.getEpoch();
    for (auto lane : root.getLanes()) {
      if (lane.getLane() >= start.lanes.size()) return Error{Errc::invalid, "hello: unknown lane"};
      start.lanes[lane.getLane()] = {lane.getFirstSeq(), lane.getLastSeq()};
    }
    if (root.getBaselines().size() > baseline_limit) return Error{Errc::invalid, "hello: too many baselines"};
    for (auto held : root.getBaselines()) {
      if (held.getProfile().size() > text_limit) return Error{Errc::invalid, "hello: a text is too long"};
      start.baselines[held.getProfile()] = held.getVersion();
    }
    start.intelligence = root.getIntelligence();
    start.clock = root.getBootTime();
    start.seals = root.getSeals();
    return hello;
  });
}

std::vector<char> encode_welcome(const WelcomeOut& welcome) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Welcome>();
  root.setProtocolMajor(link_major);
  root.setProtocolMinor(link_minor);
  root.setVersion(welcome.version);
  root.setRefusal(welcome.refusal);
  root.setEpoch(welcome.terms.epoch);
  auto applied = root.initApplied(unsigned(welcome.terms.applied.size()));
  for (unsigned i = 0; i < applied.size(); ++i) {
    applied[i].setLane(std::uint8_t(i));
    applied[i].setLastSeq(welcome.terms.applied[i]);
  }
  root.setCreditBatches(welcome.credit_batches);
  root.setCreditBytes(welcome.credit_bytes);
  auto scale = root.initScale();
  scale.setDay(welcome.scale.day);
  scale.setWindow(welcome.scale.window);
  scale.setStartup(welcome.scale.startup);
  scale.setAlertQuiet(welcome.scale.alert_quiet);
  root.setBaselineKey(data(welcome.baseline_key.data(), welcome.baseline_key.size()));
  root.setTenant(welcome.tenant);
  root.setGateway(welcome.gateway);
  root.setSite(welcome.terms.site);
  root.setChainKey(data(welcome.terms.chain_key.data(), welcome.terms.chain_key.size()));
  if (const auto& known = welcome.terms.before) {
    auto before = root.initBefore();
    before.setEpoch(known->epoch);
    auto lanes = before.initLanes(unsigned(known->lanes.size()));
    for (unsigned i = 0; i < lanes.size(); ++i) {
      lanes[i].setApplied(known->lanes[i].applied);
      lanes[i].setEntries(known->lanes[i].entries);
      lanes[i].setObservations(known->lanes[i].observations);
      lanes[i].setUntil(known->lanes[i].until);
    }
  }
  return flatten(message);
}

std::vector<char> encode_push(const PushOut& push) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Push>();
  root.setVersion(push.version);
  if (push.kind == PushOut::Kind::baseline)
    root.setBaseline(data(push.bytes->data(), push.bytes->size()));
  else
    root.setIndicators(data(push.bytes->data(), push.bytes->size()));
  return flatten(message);
}

std::vector<char> encode_clock_question() {
  capnp::MallocMessageBuilder message;
  message.initRoot<schema::Push>().setClock();
  return flatten(message);
}

Result<PushAnswer> decode_push_ack(const std::vector<char>& bytes) {
  return decode<schema::PushAck>(
      bytes, "push answer", [](schema::PushAck::Reader root) -> Result<PushAnswer> {
        auto reason = root.getReason();
        return PushAnswer{root.getAccepted(),
                          std::string{reason.begin(), std::min<std::size_t>(reason.size(), 512)},
                          root.getClock()};
      });
}

} // namespace iris
