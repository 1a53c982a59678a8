#pragma once
#include "actors/interfaces.hpp"

#include <functional>
#include <memory>

namespace iris {

class Recorder;
struct FrameMoment;

struct RecorderState {
  static inline const char* name = "recorder";
};

/// Stands where the router is and judges nothing: keeps what the sources deliver. For `iris-node record`.
RouterActor::behavior_type recorder_actor(RouterActor::stateful_pointer<RecorderState> self,
                                          std::shared_ptr<Recorder> recorder,
                                          std::function<FrameMoment()> moment);

} // namespace iris
