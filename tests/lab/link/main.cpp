#include "tests/lab/link/lab.hpp"

#include "tests/fixtures/link/raw_peer.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <sstream>

namespace linklab {
namespace {

/// The rows of `actors` that belong to the healthy gateways: who lives, and which.
std::vector<std::string> healthy_actors(Lab& lab) {
  std::vector<std::string> out;
  std::istringstream lines{lab.cloud.shell({"--json", "-c", "actors cloud"}).text};
  for (std::string line; std::getline(lines, line);) {
    if (line.find("healthy-") == std::string::npos) continue;
    auto field = [&](const char* name) {
      auto at = line.find(std::string{"\""} + name + "\":");
      return at == std::string::npos ? std::string{} : line.substr(at, line.find(',', at) - at);
    };
    out.push_back(field("id") + field("actor") + field("kind") + field("name"));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void judge_end(Lab& lab, const std::vector<std::string>& before, bool attacked) {
  const auto after = healthy_actors(lab);
  lab.check(!before.empty() && before == after,
            "the actors of the healthy gateways are the same: " + std::to_string(after.size()));
  const auto alerts = lab.cloud.shell({"--json", "-c", "alerts --limit 200"}).text;
  std::istringstream lines{alerts};
  std::size_t named = 0, wrong = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.find("peer.violation") != std::string::npos || line.find("broke the rules") != std::string::npos)
      (line.find("thief") != std::string::npos ? named : wrong) += 1;
  lab.check((named > 0) == attacked && wrong == 0, "alerts that name the thief: " + std::to_string(named) +
                                                       ", anybody else: " + std::to_string(wrong));
  if (named + wrong == 0) return; // only a part was run
  std::istringstream log{lab.cloud.log()};
  std::size_t of_thief = 0;
  for (std::string line; std::getline(log, line);)
    of_thief += line.find("gateway/default/thief at") != std::string::npos;
  lab.check(of_thief > 0 && of_thief < 100, "lines of the log about the thief: " + std::to_string(of_thief));
}

/// `only`: for work on one part.
int everything(const std::string& only) {
  auto wanted = [&](const char* part) { return only.empty() || only == part; };
  Lab lab;
  auto thief = join(lab.cloud, "thief");
  const auto actors = healthy_actors(lab);
  lab.measure_quiet();
  std::unique_ptr<Loris> loris;
  if (wanted("loris")) loris = std::make_unique<Loris>(lab);
  if (wanted("frames")) frames(lab, thief);
  std::unique_ptr<Silent> silent;
  if (wanted("strangers")) silent = std::make_unique<Silent>(lab);
  if (wanted("batches")) batches(lab, thief);
  if (wanted("certificates")) certificates(lab);
  if (silent) silent->judge();
  if (wanted("strangers")) strangers(lab); // needs the room that the silent ones had
  if (wanted("files")) certificate_files(lab);
  if (loris) loris->judge();
  judge_end(lab, actors, wanted("frames"));
  std::uint64_t acked = 0;
  for (const auto& gateway : lab.healthy)
    acked += gateway->acked();
  std::printf("%s: %llu batches of healthy gateways were acknowledged, none was lost, no link ended\n",
              lab.failed() == 0 ? "good" : "NOT GOOD", static_cast<unsigned long long>(acked));
  if (lab.failed() != 0) std::fprintf(stderr, "%s\n", lab.cloud.log().substr(0, 1 << 20).c_str());
  return lab.failed() == 0 ? 0 : 1;
}

} // namespace
} // namespace linklab

/// lab_link             all attacks, as `make test` runs them
/// lab_link PART        one of loris, frames, batches, strangers, certificates, files
/// lab_link --idle N    memory and descriptors of N idle connections
int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  try {
    if (argc == 3 && std::strcmp(argv[1], "--idle") == 0)
      return linklab::idle_connections(std::size_t(std::atoi(argv[2])));
    if (argc == 1) return linklab::everything("");
    if (argc == 2) return linklab::everything(argv[1]);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "lab_link: %s\n", problem.what());
    return 1;
  }
  std::fprintf(stderr, "usage: lab_link [PART | --idle N]\n");
  return 2;
}
