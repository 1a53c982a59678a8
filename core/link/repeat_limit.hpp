#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace iris {

/// For what a peer can make happen as often as it likes (a line of the log, an alert): the first of a key is
/// told at once, later ones are counted and told together, once a `pause`. Not thread-safe.
template <class T>
class RepeatLimit {
public:
  using Clock = std::chrono::steady_clock;
  struct Due {
    T last;
    std::uint64_t count = 0;
  };
  /// A pause of zero lets everything through. Of more than `keys` at a time the oldest is told early.
  explicit RepeatLimit(std::chrono::milliseconds pause, std::size_t keys = 4'096)
      : pause_{pause}, keys_{keys} {}

  /// What is to be told now.
  [[nodiscard]] std::vector<Due> take(const std::string& key, T what, Clock::time_point now) {
    std::vector<Due> out;
    auto found = held_.find(key);
    if (found != held_.end() && now - found->second.begin < pause_) {
      found->second.held = {std::move(what), found->second.held.count + 1};
      return out;
    }
    if (found != held_.end()) { // its pause is over: this one and what was held are one
      out.push_back({std::move(what), found->second.held.count + 1});
      found->second = {now, {}};
      return out;
    }
    if (held_.size() >= keys_) {
      auto oldest = held_.begin();
      for (auto i = held_.begin(); i != held_.end(); ++i)
        if (i->second.begin < oldest->second.begin) oldest = i;
      if (oldest->second.held.count > 0) out.push_back(std::move(oldest->second.held));
      held_.erase(oldest);
    }
    out.push_back({std::move(what), 1});
    if (pause_.count() > 0) held_[key] = {now, {}};
    return out;
  }
  /// What was held and whose pause is over.
  [[nodiscard]] std::vector<Due> due(Clock::time_point now) {
    std::vector<Due> out;
    for (auto i = held_.begin(); i != held_.end();) {
      if (now - i->second.begin < pause_) {
        ++i;
      } else if (i->second.held.count > 0) {
        out.push_back(std::exchange(i->second.held, {}));
        i->second.begin = now;
        ++i;
      } else {
        i = held_.erase(i);
      }
    }
    return out;
  }

private:
  struct Entry {
    Clock::time_point begin{};
    Due held{};
  };
  std::chrono::milliseconds pause_;
  std::size_t keys_;
  std::map<std::string, Entry> held_;
};

} // namespace iris
