#pragma once
#include "cloud/store/keys.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// One row put or erased.
struct StoreChange {
  Table table{};
  std::string key, value;
  bool erase = false;
};

/// Of writes that follow on each other: after one that failed, or once it was ended, none lands any more.
/// Whoever loads what they wrote ends it first, else one that was under way could land on what he wrote
/// since.
class WriteChain {
public:
  /// When this returns, nothing of it is being written.
  void end() {
    const std::lock_guard lock{mutex_};
    ended_ = true;
  }

private:
  friend class Store;
  std::mutex mutex_;
  bool ended_ = false;
};

/// Changes that become durable together or not at all.
struct StoreWrite {
  std::vector<StoreChange> changes;
  std::shared_ptr<WriteChain> chain; ///< empty: follows on nothing
  void put(Table table, std::string key, std::string value) {
    changes.push_back({table, std::move(key), std::move(value), false});
  }
  void put(Table table, std::string key, const std::vector<char>& value) {
    changes.push_back({table, std::move(key), std::string{value.data(), value.size()}, false});
  }
  void erase(Table table, std::string key) { changes.push_back({table, std::move(key), {}, true}); }
};

/// Which backup a database was made from.
struct RestoredBackup {
  Timestamp made = 0;
  std::size_t of = 0; ///< backups that are there; it is the newest
};

/// The cloud's database. Every function may be called from any thread.
class Store {
public:
  /// Layout of keys and values; a database of a higher one is refused, of a lower one would be converted.
  static constexpr std::uint32_t format = 1;
  static constexpr std::uint64_t default_reserve = 64ull << 20;

  /// Makes a new database; refused where there is one already.
  static Result<std::unique_ptr<Store>> create(const std::string& path);
  /// Opens what create() made. Missing, newer and locked each give one line that says what to do.
  static Result<std::unique_ptr<Store>> open(const std::string& path);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// One atomic, synced write of all of them, in order. Refused while fewer than reserve() bytes of the
  /// volume are free, and for ever after a write that failed on the disk: then the process has to start anew.
  [[nodiscard]] Result<void> write(const std::vector<const StoreWrite*>& writes);
  [[nodiscard]] Result<void> write(const StoreWrite& write) { return write_each({&write}).front(); }
  /// The same without those whose chain has ended; a failure ends the chains of all that were in it.
  [[nodiscard]] std::vector<Result<void>> write_each(const std::vector<const StoreWrite*>& writes);
  void set_reserve(std::uint64_t bytes) { reserve_ = bytes; }
  [[nodiscard]] bool broken() const { return broken_; }
  /// Nothing where there is no such row; a read error is logged by the caller as one.
  [[nodiscard]] Result<std::optional<std::string>> get(Table table, std::string_view key) const;
  /// Calls `row` for every row whose key starts with `prefix`, in order of keys, until it returns false.
  using Row = std::function<bool(std::string_view key, std::string_view value)>;
  [[nodiscard]] Result<void> scan(Table table, std::string_view prefix, const Row& row) const;
  /// The same from the last key down.
  [[nodiscard]] Result<void> scan_back(Table table, std::string_view prefix, const Row& row) const;
  /// The same in order of keys, from the first key that is not less than `from`.
  [[nodiscard]] Result<void> scan_from(Table table, std::string_view prefix, std::string_view from,
                                       const Row& row) const;

  /// Adds a backup to `directory` (RocksDB BackupEngine: incremental, verified by checksums).
  [[nodiscard]] Result<void> backup(const std::string& directory);
  /// Makes the database at `path` from the newest backup; refused where there is one already.
  static Result<RestoredBackup> restore(const std::string& directory, const std::string& path);
  [[nodiscard]] std::uint64_t disk_bytes() const;

private:
  struct Database;
  explicit Store(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
  std::uint64_t reserve_ = default_reserve; ///< bytes
  bool broken_ = false;
};

/// How long raw observations (statements of loss, for now) are kept.
inline constexpr Duration observation_life = 7 * 86'400 * second;

} // namespace iris
