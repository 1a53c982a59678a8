#include "node/posture_keeper.hpp"

#include "actors/link/private_file.hpp"
#include "core/alert/json_writer.hpp"
#include "core/inventory/posture.hpp"

#include <spdlog/spdlog.h>

#include <ctime>

namespace iris {
namespace {

constexpr std::size_t file_limit = 16 << 20;
constexpr std::size_t described_limit = 128;     ///< containers in one answer
constexpr Duration time_interval = 600 * second; ///< so much of the time watched may be lost by a power cut

Timestamp monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t(now.tv_sec) * second + now.tv_nsec;
}

} // namespace

PostureKeeper::PostureKeeper(std::string path) : path_{std::move(path)} {
  written_at_ = last_tick_ = monotonic_now();
  if (path_.empty()) return;
  auto bytes = read_small_file(path_, file_limit);
  if (!bytes) {
    if (bytes.error().code != Errc::not_found)
      spdlog::warn("{}; how containers are set up is told anew", bytes.error().message);
    return;
  }
  auto book = PostureBook::decode(*bytes);
  if (book)
    book_ = std::move(*book);
  else
    spdlog::warn("{}: {}; how containers are set up is told anew", path_, book.error().message);
  written_ = book_.revision();
}

void PostureKeeper::set_day(Duration day) {
  const std::lock_guard lock{mutex_};
  if (day > 0) day_ = day;
}

void PostureKeeper::note(ContainerReport& report) {
  auto& change = report.event.change;
  // Half made: its networks and ports are told when it starts.
  if (!report.facts.running &&
      (change.action == ContainerAction::created || change.action == ContainerAction::connected))
    return;
  if (!report.facts.running && report.facts.started_at == 0) return; // it never ran: docker create, docker cp
  const std::lock_guard lock{mutex_};
  if (change.action == ContainerAction::renamed)
    book_.renamed(report.event.before, posture_name(report.facts));
  book_.note(report.facts, day_, change);
}

std::string PostureKeeper::describe(const std::map<std::string, ContainerFacts>& containers) {
  JsonWriter json;
  json.object();
  {
    const std::lock_guard lock{mutex_};
    json.field("known", book_.learned(day_)).field("services", std::uint64_t(book_.services()));
  }
  json.key("containers").array();
  std::size_t left = described_limit;
  for (const auto& [id, facts] : containers) {
    if (left-- == 0) break;
    json.object().field("service", facts.service).field("image", facts.image).key("says").array();
    if (facts.image.empty())
      json.text("is known by its control group only: how it is set up is not known");
    else
      for (const auto& statement : posture_of(facts))
        json.text(statement.text);
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

void PostureKeeper::tick() {
  const std::lock_guard lock{mutex_};
  const auto now = monotonic_now();
  // The first day begins with the first container: a gateway may be prepared before EdgeX is put on it.
  if (book_.services() > 0) book_.watched(now - last_tick_);
  last_tick_ = now;
  if (book_.revision() != written_ || (book_.services() > 0 && now - written_at_ >= time_interval)) write();
}

void PostureKeeper::write() {
  if (path_.empty()) return;
  const auto bytes = book_.encode();
  auto done = write_private_file(path_, {bytes.data(), bytes.size()});
  if (!done && !complained_)
    spdlog::warn("{}; after a restart, how containers are set up is told anew", done.error().message);
  complained_ = !done.ok();
  written_ = book_.revision();
  written_at_ = last_tick_;
}

} // namespace iris
