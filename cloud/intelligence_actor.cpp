#include "cloud/intelligence_actor.hpp"
#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "core/alert/json_writer.hpp"

#include <spdlog/spdlog.h>

namespace iris {
namespace {

using Self = IntelligenceActor::stateful_pointer<IntelligenceState>;
using namespace std::chrono_literals;

void load(Self self, const WorldPtr& world, const IntelligenceFiles& files, const std::string& stamp) {
  auto& s = self->state;
  s.loaded = stamp;
  s.problems.clear();
  ++s.loads;
  auto next = load_intelligence(files, s.problems);
  for (const auto& line : s.problems)
    spdlog::warn("intelligence: {}", line);
  spdlog::info("intelligence: {} entries of {} lists, {} address databases", next->indicators.size(),
               next->indicators.lists().size(), next->databases.size());
  set_state(self,
            fmt::format("{} entries, {} address databases", next->indicators.size(), next->databases.size()));
  const bool same = next->edge_version == world->intelligence.get()->edge_version;
  world->intelligence.set(next);
  if (same) return;
  Ref<IndicatorSet> news{std::shared_ptr<const IndicatorSet>{next, &next->indicators}};
  for (const auto& aggregator : world->aggregators.all())
    self->send(aggregator, news);
}

} // namespace

IntelligenceActor::behavior_type intelligence_actor(Self self, WorldPtr world, IntelligenceFiles files) {
  load(self, world, files, stamp_of(files));
  self->delayed_send(self, 1s, atom::tick_v);
  return {
      [=](atom::inspect) {
        const auto& s = self->state;
        auto now = world->intelligence.get();
        JsonWriter out;
        out.object().field("entries", std::uint64_t(now->indicators.size())).key("lists").array();
        for (const auto& list : now->indicators.lists())
          out.text(list);
        out.end_array()
            .field("version", now->edge_version)
            .field("edge_bytes", std::uint64_t(now->edge.size()));
        out.field("edge_confidence", now->edge_confidence).key("databases").array();
        for (const auto& database : now->databases)
          out.object().field("type", database.type()).field("built", rfc3339(database.built())).end_object();
        out.end_array().field("loads", s.loads).key("problems").array();
        for (const auto& line : s.problems)
          out.text(line);
        return make_ref(InspectAnswer{out.end_array().end_object().take()});
      },
      [=](atom::tick) {
        auto& s = self->state;
        auto stamp = stamp_of(files);
        // Loaded when it has been the same twice: a file that is being written is not read.
        if (stamp != s.loaded && stamp == s.seen) load(self, world, files, stamp);
        s.seen = std::move(stamp);
        self->delayed_send(self, 1s, atom::tick_v);
      },
  };
}

} // namespace iris
