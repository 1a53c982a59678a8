#include "tests/lab/sources/watch.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <unistd.h>

namespace iris::lab {

/// 10,000 programs that live for a millisecond, in five containers at once: each is its container's,
/// whichever sensor sees it. The connector may come too late for what it was called with, and must say so.
void test_one_shots(ProcessSensorChoice choice) {
  constexpr int containers = 5, runs = 2'000;
  const bool ebpf = choice == ProcessSensorChoice::ebpf;
  const auto storm = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "lab_storm";
  auto folder = std::filesystem::temp_directory_path() / ("iris-lab-one-shots-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  Watch watch{choice};
  if (!watch.source) return;
  std::vector<std::unique_ptr<Container>> all;
  for (int i = 0; i < containers; ++i)
    all.push_back(std::make_unique<Container>(
        "--network none -v " + storm.string() + ":/lab_storm:ro -v " + folder.string() + ":/gate:ro",
        "/lab_storm " + std::to_string(runs) + " box" + std::to_string(i) + " /lab_storm /gate/open"));
  shell("touch " + (folder / "open").string());
  for (const auto& container : all)
    container->wait();
  std::filesystem::remove_all(folder);
  const auto ended = [&](const ProcessEvent& event, const std::string& container) {
    const auto* exit = std::get_if<ProcessExit>(&event.what);
    return event.container == container && exit != nullptr &&
           (exit->exe == "/lab_storm" || exit->exe.empty()); // unread: no name
  };
  std::map<std::string, std::string> marks;
  std::size_t starts = 0, wrong = 0, incomplete = 0, exits = 0, brief = 0;
  for (int i = 0; i < containers; ++i) {
    const auto& id = all[std::size_t(i)]->id();
    marks[id] = "box" + std::to_string(i) + "-";
    LAB_CHECK(watch.events.wait([&](const ProcessEvent& event) { return ended(event, id); }, runs + 1, 30));
  }
  for (const auto& event : watch.events.all()) {
    const auto mark = marks.find(event.container);
    if (const auto* start = std::get_if<ProcessStart>(&event.what)) {
      const auto& args = start->process.args;
      if (args.size() < 2 || !args[1].starts_with("box")) continue;
      ++starts;
      wrong += mark == marks.end() || !args[1].starts_with(mark->second);
      incomplete += args.size() != 3 || args[2] != "end" || start->process.exe != "/lab_storm";
    } else if (mark != marks.end() && ended(event, event.container)) {
      ++exits;
      brief += std::get<ProcessExit>(event.what).lifetime < 5 * millisecond;
    }
  }
  const auto statistics = watch.source->statistics();
  std::printf(
      "%s: %zu one-shots told of %d, %zu in the wrong place, %zu incomplete, %llu lost, %llu unread; %zu "
      "ended, %zu of them within 5 ms\n",
      watch.source->sensor(), starts, containers * runs, wrong, incomplete,
      (unsigned long long)statistics.lost, (unsigned long long)statistics.unread, exits, brief);
  LAB_CHECK(wrong == 0);
  LAB_CHECK(incomplete == 0);
  LAB_CHECK(statistics.lost == 0);
  LAB_CHECK(exits == std::size_t(containers) * (runs + 1)); // attributed, whether it could be read or not
  LAB_CHECK(ebpf ? starts == std::size_t(containers * runs)
                 : starts + statistics.unread >= std::size_t(containers * runs));
}

} // namespace iris::lab
