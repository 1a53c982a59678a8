#include "cloud/intelligence/countries.hpp"

#include <maxminddb.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

namespace iris {

struct AddressDatabase::File {
  MMDB_s database{};
  bool open = false;
  ~File() {
    if (open) MMDB_close(&database);
  }
};

namespace {

/// The text at a path of keys in the entry; empty where there is none.
template <class... Keys>
std::string text_at(MMDB_entry_s entry, Keys... keys) {
  MMDB_entry_data_s data{};
  if (MMDB_get_value(&entry, &data, keys..., static_cast<const char*>(nullptr)) != MMDB_SUCCESS ||
      !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING)
    return {};
  return {data.utf8_string, std::min<std::size_t>(data.data_size, 128)};
}

/// The network that the record covers, e.g. "203.0.113.0/24".
std::string prefix_of(const IpAddress& address, const MMDB_lookup_result_s& found, bool v6_file) {
  Cidr network{address, std::uint8_t(found.netmask)};
  // In an IPv6 file IPv4 addresses live below ::/96 and the mask counts from there.
  if (address.is_v4() && (!v6_file || found.netmask <= 32)) network.bits = std::uint8_t(96 + found.netmask);
  for (unsigned bit = network.bits; bit < 128; ++bit)
    network.base.bytes[bit / 8] = std::uint8_t(network.base.bytes[bit / 8] & ~(0x80u >> bit % 8));
  return to_string(network);
}

/// The largest that are sold (cities and companies together) have about 500 MB.
constexpr off_t file_limit = off_t{1} << 30;

/// A descriptor that closes itself.
struct Descriptor {
  int number = -1;
  explicit Descriptor(int n) : number{n} {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

/// Copies the file into memory that belongs to nobody else; 0 or why not.
int copy_file(const std::string& path, int to) {
  const Descriptor from{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat about {};
  if (from.number < 0 || ::fstat(from.number, &about) != 0) return errno;
  if (!S_ISREG(about.st_mode)) return EINVAL;
  std::array<char, 65'536> buffer;
  for (off_t copied = 0;;) {
    const auto got = ::read(from.number, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    copied += got;
    if (copied > file_limit) return EFBIG;
    for (ssize_t done = 0; done < got;) {
      const auto put = ::write(to, buffer.data() + done, std::size_t(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return errno;
      done += put;
    }
  }
}

} // namespace

Result<AddressDatabase> AddressDatabase::open(const std::string& path) {
  // Not the file itself is mapped: whoever updates it in place cuts it first (cp, curl -o), and a lookup in
  // what is no longer there ends the process (SIGBUS).
  const Descriptor copy{::memfd_create("iris-mmdb", MFD_CLOEXEC)};
  if (copy.number < 0) return Error{Errc::io, path + ": no memory for a copy: " + std::strerror(errno)};
  if (const int failure = copy_file(path, copy.number); failure != 0)
    return Error{failure == ENOENT ? Errc::not_found : Errc::io,
                 path + ": not a usable MMDB file: " + std::strerror(failure)};
  auto file = std::make_shared<File>();
  auto status =
      MMDB_open(("/proc/self/fd/" + std::to_string(copy.number)).c_str(), MMDB_MODE_MMAP, &file->database);
  if (status != MMDB_SUCCESS)
    return Error{Errc::invalid, path + ": not a usable MMDB file: " + MMDB_strerror(status)};
  file->open = true;
  AddressDatabase result;
  result.file_ = std::move(file);
  return result;
}

Place AddressDatabase::lookup(const IpAddress& address) const {
  sockaddr_storage storage{};
  if (address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_addr.s_addr = htonl(address.v4_number());
  } else {
    if (file_->database.metadata.ip_version == 4) return {};
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    std::memcpy(&v6->sin6_addr, address.bytes.data(), 16);
  }
  int failure = MMDB_SUCCESS;
  auto found = MMDB_lookup_sockaddr(&file_->database, reinterpret_cast<const sockaddr*>(&storage), &failure);
  if (failure != MMDB_SUCCESS || !found.found_entry) return {};
  Place place;
  place.country = text_at(found.entry, "country_code");
  if (place.country.empty()) place.country = text_at(found.entry, "country", "iso_code");
  if (place.country.empty()) place.country = text_at(found.entry, "country");
  if (place.country.size() != 2) place.country.clear();
  for (const char* name : {"network", "as_name", "autonomous_system_organization", "as_organization",
                           "organization", "isp", "asname"}) {
    place.network = text_at(found.entry, name);
    if (!place.network.empty()) return place;
  }
  if (!place.country.empty())
    place.network = prefix_of(address, found, file_->database.metadata.ip_version == 6);
  return place;
}

std::string AddressDatabase::type() const {
  const char* type = file_->database.metadata.database_type;
  return type == nullptr ? std::string{} : std::string{type, ::strnlen(type, 128)};
}

Timestamp AddressDatabase::built() const {
  // The file says what it likes: no time beyond what a Timestamp holds.
  constexpr auto latest = std::uint64_t(std::numeric_limits<Timestamp>::max() / second);
  return Timestamp(std::min<std::uint64_t>(file_->database.metadata.build_epoch, latest)) * second;
}

} // namespace iris
