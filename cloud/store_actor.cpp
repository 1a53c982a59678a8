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
        auto done = world->store->write(writes);
        if (done) {
          ++s.commits;
          s.writes_total += writes.size();
          s.largest = std::max(s.largest, writes.size());
          world->counters.store_commits += 1;
          world->counters.store_writes += writes.size();
          for (auto& promise : s.promises)
            promise.deliver(atom::ok_v);
        } else {
          ++s.failures;
          spdlog::error("store: {}", done.error().message);
          if (world->store->broken() && world->fatal) world->fatal(done.error().message);
          for (auto& promise : s.promises)
            promise.deliver(caf::make_error(caf::sec::runtime_error, done.error().message));
        }
        s.writes.clear();
        s.promises.clear();
      },
  };
}

} // namespace iris
