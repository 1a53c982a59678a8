#pragma once
#include "actors/directory.hpp"

#include <caf/all.hpp>

namespace iris {

/// What consume() and enqueue() need to know about a message; in the source file, to keep this header's users
/// small.
[[nodiscard]] MessageLabel label_of(const caf::mailbox_element& element);
/// True for an ordinary message of normal priority that is no answer and not CAF's own.
[[nodiscard]] bool may_be_dropped(const caf::mailbox_element& element);
/// Tells the sender of a request that it was dropped, so that he need not wait for his deadline.
void refuse_request(const caf::mailbox_element& element);
/// One line for an exception that is being handled.
[[nodiscard]] std::string current_exception_text();
/// Exception -> reason to end; the text is in the actor's record already.
caf::error end_by_exception(caf::scheduled_actor* self, std::exception_ptr& thrown);
/// Empty for an orderly end.
[[nodiscard]] std::string error_text(const caf::error& reason);

/// What every instrumented actor has, whatever its interface.
class Instrumented {
public:
  Instrumented(Directory& directory, ActorMeta meta, std::uint64_t id, caf::weak_actor_ptr actor)
      : directory_{directory}, record_{directory.enter(std::move(meta), id, std::move(actor))} {
    // nop
  }
  virtual ~Instrumented() = default;
  [[nodiscard]] ActorRecord& record() { return *record_; }
  [[nodiscard]] Directory& directory() { return directory_; }

protected:
  Directory& directory_;
  ActorRecordPtr record_;
};

/// A stateful actor of the given interface that keeps its own record (design section 11).
template <class State, class Base>
class InstrumentedActor : public caf::stateful_actor<State, Base>, public Instrumented {
public:
  using super = caf::stateful_actor<State, Base>;

  InstrumentedActor(caf::actor_config& config, Directory& directory, ActorMeta meta)
      : super{config}, Instrumented{directory, std::move(meta), this->id(),
                                    caf::weak_actor_ptr{this->ctrl()}} {
    this->set_exception_handler(end_by_exception);
  }

  using super::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* host) override {
    if (record_->full() && may_be_dropped(*element)) {
      record_->count_dropped();
      refuse_request(*element);
      return;
    }
    record_->count_enqueued();
    super::enqueue(std::move(element), host);
  }

  using super::consume;
  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    const auto label = label_of(element); // a handler may move the content away
    const auto begin = ticks();
    try {
      const auto result = super::consume(element);
      if (result != caf::invoke_message_result::skipped) record_->count_handled(label, begin, ticks());
      return result;
    } catch (...) {
      record_->last_error.store(current_exception_text());
      record_->count_handled(label, begin, ticks());
      throw;
    }
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    if (!record_->ended()) {
      // The text of an exception says more than the reason that was made of it.
      auto error = error_text(reason);
      if (reason == caf::sec::runtime_error)
        if (auto known = record_->last_error.load(); !known.empty()) error = std::move(known);
      directory_.leave(record_, error);
    }
    return super::cleanup(std::move(reason), host);
  }
};

/// The record of an actor that was spawned by spawn_in(); null for any other.
template <class State, class Base>
[[nodiscard]] Instrumented* instrumented(caf::stateful_actor<State, Base>* self) {
  return dynamic_cast<Instrumented*>(self);
}

/// The one line that the actor says about itself; call it when it changes, not for every message.
template <class State, class Base>
void set_state(caf::stateful_actor<State, Base>* self, std::string_view line) {
  if (auto* found = instrumented(self)) found->record().state.store(line);
}

} // namespace iris
