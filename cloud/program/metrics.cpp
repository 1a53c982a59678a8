#include "cloud/program/metrics.hpp"

#include <algorithm>

namespace iris {
namespace {

void add(std::string& out, const char* name, const char* kind, const char* help, std::uint64_t value) {
  out += std::string{"# HELP "} + name + " " + help + "\n# TYPE " + name + " " + kind + "\n" + name + " " +
         std::to_string(value) + "\n";
}

} // namespace

std::string metrics_text(const CloudWorld& world,
                         const std::vector<std::pair<std::string, std::uint64_t>>& link) {
  const auto& c = world.counters;
  struct Row {
    const char* name;
    const std::atomic<std::uint64_t>& value;
    const char* help;
  };
  const Row rows[] = {
      {"iris_batches_total", c.batches, "Batches applied"},
      {"iris_batches_repeated_total", c.batches_repeated, "Batches that had been applied already"},
      {"iris_chain_broken_total", c.chain_broken, "Batches that are not what their gateway sealed"},
      {"iris_batches_refused_total", c.batches_refused, "Batches out of order or of another epoch"},
      {"iris_entries_damaged_total", c.entries_damaged, "Findings and deltas that did not decode"},
      {"iris_findings_total", c.findings, "Findings received"},
      {"iris_deltas_total", c.deltas, "Service deltas received"},
      {"iris_observations_total", c.observations, "Observations counted by gateways"},
      {"iris_alerts_opened_total", c.alerts_opened, "New alerts"},
      {"iris_alert_revisions_total", c.alert_revisions, "Revisions of alerts, new ones included"},
      {"iris_alerts_dropped_total", c.alerts_dropped, "Alerts deleted at a gateway's limit"},
      {"iris_profiles_refused_total", c.profiles_refused, "Deltas of profiles beyond a gateway's limit"},
      {"iris_known_bad_total", c.known_bad_found, "Listed peers that the cloud found in deltas"},
      {"iris_trainings_total", c.trainings, "Trainings begun"},
      {"iris_baselines_published_total", c.baselines_published, "Baseline versions published"},
      {"iris_pushes_total", c.pushes, "Documents pushed to gateways"},
      {"iris_pushes_refused_total", c.pushes_refused, "Documents not taken by a gateway"},
      {"iris_sessions_refused_total", c.sessions_refused, "Sessions refused after Hello"},
      {"iris_sessions_cut_total", c.sessions_cut,
       "Sessions that broke the order or the credit of the protocol"},
      {"iris_store_writes_total", c.store_writes, "Writes made durable"},
      {"iris_store_commits_total", c.store_commits, "Synced commits"},
      {"iris_outbox_delivered_total", c.outbox_delivered, "Alert revisions delivered to sinks"},
      {"iris_outbox_dropped_total", c.outbox_dropped,
       "Alert revisions dropped at the outbox limit or refused for good"},
      {"iris_outbox_retries_total", c.outbox_retries, "Deliveries that failed and are tried again"},
      {"iris_queries_total", c.queries, "Questions of operators"},
      {"iris_server_renewals_total", c.server_renewals, "Renewals of this cloud's own certificate"},
      {"iris_server_renewal_faults_total", c.server_renewal_faults,
       "Times that this cloud's own certificate could not be renewed"},
  };
  std::string out;
  for (const auto& row : rows)
    add(out, row.name, "counter", row.help, row.value.load(std::memory_order_relaxed));
  add(out, "iris_gateways_connected", "gauge", "Gateways with a session now", c.gateways_connected);
  add(out, "iris_gateways_away", "gauge", "Gateways that an alert says are away", c.gateways_away);
  add(out, "iris_aggregators", "gauge", "Gateways in memory", world.aggregators.size());
  add(out, "iris_trainers", "gauge", "Profiles in memory", world.trainers.size());
  add(out, "iris_actors", "gauge", "Actors alive", world.directory->size());
  add(out, "iris_actors_spawned_total", "counter", "Actors spawned since start",
      world.directory->total_spawned());
  std::uint64_t dropped = 0;
  for (const auto& entry : world.directory->list())
    dropped += entry.record->dropped();
  add(out, "iris_actor_messages_dropped", "gauge", "Messages dropped at full mailboxes of living actors",
      dropped);
  out +=
      "# HELP iris_outbox_waiting Alert revisions that wait for a sink\n# TYPE iris_outbox_waiting gauge\n";
  for (const auto& sink : world.sinks)
    out += "iris_outbox_waiting{sink=\"" + sink.name + "\"} " + std::to_string(sink.waiting->load()) + "\n";
  for (const auto& [name, value] : link) {
    auto metric = "iris_link_" + name;
    std::replace_if(
        metric.begin(), metric.end(), [](unsigned char c2) { return !std::isalnum(c2); }, '_');
    add(out, metric.c_str(), "counter", "See docs/link.md", value);
  }
  return out;
}

} // namespace iris
