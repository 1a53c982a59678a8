#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace iris {

/// A handle that others keep while the actor behind it may be replaced: they hold the slot, the supervisor
/// puts the new life's handle into it. Copies share one slot. Empty while the actor is down.
template <class Handle>
class Slot {
public:
  Slot() : cell_{std::make_shared<Cell>()} {
    // nop
  }
  explicit Slot(Handle handle) : Slot{} { set(std::move(handle)); }

  [[nodiscard]] Handle get() const {
    const std::lock_guard lock{cell_->mutex};
    return cell_->handle;
  }
  void set(Handle handle) {
    {
      const std::lock_guard lock{cell_->mutex};
      std::swap(cell_->handle, handle);
    } // the old handle is released outside of the lock
  }
  void clear() { set(Handle{}); }

  /// Sends to who is there now; false, and counted, while nobody is. Requests use get() and must expect an
  /// empty handle.
  template <class Self, class... Ts>
  bool send(Self* self, Ts&&... xs) const {
    if (auto handle = get()) {
      self->send(handle, std::forward<Ts>(xs)...);
      return true;
    }
    cell_->missed.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  /// The same from outside of any actor: `send` is a function of a handle, mostly caf::anon_send.
  template <class Send>
  bool with(Send&& act) const {
    if (auto handle = get()) {
      std::forward<Send>(act)(handle);
      return true;
    }
    cell_->missed.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  /// Messages that were not sent because nobody was there.
  [[nodiscard]] std::uint64_t missed() const { return cell_->missed.load(std::memory_order_relaxed); }

private:
  struct Cell {
    mutable std::mutex mutex;
    Handle handle;
    std::atomic<std::uint64_t> missed{0};
  };
  std::shared_ptr<Cell> cell_;
};

} // namespace iris
