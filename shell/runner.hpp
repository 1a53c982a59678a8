#pragma once
#include "shell/channel.hpp"
#include "shell/render.hpp"

#include <set>
#include <string>
#include <string_view>

namespace iris {

/// Exit codes of every Iris program.
enum class Exit : int { ok = 0, failed = 1, usage = 2, unreachable = 3 };
[[nodiscard]] Exit exit_of(Errc code);

/// What a command did: text for stdout and lines for stderr.
struct Outcome {
  Exit exit = Exit::ok;
  std::string out, err;
  bool quit = false;
};

/// Runs commands as they are typed, one after the other.
class Runner {
public:
  static constexpr std::size_t names_limit = 2'000; ///< remembered for completion

  Runner(Channel& channel, RenderOptions options, std::uint32_t deadline_ms)
      : channel_{channel}, options_{options}, deadline_ms_{deadline_ms} {
    // nop
  }
  [[nodiscard]] Outcome run(std::string_view line);
  void set_width(std::size_t width) { options_.width = width; }

  /// Words that may stand where `line` ends, given what was seen so far.
  [[nodiscard]] std::vector<std::string> completions(std::string_view line) const;

private:
  void remember(const QueryAnswer& answer);

  Channel& channel_;
  RenderOptions options_;
  std::uint32_t deadline_ms_;
  std::set<std::string> names_; ///< ids and names out of answers
};

/// All commands, or what one does.
[[nodiscard]] std::string help_text(std::string_view verb = {});

} // namespace iris
