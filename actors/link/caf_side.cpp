#include "actors/link/caf_side.hpp"

#include <caf/all.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/all.hpp>
#include <caf/io/basp_broker.hpp>

#include <algorithm>
#include <future>
#include <mutex>

namespace iris {

namespace {

/// BASP looks published actors up by a port number at the moment of the handshake. There are no ports here:
/// each publication replaces the last one and is used before the next message is handled.
constexpr std::uint16_t only_port = 1;

constexpr std::chrono::seconds longest_wait{5}; // a multiplexer that does not turn by then never will

caf::actor broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

caf::io::basp_broker* broker_itself(const caf::actor& broker) {
  return static_cast<caf::io::basp_broker*>(caf::actor_cast<caf::abstract_actor*>(broker));
}

} // namespace

struct CafSide::Lifeline {
  std::mutex mutex;
  bool alive = true;
  /// Runs `task` unless the link is gone, and not while it goes.
  template <class Task>
  void hold(Task task) {
    std::lock_guard lock{mutex};
    if (alive) task();
  }
};

CafSide::CafSide(caf::actor_system& system) : system_{system}, lifeline_{std::make_shared<Lifeline>()} {
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  auto failure = sink(system.node());
  if (!failure && bytes.size() == own_.size()) std::copy(bytes.begin(), bytes.end(), own_.begin());
}

Result<void> CafSide::check(caf::actor_system& system) {
  if (!system.has_middleman())
    return Error{Errc::invalid, "link: the actor system was made without the middleman"};
  caf::timespan off{0};
  if (caf::get_or(system.config(), "middleman.heartbeat-interval", off) != off)
    return Error{Errc::invalid,
                 "link: middleman.heartbeat-interval must be 0; CAF would cut every idle connection"};
  return {};
}

ScribePtr CafSide::make_scribe(std::shared_ptr<ScribeSink> sink) {
  return caf::make_counted<Scribe>(system_.middleman().backend(), std::move(sink));
}

void CafSide::publish(const ScribePtr& scribe, caf::strong_actor_ptr session) {
  auto broker = broker_of(system_);
  caf::anon_send(broker, caf::publish_atom::value, caf::io::scribe_ptr{scribe}, only_port, std::move(session),
                 std::set<std::string>{});
  // The broker would keep the last session alive.
  caf::anon_send(broker, caf::close_atom::value, only_port);
}

void CafSide::connect(const ScribePtr& scribe, std::chrono::milliseconds patience,
                      std::function<void(caf::strong_actor_ptr, std::string)> done) {
  auto broker = broker_of(system_);
  auto report = [done = std::move(done), line = lifeline_](caf::strong_actor_ptr session, std::string why) {
    line->hold([&] { done(std::move(session), std::move(why)); });
  };
  system_.spawn<caf::hidden>([=](caf::event_based_actor* self) {
    self->request(broker, patience, caf::connect_atom::value, caf::io::scribe_ptr{scribe}, only_port)
        .then([report](caf::node_id&, caf::strong_actor_ptr& session,
                       std::set<std::string>&) { report(session, session ? "" : "no session offered"); },
              [report, self](caf::error& error) { report(nullptr, self->system().render(error)); });
  });
}

void CafSide::ask_purged(const NodeId& node, std::function<void(bool)> done) {
  auto broker = broker_of(system_);
  system_.middleman().backend().post(
      [&system = system_, broker, node, done = std::move(done), line = lifeline_] {
        auto report = [&](bool gone) { line->hold([&] { done(gone); }); };
        caf::node_id id;
        caf::binary_deserializer source{system, node.data(), node.size()};
        if (source(id)) return report(true);
        auto* self = broker_itself(broker);
        if (self->getf(caf::abstract_actor::is_terminated_flag)) return report(true);
        if (self->instance.tbl().lookup_direct(id)) return report(false);
        // CAF keeps a helper for every node that it ever met; with random node ids that would grow for ever.
        if (auto helper = self->spawn_servers.find(id); helper != self->spawn_servers.end()) {
          caf::anon_send_exit(helper->second, caf::exit_reason::kill);
          self->spawn_servers.erase(helper);
        }
        report(true);
      });
}

void CafSide::cut() {
  {
    std::lock_guard lock{lifeline_->mutex};
    lifeline_->alive = false;
  }
  // Scribe::end() was posted before this, so it has run when this has.
  auto done = std::make_shared<std::promise<void>>();
  system_.middleman().backend().post([done] { done->set_value(); });
  done->get_future().wait_for(longest_wait);
}

} // namespace iris
