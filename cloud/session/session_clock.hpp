#pragma once
#include "cloud/session/session.hpp"

namespace iris {

/// Asks the gateway of this session for its time, tells the aggregator what that says, and sets the timer
/// (atom::wake) for the next time: eight times a second apart, then every 64 s (RFC 5905: a burst, then the
/// shortest usual poll). Once a session; only where the peer's minor version knows the question.
void sample_clock(SessionActor::stateful_pointer<SessionState> self, const WorldPtr& world);

} // namespace iris
