#pragma once
#include "actors/link/private_file.hpp"
#include "core/base/result.hpp"

#include <string>
#include <vector>

namespace iris {

/// What an enrolled gateway has on disk under its data directory.
struct EnrolmentFiles {
  std::string directory;
  [[nodiscard]] std::string key() const { return directory + "/key.pem"; }
  [[nodiscard]] std::string certificate() const { return directory + "/cert.pem"; }
  [[nodiscard]] std::string ca() const { return directory + "/ca.pem"; }
  [[nodiscard]] std::string addresses() const { return directory + "/addresses.txt"; }
  /// All are there, and the key is the certificate's.
  [[nodiscard]] bool complete() const;
};

/// An enrolment on its way: in a folder of its own until all of it is there, then one rename, then each file
/// in its place. Whatever breaks off is begun or finished by the next start.
class PendingEnrolment {
public:
  /// The key of an enrolment with this token that broke off, else a new one. It is on disk, and there is room
  /// for the rest, before the token is shown to anybody.
  [[nodiscard]] static Result<PendingEnrolment> begin(const EnrolmentFiles& files, const std::string& token);
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] Result<void> finish(const std::string& certificate, const std::string& ca,
                                    const std::string& addresses);

private:
  PendingEnrolment(EnrolmentFiles files, std::string key) : files_{std::move(files)}, key_{std::move(key)} {}
  EnrolmentFiles files_;
  std::string key_; ///< PEM
};
/// Puts the files of an enrolment that was cut off after its rename into their places; done where there is
/// none.
[[nodiscard]] Result<void> settle_enrolment(const EnrolmentFiles& files);

/// Lines "HOST:PORT" of addresses.txt.
[[nodiscard]] Result<std::vector<std::string>> read_addresses(const EnrolmentFiles& files);

} // namespace iris
