#pragma once
#include "core/alert/alert.hpp"
#include "core/base/result.hpp"

#include <map>
#include <optional>
#include <set>

namespace iris {

/// How one gateway's findings become alerts.
struct AlertPolicy {
  std::string tenant, site, gateway;
  Duration quiet = 3'600 * second;           ///< an alert that was quiet for longer is raised anew
  Duration incident_window = 1'800 * second; ///< alerts that overlap and are this close tell one story
  Duration late_after = 60 * second;         ///< older than this when it is received: late
  std::size_t limit = 2'000; ///< alerts that are kept for merging; the one quiet for longest goes first
};

/// The alerts of one gateway: findings of one entity, detector and cause become one alert; alerts whose
/// entity or peer meet become one incident. Pure: the same findings in the same order at the same times give
/// the same alerts.
class AlertBook {
public:
  explicit AlertBook(AlertPolicy policy) : policy_{std::move(policy)} {}

  /// What a finding did: the alert as it is now, with its revision grown.
  Alert apply(Finding finding, Timestamp now);

  /// Until the next call a revision grows once, however many findings it takes up: they become durable
  /// together, so nobody ever sees what is between.
  void start_write() {
    grouping_ = true;
    grown_.clear();
  }

  /// Whether an alert of this detector tells of the entity and the peer's address around that time already.
  [[nodiscard]] bool tells_of(const Party& entity, std::string_view detector, const IpAddress& peer,
                              Timestamp at) const;

  /// An operator acknowledged, closed or opened it again. Not found when it was forgotten: the store has it
  /// still.
  Result<Alert> set_state(const std::string& id, AlertState state, Timestamp now);

  /// Takes an alert back from the store, in any order.
  void restore(Alert alert);

  /// Forgets what was quiet for so long that no finding can continue it. Gives how many.
  std::size_t forget_quiet(Timestamp now);

  void set_policy(AlertPolicy policy) { policy_ = std::move(policy); }
  [[nodiscard]] const AlertPolicy& policy() const { return policy_; }
  [[nodiscard]] const Alert* find(const std::string& id) const;
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] std::uint64_t forgotten_at_limit() const { return forgotten_at_limit_; }

private:
  using Key = std::string;
  struct Incident {
    Timestamp last = 0;
    std::set<std::string> parties;
  };

  Alert* continued(const Key& key, const Finding& finding);
  Alert& insert(const Key& key, Alert alert);
  void erase(const std::string& id);
  void index_peer(const Alert& alert);
  void forget_peer(const Alert& alert);
  std::string incident_for(const Alert& alert);
  void note_incident(const Alert& alert);

  AlertPolicy policy_;
  std::map<std::string, Alert> by_id_;
  std::map<IpAddress, std::set<std::string>> by_peer_;  ///< ids of alerts about an address
  std::map<Key, std::string> latest_;                   ///< newest alert of each (entity, detector, cause)
  std::map<std::string, Incident> incidents_;           ///< those that may still grow
  std::set<std::pair<Timestamp, std::string>> by_time_; ///< last seen, id
  std::uint64_t forgotten_at_limit_ = 0;
  bool grouping_ = false;
  std::set<std::string> grown_; ///< ids whose revision has grown in this write
};

/// Adds a finding of the same cause to what is known: counts, times, evidence within its limit, the worst
/// severity.
void merge_finding(Finding& into, Finding from);

} // namespace iris
