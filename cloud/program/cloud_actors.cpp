#include "actors/inspector.hpp"
#include "actors/query.hpp"
#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "cloud/alerts/alert_manager.hpp"
#include "cloud/frontdesk/frontdesk.hpp"
#include "cloud/intelligence_actor.hpp"
#include "cloud/notifier/notifier.hpp"
#include "cloud/program/cloud_parts.hpp"
#include "cloud/store_actor.hpp"

#include <caf/scoped_actor.hpp>
#include <spdlog/spdlog.h>

namespace iris {

using namespace std::chrono_literals;

void CloudProgram::Impl::start_actors() {
  ActorConfig::Options options;
  options.remote = true;
  actor_config = std::make_unique<ActorConfig>(options);
  system = std::make_unique<caf::actor_system>(*actor_config);
  close_registry(*system);
  world->system = system.get();
  SupervisorOptions supervision;
  supervision.on_trouble = [](const CrashReport& report) {
    spdlog::critical("{} has crashed {} times in a row: {}", report.name, report.crashes, report.last_error);
  };
  world->supervisor = spawn_supervisor(*system, directory, supervision);
  const auto parent = world->supervisor->id();
  auto& w = world;
  auto meta = [parent](const char* kind, std::string name = {}) {
    return ActorMeta{kind, std::move(name), parent, 100'000, MailboxPolicy::drop_newest};
  };
  supervise<StoreActor>(
      w->supervisor, "store",
      [this, meta] {
        return spawn_in<StoreActor, StoreState, caf::detached>(*system, directory, meta("store"), store_actor,
                                                               world);
      },
      w->writer);
  supervise<IntelligenceActor>(
      w->supervisor, "intelligence",
      [this, meta] {
        return spawn_in<IntelligenceActor, IntelligenceState, caf::detached>(
            *system, directory, meta("intelligence"), intelligence_actor, world,
            IntelligenceFiles{config.threat_lists, config.mmdb});
      },
      w->intelligence_actor);
  supervise<AlertManagerActor>(
      w->supervisor, "alert manager",
      [this, meta] {
        return spawn_in<AlertManagerActor, AlertManagerState>(*system, directory, meta("alert_manager"),
                                                              alert_manager, world);
      },
      w->alerts);
  supervise<FrontdeskActor>(
      w->supervisor, "front desk",
      [this, meta] {
        return spawn_in<FrontdeskActor, FrontdeskState>(*system, directory, meta("frontdesk"), frontdesk,
                                                        world);
      },
      w->frontdesk);
  supervise<InspectorActor>(
      w->supervisor, "inspector", [this, parent] { return spawn_inspector(*system, directory, parent); },
      w->inspector);
  for (std::size_t i = 0; i < config.sinks.size(); ++i) {
    sink_threads.push_back(std::make_unique<SinkThread>(make_sink(config.sinks[i])));
    GiveJob give = [thread = sink_threads[i].get()](SinkJob job, SinkThread::Done done) {
      return thread->give(std::move(job), std::move(done));
    };
    supervise<NotifierActor>(
        w->supervisor, "notifier " + config.sinks[i].name,
        [this, meta, i, give] {
          return spawn_in<NotifierActor, NotifierState>(
              *system, directory, meta("notifier", config.sinks[i].name), notifier, world, i, give);
        },
        w->sinks[i].notifier);
  }
}

/// Until threat lists are loaded and all alerts are known nobody is let in.
void CloudProgram::Impl::await_actors() {
  caf::scoped_actor self{*system};
  auto await = [&](const InspectableActor& who, const char* name) {
    if (!who) return;
    self->request(who, 120s, atom::inspect_v)
        .receive([](const Ref<InspectAnswer>&) {},
                 [&](const caf::error& error) {
                   spdlog::warn("{} is not ready: {}", name, caf::to_string(error));
                 });
  };
  await(world->intelligence_actor.get(), "intelligence");
  await(world->alerts.get(), "the alert manager");
}

} // namespace iris
