#include "cloud/alerts/alert_manager.hpp"
#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "cloud/store/gateway_names.hpp"
#include "cloud/store/rows.hpp"
#include "core/alert/codec.hpp"
#include "core/alert/json_writer.hpp"
#include "core/learn/trainer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace iris {
namespace {

using Self = AlertManagerActor::stateful_pointer<AlertManagerState>;
using namespace std::chrono_literals;

constexpr auto aggregator_deadline = 10s;

void enter(AlertManagerState& s, const Alert& alert) {
  auto& entry = s.by_id[alert.id];
  if (entry.revision > alert.revision) return; // an older announcement was overtaken
  s.by_time.erase({entry.last, alert.id});
  entry = {alert.tenant, alert.gateway, alert.finding.last, alert.revision};
  s.by_time.insert({entry.last, alert.id});
  while (s.by_id.size() > AlertManagerState::index_limit) {
    s.by_id.erase(s.by_time.begin()->second);
    s.by_time.erase(s.by_time.begin());
    ++s.forgotten;
  }
}

void forget(AlertManagerState& s, const std::string& id) {
  auto found = s.by_id.find(id);
  if (found == s.by_id.end()) return;
  s.by_time.erase({found->second.last, id});
  s.by_id.erase(found);
}

struct Filter {
  std::string state, gateway, detector;
  std::vector<GatewayName> gateways; ///< that are called `gateway`
  std::optional<Severity> least;
  std::size_t limit = 100;

