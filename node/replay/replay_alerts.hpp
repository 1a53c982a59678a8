#pragma once
#include "core/alert/alert_book.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace iris {

/// The alerts of a replay, as an aggregator would make them of its findings.
class ReplayAlerts {
public:
  static constexpr std::size_t limit = 10'000; ///< further alerts are counted

  ReplayAlerts();
  void raise(Finding finding);
  /// In the order of their beginning; they are moved out.
  [[nodiscard]] std::vector<Alert> take(const std::function<void(const std::string&)>& note);

private:
  AlertBook book_;
  std::unordered_map<std::string, Alert> alerts_;
  std::uint64_t lost_ = 0;
};

} // namespace iris
