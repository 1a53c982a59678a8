#include "node/certificate_keeper.hpp"

#include "actors/link/enrol.hpp"
#include "core/base/time.hpp"
#include "node/version.hpp"

#include <spdlog/spdlog.h>

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace iris {
namespace {

constexpr std::int64_t look_at_most = 3'600, look_at_least = 1; ///< seconds between two looks
constexpr std::int64_t look_after_fault = 60;                   ///< files may be put back
/// After a failure: a tenth of what is left, in these bounds, so that an outage does not become a storm.
constexpr std::int64_t retry_at_least = 5, retry_at_most = 3'600;

/// Another one for another file of this name; 0 for none.
std::pair<std::uint64_t, std::int64_t> stamp_of(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return {};
  return {about.st_ino, std::int64_t(about.st_mtim.tv_sec) * second + about.st_mtim.tv_nsec};
}

} // namespace

Result<std::int64_t> renew_certificate(const EnrolmentFiles& files,
                                       const std::vector<std::string>& addresses) {
  return renew_in_place({files.certificate(), files.key(), files.ca(), ""}, addresses, version());
}

CertificateKeeper::CertificateKeeper(EnrolmentFiles files, std::vector<std::string> addresses,
                                     std::chrono::milliseconds glance)
    : files_{std::move(files)}, addresses_{std::move(addresses)}, glance_{glance}, thread_{
                                                                                       [this] { run(); }} {}

CertificateKeeper::~CertificateKeeper() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void CertificateKeeper::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    lock.unlock();
    const auto seen = stamp_of(files_.certificate());
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{look(std::time(nullptr))};
    lock.lock();
    while (!stopping_ && std::chrono::steady_clock::now() < until && stamp_of(files_.certificate()) == seen)
      wake_.wait_until(lock, std::min(until, std::chrono::steady_clock::now() + glance_),
                       [this] { return stopping_; });
  }
}

std::int64_t CertificateKeeper::look(std::int64_t now) {
  const auto text = read_small_file(files_.certificate());
  if (!text) {
    spdlog::error("the certificate cannot be renewed: {}", text.error().message);
    return look_after_fault;
  }
  const auto times = certificate_times(*text);
  if (!times) {
    spdlog::error("the certificate cannot be renewed: {}: {}", files_.certificate(), times.error().message);
    return look_after_fault;
  }
  if (now < times->renewable) return std::clamp(times->renewable - now, look_at_least, look_at_most);
  const auto written = read_addresses(files_);
  const auto renewed = renew_certificate(files_, written ? *written : addresses_);
  if (renewed) {
    spdlog::info("the certificate is renewed, good until {}", rfc3339(*renewed * second));
    return look_at_least;
  }
  spdlog::warn("the certificate, which ends at {}, could not be renewed yet: {}",
               rfc3339(times->ends * second), renewed.error().message);
  if (now >= times->ends)
    return look_after_fault; // the cloud will not take it any more, unless this clock is wrong
  // Of 30 days 10 are left now; of the 20 s of a laboratory 7.
  const auto least = std::clamp((times->ends - times->renewable) / 7, look_at_least, retry_at_least);
  return std::clamp((times->ends - now) / 10, least, retry_at_most);
}

} // namespace iris