  [[nodiscard]] bool passes(const Alert& alert) const {
    return (state.empty() || state == to_string(alert.state)) &&
           (gateway.empty() || std::any_of(gateways.begin(), gateways.end(),
                                           [&](const auto& one) {
                                             return one.tenant == alert.tenant && one.id == alert.gateway;
                                           })) &&
           (detector.empty() || detector == alert.finding.detector) &&
           (!least || alert.finding.severity >= *least);
  }
};

std::optional<Severity> severity_named(std::string_view name) {
  for (auto severity : {Severity::info, Severity::low, Severity::medium, Severity::high, Severity::critical})
    if (name == to_string(severity)) return severity;
  return std::nullopt;
}

Result<Filter> filter_of(const std::vector<std::string>& arguments) {
  Filter filter;
  for (std::string_view argument : arguments) {
    while (!argument.empty() && argument.front() == '-')
      argument.remove_prefix(1);
    auto equals = argument.find('=');
    auto name = argument.substr(0, equals);
    auto value = equals == std::string_view::npos ? std::string_view{} : argument.substr(equals + 1);
    if (name == "state" && (value == "open" || value == "acknowledged" || value == "closed")) {
      filter.state = value;
    } else if (name == "gateway" && !value.empty()) {
      filter.gateway = value;
    } else if (name == "detector" && !value.empty()) {
      filter.detector = value;
    } else if (name == "severity" && severity_named(value)) {
      filter.least = severity_named(value);
    } else if (name == "limit") {
      std::size_t number = 0;
      auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (failure != std::errc{} || end != value.data() + value.size() || number == 0)
        return Error{Errc::invalid, "limit must be a number from 1 to 1000"};
      filter.limit = std::min<std::size_t>(number, 1'000);
    } else {
      return Error{Errc::invalid, "\"" + std::string{argument} +
                                      "\" is not understood; use state=open|acknowledged|closed, gateway=ID, "
                                      "detector=ID, severity=LEAST, limit=N"};
    }
  }
  return filter;
}

bool may_see(const QueryRequest& query, const std::string& tenant) {
  return query.tenant == "*" || query.tenant == tenant;
}

Result<std::optional<Alert>> read_alert(const Store& store, const AlertManagerState::Entry& entry,
                                        const std::string& id) {
  auto stored = store.get(Table::alerts, alert_key(entry.tenant, entry.gateway, id));
  if (!stored) return stored.error();
  if (!stored->has_value()) return std::optional<Alert>{};
  auto alert = decode_alert(**stored);
  if (!alert) return alert.error();
  return std::optional<Alert>{std::move(*alert)};
}

QueryAnswer list(AlertManagerState& s, const CloudWorld& world, const QueryRequest& query) {
  auto filter = filter_of(query.arguments);
  if (!filter) return answer_error(filter.error().code, filter.error().message);
  if (!filter->gateway.empty()) {
    auto found = find_gateways(*world.store, query.tenant, filter->gateway);
    if (!found) return answer_error(found.error().code, found.error().message);
    filter->gateways = std::move(*found);
  }
  GatewayNames names{*world.store};
  QueryAnswer answer;
  for (auto it = s.by_time.rbegin(); it != s.by_time.rend() && answer.lines.size() < filter->limit; ++it) {
    const auto& entry = s.by_id.at(it->second);
    if (!may_see(query, entry.tenant)) continue;
    auto alert = read_alert(*world.store, entry, it->second);
    if (!alert) {
      answer.partial = true;
      spdlog::error("alert {}: {}", it->second, alert.error().message);
    } else if (*alert && filter->passes(**alert)) {
      auto line = to_json(**alert);
      // A name has only characters that JSON takes as they are.
      if (const auto& name = names.of(entry.tenant, entry.gateway); !name.empty() && line.ends_with('}'))
        line.replace(line.size() - 1, 1, ",\"gateway_name\":\"" + name + "\"}");
      answer.lines.push_back(std::move(line));
    }
  }
  return answer;
}

/// What the alert is about becomes normal: the trainer of its service is told the keys of its cause.
caf::result<Ref<QueryAnswer>> accept_keys(Self self, const WorldPtr& world,
                                          const AlertManagerState::Entry& entry, const QueryRequest& query) {
  auto alert = read_alert(*world->store, entry, query.arguments[0]);
  if (!alert) return make_ref(answer_error(alert.error().code, alert.error().message));
  if (!*alert) return make_ref(answer_error(Errc::not_found, "the alert was deleted to make room"));
  const auto& finding = (*alert)->finding;
  if (keys_in_cause(finding.cause).empty())
    return make_ref(answer_error(Errc::invalid, "a finding of " + finding.detector +
                                                    " names no habit that could be "
                                                    "accepted; close the alert instead"));
  auto profile = profile_of(finding.entity);
  auto trainer = trainer_of(world, entry.tenant, profile);
  if (!trainer) return make_ref(answer_error(Errc::unavailable, "the service's trainer is starting again"));
  auto question = query;
  question.arguments = {profile, finding.cause};
  auto promise = self->make_response_promise<Ref<QueryAnswer>>();
  self->request(trainer, aggregator_deadline, make_ref(std::move(question)))
      .then([promise](const Ref<QueryAnswer>& answer) mutable { promise.deliver(answer); },
            [promise](const caf::error& error) mutable {
              promise.deliver(make_ref(answer_error(Errc::unavailable, "the trainer: " + error_text(error))));
            });
  return promise;
}

caf::result<Ref<QueryAnswer>> answer_query(Self self, const WorldPtr& world, const QueryRequest& query) {
  auto& s = self->state;
  if (query.verb == "alerts") return make_ref(list(s, *world, query));
  if (query.arguments.size() != 1)
    return make_ref(
        answer_error(Errc::invalid, "\"" + query.verb + "\" takes one alert id; \"alerts\" lists them"));
  const auto& id = query.arguments[0];
  auto found = s.by_id.find(id);
  // One who may not see it cannot tell it from one that is not there.
  if (found == s.by_id.end() || !may_see(query, found->second.tenant))
    return make_ref(answer_error(Errc::not_found, "there is no alert " + id + "; \"alerts\" lists them"));
  if (query.verb == "alert") {
    auto alert = read_alert(*world->store, found->second, id);
    if (!alert) return make_ref(answer_error(alert.error().code, alert.error().message));
    if (!*alert) return make_ref(answer_error(Errc::not_found, "alert " + id + " was deleted to make room"));
    QueryAnswer answer;
    answer.lines.push_back(to_json(**alert));
    return make_ref(std::move(answer));
  }
  if (query.verb == "accept") return accept_keys(self, world, found->second, query);
  AlertCommand command{id, AlertState::open, query.asked_by};
  if (query.verb == "ack")
    command.state = AlertState::acknowledged;
  else if (query.verb == "close")
    command.state = AlertState::closed;
  else if (query.verb != "open")
    return make_ref(answer_error(Errc::invalid, "there is no command \"" + query.verb + "\" for alerts"));
  auto aggregator = aggregator_of(world, found->second.tenant, found->second.gateway);
  if (!aggregator)
    return make_ref(answer_error(Errc::unavailable, "the gateway's aggregator is starting again"));
  auto promise = self->make_response_promise<Ref<QueryAnswer>>();
  self->request(aggregator, aggregator_deadline, make_ref(std::move(command)))
      .then([promise](const Ref<QueryAnswer>& answer) mutable { promise.deliver(answer); },
            [promise](const caf::error& error) mutable {
              promise.deliver(
                  make_ref(answer_error(Errc::unavailable, "the aggregator: " + error_text(error))));
            });
  return promise;
}

} // namespace

AlertManagerActor::behavior_type alert_manager(Self self, WorldPtr world) {
  auto scanned = world->store->scan(Table::alerts, "", [&](std::string_view, std::string_view value) {
    if (auto alert = decode_alert(value))
      enter(self->state, *alert);
    else
      spdlog::error("{}", alert.error().message);
    return true;
  });
  if (!scanned) throw std::runtime_error{scanned.error().message};
  set_state(self, fmt::format("{} alerts", self->state.by_id.size()));
  return {
      [=](atom::inspect) {
        JsonWriter out;
        out.object().field("alerts", std::uint64_t(self->state.by_id.size()));
        out.field("forgotten", self->state.forgotten).end_object();
        return make_ref(InspectAnswer{out.take()});
      },
      [=](const Ref<AlertChanges>& changes) {
        for (const auto& alert : changes->alerts) {
          enter(self->state, alert);
          if (alert.revision == 1)
            spdlog::warn("alert {} [{}] {}", alert.id, to_string(alert.finding.severity), title_of(alert));
        }
        for (const auto& id : changes->deleted)
          forget(self->state, id);
        set_state(self, fmt::format("{} alerts", self->state.by_id.size()));
      },
      [=](const Ref<QueryRequest>& query) { return answer_query(self, world, *query); },
  };
}

} // namespace iris
