#pragma once
#include "cloud/messages.hpp"
#include "cloud/world.hpp"

#include <map>

namespace iris {

struct FrontdeskState {
  static inline const char* name = "frontdesk";
  std::map<std::uint64_t, SessionNotice> sessions; ///< by number; bounded by the link's own limit
  std::uint64_t questions = 0;
};

/// Knows who is connected and answers operators, each within his tenant:
///   alerts [FILTER...] | alert ID | ack ID | close ID | open ID | gateways | services [GATEWAY] | baseline
///   SERVICE | learning [SERVICE] | promote SERVICE | accept ALERT-ID | accept SERVICE #KEY... | actors
///   [NODE] | actor NODE ID | sessions | audit
/// NODE is "cloud" or a gateway's id. What changes something needs an admin.
FrontdeskActor::behavior_type frontdesk(FrontdeskActor::stateful_pointer<FrontdeskState> self,
                                        WorldPtr world);

/// Whether a listed actor may be seen: names of the cloud's actors that belong to a tenant begin with it.
[[nodiscard]] bool actor_visible(const std::string& json_line, const std::string& tenant);
/// The line with a field "node" in front.
[[nodiscard]] std::string with_node(const std::string& json_line, const std::string& node);

} // namespace iris
