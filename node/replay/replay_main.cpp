#include "node/replay/replay.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace iris {

int replay_main(int argc, char** argv) {
  ReplayOptions options;
  bool json = false;
  bool print_stats = false;
  bool no_labels = false;
  std::string day;
  CLI::App app{"Runs the detectors over captures and recordings, without a cloud. Without --learn or "
               "--learn-until only the "
               "detectors "
               "that need no baseline speak.",
               "iris-node replay"};
  app.add_option("--pcap,--recording,FILE", options.captures,
                 "What to judge: a capture, pcap or pcapng, or a recording of iris-node; repeatable")
      ->required();
  app.add_option("--learn", options.learn, "Capture or recording of normal life to learn from; repeatable");
  app.add_option("--learn-until", options.learn_until,
                 "Learn from so many seconds at the start of the first one")
      ->check(CLI::Range(0.001, ReplayOptions::learn_limit));
  app.add_option("--learning-day", day,
                 "What counts as one day of learning, e.g. 1h (default: 1/16 of what is learned)");
  app.add_option("--inventory", options.inventory,
                 "Who has which address: lines of ADDRESS NAME [service|device|gateway]");
  app.add_option("--intel", options.intel, "Threat list: one address or network a line");
  app.add_option("--local", options.local, "Network that is ours, beside the private ones; repeatable");
  app.add_option("--write-pcap", options.write_pcap,
                 "Write the packets that a recording holds to this file, as pcapng");
  app.add_flag("--json", json, "One alert a line, as in docs/alerts.md");
  app.add_flag("--stats", print_stats, "One JSON object about the run, last");
  app.add_flag("--no-dpi", no_labels, "Do not look for application protocols");
  try {
    app.parse(argc, argv);
    if (!day.empty()) {
      auto length = parse_duration(day);
      if (!length || *length <= 0)
        throw CLI::ValidationError{"--learning-day", "not a duration such as 90s, 1h or 1d: " + day};
      options.day = *length;
    }
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError& wrong) {
    app.exit(wrong);
    return 2;
  }
  options.label_applications = !no_labels;
  ReplayStats stats;
  auto alerts = replay(options, stats,
                       [](const std::string& line) { std::cerr << "iris-node replay: " << line << "\n"; });
  if (!alerts) {
    std::cerr << "iris-node replay: " << alerts.error().message << "\n";
    return 1;
  }
  for (const auto& alert : *alerts)
    std::cout << (json ? to_json(alert) + "\n" : to_text(alert));
  if (!json && alerts->empty()) std::cout << "no alerts\n";
  if (print_stats) std::cout << to_json(stats) << "\n";
  std::cout.flush();
  return std::cout.good() ? 0 : 1;
}

} // namespace iris
