#include "node/gateway.hpp"

#include "actors/inspector.hpp"
#include "actors/link/tls_context.hpp"
#include "actors/query.hpp"
#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "actors/ticks.hpp"
#include "actors/watchdog.hpp"
#include "core/alert/alert.hpp"
#include "core/intel/indicator_set.hpp"
#include "core/link/token.hpp"
#include "node/evidence/evidence_answer.hpp"
#include "node/recording/packet_recorder.hpp"
#include "node/remembered.hpp"
#include "node/router_actor.hpp"
#include "node/sources/node_clock.hpp"
#include "node/spool_actor.hpp"
#include "node/uplink_actor.hpp"
#include "node/version.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <random>

namespace iris {
namespace {

using namespace std::chrono_literals;

TlsFiles tls_files(const EnrolmentFiles& files) { return {files.certificate(), files.key(), files.ca(), ""}; }

/// What this gateway tells beside its actors.
InspectorVerbs gateway_verbs(const std::shared_ptr<EvidenceRing>& evidence) {
  InspectorVerbs verbs;
  verbs["evidence"] = [evidence](const QueryRequest& query) {
    if (!evidence)
      return answer_error(Errc::not_found, "this gateway keeps no evidence (--evidence-bytes 0)");
    const auto question = parse_evidence_question(query.arguments);
    if (!question) return answer_error(question.error().code, question.error().message);
    return answer_evidence(*evidence, *question, node_clock().now(), node_clock().shift());
  };
  return verbs;
}

} // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(const NodeOptions& options, const GatewaySetup& setup) {
  EnrolmentFiles files{options.data};
  if (auto settled = settle_enrolment(files); !settled) return settled.error();
  if (!files.complete())
    return Error{Errc::not_found, options.data +
                                      ": not enrolled; run `iris-node enroll --join TOKEN --data " +
                                      options.data + "` with a token of `iris-cloud token create`"};
  auto addresses = read_addresses(files);
  if (!addresses) return addresses.error();
  auto tls = TlsContext::load(TlsContext::Use::client, tls_files(files));
  if (!tls) return tls.error();
  std::unique_ptr<Gateway> gateway{new Gateway};
  gateway->addresses_ = std::move(*addresses);
  gateway->name_ = (*tls)->identity().name;
  if (!options.syslog.empty()) {
    auto syslog = LocalSyslog::open(options.syslog, gateway->name_);
    if (!syslog) return syslog.error();
    gateway->syslog_ = std::move(*syslog);
  }
  if (auto started = gateway->start_actors(options, setup); !started) return started.error();
  if (auto started = gateway->start_link(setup, files); !started) return started.error();
  if (!setup.sources) return gateway;
  SourceHubWorld world{
      gateway->system_.get(), &gateway->directory_, gateway->supervisor_, gateway->router_, {}, 0};
  if (options.record_packets) world.snapshot = recorded_frame;
  world.taps = [recorder = options.record_packets ? gateway->recorder_ : nullptr,
                evidence = gateway->evidence_](const std::string& interface) {
    std::vector<std::shared_ptr<PacketTap>> taps;
    if (evidence) taps.push_back(evidence->packets_of(interface));
    if (recorder)
      taps.push_back(
          std::make_shared<PacketRecorder>(recorder, interface, [] { return node_clock().shift(); }));
    return taps;
  };
  auto sources = SourceHub::start(options, world);
  if (!sources) return sources.error();
  const std::lock_guard lock{gateway->sources_mutex_};
  gateway->sources_ = std::move(*sources);
  if (gateway->scale_) gateway->sources_->set_scale(*gateway->scale_);
  return gateway;
}

