#include "node/recorder_actor.hpp"

#include "actors/query.hpp"
#include "actors/terms.hpp"
#include "core/alert/json_writer.hpp"
#include "core/intel/indicator_set.hpp"
#include "node/health_log.hpp"
#include "node/recording/recorder.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace iris {

RouterActor::behavior_type recorder_actor(RouterActor::stateful_pointer<RecorderState> self,
                                          std::shared_ptr<Recorder> recorder,
                                          std::function<FrameMoment()> moment) {
  using namespace std::chrono_literals;
  self->delayed_send(self, 1s, atom::tick_v);
  const auto keep = [recorder, moment](const auto& batch) { recorder->take(moment(), *batch); };
  return {
      [=](atom::inspect) {
        return make_ref(InspectAnswer{
            JsonWriter{}.object().field("batches", recorder->figures().batches).end_object().take()});
      },
      [=](const Ref<ProcessBatch>& batch) { keep(batch); },
      [=](const Ref<FlowBatch>& batch) { keep(batch); },
      [=](const Ref<ContainerBatch>& batch) { keep(batch); },
      [=](const Ref<UsageBatch>& batch) { keep(batch); },
      [=](const Ref<DeviceList>& list) { keep(list); },
      [=](const Ref<HostAddresses>& addresses) { keep(addresses); },
      [=](const Ref<HealthBatch>& batch) {
        for (const auto& report : batch->reports)
          log_health(report);
        keep(batch);
      },
      [=](const Ref<Baseline>& baseline) { keep(baseline); },
      [=](const Ref<IndicatorSet>& indicators) { keep(indicators); },
      [=](const Ref<LinkTerms>& terms) { recorder->take(moment(), terms->scale); },
      [=](atom::tick) {
        self->delayed_send(self, 1s, atom::tick_v);
        recorder->tick(moment());
      },
  };
}

} // namespace iris
