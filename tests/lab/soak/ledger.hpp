#pragma once
#include "core/base/result.hpp"

#include <cstdint>
#include <string>

namespace iris::soak {

/// What a gateway of the soak test made and what became of it in the spool, one line each, in the order in
/// which it happened. Outlives a SIGKILL: every line is one write(2) to a file that is only appended to.
///   L          a life of the program begins
///   F n, f n, x n   finding n: made; kept (synced by the spool); refused by the spool
///   D k o, d k, y k the same of delta k, which tells of o observations
///   E          everything was made and acknowledged
class LedgerFile {
public:
  /// Opens or makes it and finds where an earlier life stopped.
  static Result<LedgerFile> open(const std::string& path);
  LedgerFile(LedgerFile&& other) noexcept;
  LedgerFile& operator=(LedgerFile&&) = delete;
  ~LedgerFile();

  /// From any thread. A line that cannot be written ends the program: without it the test would prove
  /// nothing.
  void line(char what) const;
  void line(char what, std::uint64_t number) const;
  void line(char what, std::uint64_t number, std::uint64_t size) const;

  [[nodiscard]] std::uint64_t next_finding() const { return next_finding_; }
  [[nodiscard]] std::uint64_t next_delta() const { return next_delta_; }

private:
  explicit LedgerFile(int fd) : fd_{fd} {}
  void put(const std::string& text) const;
  int fd_;
  std::uint64_t next_finding_ = 0, next_delta_ = 0;
};

/// Sixteen findings (or deltas) share a name, under which the cloud adds up their counts. Number n adds 4^(n
/// mod 16) to the sum, so the sum's digits to the base of 4 say of each whether it is there once (1), not at
/// all (0) or more than once.
inline constexpr std::uint64_t group_size = 16;
[[nodiscard]] constexpr std::uint64_t group_of(std::uint64_t number) { return number / group_size; }
[[nodiscard]] constexpr std::uint64_t weight_of(std::uint64_t number) {
  return std::uint64_t{1} << (2 * (number % group_size));
}

} // namespace iris::soak
