#include "actors/supervisor.hpp"

#include "actors/query.hpp"
#include "actors/spawn.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <map>
#include <optional>

namespace iris {

struct SupervisedChild {
  Ref<Supervise> spec;
  caf::strong_actor_ptr life; ///< empty while it is down
  caf::actor_clock::time_point started{};
  std::uint32_t restarts = 0, crashes = 0; ///< crashes in a row
  std::string last_error;
};

struct SupervisorState {
  Directory* directory = nullptr;
  SupervisorOptions options;
  std::map<std::uint64_t, SupervisedChild> children; ///< by order of arrival
  std::map<caf::actor_id, std::uint64_t> by_life;
  std::uint64_t next = 1, refused = 0, restarts = 0;
  std::optional<caf::typed_response_promise<atom::ok>> ending;
};

namespace {

using Self = SupervisorActor::stateful_pointer<SupervisorState>;

bool orderly(const caf::error& reason) { return error_text(reason).empty(); }

void show_state(Self self) {
  auto& state = self->state;
  const auto down = state.children.size() - state.by_life.size();
  set_state(self,
            fmt::format("{} children, {} down, {} restarts", state.children.size(), down, state.restarts));
}

void adopt(Self self, std::uint64_t number, SupervisedChild& child, caf::strong_actor_ptr life) {
  child.started = self->clock().now();
  child.life = life;
  self->state.by_life[life->id()] = number;
  self->monitor(life->get());
  if (const auto entry = self->state.directory->find(life->id()); entry.record) {
    entry.record->restarts.store(child.restarts, std::memory_order_relaxed);
    if (child.restarts > 0 && entry.record->last_error.load().empty())
      entry.record->last_error.store(child.last_error);
  }
}

void child_failed(Self self, std::uint64_t number, SupervisedChild& child, caf::actor_id life) {
  auto& state = self->state;
  const auto& options = state.options;
  if (self->clock().now() - child.started >= options.quiet) child.crashes = 0;
  ++child.crashes;
  auto wait = options.first_backoff;
  for (auto i = child.crashes; i > 1 && wait < options.last_backoff; --i)
    wait *= 2;
  wait = std::min(wait, options.last_backoff);
  spdlog::error("{} crashed ({} in a row): {}; it starts again in {} ms", child.spec->name, child.crashes,
                child.last_error, wait.count());
  if (child.crashes >= options.report_from && options.on_trouble)
    options.on_trouble({child.spec->name, child.last_error, child.crashes, life, wait});
  self->delayed_send(self, wait, atom::wake_v, number);
}

void start_again(Self self, std::uint64_t number) {
  auto& state = self->state;
  const auto found = state.children.find(number);
  if (found == state.children.end() || found->second.life || state.ending) return;
  auto& child = found->second;
  ++child.restarts;
  ++state.restarts;
  caf::strong_actor_ptr life;
  try {
    life = child.spec->start();
    if (!life) child.last_error = "could not be started";
  } catch (...) {
    child.last_error = current_exception_text();
  }
  if (!life) {
    child.started = self->clock().now();
    child_failed(self, number, child, 0);
  } else {
    adopt(self, number, child, life);
    child.spec->publish(life);
  }
  show_state(self);
}

/// Sends the youngest child that still lives home; the promise is kept when there is none.
void end_next(Self self) {
  auto& state = self->state;
  for (auto child = state.children.rbegin(); child != state.children.rend(); ++child)
    if (child->second.life) {
      self->send_exit(child->second.life, caf::exit_reason::user_shutdown);
      return;
    }
  if (state.ending) state.ending->deliver(atom::ok_v);
  self->quit();
}

void child_is_down(Self self, const caf::down_msg& down) {
  auto& state = self->state;
  const auto life = down.source.id();
  const auto known = state.by_life.find(life);
  if (known == state.by_life.end()) return;
  const auto number = known->second;
  state.by_life.erase(known);
  auto& child = state.children.at(number);
  child.life = nullptr;
  child.spec->publish(nullptr);
  if (state.ending) {
    state.children.erase(number);
    end_next(self);
  } else if (orderly(down.reason)) {
    state.children.erase(number);
  } else {
    child.last_error = error_text(down.reason);
    if (const auto entry = state.directory->find(life); entry.record)
      if (auto text = entry.record->last_error.load(); !text.empty()) child.last_error = std::move(text);
    child_failed(self, number, child, life);
  }
  show_state(self);
}

std::string inspect_text(const SupervisorState& state) {
  nlohmann::ordered_json tree{
      {"children", state.children.size()}, {"restarts", state.restarts}, {"refused", state.refused}};
  auto& troubled = tree["troubled"] = nlohmann::ordered_json::array();
  for (const auto& [number, child] : state.children)
    if (child.restarts > 0 && troubled.size() < 64)
      troubled.push_back({{"name", child.spec->name},
                          {"restarts", child.restarts},
                          {"crashes_in_a_row", child.crashes},
                          {"up", bool(child.life)},
                          {"last_error", child.last_error}});
  return tree.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

SupervisorActor::behavior_type supervisor_actor(Self self, Directory& directory, SupervisorOptions options) {
  self->state.directory = &directory;
  self->state.options = std::move(options);
  self->set_down_handler([self](caf::down_msg& down) { child_is_down(self, down); });
  return {
      [self](atom::inspect) { return make_ref(InspectAnswer{inspect_text(self->state)}); },
      [self](const Ref<Supervise>& spec) {
        auto& state = self->state;
        if (state.children.size() >= state.options.limit || state.ending) {
          ++state.refused;
          return;
        }
        const auto number = state.next++;
        auto& child = state.children[number];
        child.spec = spec;
        adopt(self, number, child, spec->first);
        show_state(self);
      },
      [self](atom::wake, std::uint64_t number) { start_again(self, number); },
      [self](atom::down) {
        auto promise = self->make_response_promise<atom::ok>();
        self->state.ending = promise;
        self->delayed_send(self, self->state.options.grace, atom::tick_v);
        end_next(self);
        return promise;
      },
      [self](atom::tick) {
        auto& state = self->state;
        for (auto& [number, child] : state.children)
          if (child.life) {
            spdlog::warn("{} did not end in time; it is killed", child.spec->name);
            self->send_exit(child.life, caf::exit_reason::kill);
          }
        if (state.ending) state.ending->deliver(caf::make_error(caf::sec::request_timeout));
        self->quit();
      },
  };
}

} // namespace

SupervisorActor spawn_supervisor(caf::actor_system& system, Directory& directory, SupervisorOptions options) {
  ActorMeta meta;
  meta.kind = "supervisor";
  meta.policy =
      MailboxPolicy::unbounded; // a lost DOWN or wake would lose a child; children are limited instead
  return spawn_in<SupervisorActor, SupervisorState>(system, directory, std::move(meta), supervisor_actor,
                                                    std::ref(directory), std::move(options));
}

bool shut_down(caf::actor_system& system, const SupervisorActor& supervisor,
               std::chrono::milliseconds at_most) {
  if (!supervisor) return true;
  caf::scoped_actor self{system};
  bool orderly_end = false;
  self->request(supervisor, at_most, atom::down_v)
      .receive([&](atom::ok) { orderly_end = true; }, [](const caf::error&) {});
  return orderly_end;
}

} // namespace iris
