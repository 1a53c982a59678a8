#include "core/net/flow_names.hpp"

namespace iris {

std::uint16_t FlowNames::keep(std::string_view name) {
  if (auto known = numbers_.find(name); known != numbers_.end()) {
    ++slots_[known->second].flows;
    return known->second;
  }
  std::uint16_t number = 0;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else if (slots_.size() <= limit) {
    number = std::uint16_t(slots_.size());
    slots_.emplace_back();
  } else {
    return 0;
  }
  auto& slot = slots_[number];
  slot = {std::make_shared<const std::string>(name), 1};
  numbers_.emplace(*slot.name, number);
  return number;
}

void FlowNames::release(std::uint16_t number) {
  if (number == 0 || --slots_[number].flows != 0) return;
  numbers_.erase(*slots_[number].name);
  slots_[number].name = nullptr;
  free_.push_back(number);
}

} // namespace iris
