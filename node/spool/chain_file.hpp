#pragma once
#include "core/base/result.hpp"
#include "core/link/chain.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace iris {

/// Where the chains of an epoch stand: `next` is the number on disk of the batch that `link` seals.
struct ChainPosition {
  struct Lane {
    std::uint64_t next = 0;
    ChainLink link;
  };
  std::uint64_t epoch = 0; ///< 0: none
  std::array<Lane, 2> lanes{};
};

/// The file beside the spool that holds the running keys, and nothing older. Overwritten in place and synced,
/// twice over at a distance of 4 KiB with a checksum each, so that a cut while it is written leaves one that
/// can be read. In place, since a file that is replaced would leave the old one's blocks behind.
class ChainFile {
public:
  /// Of the present epoch and of one that is about to begin: see Spool::start_epoch.
  struct Content {
    ChainPosition present, coming;
    void erase(); ///< the keys, from memory
  };
  /// One copy as it rests in the file: version u64, then present and coming: epoch u64, two lanes of (next
  /// u64, key, previous); SHA-256 of all that. Numbers are big endian.
  static constexpr std::size_t copy_size = 8 + 2 * (8 + 2 * (8 + 64)) + 32;
  using Copy = std::array<char, copy_size>;
  [[nodiscard]] static Copy encode(std::uint64_t version, const Content& content);
  /// Nothing when its checksum is not that of the rest. The higher version is the newer one.
  [[nodiscard]] static std::optional<std::pair<std::uint64_t, Content>> decode(const Copy& copy);

  explicit ChainFile(std::string path) : path_{std::move(path)} {}
  ~ChainFile();
  ChainFile(const ChainFile&) = delete;
  ChainFile& operator=(const ChainFile&) = delete;

  /// Nothing when there is none or no good copy of it.
  [[nodiscard]] std::optional<Content> load();
  [[nodiscard]] Result<void> save(const Content& content, bool sync);

private:
  bool open();
  std::string path_;
  int file_ = -1;
  std::uint64_t version_ = 0;
};

} // namespace iris
