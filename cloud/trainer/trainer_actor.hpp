#pragma once
#include "actors/query.hpp"
#include "cloud/messages.hpp"
#include "cloud/store/rows.hpp"
#include "cloud/world.hpp"

#include <optional>
#include <set>

namespace iris {

struct TrainerState {
  static inline const char* name = "trainer";
  std::string tenant, profile;
  BaselinePtr published;
  bool dirty = false;    ///< evidence came since the last training began
  bool training = false; ///< on the heavy thread
  std::uint64_t trainings = 0, evidence_messages = 0;
  Timestamp last_training = 0;
  Duration last_took = 0;
  std::string last_error;
  /// What people decided, with the decisions that are being written: the next one must not start from the row
  /// on disk that lacks them. Empty: read it when needed.
  std::optional<ProfileRow> decided;
  std::size_t deciding = 0; ///< writes of it under way
  bool undecided = false;   ///< one of them failed: read it again when all have ended
};

/// One profile of one tenant: when evidence has come it trains on all of it, and publishes what says
/// something new. Profiles of two tenants never meet, so that no key can leave its tenant.
TrainerActor::behavior_type trainer(TrainerActor::stateful_pointer<TrainerState> self, WorldPtr world,
                                    std::string tenant, std::string profile);

/// The refusal of an argument of "accept" that names no key.
[[nodiscard]] QueryAnswer no_key(const std::string& text);

/// How often a profile is trained at most: a learning hour, but at least every quarter of a second to an
/// hour.
[[nodiscard]] Duration training_interval(const TimeScale& scale);

/// Reads all that training needs from the store and trains; runs on any thread.
[[nodiscard]] Trained train_profile(const CloudWorld& world, const std::string& tenant,
                                    const std::string& profile, const BaselinePtr& published, Timestamp now);

} // namespace iris
