#include "actors/inspector.hpp"

#include "actors/query.hpp"
#include "actors/spawn.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

namespace iris {

struct InspectorState {
  Directory* directory = nullptr;
  InspectorVerbs verbs;
  std::uint64_t asked = 0;
};

namespace {

using Json = nlohmann::ordered_json;
using Self = InspectorActor::stateful_pointer<InspectorState>;

constexpr std::chrono::seconds inspect_deadline{1};
constexpr std::size_t inspect_limit = 256 * 1024;

std::string dump(const Json& tree) { return tree.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// "QueryRequest" of "iris::Ref<iris::QueryRequest>", "batch" of an atom, "u64" of "@u64".
std::string type_text(caf::actor_system& system, const MessageLabel& label) {
  std::string name;
  switch (label.form) {
  case MessageLabel::Form::empty:
    return "(empty)";
  case MessageLabel::Form::atom:
    name = caf::to_string(caf::atom_value(label.type));
    break;
  case MessageLabel::Form::builtin:
    name = system.types().portable_name(std::uint16_t(label.type), nullptr);
    break;
  case MessageLabel::Form::custom:
    name = system.types().portable_name(0, reinterpret_cast<const std::type_info*>(label.type));
  }
  if (name.starts_with("iris::Ref<") && name.ends_with('>')) name = name.substr(10, name.size() - 11);
  if (name.starts_with("iris::")) name.erase(0, 6);
  if (name.starts_with('@')) name.erase(0, 1);
  if (label.elements > 1) name += fmt::format("+{}", label.elements - 1);
  return name;
}

Json record_json(const Directory& directory, const ActorRecord& record) {
  return Json{{"id", record.id()},
              {"kind", record.meta().kind},
              {"name", record.meta().name},
              {"parent", record.meta().parent},
              {"state", record.state.load()},
              {"mailbox", record.depth()},
              {"handled", record.handled()},
              {"busy_ms", std::round(double(directory.scale().nanoseconds(record.busy())) / 1e3) / 1e3},
              {"restarts", record.restarts.load(std::memory_order_relaxed)},
              {"last_error", record.last_error.load()},
              {"bound", record.meta().policy == MailboxPolicy::unbounded ? 0 : record.meta().bound},
              {"dropped", record.dropped()}};
}

Json details_json(caf::actor_system& system, const Directory& directory, const ActorRecord& record) {
  auto tree = record_json(directory, record);
  tree["started"] = rfc3339(directory.scale().wall(record.started()));
  tree["ended"] = record.ended();
  auto& recent = tree["recent"] = Json::array();
  for (const auto& message : record.recent())
    recent.push_back({{"number", message.number},
                      {"type", type_text(system, message.label)},
                      {"flow", message.label.flow == 0   ? "send"
                               : message.label.flow == 1 ? "request"
                                                         : "response"},
                      {"bytes", message.label.bytes == 0 ? Json{} : Json(message.label.bytes)},
                      {"us", double(directory.scale().nanoseconds(message.span)) / 1'000},
                      {"at", rfc3339(directory.scale().wall(message.begin))}});
  return tree;
}

QueryAnswer list_actors(const Directory& directory) {
  QueryAnswer answer;
  for (const auto& entry : directory.list())
    answer.lines.push_back(dump(record_json(directory, *entry.record)));
  return answer;
}

/// By number, by kind where there is one of it, or by kind/name.
Result<Directory::Entry> find_actor(const Directory& directory, const std::string& text) {
  std::uint64_t id = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (problem == std::errc{} && end == text.data() + text.size()) {
    auto entry = directory.find(id);
    if (!entry.record) return Error{Errc::not_found, fmt::format("no actor {}: `actors` lists them", id)};
    return entry;
  }
  std::optional<Directory::Entry> found;
  for (auto& entry : directory.list()) {
    const auto& meta = entry.record->meta();
    if (text != meta.kind && text != meta.kind + "/" + meta.name) continue;
    if (found)
      return Error{Errc::invalid,
                   fmt::format("{} is more than one actor, for example {} and {}: give the number", text,
                               found->record->id(), entry.record->id())};
    found = std::move(entry);
  }
  if (!found) return Error{Errc::not_found, fmt::format("no actor {}: `actors` lists them", text)};
  return *found;
}

Json parse_inspect(const std::string& text) {
  if (text.size() > inspect_limit)
    return Json{{"cut", fmt::format("{} bytes are too many to show", text.size())}};
  auto tree = Json::parse(text, nullptr, false);
  return tree.is_discarded() ? Json(text) : tree;
}

caf::result<Ref<QueryAnswer>> one_actor(Self self, const QueryRequest& query) {
  if (query.arguments.size() != 1)
    return make_ref(answer_error(Errc::invalid, "`actor` takes one argument: a number, kind, or kind/name"));
  auto& directory = *self->state.directory;
  const auto found = find_actor(directory, query.arguments[0]);
  if (!found) return make_ref(answer_error(found.error().code, found.error().message));
  const auto record = found->record;
  const auto target = caf::actor_cast<caf::strong_actor_ptr>(found->actor);
  auto promise = self->make_response_promise<Ref<QueryAnswer>>();
  auto answer = [self, &directory, record, promise](Json inspect, std::string problem) mutable {
    auto tree = details_json(self->system(), directory, *record);
    tree["inspect"] = std::move(inspect);
    if (!problem.empty()) tree["inspect_error"] = problem;
    QueryAnswer result;
    result.partial = !problem.empty();
    result.lines.push_back(dump(tree));
    promise.deliver(make_ref(std::move(result)));
  };
  if (!target) {
    answer(Json{}, "it has ended");
    return promise;
  }
  // At high priority: a busy actor answers before what is waiting, and a full mailbox takes it. CAF 0.17.6
  // forgets the priority unless the deadline is a caf::duration.
  self->request<caf::message_priority::high>(caf::actor_cast<InspectableActor>(target),
                                             caf::duration{inspect_deadline}, atom::inspect_v)
      .then([answer](const Ref<InspectAnswer>& reply) mutable { answer(parse_inspect(reply->json), {}); },
            [answer](const caf::error& error) mutable {
              answer(Json{}, error == caf::sec::request_timeout ? "did not answer within a second"
                                                                : caf::to_string(error));
            });
  return promise;
}

InspectorActor::behavior_type inspector_actor(Self self, Directory& directory, InspectorVerbs verbs) {
  self->state.directory = &directory;
  self->state.verbs = std::move(verbs);
  return {
      [self](atom::inspect) {
        const auto& known = *self->state.directory;
        return make_ref(InspectAnswer{dump(Json{{"actors", known.size()},
                                                {"spawned", known.total_spawned()},
                                                {"ended_kept", known.ended().size()},
                                                {"asked", self->state.asked}})});
      },
      [self](const Ref<QueryRequest>& query) -> caf::result<Ref<QueryAnswer>> {
        ++self->state.asked;
        if (query->verb == "actors") return make_ref(list_actors(*self->state.directory));
        if (query->verb == "actor") return one_actor(self, *query);
        if (const auto found = self->state.verbs.find(query->verb); found != self->state.verbs.end())
          return make_ref(found->second(*query));
        return make_ref(answer_error(
            Errc::invalid, fmt::format("the inspector knows `actors` and `actor`, not `{}`", query->verb)));
      },
  };
}

} // namespace

InspectorActor spawn_inspector(caf::actor_system& system, Directory& directory, std::uint64_t parent,
                               InspectorVerbs verbs) {
  ActorMeta meta;
  meta.kind = "inspector";
  meta.parent = parent;
  meta.bound = 1'000;
  return spawn_in<InspectorActor, InspectorState>(system, directory, std::move(meta), inspector_actor,
                                                  std::ref(directory), std::move(verbs));
}

} // namespace iris
