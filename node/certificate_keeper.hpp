#pragma once
#include "core/base/result.hpp"
#include "node/enrolment.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace iris {

/// Asks the cloud for the gateway's next certificate when two thirds of the present one's life are over, and
/// puts it in its place; the link takes it with its next connection. The key stays the same, so that one
/// rename is all that a crash can fall into. Looks again soon where somebody else put another certificate
/// there (`enroll --again`). Has a thread of its own, as the question blocks.
class CertificateKeeper {
public:
  /// `addresses`: where addresses.txt cannot be read.
  CertificateKeeper(EnrolmentFiles files, std::vector<std::string> addresses,
                    std::chrono::milliseconds glance = std::chrono::seconds{5});
  ~CertificateKeeper();
  CertificateKeeper(const CertificateKeeper&) = delete;
  CertificateKeeper& operator=(const CertificateKeeper&) = delete;

private:
  void run();
  /// Renews where it is due. Seconds until it has to look again.
  std::int64_t look(std::int64_t now);

  EnrolmentFiles files_;
  std::vector<std::string> addresses_;
  std::chrono::milliseconds glance_; ///< between two looks at the file's time
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

/// One renewal now. Gives the end of the new certificate in seconds since 1970.
[[nodiscard]] Result<std::int64_t> renew_certificate(const EnrolmentFiles& files,
                                                     const std::vector<std::string>& addresses);

} // namespace iris
