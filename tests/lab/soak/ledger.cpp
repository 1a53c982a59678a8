#include "tests/lab/soak/ledger.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>
#include <utility>

namespace iris::soak {

Result<LedgerFile> LedgerFile::open(const std::string& path) {
  std::uint64_t findings = 0, deltas = 0;
  std::ifstream old{path};
  for (std::string text; std::getline(old, text);) {
    if (text.size() < 3) continue;
    auto after = std::strtoull(text.c_str() + 2, nullptr, 10) + 1;
    if (text[0] == 'F') findings = std::max<std::uint64_t>(findings, after);
    if (text[0] == 'D') deltas = std::max<std::uint64_t>(deltas, after);
  }
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return Error{Errc::io, path + ": " + std::strerror(errno)};
  LedgerFile ledger{fd};
  ledger.next_finding_ = findings;
  ledger.next_delta_ = deltas;
  return ledger;
}

LedgerFile::LedgerFile(LedgerFile&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, next_finding_{other.next_finding_}, next_delta_{other.next_delta_} {}

LedgerFile::~LedgerFile() {
  if (fd_ >= 0) ::close(fd_);
}

void LedgerFile::put(const std::string& text) const {
  if (::write(fd_, text.data(), text.size()) == ssize_t(text.size())) return;
  std::fprintf(stderr, "soak: the ledger cannot be written: %s\n", std::strerror(errno));
  std::_Exit(3);
}

void LedgerFile::line(char what) const { put(std::string{what} + "\n"); }
void LedgerFile::line(char what, std::uint64_t number) const {
  put(std::string{what} + " " + std::to_string(number) + "\n");
}
void LedgerFile::line(char what, std::uint64_t number, std::uint64_t size) const {
  put(std::string{what} + " " + std::to_string(number) + " " + std::to_string(size) + "\n");
}

} // namespace iris::soak
