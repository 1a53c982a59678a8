#include "node/enrolment.hpp"

#include "actors/link/enrol.hpp"
#include "core/base/hash.hpp"
#include "core/link/token.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace iris {

namespace {

namespace fs = std::filesystem;
constexpr const char* drafts = "/enrolling"; ///< begun: the key, room for the rest, and for which token
constexpr const char* granted = "/enrolled"; ///< complete, on its way to its places

} // namespace

bool EnrolmentFiles::complete() const {
  for (const auto& path : {ca(), addresses()})
    if (::access(path.c_str(), R_OK) != 0) return false;
  const auto own = read_small_file(key()), signed_one = read_small_file(certificate());
  return own && signed_one && key_fits(*own, *signed_one);
}

Result<PendingEnrolment> PendingEnrolment::begin(const EnrolmentFiles& files, const std::string& token) {
  const EnrolmentFiles draft{files.directory + drafts};
  const auto mark = draft.directory + "/token";
  const auto hash = to_hex(sha256(token));
  const auto told = read_small_file(mark), key = read_small_file(draft.key());
  if (told && *told == hash && key && make_request(*key)) return PendingEnrolment{files, *key};
  std::error_code failure;
  fs::remove_all(draft.directory, failure);
  fs::create_directories(draft.directory, failure);
  if (failure) return Error{Errc::io, draft.directory + ": cannot make the directory: " + failure.message()};
  auto made = make_key_and_request();
  if (!made) return made.error();
  // What comes back is as large as this at the most.
  for (const auto& path : {draft.certificate(), draft.ca(), draft.addresses()})
    if (auto room = write_private_file(path, std::string(largest_enrolment, '\n')); !room)
      return room.error();
  if (auto done = write_private_file(draft.key(), made->key); !done) return done.error();
  if (auto done = write_private_file(mark, hash); !done) return done.error();
  return PendingEnrolment{files, std::move(made->key)};
}

Result<void> PendingEnrolment::finish(const std::string& certificate, const std::string& ca,
                                      const std::string& addresses) {
  if (!key_fits(key_, certificate))
    return Error{Errc::refused, "the cloud sent a certificate of another key"};
  const EnrolmentFiles draft{files_.directory + drafts};
  const std::pair<std::string, std::string> contents[] = {
      {draft.ca(), ca}, {draft.addresses(), addresses}, {draft.certificate(), certificate}};
  for (const auto& [path, content] : contents)
    if (auto written = write_private_file(path, content); !written) return written;
  std::error_code failure;
  fs::remove_all(files_.directory + granted, failure);
  fs::rename(draft.directory, files_.directory + granted, failure);
  if (failure) return Error{Errc::io, draft.directory + ": cannot rename: " + failure.message()};
  return settle_enrolment(files_);
}

Result<void> settle_enrolment(const EnrolmentFiles& files) {
  const EnrolmentFiles from{files.directory + granted};
  std::error_code failure;
  if (!fs::exists(from.directory, failure)) return {};
  const std::pair<std::string, std::string> moves[] = {{from.key(), files.key()},
                                                       {from.ca(), files.ca()},
                                                       {from.addresses(), files.addresses()},
                                                       {from.certificate(), files.certificate()}};
  for (const auto& [path, place] : moves) {
    if (!fs::exists(path, failure)) continue; // moved before it was cut off
    fs::rename(path, place, failure);
    if (failure) return Error{Errc::io, place + ": cannot replace: " + failure.message()};
  }
  if (const int folder = ::open(files.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  fs::remove_all(from.directory, failure);
  return {};
}

Result<std::vector<std::string>> read_addresses(const EnrolmentFiles& files) {
  auto text = read_small_file(files.addresses());
  if (!text) return text.error();
  std::vector<std::string> addresses;
  std::size_t begin = 0;
  while (begin < text->size()) {
    auto end = text->find('\n', begin);
    if (end == std::string::npos) end = text->size();
    auto line = text->substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line[0] != '#') addresses.push_back(std::move(line));
  }
  if (addresses.empty())
    return Error{Errc::invalid, files.addresses() + ": names no address of the cloud; enrol again"};
  return addresses;
}

} // namespace iris
