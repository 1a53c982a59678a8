#pragma once
#include "cloud/messages.hpp"
#include "cloud/store/rows.hpp"
#include "cloud/world.hpp"
#include "core/alert/alert_book.hpp"
#include "core/learn/evidence.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace iris {

struct BatchContent;

/// What a batch, a command or a violation did: changes that become durable together, and whom to tell after
/// that.
struct LedgerChange {
  StoreWrite write;
  std::vector<Alert> alerts;
  std::size_t told = 0;                 ///< revisions put into the outbox of each sink
  std::optional<Alert> same;            ///< what a command left as it was
  std::vector<std::string> deleted;     ///< ids of alerts that made room
  std::set<std::string> profiles;       ///< with new evidence
  std::set<std::string> fresh_profiles; ///< shown by this gateway for the first time
  std::vector<std::string> notes;       ///< lines for the log
};

/// The state of one gateway and the rules of exactly-once: a batch's effects and the count of batches applied
/// are in one atomic write. Knows no actor; what it changes in memory is ahead of the disk, so after a failed
/// write it must be thrown away and loaded anew.
class GatewayLedger {
public:
  static Result<std::unique_ptr<GatewayLedger>> load(CloudWorld& world, std::string tenant,
                                                     std::string gateway);

  /// Grants the epoch: the gateway's own when we know it, else a new one.
  SessionTerms begin(const SessionStart& start, Timestamp now, LedgerChange& change);
  /// The batch must be the next one of its lane in the current epoch.
  LedgerChange apply(std::uint8_t lane, const std::vector<char>& bytes, Timestamp now);
  Result<LedgerChange> command(const AlertCommand& command, Timestamp now);
  LedgerChange violation(const PeerViolation& violation, Timestamp now);
  /// Nothing where it says what is known.
  std::optional<LedgerChange> clock(const ClockReading& reading, Timestamp now);
  void end_session(Timestamp now, LedgerChange& change);
  /// The one alert of a gateway that is silent for longer than CloudSettings::away_after; nothing where it is
  /// not, is revoked, or was told of. Only for a gateway without a session.
  std::optional<LedgerChange> away(Timestamp now);
  void forget_quiet(Timestamp now) { book_.forget_quiet(now); }
  /// What was held back so that a gateway floods neither sinks nor the log, and whose pause is over.
  std::optional<LedgerChange> release_held();

  [[nodiscard]] const GatewayRow& row() const { return row_; }
  [[nodiscard]] const AlertBook& book() const { return book_; }
  [[nodiscard]] const std::set<std::string>& profiles() const { return profiles_; }
  [[nodiscard]] std::uint64_t stored_alerts() const { return stored_.size(); }

private:
  GatewayLedger(CloudWorld& world, std::string tenant, std::string gateway);
  Result<void> load_alerts();
  /// It speaks again: closes what away() told, and says for how long it was.
  void back(Timestamp now, LedgerChange& change);
  void grant_epoch(const SessionStart& start, Timestamp now, SessionTerms& terms, LedgerChange& change);
  void count_taken(std::uint8_t lane, const BatchContent& content);
  void tell_broken(std::uint8_t lane, const std::string& why, BatchContent& content, Timestamp now,
                   LedgerChange& change, std::set<std::string>& changed);
  /// Raises the one alert about this gateway's clock when it is wrong. True when the row must be written.
  bool judge(Duration offset, const std::string& measured, Timestamp now, LedgerChange& change);
  void take_finding(Finding finding, Timestamp now, std::set<std::string>& changed);
  void take_delta(const ServiceDelta& delta, Timestamp now, LedgerChange& change,
                  std::set<std::string>& changed);
  void take_loss(const LossRow& loss, Timestamp now, LedgerChange& change, std::set<std::string>& changed);
  /// In place of alerts about more addresses of one batch than match_limit.
  void tell_of_more_matches(Timestamp now, std::set<std::string>& changed);
  void match_intelligence(const ServiceDelta& delta, Timestamp now, std::set<std::string>& changed);
  [[nodiscard]] std::map<std::uint64_t, std::string> accepted_by_people(const ServiceDelta& delta) const;
  void enrich(Party& party) const;
  [[nodiscard]] std::string enrolled_site() const;
  void put_alert(const Alert& alert, LedgerChange& change, bool at_once = false);
  void tell_sinks(const std::vector<char>& alert, LedgerChange& change);
  bool hold_back(const std::string& key, const std::string& line = {});
  void note(const std::string& what, std::string line, LedgerChange& change);
  void note_row(const Alert& alert);
  [[nodiscard]] Result<Alert> stored_alert(const std::string& id) const;
  void make_room(LedgerChange& change);
  void put_row(LedgerChange& change);

  CloudWorld& world_;
  std::string tenant_, gateway_;
  GatewayRow row_;
  AlertBook book_;
  std::set<std::string> profiles_;
  std::map<std::string, Evidence> evidence_; ///< of profiles that sent something since the ledger was loaded
  /// Every alert row, those of writes under way too. The first of `room_` goes first: the
  /// gateway's own, closed, then quiet for longest.
  struct Row {
    bool ours = false; ///< raised by the cloud, about the gateway
    bool open = true;
    Timestamp last = 0;
  };
  std::map<std::string, Row> stored_;
  static constexpr std::size_t changed_limit = 256;
  std::map<std::string, Alert> changed_; ///< by a person, but too old for the book: perhaps not on disk yet
  std::set<std::tuple<bool, bool, Timestamp, std::string>> room_;
  /// An alert or a kind of line that a peer can cause as often as it likes: told, then held for a pause.
  struct Told {
    Timestamp at = 0;
    std::uint64_t held = 0;
    std::string line;
  };
  static constexpr std::size_t match_limit = 256; ///< alerts about such addresses from one batch
  std::size_t matched_ = 0; ///< addresses of threat lists that the batch under way named anew
  static constexpr std::size_t told_limit = 256; ///< further ones are told each time
  std::map<std::string, Told> told_;
};

/// Whether an enrolled gateway was heard neither since `away_after` nor since the cloud's start.
[[nodiscard]] bool silent_for_too_long(const CloudWorld& world, const GatewayRow& row,
                                       const EnrolmentRow& enrolment, Timestamp now);

} // namespace iris
