#pragma once
#include "actors/query.hpp"
#include "cloud/program/worker.hpp"
#include "core/base/result.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace iris {

/// Backups on a thread of their own, one at a time: they take minutes, and the control socket answers one
/// question after the other.
class BackupJob {
public:
  explicit BackupJob(std::function<Result<void>(const std::string& directory)> run) : run_{std::move(run)} {
    // nop
  }
  /// `backup DIRECTORY`: begins, and answers {"backup":NUMBER}.
  [[nodiscard]] QueryAnswer start(const std::vector<std::string>& arguments);
  /// `backup-state NUMBER`: {"running":true}, or how it ended.
  [[nodiscard]] QueryAnswer state(const std::vector<std::string>& arguments) const;

private:
  std::function<Result<void>(const std::string&)> run_;
  mutable std::mutex mutex_;
  std::uint64_t number_ = 0;
  bool running_ = false;
  Result<void> last_;
  Worker worker_{1}; // last: it ends before what its task uses
};

} // namespace iris
