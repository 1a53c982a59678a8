#pragma once
#include "actors/actor_config.hpp"
#include "actors/directory.hpp"
#include "actors/link/client.hpp"
#include "node/certificate_keeper.hpp"
#include "node/collector_actor.hpp"
#include "node/enrolment.hpp"
#include "node/local_syslog.hpp"
#include "node/options.hpp"
#include "node/source_hub.hpp"
#include "node/spool/spool.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace iris {

class EvidenceRing;
class Recorder;

/// What a test that makes findings and deltas of its own has otherwise than `iris-node run`.
struct GatewaySetup {
  bool sources = true;
  SpoolLimits spool; ///< its bytes are those of NodeOptions
  std::chrono::milliseconds longest_pause = LinkClientOptions{}.backoff_most; ///< between attempts to connect
  std::function<void(const Finding&, bool kept)> finding;                     ///< as SpoolEvents
  std::function<void(const std::vector<char>& encoded, bool kept)> delta;
};

/// Everything that `iris-node run` consists of, in the order in which it must be made; destroyed in reverse.
class Gateway {
public:
  [[nodiscard]] static Result<std::unique_ptr<Gateway>> start(const NodeOptions& options,
                                                              const GatewaySetup& setup = {});
  /// Sources first, then the actors, so that what was seen is in the spool.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  [[nodiscard]] caf::actor_system& system() { return *system_; }
  [[nodiscard]] const Slot<InspectorActor>& inspector() const { return inspector_; }
  [[nodiscard]] const Slot<SpoolActor>& spool() const { return spool_; }
  [[nodiscard]] const std::string& name() const { return name_; }

private:
  Gateway() = default;
  Result<void> start_actors(const NodeOptions& options, const GatewaySetup& setup);
  Result<void> start_link(const GatewaySetup& setup, const EnrolmentFiles& files);

  std::string name_;
  Directory directory_;
  std::unique_ptr<ActorConfig> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<LocalSyslog> syslog_;
  std::shared_ptr<LossLedger> losses_ = std::make_shared<LossLedger>();
  SupervisorActor supervisor_;
  Slot<SpoolActor> spool_;
  Slot<RouterActor> router_;
  std::shared_ptr<Recorder> recorder_;     ///< null: nothing is recorded
  std::shared_ptr<EvidenceRing> evidence_; ///< null: none is kept
  Slot<UplinkActor> uplink_;
  Slot<InspectorActor> inspector_;
  std::vector<std::string> addresses_;
  std::unique_ptr<CertificateKeeper> keeper_;
  std::unique_ptr<LinkClient> link_;
  /// The uplink sets the scale from its own thread, and a session may begin before the sources do.
  std::mutex sources_mutex_;
  std::optional<TimeScale> scale_;
  std::unique_ptr<SourceHub> sources_;
};

} // namespace iris