Result<void> Gateway::start_actors(const NodeOptions& options, const GatewaySetup& setup) {
  auto limits = setup.spool;
  limits.bytes = options.spool_bytes;
  limits.age = Duration(options.spool_age) * second;
  auto opened = Spool::open(options.data + "/spool", limits, TickScale::wall_now());
  if (!opened) return opened.error();
  std::shared_ptr<Spool> spool{std::move(*opened)};
  if (!spool->trouble().empty()) spdlog::warn("{}", spool->trouble());
  const auto key = read_small_file(EnrolmentFiles{options.data}.key());
  if (!key) return key.error();
  auto remembered = remember(*spool, sha256(*key));
  if (remembered.terms && remembered.terms->scale.day > 0) spool->set_day(remembered.terms->scale.day);
  std::vector<Cidr> local;
  for (const auto& text : options.local) {
    auto network = parse_cidr(text);
    if (!network) return Error{Errc::invalid, "--local " + text + ": not a network such as 192.0.2.0/24"};
    local.push_back(*network);
  }

  if (options.record_packets && options.record.empty())
    return Error{Errc::invalid, "--record-packets needs --record FILE"};
  if (!options.record.empty()) {
    auto recorder = Recorder::start(options.record, {.bytes = options.record_bytes});
    if (!recorder) return recorder.error();
    recorder_ = std::move(*recorder);
    spdlog::info("recording to {}{}", options.record, options.record_packets ? ", packets too" : "");
  }

  config_ = std::make_unique<ActorConfig>(ActorConfig::Options{.remote = true});
  system_ = std::make_unique<caf::actor_system>(*config_);
  close_registry(*system_);
  auto& system = *system_;
  SupervisorOptions care;
  care.on_trouble = [](const CrashReport& report) {
    spdlog::error("{} crashed {} times in a row: {}", report.name, report.crashes, report.last_error);
  };
  supervisor_ = spawn_supervisor(system, directory_, care);
  auto parent = supervisor_->id();
  auto wall = [] { return TickScale::wall_now(); };

  supervise<SpoolActor>(
      supervisor_, "spool",
      [this, &system, parent, spool, wall, setup] {
        SpoolEvents events;
        events.wake = [uplink = uplink_] {
          uplink.with([](const UplinkActor& h) { caf::anon_send(h, atom::wake_v); });
        };
        events.finding = [this](const Finding& finding) {
          if (syslog_) syslog_->write(finding);
          Alert told;
          told.finding = finding;
          spdlog::info("{}: {}", finding.detector, title_of(told));
        };
        events.settled = setup.finding;
        events.delta = setup.delta;
        return spawn_in<SpoolActor, SpoolActorState, caf::detached>(
            system, directory_, {.kind = "spool", .parent = parent}, spool_actor, spool,
            std::function<Timestamp()>{wall}, std::move(events));
      },
      spool_);

  auto route = std::make_shared<RouterWorld>();
  route->gateway = name_;
  route->directory = &directory_;
  route->supervisor = supervisor_;
  route->spool = spool_;
  route->losses = losses_;
  route->now = [] { return node_clock().now(); };
  route->wall_shift = [] { return node_clock().shift(); };
  route->pair_limit = options.max_entities;
  route->local = local;
  route->version = version();
  route->recorder = recorder_;
  if (options.evidence_bytes != 0) evidence_ = std::make_shared<EvidenceRing>(options.evidence_bytes);
  route->evidence = evidence_;
  route->memory = std::make_shared<RouterMemory>();
  for (const auto& baseline : remembered.baselines)
    route->memory->baselines[baseline->profile] = baseline;
  route->memory->indicators = remembered.indicators;
  route->memory->terms = remembered.terms;
  supervise<RouterActor>(
      supervisor_, "router",
      [this, &system, parent, route = std::shared_ptr<const RouterWorld>{route}] {
        return spawn_in<RouterActor, RouterState>(system, directory_, {.kind = "router", .parent = parent},
                                                  router_actor, route);
      },
      router_);

  if (remembered.terms) scale_ = remembered.terms->scale;
  inspector_.set(spawn_inspector(system, directory_, parent, gateway_verbs(evidence_)));

  std::random_device random;
  auto instance = std::uint64_t(random()) << 32 | random();
  supervise<UplinkActor>(
      supervisor_, "uplink",
      [this, &system, parent, wall, instance, remembered, site = options.site] {
        UplinkWorld world;
        world.spool = [slot = spool_] { return slot.get(); };
        world.inspector = [slot = inspector_] { return slot.get(); };
        world.router = [slot = router_] { return slot.get(); };
        world.now = wall;
        world.give_up = [this](const std::string& why, bool later) {
          if (link_) link_->leave(why, later);
        };
        world.terms_changed = [this](const LinkTerms& terms) {
          const std::lock_guard lock{sources_mutex_};
          scale_ = terms.scale;
          if (sources_) sources_->set_scale(terms.scale);
        };
        world.version = version();
        world.site = site;
        world.instance = instance;
        if (remembered.terms) world.baseline_key = remembered.terms->baseline_key;
        return spawn_in<UplinkActor, UplinkState>(
            system, directory_, {.kind = "uplink", .parent = parent}, uplink_actor, std::move(world),
            remembered.versions, remembered.indicators ? remembered.indicators->version() : std::uint64_t{0});
      },
      uplink_);
  return {};
}

