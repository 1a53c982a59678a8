#include "shell/renewal.hpp"

#include "actors/link/enrol.hpp"
#include "actors/link/private_file.hpp"
#include "core/base/time.hpp"
#include "shell/bundle.hpp"
#include "shell/channel.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace iris {
namespace {

/// The folder, for one shell at a time; the kernel lets go of it when the process ends.
class FolderLock {
public:
  explicit FolderLock(const std::string& folder)
      : fd_{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)},
        held_{fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0} {}
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  [[nodiscard]] bool held() const { return held_; }

private:
  int fd_;
  bool held_;
};

} // namespace

Result<Renewal> renew_when_due(const LinkChannelOptions& options, std::int64_t now, bool at_once) {
  auto bundle = read_bundle(options.bundle, options.server.empty());
  if (!bundle) return Renewal::not_due; // who connects says what is wrong with it
  const auto due = [&]() -> Result<CertificateTimes> {
    auto text = read_small_file(bundle->certificate);
    if (!text) return text.error();
    return certificate_times(*text);
  };
  auto times = due();
  const auto early = [&] { return !at_once && now < times->renewable; };
  if (!times || early() || now >= times->ends) return Renewal::not_due;
  const auto failed = [&](const Error& error) {
    return Error{error.code, "the certificate, which ends at " + rfc3339(times->ends * second) +
                                 ", could not be renewed yet: " + error.message};
  };
  // Before the cloud is asked: each answer costs it a signature and a row.
  if (::access(options.bundle.c_str(), W_OK) != 0)
    return failed({Errc::io, options.bundle + ": cannot write: " + std::strerror(errno)});
  const FolderLock lock{options.bundle};
  if (!lock.held()) return Renewal::busy;
  if (times = due(); !times || early()) return Renewal::not_due; // another one was faster
  const auto addresses = options.server.empty() ? bundle->addresses : std::vector{options.server};
  auto renewed = renew_in_place({bundle->certificate, bundle->key, bundle->ca, ""}, addresses, IRIS_VERSION,
                                options.patience);
  if (!renewed) return failed(renewed.error());
  return Renewal::renewed;
}

} // namespace iris
