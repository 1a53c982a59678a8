#include "cloud/program/backup_job.hpp"

#include "core/alert/json_writer.hpp"

namespace iris {

QueryAnswer BackupJob::start(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) return answer_error(Errc::invalid, "backup takes a directory");
  const std::lock_guard lock{mutex_};
  if (running_) return answer_error(Errc::refused, "a backup is under way; wait for its end");
  auto given = worker_.give([this, directory = arguments[0]] {
    Result<void> done = Error{Errc::io, "the backup was broken off"};
    try {
      done = run_(directory);
    } catch (const std::exception& problem) {
      done = Error{Errc::io, std::string{"the backup failed: "} + problem.what()};
    }
    const std::lock_guard end{mutex_};
    last_ = std::move(done);
    running_ = false;
  });
  if (!given) return answer_error(Errc::unavailable, "the cloud is ending");
  running_ = true;
  JsonWriter out;
  out.object().field("backup", ++number_).end_object();
  QueryAnswer answer;
  answer.lines.push_back(out.take());
  return answer;
}

QueryAnswer BackupJob::state(const std::vector<std::string>& arguments) const {
  const std::lock_guard lock{mutex_};
  if (arguments.size() != 1 || arguments[0] != std::to_string(number_))
    return answer_error(Errc::not_found, "there is no such backup; another one was begun, or the cloud anew");
  if (running_) {
    QueryAnswer answer;
    answer.lines.emplace_back(R"({"running":true})");
    return answer;
  }
  return last_ ? QueryAnswer{} : answer_error(last_.error().code, last_.error().message);
}

} // namespace iris
