#include "node/enrolment.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace iris {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio, &data);
  return {data, std::size_t(size)};
}

Error os_error(const std::string& path, const char* what) {
  return {Errc::io, path + ": cannot " + what + ": " + std::strerror(errno)};
}

} // namespace

Result<KeyAndRequest> make_key_and_request() {
  Error failed{Errc::io, "cannot make a key: OpenSSL refused"};
  Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  Owned<X509_REQ> request{X509_REQ_new()};
  if (!key || !request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1)
    return failed;
  auto* subject = X509_REQ_get_subject_name(request.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("iris-node"),
                             -1, -1, 0);
  if (X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0) return failed;
  Owned<BIO> key_text{BIO_new(BIO_s_mem())}, request_text{BIO_new(BIO_s_mem())};
  if (PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509_REQ(request_text.get(), request.get()) != 1)
    return failed;
  return KeyAndRequest{text_of(key_text.get()), text_of(request_text.get())};
}

bool EnrolmentFiles::complete() const {
  for (const auto& path : {key(), certificate(), ca(), addresses()})
    if (::access(path.c_str(), R_OK) != 0) return false;
  return true;
}

Result<void> write_private_file(const std::string& path, const std::string& content) {
  auto fresh = path + ".new";
  int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return os_error(fresh, "write");
  bool good = ::write(file, content.data(), content.size()) == ssize_t(content.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!good) return os_error(fresh, "write");
  if (::rename(fresh.c_str(), path.c_str()) != 0) return os_error(path, "replace");
  return {};
}

Result<std::string> read_small_file(const std::string& path, std::size_t limit) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return os_error(path, "read");
  std::string content;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::read(file, buffer, sizeof buffer)) > 0 && content.size() <= limit)
    content.append(buffer, std::size_t(got));
  ::close(file);
  if (got < 0) return os_error(path, "read");
  if (content.size() > limit)
    return Error{Errc::limit, path + ": larger than " + std::to_string(limit) + " bytes"};
  return content;
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
