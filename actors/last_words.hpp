#pragma once
#include "actors/interfaces.hpp"
#include "actors/query.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>

#include <chrono>
#include <utility>

namespace iris {

/// An orderly end of an actor that still owes something: what is in its mailbox already is handled, then
/// `last` is called, then it ends. (An exit message overtakes what is in the mailbox.) A full mailbox, or one
/// that takes seconds, is not waited for. To be called once, when the actor starts.
template <class Self, class Last>
void set_last_words(Self self, Last last) {
  self->set_exit_handler(
      [self, last = std::move(last), ending = false](caf::scheduled_actor*, caf::exit_msg& why) mutable {
        if (std::exchange(ending, true)) return;
        auto end = [self, last, reason = why.reason] {
          last();
          self->quit(reason);
        };
        // A question to itself comes after everything that waits.
        const auto here = caf::actor_cast<InspectableActor>(caf::strong_actor_ptr{self->ctrl()});
        self->request(here, std::chrono::seconds{2}, atom::inspect_v)
            .then([end](const Ref<InspectAnswer>&) { end(); }, [end](const caf::error&) { end(); });
      });
}

} // namespace iris
