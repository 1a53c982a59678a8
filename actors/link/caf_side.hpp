#pragma once
#include "actors/link/scribe.hpp"
#include "core/base/result.hpp"
#include "core/link/frame.hpp"

#include <caf/actor_system.hpp>
#include <caf/node_id.hpp>

#include <functional>
#include <memory>

namespace iris {

/// What the link needs of CAF's middleman: BASP's broker and its tables.
class CafSide {
public:
  explicit CafSide(caf::actor_system& system);

  /// That nothing in the system's configuration works against the link.
  [[nodiscard]] static Result<void> check(caf::actor_system& system);
  [[nodiscard]] NodeId own_node() const { return own_; }
  [[nodiscard]] ScribePtr make_scribe(std::shared_ptr<ScribeSink> sink);
  /// Server: this connection's peer is offered `session`, and nothing else.
  void publish(const ScribePtr& scribe, caf::strong_actor_ptr session);
  /// Client: the actor that the server offers, or null and why not. `done` runs on a thread of CAF's.
  void connect(const ScribePtr& scribe, std::chrono::milliseconds patience,
               std::function<void(caf::strong_actor_ptr, std::string)> done);
  /// Whether CAF has forgotten a node whose connection ended: its proxies are down and their monitors told.
  /// `done` runs on the multiplexer's thread.
  void ask_purged(const NodeId& node, std::function<void(bool)> done);

  /// Afterwards no `done` is called any more, and no scribe that has ended calls its sink.
  void cut();

private:
  struct Lifeline;
  caf::actor_system& system_;
  std::shared_ptr<Lifeline> lifeline_;
  NodeId own_{};
};

} // namespace iris
