#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rocksdb {
class DB;
class Iterator;
class WriteBatch;
} // namespace rocksdb

namespace iris {

/// The RocksDB of the spool. It never writes into the last `reserve` bytes of the volume: it is opened for
/// reading only while there is less, and opened anew for writing at the first write after room was made. A
/// damaged one is moved aside (the newest such is kept), so that a bad block does not end the watch.
class SpoolDatabase {
public:
  using FreeBytes = std::function<std::uint64_t()>;

  /// `free` empty: of the volume. Errors: locked by another process, not writable, no room for a first one.
  static Result<std::unique_ptr<SpoolDatabase>> open(const std::string& path, std::uint64_t reserve,
                                                     FreeBytes free, Timestamp now);
  ~SpoolDatabase();
  SpoolDatabase(const SpoolDatabase&) = delete;
  SpoolDatabase& operator=(const SpoolDatabase&) = delete;

  /// A write that fails may have landed all the same: nothing more is written until `settle`.
  [[nodiscard]] Result<void> write(rocksdb::WriteBatch& changes, bool sync);
  /// Whether memory and disk may differ, and the end of it: what can be read after `settle` rests on disk.
  [[nodiscard]] bool in_doubt() const { return in_doubt_; }
  [[nodiscard]] Result<void> settle();
  void doubt() { in_doubt_ = true; }
  [[nodiscard]] bool is_open() const { return db_ != nullptr; }
  /// Empty where there is none. `ok` of what follows says whether it could be read.
  [[nodiscard]] Result<std::string> get(const std::string& key) const;
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> iterate() const;

  /// Moves the files aside and begins with an empty database.
  [[nodiscard]] Result<void> replace(Timestamp now);
  /// How often that was done, at the opening too.
  [[nodiscard]] std::uint64_t replaced() const { return replaced_; }
  [[nodiscard]] bool read_only() const { return read_only_; }

private:
  SpoolDatabase(std::string path, std::uint64_t reserve, FreeBytes free);
  Result<void> open_files();
  Result<void> move_aside(Timestamp now);
  Result<void> make_writable();

  std::string path_;
  std::uint64_t reserve_;
  FreeBytes free_;
  std::unique_ptr<rocksdb::DB> db_;
  bool read_only_ = false, in_doubt_ = false;
  std::uint64_t replaced_ = 0;
};

} // namespace iris
