#include "tests/lab/link/gateways.hpp"

#include "actors/actor_config.hpp"
#include "actors/interfaces.hpp"
#include "actors/link/caf_side.hpp"
#include "actors/ticks.hpp"
#include "core/alert/codec.hpp"
#include "node/uplink/session_messages.hpp"

#include <caf/scoped_actor.hpp>

#include <stdexcept>

namespace linklab {

using namespace iris;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto pace = 25ms;
constexpr auto ack_patience = 10s;

} // namespace

struct HealthyGateway::Config : ActorConfig {
  Config() : ActorConfig{Options{.remote = true}} {}
};

std::vector<std::vector<char>> some_findings(int count) {
  std::vector<std::vector<char>> out;
  for (int i = 0; i < count; ++i) {
    Finding finding;
    finding.detector = "process.novel";
    finding.entity.kind = EntityKind::service;
    finding.entity.name = "mongo";
    finding.cause = "exec /usr/bin/ping";
    finding.act = "ran /usr/bin/ping";
    finding.first = finding.last = TickScale::wall_now();
    finding.observed = std::string(200, 'x');
    out.push_back(encode(finding));
  }
  return out;
}

HealthyGateway::HealthyGateway(const TlsFiles& files, const std::string& address, const std::string& spool)
    : config_{std::make_unique<Config>()}, system_{std::make_unique<caf::actor_system>(*config_)} {
  close_registry(*system_);
  auto opened = Spool::open(spool, {}, TickScale::wall_now());
  if (!opened) throw std::runtime_error{opened.error().message};
  spool_ = std::move(*opened);
  LinkClientOptions options;
  options.addresses = {address};
  options.tls = files;
  options.backoff_least = 50ms;
  options.backoff_most = 500ms;
  LinkClientEvents events;
  events.up = [this](caf::strong_actor_ptr session, const Identity&, const std::string&) {
    const std::lock_guard lock{mutex_};
    session_ = std::move(session);
    ++generation_;
  };
  events.down = [this](const CloseReason& reason) {
    const std::lock_guard lock{mutex_};
    session_ = nullptr;
    ++downs_;
    std::fprintf(stderr, "a healthy gateway lost its link: %s\n", to_string(reason).c_str());
  };
  events.failed = [](const CloseReason&, const std::string&) {};
  auto client = LinkClient::start(*system_, options, std::move(events));
  if (!client) throw std::runtime_error{client.error().message};
  client_ = std::move(*client);
  thread_ = std::thread{[this] { run(); }};
}

HealthyGateway::~HealthyGateway() {
  stop_ = true;
  thread_.join();
  session_ = nullptr;
  client_.reset();
}

NodeId HealthyGateway::node() const { return CafSide{*system_}.own_node(); }

std::vector<std::uint32_t> HealthyGateway::take_times() {
  const std::lock_guard lock{mutex_};
  return std::exchange(times_, {});
}

std::size_t HealthyGateway::times() const {
  const std::lock_guard lock{mutex_};
  return times_.size();
}

bool HealthyGateway::greet(caf::scoped_actor& self, const caf::strong_actor_ptr& session) {
  HelloOut hello;
  hello.version = "lab";
  hello.spool.epoch = spool_->epoch();
  for (std::size_t i = 0; i < lane_count; ++i) {
    hello.spool.first[i] = spool_->first_seq(Lane(i));
    hello.spool.last[i] = spool_->last_seq(Lane(i));
  }
  hello.now = TickScale::wall_now();
  hello.instance = 1;
  bool good = false;
  self->request(caf::actor_cast<SessionActor>(session), ack_patience, wire::Hello{encode_hello(hello)})
      .receive(
          [&](const wire::Welcome& answer) {
            auto welcome = decode_welcome(answer.bytes);
            if (!welcome || !welcome->refusal.empty()) return;
            if (welcome->epoch != spool_->epoch())
              (void)spool_->start_epoch(welcome->epoch, welcome->chain_key);
            for (std::size_t i = 0; i < lane_count; ++i)
              (void)spool_->resume(Lane(i), welcome->applied[i], TickScale::wall_now());
            epoch_ = welcome->epoch;
            good = true;
          },
          [](const caf::error&) {});
  return good;
}

bool HealthyGateway::send_one(caf::scoped_actor& self, const caf::strong_actor_ptr& session) {
  const auto now = TickScale::wall_now();
  (void)spool_->append(Lane::findings, some_findings(2), now);
  auto batches = spool_->read(Lane::findings, spool_->acked_seq(Lane::findings), 1, 256 << 10, now);
  if (batches.empty()) return true;
  auto& batch = batches.front();
  const auto begin = Clock::now();
  bool good = false;
  self->request(caf::actor_cast<SessionActor>(session), ack_patience,
                wire::Batch{spool_->epoch(), std::uint8_t(batch.lane), batch.seq, std::move(batch.bytes)})
      .receive(
          [&](const wire::Ack& ack) {
            good = ack.seq == batch.seq;
            (void)spool_->acknowledge(batch.lane, ack.seq, now);
          },
          [](const caf::error&) {});
  if (!good) return ++failures_, false;
  ++acked_;
  const auto spent = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  const std::lock_guard lock{mutex_};
  times_.push_back(std::uint32_t(spent.count()));
  return true;
}

void HealthyGateway::run() {
  caf::scoped_actor self{*system_};
  std::uint64_t greeted = 0;
  for (auto next = Clock::now(); !stop_; std::this_thread::sleep_until(next += pace)) {
    if (next < Clock::now() - 1s) next = Clock::now();
    caf::strong_actor_ptr session;
    std::uint64_t generation = 0;
    {
      const std::lock_guard lock{mutex_};
      session = session_;
      generation = generation_;
    }
    if (!session) continue;
    if (greeted != generation && !greet(self, session)) continue;
    greeted = generation;
    (void)send_one(self, session);
    // What the cloud pushes meanwhile is taken, so that it is not waited for.
    self->receive([](const wire::Push&) { return wire::PushAck{encode_push_ack(true, "")}; },
                  caf::after(0s) >> [] {});
  }
}

} // namespace linklab
