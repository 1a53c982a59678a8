#include "actors/link/log_limit.hpp"
#include "actors/query.hpp"
#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "actors/watchdog.hpp"
#include "cloud/aggregator/silent.hpp"
#include "cloud/pki/pki.hpp"
#include "cloud/program/cloud_parts.hpp"
#include "cloud/program/metrics.hpp"
#include "cloud/session/session.hpp"

#include <caf/scoped_actor.hpp>
#include <spdlog/spdlog.h>

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace iris {
namespace {

using namespace std::chrono_literals;

CloudSettings settings_of(const CloudConfig& config) {
  CloudSettings settings;
  settings.training.quorum = config.quorum;
  settings.training.days = config.trust_days;
  settings.training.budget = config.budget;
  settings.training.horizon_days = config.horizon_days;
  settings.training.min_days = config.min_days;
  settings.training.looks = config.looks;
  settings.training.alpha = config.alpha;
  settings.training.report_bits = config.report_bits;
  settings.training.scale = config.scale;
  settings.credit_batches = config.credit_batches;
  settings.alerts_per_gateway = config.alerts_per_gateway;
  settings.late_after = config.late_after;
  settings.away_after = config.away_after;
  settings.retire_after = config.retire_after;
  settings.outbox_limit = config.outbox_limit;
  return settings;
}

/// A connection costs one descriptor; databases, sockets and sinks have the rest.
void provide_descriptors(std::uint32_t connections) {
  constexpr rlim_t others = 1'024;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const auto wanted = rlim_t(connections) + others;
  if (files.rlim_cur >= wanted) return;
  files.rlim_cur = std::min(wanted, files.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < wanted)
    spdlog::warn("link: the system allows {} open files; {} connections (limits.connections) need {}",
                 files.rlim_cur, connections, wanted);
}

} // namespace

Result<void> CloudProgram::Impl::open_store(bool create) {
  if (auto good = check_data_directory(paths); !good) return good;
  if (!std::filesystem::exists(paths.pki() + "/" + pki::ca_certificate))
    return Error{Errc::not_found, "there is no certificate authority in " + paths.pki() +
                                      (std::filesystem::exists(paths.database() + "/CURRENT")
                                           ? "; copy the pki directory that you kept to " + paths.pki()
                                           : "; make one with iris-cloud init --data " + paths.data)};
  world = std::make_shared<CloudWorld>();
  const auto made = create && !std::filesystem::exists(paths.database() + "/CURRENT");
  auto store = made ? Store::create(paths.database()) : Store::open(paths.database());
  if (!store) return store.error();
  if (made)
    if (auto noted = Admin::note_beginning(**store, TickScale::wall_now()); !noted) return noted;
  world->store = std::move(*store);
  return {};
}

Result<void> CloudProgram::Impl::start_world() {
  auto signing = load_signing_key(paths.pki());
  if (!signing) return signing.error();
  world->signing = std::move(*signing);
  world->settings = settings_of(config);
  world->version = IRIS_VERSION;
  world->directory = &directory;
  world->now = TickScale::wall_now;
  world->started = world->now();
  world->fatal = [](const std::string& why) {
    spdlog::critical("{}; this process ends", why);
    spdlog::default_logger()->flush();
    std::_Exit(1); // without closing the database, which may not be touched
  };
  heavy = std::make_unique<Worker>(10'000);
  world->run_heavy = [this](std::function<void()> task) {
    if (!heavy->give(std::move(task)) && ready) spdlog::error("too much training waits; some is left out");
  };
  for (const auto& sink : config.sinks)
    world->sinks.push_back({sink.name, sink.tenant, {}, {}});
  for (auto& sink : world->sinks)
    sink.waiting = std::make_shared<std::atomic<std::uint64_t>>(0);
  if (auto done = load_outbox(*world); !done) return done.error();
  // Numbers that must not meet those of an earlier run.
  world->next_audit = std::uint64_t(world->now()) & ~(std::uint64_t(1) << 63);
  return {};
}

caf::strong_actor_ptr CloudProgram::Impl::open_session(const ConnectionInfo& info) {
  SessionPeer peer;
  peer.connection = info.id;
  peer.identity = info.identity;
  peer.address = info.remote;
  peer.buffered = info.buffered;
  peer.close = [this, id = info.id](std::string why) {
    const std::lock_guard lock{server_mutex};
    if (server) server->close(id, std::move(why));
  };
  const auto name = info.identity.tenant + "/" + info.identity.name;
  // What a peer can put into this mailbox the link bounds (LinkServerOptions::max_unanswered).
  ActorMeta meta{"session", name, world->supervisor->id(), 10'000, MailboxPolicy::drop_newest};
  auto handle =
      spawn_in<SessionActor, SessionState>(*system, directory, meta, session, world, std::move(peer));
  return caf::actor_cast<caf::strong_actor_ptr>(handle);
}

void CloudProgram::Impl::cut_off(const Identity& identity) {
  const std::lock_guard lock{server_mutex};
  if (!server) return;
  if (auto done = server->reload(); !done) spdlog::error("link: {}", done.error().message);
  server->close_identity(identity, CloseCause::revoked, "revoked");
}

Result<void> CloudProgram::Impl::start_link() {
  LinkServerOptions options;
  options.listen = config.listen;
  options.tls = {paths.pki() + "/" + pki::server_certificate, paths.pki() + "/" + pki::server_key,
                 paths.pki() + "/" + pki::ca_certificate, paths.pki() + "/" + pki::revocations};
  options.max_connections = config.connections;
  options.max_strangers = config.strangers;
  options.max_strangers_per_address = config.strangers_per_address;
  options.max_per_operator = config.shells_per_operator;
  options.max_pending_per_identity = config.pending_per_identity;
  provide_descriptors(config.connections);
  options.max_unanswered = std::max<std::size_t>(options.max_unanswered, config.credit_batches + 64);
  LinkServerEvents events;
  // Called on the link's control thread only.
  auto sessions = std::make_shared<std::map<std::uint64_t, SessionActor>>();
  events.open = [this, sessions](const ConnectionInfo& info) -> caf::strong_actor_ptr {
    if (info.identity.role == Role::cloud) return nullptr;
    if (!admin->may_connect(info.identity, info.serial, info.issued * second)) {
      spdlog::warn("link: {} at {} is revoked, or its certificate is not one that the cloud knows of it",
                   to_uri(info.identity), info.remote);
      return nullptr;
    }
    // On a thread that may write. Left out where that has too much to do: the next connection says it again.
    (void)enrolling->give(
        [this, identity = info.identity, serial = info.serial] { admin->note_shown(identity, serial); });
    auto session = open_session(info);
    (*sessions)[info.id] = caf::actor_cast<SessionActor>(session);
    return session;
  };
  events.closed = [sessions](const ConnectionInfo& info, const CloseReason& reason) {
    auto found = sessions->find(info.id);
    if (found == sessions->end()) return;
    // At high priority it is never dropped, however full the mailbox is.
    caf::anon_send<caf::message_priority::high>(found->second, atom::down_v, to_string(reason));
    sessions->erase(found);
  };
  // At most once a minute, peer and kind; a stranger has no name to be called by.
  events.alarm = [this](const ConnectionInfo& info, const CloseReason& reason, std::uint64_t count) {
    if (info.identity.name.empty()) return;
    auto kind = std::string{to_string(reason.cause)};
    if (reason.violation != Violation::none) kind += std::string{" "} + to_string(reason.violation);
    spdlog::warn("link: {} at {}: {}, {} times", to_uri(info.identity), info.remote, to_string(reason),
                 count);
    if (info.identity.role != Role::gateway) return;
    if (auto aggregator = aggregator_of(world, info.identity.tenant, info.identity.name))
      caf::anon_send(aggregator, make_ref(PeerViolation{kind, to_string(reason), count, world->now()}));
  };
  auto refusals = std::make_shared<LogLimit>(options.stranger_lines); // used on the one thread of `enrolling`
  events.enrol = [this, refusals](const EnrolRequest& request, std::function<void(EnrolResponse)> reply) {
    auto task = [this, refusals, request, reply] {
      auto response = admin->enrol(request);
      const auto now = std::chrono::steady_clock::now();
      if (auto more = refusals->held_back(now); more > 0)
        spdlog::warn("{} more enrolments were refused", more);
      if (response.error.empty())
        spdlog::info("{} {} from {}", request.renews ? "renewed the certificate of" : "enrolled",
                     response.identity, request.remote);
      else if (refusals->take(now))
        spdlog::warn("enrolment from {} refused: {}", request.remote, response.error);
      reply(std::move(response));
    };
    if (!enrolling->give(task)) reply(EnrolResponse{"too many enrolments at once; try again", "", "", ""});
  };
  events.log = [](std::string line) { spdlog::info("link: {}", line); };
  auto started = LinkServer::start(*system, std::move(options), std::move(events));
  if (!started) return started.error();
  const std::lock_guard lock{server_mutex};
  server = std::move(*started);
  std::string ports;
  for (auto port : server->ports())
    ports += (ports.empty() ? "" : ", ") + std::to_string(port);
  spdlog::info("listening for gateways and operators on port {}", ports);
  return {};
}

Result<void> CloudProgram::Impl::start_control() {
  auto answer = [this](const QueryRequest& asked) -> QueryAnswer {
    if (asked.verb == "backup") return backups->start(asked.arguments);
    if (asked.verb == "backup-state") return backups->state(asked.arguments);
    if (Admin::knows(asked.verb)) return admin->execute(asked);
    auto query = asked;
    query.tenant = "*";
    query.admin = true;
    query.asked_by = "local";
    auto desk = world->frontdesk.get();
    if (!desk) return answer_error(Errc::unavailable, "the front desk is starting again; try again");
    QueryAnswer result = answer_error(Errc::unavailable, "the front desk did not answer in time");
    caf::scoped_actor self{*system};
    const auto patience = std::chrono::milliseconds(query.deadline_ms);
    self->request(desk, patience, make_ref(std::move(query)))
        .receive([&](const Ref<QueryAnswer>& found) { result = *found; }, [](const caf::error&) {});
    return result;
  };
  auto listening = ControlSocket::listen(paths.control(), answer);
  if (!listening) return listening.error();
  control = std::move(*listening);
  return {};
}

Result<void> CloudProgram::Impl::start_health() {
  if (config.health.empty()) {
    spdlog::info("no health port; --health ADDRESS:PORT opens one");
    return {};
  }
  auto answer = [this](const std::string& path) -> HealthAnswer {
    if (path == "/healthz") return {200, "text/plain", "ok\n"};
    if (path == "/readyz")
      return ready && world->writer.get() ? HealthAnswer{200, "text/plain", "ready\n"}
                                          : HealthAnswer{503, "text/plain", "not ready\n"};
    if (path == "/metrics") {
      LinkCounters link;
      {
        const std::lock_guard lock{server_mutex};
        if (server) link = server->counters();
      }
      return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(*world, link)};
    }
    return {404, "text/plain", "there are /healthz, /readyz and /metrics\n"};
  };
  auto started = HealthServer::start(config.health, answer);
  if (!started) return started.error();
  health = std::move(*started);
  spdlog::info("health on {}:{}", config.health.substr(0, config.health.rfind(':')), health->port());
  return {};
}

CloudProgram::Impl::~Impl() {
  ready = false;
  Watchdog watchdog{10s, [] {
                      spdlog::critical(
                          "the orderly end hangs; ending at once (nothing acknowledged is lost)");
                      std::_Exit(1);
                    }};
  control.reset();
  backups.reset();
  std::unique_ptr<LinkServer> last;
  {
    const std::lock_guard lock{server_mutex};
    last = std::move(server);
  }
  last.reset();
  if (heavy) heavy->stop(); // trainings use the store and tell actors
  if (enrolling) enrolling->stop();
  for (auto& sink : sink_threads)
    sink->stop();
  if (system && world && world->supervisor) {
    if (!shut_down(*system, world->supervisor, 5s)) spdlog::warn("some actors did not end in time");
    world->supervisor = nullptr;
  }
  health.reset();
  sink_threads.clear();
  system.reset();
  if (world) world->store.reset();
}

CloudProgram::CloudProgram(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {
  // nop
}
CloudProgram::~CloudProgram() = default;

Result<std::unique_ptr<CloudProgram>> CloudProgram::start(CloudPaths paths, CloudConfig config,
                                                          bool create_store) {
  auto impl = std::make_unique<Impl>();
  impl->paths = std::move(paths);
  impl->config = std::move(config);
  if (auto done = impl->open_store(create_store); !done) return done.error();
  if (auto done = impl->start_world(); !done) return done.error();
  impl->enrolling = std::make_unique<Worker>(1'000);
  Admin::Terms terms{impl->paths.pki(),
                     impl->config.public_addresses,
                     TickScale::wall_now,
                     random_bytes,
                     [raw = impl.get()](const Identity& identity) { raw->cut_off(identity); },
                     impl->config.gateway_life,
                     impl->config.operator_life,
                     impl->config.server_life};
  impl->admin = std::make_unique<Admin>(impl->world->store, std::move(terms));
  impl->backups = std::make_unique<BackupJob>(
      [store = impl->world->store](const std::string& directory) { return store->backup(directory); });
  if (auto done = impl->start_control(); !done) return done.error();
  impl->start_actors();
  if (auto done = impl->start_health(); !done) return done.error();
  impl->await_actors();
  if (auto done = impl->start_link(); !done) return done.error();
  impl->ready = true;
  return std::unique_ptr<CloudProgram>{new CloudProgram{std::move(impl)}};
}

void CloudProgram::look_after_certificates() {
  constexpr Duration after_fault = 60 * second;
  const auto now = impl_->world->now();
  if (now < impl_->renewal_pause && now > impl_->renewal_pause - after_fault) return;
  auto renewed = impl_->admin->look_after_server();
  if (renewed) {
    impl_->renewal_fault.clear();
    if (!*renewed) return;
    ++impl_->world->counters.server_renewals;
    return spdlog::info("this cloud's certificate is renewed, good until {}", rfc3339(**renewed));
  }
  ++impl_->world->counters.server_renewal_faults;
  impl_->renewal_pause = now + std::min(after_fault, impl_->config.server_life / 20);
  if (std::exchange(impl_->renewal_fault, renewed.error().message) != renewed.error().message)
    spdlog::error("this cloud's certificate cannot be renewed: {}", renewed.error().message);
}

void CloudProgram::look_after_gateways() {
  const auto now = impl_->world->now();
  const auto every = silent_look_every(impl_->world->settings);
  if (now < impl_->next_look && now > impl_->next_look - 2 * every) return; // or the clock was set back
  impl_->next_look = now + every;
  look_for_silent(impl_->world);
}

Result<void> CloudProgram::backup() { return impl_->world->store->backup(impl_->config.backup_dir); }

} // namespace iris
