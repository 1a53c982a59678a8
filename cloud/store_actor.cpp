#include "cloud/store_actor.hpp"
#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "core/alert/json_writer.hpp"

#include <spdlog/spdlog.h>

namespace iris {

StoreActor::behavior_type store_actor(StoreActor::stateful_pointer<StoreState> self, WorldPtr world) {
  return {
      [=](atom::inspect) {
        const auto& s = self->state;
        JsonWriter out;
        out.object().field("commits", s.commits).field("writes", s.writes_total);
        out.field("largest_commit", std::uint64_t(s.largest)).field("failures", s.failures);
        out.field("disk_bytes", world->store->disk_bytes()).end_object();
        return make_ref(InspectAnswer{out.take()});
      },
      [=](const Ref<StoreWrite>& write) -> caf::result<atom::ok> {
        auto& s = self->state;
        auto promise = self->make_response_promise<atom::ok>();
        s.writes.push_back(write);
        s.promises.push_back(promise);
        if (!s.scheduled) {
          s.scheduled = true;
          self->send(self, atom::tick_v); // behind everything that has arrived by now
        }
        return promise;
      },
      [=](atom::tick) {
        auto& s = self->state;
        s.scheduled = false;
        if (s.writes.empty()) return;
        std::vector<const StoreWrite*> writes;
        for (const auto& write : s.writes)
          writes.push_back(write.value.get());
        const auto results = world->store->write_each(writes);
        std::size_t landed = 0;
        const Error* failure = nullptr;
        for (std::size_t i = 0; i < results.size(); ++i)
          if (results[i]) {
            ++landed;
            s.promises[i].deliver(atom::ok_v);
          } else {
            failure = &results[i].error();
            s.promises[i].deliver(caf::make_error(caf::sec::runtime_error, failure->message));
          }
        if (landed > 0) {
          ++s.commits;
          s.writes_total += landed;
          s.largest = std::max(s.largest, landed);
          world->counters.store_commits += 1;
          world->counters.store_writes += landed;
        }
        if (failure != nullptr) {
          ++s.failures;
          spdlog::error("store: {}", failure->message);
          if (world->store->broken() && world->fatal) world->fatal(failure->message);
        }
        s.writes.clear();
        s.promises.clear();
      },
  };
}

} // namespace iris
