#pragma once
#include <string>
#include <sys/types.h>

namespace iris {

/// The kernel's audit with a rule for every execve, written to a file of ours by auditd, for as long as this
/// lives.
class Audit {
public:
  Audit();
  ~Audit();
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;
  /// Why it cannot run here; "" where it does.
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

private:
  std::string folder_, why_not_;
  pid_t daemon_ = -1;
};

} // namespace iris
