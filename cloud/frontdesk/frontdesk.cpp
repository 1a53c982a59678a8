#include "cloud/frontdesk/frontdesk.hpp"
#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "cloud/frontdesk/evidence.hpp"
#include "cloud/frontdesk/gather.hpp"
#include "cloud/frontdesk/listings.hpp"
#include "cloud/store/gateway_names.hpp"
#include "cloud/trainer/trainer_actor.hpp"
#include "core/alert/json_writer.hpp"
#include "core/base/key_text.hpp"
#include "core/inventory/bounded_json.hpp"
#include "core/learn/trainer.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace iris {

bool actor_visible(const std::string& json_line, const std::string& tenant) {
  if (tenant == "*") return true;
  auto tree = nlohmann::json::parse(json_line, nullptr, false);
  if (!tree.is_object() || !tree.contains("name") || !tree["name"].is_string()) return false;
  const auto& name = tree["name"].get_ref<const std::string&>();
  const auto slash = name.find('/');
  return slash != std::string::npos && name.substr(0, slash) == tenant;
}

std::optional<std::string> with_node(const std::string& json_line, const std::string& node,
                                     const std::string& name) {
  auto tree = parse_bounded(json_line, "a line");
  if (!tree || !tree->is_object()) return std::nullopt;
  // The fields keep their order, unless one speaks for another node, or the line is more than one.
  std::string fields{json_line, json_line.find('{')};
  const auto forged = tree->erase("node") + tree->erase("gateway_name");
  if (forged != 0 || fields.find_first_of("\r\n") != std::string::npos)
    fields = tree->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  JsonWriter out;
  out.text(node);
  const auto called = name.empty() ? std::string{} : ",\"gateway_name\":\"" + name + "\"";
  return "{\"node\":" + out.str() + called + (tree->empty() ? "" : ",") + fields.substr(1);
}

