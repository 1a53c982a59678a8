#pragma once
#include "cloud/messages.hpp"
#include "cloud/world.hpp"

#include <map>
#include <optional>
#include <string>

namespace iris {

struct FrontdeskState {
  static inline const char* name = "frontdesk";
  std::map<std::uint64_t, SessionNotice> sessions; ///< by number; bounded by the link's own limit
  std::size_t gateways = 0;                        ///< sessions of gateways
  std::uint64_t questions = 0;
};

/// Knows who is connected and answers operators, each within his tenant:
///   alerts [FILTER...] | alert ID | evidence ID [packets=1] | ack ID | close ID | open ID | gateways |
///   services [GATEWAY] | baseline SERVICE | learning [SERVICE] | promote SERVICE | accept ALERT-ID | accept
///   SERVICE #KEY... | actors [NODE] | actor NODE ID | sessions | losses [FILTER...] | audit
/// GATEWAY is [TENANT/]ID or the name that it was given; NODE is "cloud" or a GATEWAY. What changes something
/// needs an admin.
FrontdeskActor::behavior_type frontdesk(FrontdeskActor::stateful_pointer<FrontdeskState> self,
                                        WorldPtr world);

/// Whether a listed actor of the cloud may be seen: the names of those that belong to a tenant begin with it
/// and a slash. Those of no tenant (sinks, store, supervisor) speak of all, and only "*" sees them.
[[nodiscard]] bool actor_visible(const std::string& json_line, const std::string& tenant);
/// The line with a field "node" in front, and "gateway_name" where there is a name (which has only the
/// characters of one), and no other that is called so; nothing if it is no JSON object within the limits of
/// parse_bounded().
[[nodiscard]] std::optional<std::string> with_node(const std::string& json_line, const std::string& node,
                                                   const std::string& name = {});

} // namespace iris
