#pragma once
#include <cstdint>
#include <string>

namespace iris {

/// Bytes that may still be written below `path` (statvfs(3)); all of them where that cannot be told. A
/// database asks before each write: RocksDB as Debian builds it ends the program when its log meets a full
/// disk.
[[nodiscard]] std::uint64_t free_bytes(const std::string& path);

/// "3.1 MiB are free on the volume of /data, fewer than the 32 MiB that stay in reserve; make room there"
[[nodiscard]] std::string too_full_text(const std::string& path, std::uint64_t free, std::uint64_t reserve);

} // namespace iris
