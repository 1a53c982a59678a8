#include "node/spool/chain_file.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace iris {
namespace {

constexpr off_t copy_distance = 4'096;

struct Writer {
  char* at;
  void put(std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8)
      *at++ = char(number >> shift);
  }
  void put(const Bytes32& bytes) {
    std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  }
  void put(const ChainPosition& position) {
    put(position.epoch);
    for (const auto& lane : position.lanes) {
      put(lane.next);
      put(lane.link.key);
      put(lane.link.previous);
    }
  }
};

struct Reader {
  const char* at;
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i)
      value = value << 8 | std::uint8_t(*at++);
    return value;
  }
  Bytes32 bytes() {
    Bytes32 out;
    std::memcpy(out.data(), at, out.size());
    at += out.size();
    return out;
  }
  ChainPosition position() {
    ChainPosition out;
    out.epoch = number();
    for (auto& lane : out.lanes) {
      lane.next = number();
      lane.link.key = bytes();
      lane.link.previous = bytes();
    }
    return out;
  }
};

Bytes32 checksum(const ChainFile::Copy& copy) {
  return PartsDigest{}.text({copy.data(), copy.size() - 32}).finish();
}

} // namespace

void ChainFile::Content::erase() {
  for (auto* position : {&present, &coming})
    for (auto& lane : position->lanes)
      lane.link.erase();
}

ChainFile::Copy ChainFile::encode(std::uint64_t version, const Content& content) {
  Copy copy{};
  Writer out{copy.data()};
  out.put(version);
  out.put(content.present);
  out.put(content.coming);
  const auto sum = checksum(copy);
  std::memcpy(copy.data() + copy_size - 32, sum.data(), 32);
  return copy;
}

std::optional<std::pair<std::uint64_t, ChainFile::Content>> ChainFile::decode(const Copy& copy) {
  const auto sum = checksum(copy);
  if (std::memcmp(sum.data(), copy.data() + copy_size - 32, 32) != 0) return std::nullopt;
  Reader in{copy.data()};
  const auto version = in.number();
  Content content;
  content.present = in.position();
  content.coming = in.position();
  return std::pair{version, content};
}

ChainFile::~ChainFile() {
  if (file_ >= 0) ::close(file_);
}

bool ChainFile::open() {
  if (file_ < 0) file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return file_ >= 0;
}

std::optional<ChainFile::Content> ChainFile::load() {
  std::optional<Content> best;
  if (!open()) return best;
  for (off_t at : {off_t{0}, copy_distance}) {
    Copy copy{};
    if (::pread(file_, copy.data(), copy.size(), at) != ssize_t(copy.size())) continue;
    if (auto found = decode(copy)) {
      if (!best || found->first > version_) {
        version_ = found->first;
        best = found->second;
      }
      found->second.erase();
    }
    OPENSSL_cleanse(copy.data(), copy.size());
  }
  return best;
}

Result<void> ChainFile::save(const Content& content, bool sync) {
  const auto failed = [&] {
    return Error{Errc::io, path_ + ": cannot keep the key of the batches: " + std::strerror(errno)};
  };
  if (!open()) return failed();
  auto copy = encode(++version_, content);
  bool good = true;
  for (off_t at : {off_t{0}, copy_distance})
    good = ::pwrite(file_, copy.data(), copy.size(), at) == ssize_t(copy.size()) && good;
  OPENSSL_cleanse(copy.data(), copy.size());
  if (!good || (sync && ::fdatasync(file_) != 0)) return failed();
  return {};
}

} // namespace iris
