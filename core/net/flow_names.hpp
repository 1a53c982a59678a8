#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace iris {

/// Names of flows that are in the table, each kept once: many connections ask for few hosts.
class FlowNames {
public:
  static constexpr std::size_t limit = 4'096; ///< different names at once
  using Name = std::shared_ptr<const std::string>;

  /// One more flow has this name. @returns its number, or 0 where there are too many.
  [[nodiscard]] std::uint16_t keep(std::string_view name);
  /// One flow less has it.
  void release(std::uint16_t number);
  /// Null for 0.
  [[nodiscard]] const Name& of(std::uint16_t number) const { return slots_[number].name; }

private:
  struct Slot {
    Name name;
    std::uint32_t flows = 0;
  };
  std::vector<Slot> slots_ = std::vector<Slot>(1); ///< the first stands for no name
  std::vector<std::uint16_t> free_;
  std::unordered_map<std::string_view, std::uint16_t> numbers_; ///< views into the slots' names
};

} // namespace iris
