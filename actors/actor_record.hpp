#pragma once
#include "actors/ticks.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace iris {

/// What happens to an ordinary message when the mailbox holds `bound` of them. Responses, messages of high
/// priority and those of the actor system itself always pass.
enum class MailboxPolicy : std::uint8_t {
  drop_newest, ///< it is counted and dropped; a request is answered with an error at once
  unbounded,   ///< only where credit limits what can be under way
};

/// What an actor is called and may hold, given when it is spawned.
struct ActorMeta {
  std::string kind;         ///< "collector"
  std::string name;         ///< "edgex-core-data"; empty where there is one of its kind
  std::uint64_t parent = 0; ///< id of the actor that spawned it; 0 for the program
  std::uint32_t bound = 100'000;
  MailboxPolicy policy = MailboxPolicy::drop_newest;
};

/// A short text that one thread at a time replaces and any thread reads without a lock. Longer text is cut.
class SharedText {
public:
  static constexpr std::size_t limit = 160;
  void store(std::string_view text);
  [[nodiscard]] std::string load() const;

private:
  static constexpr std::size_t words_ = limit / 8;
  std::atomic<std::uint32_t> version_{0}; ///< odd while it is being written
  std::atomic<std::uint32_t> size_{0};
  std::array<std::atomic<std::uint64_t>, words_> text_{};
};

/// What a message was, without its content.
struct MessageLabel {
  enum class Form : std::uint8_t { empty, builtin, custom, atom };
  Form form = Form::empty;
  std::uint8_t elements = 0;
  std::uint8_t flow = 0;   ///< 0 plain, 1 request, 2 response
  std::uint32_t bytes = 0; ///< of wire messages; 0 for those passed by reference
  std::uint64_t type = 0;  ///< CAF's type number, address of the type_info, or value of the atom
};

/// A message that was handled, as a reader sees it.
struct HandledMessage {
  std::uint64_t number = 0;
  MessageLabel label;
  std::uint64_t begin = 0, span = 0; ///< ticks
};

/// One actor's life as operators see it. Written by the actor (and `enqueued`, `dropped` by senders), read by
/// anyone without a lock: a reader may see a message's parts a moment apart, never a torn one.
class ActorRecord {
public:
  static constexpr std::size_t ring_size = 32;

  ActorRecord(ActorMeta meta, std::uint64_t id) : meta_{std::move(meta)}, id_{id}, started_{ticks()} {
    // nop
  }
  [[nodiscard]] const ActorMeta& meta() const { return meta_; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] std::uint64_t started() const { return started_; } ///< ticks
  [[nodiscard]] std::uint64_t depth() const {
    const auto taken = taken_.load(std::memory_order_relaxed);
    const auto put = enqueued_.load(std::memory_order_relaxed);
    return ended() || put < taken ? 0 : put - taken;
  }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t handled() const { return taken_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t busy() const { return busy_.load(std::memory_order_relaxed); } ///< ticks
  [[nodiscard]] bool ended() const { return ended_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::vector<HandledMessage> recent() const; ///< newest first, at most ring_size

  // -- by senders
  void count_enqueued() { enqueued_.fetch_add(1, std::memory_order_relaxed); }
  void count_dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] bool full() const {
    return meta_.policy == MailboxPolicy::drop_newest && depth() >= meta_.bound;
  }

  // -- by the actor
  void count_handled(const MessageLabel& label, std::uint64_t begin, std::uint64_t end) {
    const auto number = taken_.load(std::memory_order_relaxed);
    auto& slot = ring_[number % ring_size];
    slot.number.store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    slot.what.store(std::uint64_t(label.bytes) << 32 | std::uint64_t(label.flow) << 16 |
                        std::uint64_t(label.elements) << 8 | std::uint64_t(label.form),
                    std::memory_order_relaxed);
    slot.type.store(label.type, std::memory_order_relaxed);
    slot.begin.store(begin, std::memory_order_relaxed);
    slot.span.store(end - begin, std::memory_order_relaxed);
    slot.number.store(number + 1, std::memory_order_release);
    busy_.store(busy_.load(std::memory_order_relaxed) + (end - begin), std::memory_order_relaxed);
    taken_.store(number + 1, std::memory_order_relaxed);
  }
  void end() { ended_.store(true, std::memory_order_relaxed); }

  SharedText state;      ///< one line that the actor says about itself; see set_state()
  SharedText last_error; ///< of the last crash or of the last exception, also of the life before a restart
  std::atomic<std::uint32_t> restarts{0};

private:
  struct Slot {
    std::atomic<std::uint64_t> number{0}, what{0}, type{0}, begin{0}, span{0};
  };

  const ActorMeta meta_;
  const std::uint64_t id_, started_;
  alignas(64) std::atomic<std::uint64_t> enqueued_{0};
  std::atomic<std::uint64_t> dropped_{0};
  alignas(64) std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> busy_{0};
  std::atomic<bool> ended_{false};
  std::array<Slot, ring_size> ring_;
};

} // namespace iris