Result<void> Gateway::start_link(const GatewaySetup& setup, const EnrolmentFiles& files) {
  LinkClientOptions wanted;
  wanted.addresses = addresses_;
  wanted.read_addresses = [files] { return read_addresses(files); };
  wanted.tls = tls_files(files);
  wanted.backoff_most = setup.longest_pause;
  LinkClientEvents events;
  events.up = [uplink = uplink_](caf::strong_actor_ptr session, const Identity& server,
                                 const std::string& address) {
    spdlog::info("link: connected to {} at {}", to_uri(server), address);
    uplink.with([&](const UplinkActor& h) { caf::anon_send(h, atom::up_v, session); });
  };
  events.down = [uplink = uplink_](const CloseReason& reason) {
    if (reason.cause == CloseCause::local)
      spdlog::info("link: ended: {}", reason.detail);
    else
      spdlog::warn("link: lost: {}", to_string(reason));
    uplink.with([&](const UplinkActor& h) { caf::anon_send(h, atom::down_v, to_string(reason)); });
  };
  events.failed = [uplink = uplink_](const CloseReason& reason, const std::string& address) {
    if (address.empty()) return spdlog::error("link: {}", reason.detail);
    const auto why = "cannot connect to " + address + ": " + to_string(reason);
    spdlog::warn("link: {}", why);
    uplink.with([&](const UplinkActor& h) { caf::anon_send(h, atom::down_v, why); }); // for its status
  };
  auto client = LinkClient::start(*system_, wanted, std::move(events));
  if (!client) return client.error();
  link_ = std::move(*client);
  keeper_ = std::make_unique<CertificateKeeper>(files, addresses_);
  return {};
}

Gateway::~Gateway() {
  Watchdog watchdog{15s, [] {
                      spdlog::error("the orderly end takes too long; leaving now");
                      spdlog::shutdown();
                      std::_Exit(1);
                    }};
  std::unique_ptr<SourceHub> sources;
  {
    const std::lock_guard lock{sources_mutex_};
    sources = std::move(sources_);
  }
  sources.reset();
  // What the sources gave last reaches the pairs before they end.
  if (auto router = router_.get()) {
    caf::scoped_actor self{*system_};
    self->request(router, 2s, atom::inspect_v)
        .receive([](const Ref<InspectAnswer>&) {}, [](const caf::error&) {});
  }
  if (system_) shut_down(*system_, supervisor_, 5s);
  keeper_.reset();
  link_.reset();
  supervisor_ = nullptr;
  spool_.clear();
  router_.clear();
  uplink_.clear();
  if (auto inspector = inspector_.get()) caf::anon_send_exit(inspector, caf::exit_reason::user_shutdown);
  inspector_.clear();
  system_.reset();
}

} // namespace iris
