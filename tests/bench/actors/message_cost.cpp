// What a message costs bare and instrumented: mailbox filled by 1,000 and emptied, best of the rounds. Prints
// one JSON object.
#include "actors/actor_config.hpp"
#include "actors/interfaces.hpp"
#include "actors/query.hpp"
#include "actors/spawn.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace iris;

struct CounterState {
  std::uint64_t seen = 0;
};

CollectorActor::behavior_type counter(CollectorActor::stateful_pointer<CounterState> self) {
  return {[](atom::inspect) { return make_ref(InspectAnswer{"{}"}); },
          [self](const Ref<ObservationBatch>&) { ++self->state.seen; },
          [](const Ref<Baseline>&) {},
          [](const Ref<IndicatorSet>&) {},
          [](const Ref<LinkTerms>&) {},
          [self](atom::tick) { ++self->state.seen; }};
}

/// Nanoseconds a message: sent and handled by one thread, so that nothing of the cost hides behind the other
/// side.
double measure(caf::actor_system& system, const CollectorActor& actor, int batches) {
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  caf::scoped_actor self{system};
  const Ref<ObservationBatch> content;
  const auto begin = std::chrono::steady_clock::now();
  for (int batch = 0; batch < batches; ++batch) {
    for (int i = 0; i < 1'000; ++i)
      self->send(actor, content);
    while (scheduler.try_run_once()) {
    }
  }
  const auto span = std::chrono::steady_clock::now() - begin;
  return double(std::chrono::duration_cast<std::chrono::nanoseconds>(span).count()) / (1'000.0 * batches);
}

} // namespace

int main(int argc, char** argv) {
  const int batches = argc > 1 ? std::max(1, std::atoi(argv[1])) : 300;
  Directory directory;
  ActorConfig::Options options;
  options.deterministic = true;
  ActorConfig config{options};
  caf::actor_system system{config};
  const CollectorActor bare = system.spawn(counter);
  ActorMeta meta;
  meta.kind = "counter";
  const auto observed = spawn_in<CollectorActor, CounterState>(system, directory, meta, counter);
  double bare_ns = 1e9, observed_ns = 1e9;
  for (int round = 0; round < 15; ++round) { // in turns, so that a busy machine hits both
    bare_ns = std::min(bare_ns, measure(system, bare, batches));
    observed_ns = std::min(observed_ns, measure(system, observed, batches));
  }
  std::puts(
      fmt::format("{{\"bare_ns\":{:.0f},\"instrumented_ns\":{:.0f},\"cost_ns\":{:.0f},\"budget_ns\":60}}",
                  bare_ns, observed_ns, observed_ns - bare_ns)
          .c_str());
  return observed_ns - bare_ns <= 60 ? 0 : 1;
}