namespace {

using Self = FrontdeskActor::stateful_pointer<FrontdeskState>;
using Answer = Ref<QueryAnswer>;

caf::result<Answer> error_answer(Errc code, const std::string& why) {
  return make_ref(answer_error(code, why));
}

std::chrono::milliseconds deadline_of(const QueryRequest& query) {
  return std::chrono::milliseconds(query.deadline_ms);
}

/// Asks and hands the answer, or what went wrong, to the gathering.
template <class Handle>
void ask(Self self, const Handle& who, QueryRequest query, const GatherPtr& gather, const std::string& whom,
         std::function<void(QueryAnswer&)> shape = {}) {
  if (!who) return gather->fail(whom + " is not there now");
  const auto deadline = deadline_of(query);
  self->request(who, deadline, make_ref(std::move(query)))
      .then(
          [gather, shape](const Answer& answer) {
            auto part = *answer;
            if (shape) shape(part);
            gather->add(std::move(part));
          },
          [gather, whom](const caf::error&) { gather->fail(whom + " did not answer in time"); });
}

std::vector<const SessionNotice*> gateways_in(const FrontdeskState& s, const std::string& tenant,
                                              const std::string& node) {
  std::map<std::string, const SessionNotice*> newest;
  for (const auto& [number, notice] : s.sessions) {
    const auto& identity = notice.identity;
    if (identity.role != Role::gateway || (tenant != "*" && identity.tenant != tenant)) continue;
    if (node.empty() || identity.name == node || identity.tenant + "/" + identity.name == node)
      newest[identity.tenant + "/" + identity.name] = &notice;
  }
  std::vector<const SessionNotice*> result;
  for (const auto& [name, notice] : newest)
    result.push_back(notice);
  return result;
}

/// How a gateway's rows are marked: by its name, or with its tenant where that alone would name another.
std::string shown_name(const Identity& gateway, const std::vector<const SessionNotice*>& all) {
  const bool alone =
      gateway.name != "cloud" && std::count_if(all.begin(), all.end(), [&](const SessionNotice* notice) {
                                   return notice->identity.name == gateway.name;
                                 }) == 1;
  return alone ? gateway.name : gateway.tenant + "/" + gateway.name;
}

/// Marks all lines; what is no JSON object is left out, and the answer partial then.
void mark_lines(QueryAnswer& answer, const std::string& node, const std::string& name = {}) {
  std::vector<std::string> lines;
  lines.reserve(answer.lines.size());
  for (const auto& line : answer.lines)
    if (auto marked = with_node(line, node, name)) lines.push_back(std::move(*marked));
  if (lines.size() < answer.lines.size()) {
    answer.partial = true;
    spdlog::warn("{}: {} lines of its answer are no JSON objects and are left out", node,
                 answer.lines.size() - lines.size());
  }
  answer.lines = std::move(lines);
}

/// "actors [NODE]" and "actor NODE ID".
caf::result<Answer> about_actors(Self self, const WorldPtr& world, const QueryRequest& query) {
  auto& s = self->state;
  const bool one = query.verb == "actor";
  if (query.arguments.size() > (one ? 2u : 1u) || (one && query.arguments.size() < 2))
    return error_answer(Errc::invalid, one ? "\"actor\" takes a node and an actor: actor NODE ID"
                                           : "\"actors\" takes at most one node");
  const auto node = query.arguments.empty() ? std::string{} : query.arguments[0];
  const bool cloud = node.empty() || node == "cloud";
  auto gateways = node == "cloud" ? std::vector<const SessionNotice*>{} : gateways_in(s, query.tenant, node);
  if (!cloud && gateways.empty()) { // none has this id: perhaps it is a name
    const auto known = find_gateways(*world->store, query.tenant, node);
    if (!known && known.error().code != Errc::not_found)
      return error_answer(known.error().code, known.error().message);
    if (known)
      for (const auto& named : *known)
        for (const auto* notice : gateways_in(s, query.tenant, named.tenant + "/" + named.id))
          gateways.push_back(notice);
  }
  if (!cloud && gateways.empty())
    return error_answer(Errc::not_found, "no gateway " + node + " is connected; \"gateways\" lists them");
  if (one && gateways.size() > 1)
    return error_answer(Errc::invalid, node + " is a gateway of several tenants; say TENANT/" + node);
  auto promise = self->make_response_promise<Answer>();
  auto gather = std::make_shared<Gather>(promise, gateways.size() + (cloud ? 1 : 0));
  auto part = query;
  part.arguments.assign(query.arguments.begin() +
                            std::ptrdiff_t(std::min<std::size_t>(query.arguments.size(), 1)),
                        query.arguments.end());
  if (cloud)
    ask(self, world->inspector.get(), part, gather, "the cloud's inspector",
        [tenant = query.tenant, one](QueryAnswer& answer) {
          std::erase_if(answer.lines, [&](const std::string& line) { return !actor_visible(line, tenant); });
          mark_lines(answer, "cloud");
          if (one && answer.status == 0 && answer.lines.empty())
            answer = answer_error(Errc::not_found, "there is no such actor");
        });
  GatewayNames names{*world->store};
  for (const auto* notice : gateways)
    ask(self, notice->session, part, gather, "gateway " + notice->identity.name,
        [node = shown_name(notice->identity, gateways),
         name = names.of(notice->identity.tenant, notice->identity.name)](QueryAnswer& answer) {
          mark_lines(answer, node, name);
        });
  return promise;
}

/// "evidence ALERT [packets=1]": what the gateway of the alert still has of it in memory.
caf::result<Answer> about_evidence(Self self, const WorldPtr& world, const QueryRequest& query) {
  const bool packets = query.arguments.size() == 2 && query.arguments[1] == "packets=1";
  if (query.arguments.empty() || (query.arguments.size() > 1 && !packets))
    return error_answer(Errc::invalid, "\"evidence\" takes an alert; \"alerts\" lists them");
  auto alerts = world->alerts.get();
  if (!alerts) return error_answer(Errc::unavailable, "the alert manager is not there now");
  auto promise = self->make_response_promise<Answer>();
  auto gather = std::make_shared<Gather>(promise, 1);
  auto shown = query;
  shown.verb = "alert";
  shown.arguments.resize(1);
  self->request(alerts, deadline_of(query), make_ref(std::move(shown)))
      .then(
          [=](const Answer& answer) {
            if (answer->status != 0 || answer->lines.size() != 1) return gather->add(*answer);
            const auto alert = alert_of_line(*world->store, answer->lines.front());
            if (!alert) return gather->add(answer_error(alert.error().code, alert.error().message));
            const auto where = gateways_in(self->state, alert->tenant, alert->tenant + "/" + alert->gateway);
            if (where.empty())
              return gather->fail("gateway " + alert->gateway +
                                  " is not connected; evidence is in its memory only");
            ask(self, where.front()->session, evidence_question(*alert, query), gather,
                "gateway " + alert->gateway,
                [node = alert->gateway](QueryAnswer& part) { mark_lines(part, node); });
          },
          [=](const caf::error&) { gather->fail("the alert manager did not answer in time"); });
  return promise;
}

/// "baseline SERVICE", "learning [SERVICE]", "promote SERVICE", "accept SERVICE KEY...".
caf::result<Answer> about_profiles(Self self, const WorldPtr& world, const QueryRequest& query) {
  if (query.arguments.empty() && query.verb != "learning")
    return error_answer(Errc::invalid, "\"" + query.verb + "\" takes a service; \"services\" lists them");
  if (query.verb == "accept" && query.arguments.size() < 2)
    return error_answer(Errc::invalid, "\"accept\" takes an alert, or a service and keys");
  if (query.verb == "accept")
    for (std::size_t i = 1; i < query.arguments.size(); ++i)
      if (!is_key_text(query.arguments[i])) return make_ref(no_key(query.arguments[i]));
  const auto service = query.arguments.empty() ? std::string{} : query.arguments[0];
  auto profiles = find_profiles(*world->store, query.tenant, service);
  if (!profiles) return error_answer(profiles.error().code, profiles.error().message);
  if (profiles->empty())
    return service.empty() ? caf::result<Answer>{make_ref(QueryAnswer{})}
                           : error_answer(Errc::not_found,
                                          "no service " + service + " is known; \"services\" lists them");
  auto promise = self->make_response_promise<Answer>();
  auto gather = std::make_shared<Gather>(promise, profiles->size());
  const bool all = service.empty();
  for (const auto& name : *profiles)
    ask(self, trainer_of(world, name.tenant, name.profile), query, gather, "the trainer of " + name.profile,
        [all](QueryAnswer& answer) {
          // In a list of all, one that has no baseline yet is no failure.
          if (all && answer.status == std::uint8_t(Errc::not_found)) answer = {};
        });
  return promise;
}

bool one_of(const std::string& verb, std::initializer_list<const char*> verbs) {
  return std::any_of(verbs.begin(), verbs.end(), [&](const char* known) { return verb == known; });
}

caf::result<Answer> answer_query(Self self, const WorldPtr& world, const QueryRequest& query) {
  auto& s = self->state;
  ++s.questions;
  if (one_of(query.verb, {"ack", "close", "open", "promote", "accept"}) && !query.admin)
    return error_answer(Errc::refused,
                        "\"" + query.verb + "\" changes something and needs an operator with the role admin");
  const bool of_alert = query.verb == "accept" && query.arguments.size() == 1; // accept ALERT-ID
  if (of_alert || one_of(query.verb, {"alerts", "alert", "ack", "close", "open"})) {
    auto promise = self->make_response_promise<Answer>();
    ask(self, world->alerts.get(), query, std::make_shared<Gather>(promise, 1), "the alert manager");
    return promise;
  }
  if (query.verb == "evidence") return about_evidence(self, world, query);
  if (one_of(query.verb, {"actors", "actor"})) return about_actors(self, world, query);
  if (one_of(query.verb, {"baseline", "learning", "promote", "accept"}))
    return about_profiles(self, world, query);
  if (query.verb == "gateways") return make_ref(list_gateways(s, *world, query.tenant));
  if (query.verb == "services")
    return make_ref(
        list_services(s, *world, query.tenant, query.arguments.empty() ? std::string{} : query.arguments[0]));
  if (query.verb == "sessions") return make_ref(list_sessions(s, *world, query.tenant));
  if (query.verb == "losses") return make_ref(list_losses(*world, query.tenant, query.arguments));
  if (query.verb == "audit") {
    if (!query.admin) return error_answer(Errc::refused, "\"audit\" needs an operator with the role admin");
    return make_ref(list_audit(*world, query.tenant));
  }
  return error_answer(
      Errc::invalid,
      "there is no question \"" + query.verb +
          "\"; known are alerts, alert, evidence, ack, close, open, gateways, services, baseline, learning, "
          "promote, accept, actors, actor, sessions, losses, audit");
}

} // namespace

FrontdeskActor::behavior_type frontdesk(Self self, WorldPtr world) {
  return {
      [=](atom::inspect) {
        const auto& s = self->state;
        JsonWriter out;
        out.object()
            .field("sessions", std::uint64_t(s.sessions.size()))
            .field("questions", s.questions)
            .end_object();
        return make_ref(InspectAnswer{out.take()});
      },
      [=](const Ref<SessionNotice>& notice) {
        auto& s = self->state;
        const auto before = s.sessions.size();
        if (notice->up)
          s.sessions[notice->number] = *notice;
        else
          s.sessions.erase(notice->number);
        if (notice->identity.role == Role::gateway) {
          if (s.sessions.size() > before) ++s.gateways;
          if (s.sessions.size() < before) --s.gateways;
          world->counters.gateways_connected = s.gateways;
        }
        set_state(self, fmt::format("{} sessions", s.sessions.size()));
      },
      [=](const Ref<QueryRequest>& query) { return answer_query(self, world, *query); },
  };
}

} // namespace iris
