#include "shell/interactive.hpp"

#include <histedit.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace iris {
namespace {

constexpr int history_limit = 1'000;
constexpr std::size_t shown_limit = 40; ///< candidates listed at once
constexpr std::size_t line_limit = 64 * 1024;

/// libedit's callbacks get this back through EL_CLIENTDATA.
struct Terminal {
  Runner& runner;
  std::string prompt;
};

Terminal& terminal_of(EditLine* edit) {
  void* data = nullptr;
  el_get(edit, EL_CLIENTDATA, &data);
  return *static_cast<Terminal*>(data);
}

char* prompt_of(EditLine* edit) { return terminal_of(edit).prompt.data(); }

/// Inserts what all candidates have in common and lists them when that is nothing.
unsigned char complete(EditLine* edit, int) {
  const auto* info = el_line(edit);
  const std::string before(info->buffer, std::size_t(info->cursor - info->buffer));
  const auto found = terminal_of(edit).runner.completions(before);
  if (found.empty()) return CC_REFRESH_BEEP;
  auto common = found.front();
  for (const auto& candidate : found)
    common.resize(
        std::size_t(std::mismatch(common.begin(), common.end(), candidate.begin(), candidate.end()).first -
                    common.begin()));
  const auto typed = before.size() - (before.find_last_of(" \t") + 1);
  auto more = common.substr(std::min(typed, common.size()));
  if (found.size() == 1) more += ' ';
  if (!more.empty()) return el_insertstr(edit, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  std::puts("");
  for (std::size_t i = 0; i < std::min(found.size(), shown_limit); ++i)
    std::printf("%s  ", found[i].c_str());
  if (found.size() > shown_limit) std::printf("… %zu more", found.size() - shown_limit);
  std::puts("");
  return CC_REDISPLAY;
}

/// ~/.local/state/iris/shell_history after the XDG rules; empty where there is no home.
std::string history_path() {
  std::filesystem::path folder;
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    folder = state;
  else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    folder = std::filesystem::path{home} / ".local" / "state";
  else
    return {};
  std::error_code problem;
  folder /= "iris";
  if (!std::filesystem::create_directories(folder, problem) && problem) return {};
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, problem);
  return (folder / "shell_history").string();
}

} // namespace

std::size_t terminal_width() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

bool show(const Outcome& outcome) {
  std::fwrite(outcome.out.data(), 1, outcome.out.size(), stdout);
  const bool read = std::fflush(stdout) == 0;
  std::fwrite(outcome.err.data(), 1, outcome.err.size(), stderr);
  return read;
}

Exit run_interactive(Runner& runner, const std::string& name) {
  std::setlocale(LC_CTYPE, "");
  Terminal terminal{runner, name + "> "};
  const std::unique_ptr<EditLine, decltype(&el_end)> edit{el_init("iris-shell", stdin, stdout, stderr),
                                                          el_end};
  const std::unique_ptr<History, decltype(&history_end)> past{history_init(), history_end};
  if (!edit || !past) {
    std::fputs("iris-shell: this terminal cannot be edited on; use -c COMMAND\n", stderr);
    return Exit::failed;
  }
  HistEvent event;
  history(past.get(), &event, H_SETSIZE, history_limit);
  history(past.get(), &event, H_SETUNIQUE, 1);
  const auto file = history_path();
  if (!file.empty()) history(past.get(), &event, H_LOAD, file.c_str());
  el_set(edit.get(), EL_CLIENTDATA, &terminal);
  el_set(edit.get(), EL_PROMPT, &prompt_of);
  el_set(edit.get(), EL_EDITOR, "emacs");
  el_set(edit.get(), EL_SIGNAL, 1);
  el_set(edit.get(), EL_HIST, history, past.get());
  el_set(edit.get(), EL_ADDFN, "iris-complete", "Complete a command or a name", &complete);
  el_set(edit.get(), EL_BIND, "^I", "iris-complete", nullptr);
  el_source(edit.get(), nullptr);
  while (true) {
    int size = 0;
    const char* line = el_gets(edit.get(), &size);
    if (line == nullptr || size <= 0) {
      std::puts("");
      break;
    }
    std::string text{line, std::size_t(size)};
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) continue;
    history(past.get(), &event, H_ENTER, text.c_str());
    runner.set_width(terminal_width());
    const auto outcome = runner.run(text);
    if (!show(outcome) || outcome.quit) break;
  }
  if (!file.empty()) {
    const auto mask = ::umask(077);
    history(past.get(), &event, H_SAVE, file.c_str());
    ::umask(mask);
  }
  return Exit::ok;
}

Exit run_script(Runner& runner) {
  auto exit = Exit::ok;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.size() > line_limit) line.resize(line_limit);
    const auto outcome = runner.run(line);
    if (exit == Exit::ok) exit = outcome.exit;
    if (!show(outcome) || outcome.quit) break;
  }
  return exit;
}

} // namespace iris
