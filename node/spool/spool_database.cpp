#include "node/spool/spool_database.hpp"

#include "actors/disk_space.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <filesystem>

namespace iris {
namespace {

namespace fs = std::filesystem;

rocksdb::Options database_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.max_open_files = 64;
  options.write_buffer_size = 4 << 20; // a gateway has little memory
  options.max_write_buffer_number = 2;
  options.keep_log_file_num = 2;
  options.max_background_jobs = 1;
  options.max_total_wal_size = 16 << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

Error failed(const std::string& path, const std::string& what, const rocksdb::Status& status) {
  auto text = status.ToString();
  if (status.IsIOError() && text.find("lock") != std::string::npos)
    return {Errc::locked, path + ": in use by another iris-node; stop that one first"};
  if (status.IsCorruption()) return {Errc::corrupt, path + ": the spool is damaged: " + text};
  return {Errc::io, path + ": cannot " + what + " the spool: " + text};
}

} // namespace

SpoolDatabase::SpoolDatabase(std::string path, std::uint64_t reserve, FreeBytes free)
    : path_{std::move(path)}, reserve_{reserve}, free_{std::move(free)} {}
SpoolDatabase::~SpoolDatabase() = default;

Result<std::unique_ptr<SpoolDatabase>> SpoolDatabase::open(const std::string& path, std::uint64_t reserve,
                                                           FreeBytes free, Timestamp now) {
  std::error_code ignored;
  fs::create_directories(path, ignored); // what goes wrong RocksDB says better
  if (!free) free = [path] { return free_bytes(path); };
  std::unique_ptr<SpoolDatabase> database{new SpoolDatabase{path, reserve, std::move(free)}};
  auto opened = database->open_files();
  if (!opened && opened.error().code == Errc::corrupt) opened = database->replace(now);
  if (!opened) return opened.error();
  return database;
}

Result<void> SpoolDatabase::open_files() {
  db_.reset();
  const auto room = free_();
  const bool writable = room >= reserve_;
  rocksdb::DB* raw = nullptr;
  if (!writable && !fs::exists(path_ + "/CURRENT"))
    return Error{Errc::io, too_full_text(path_, room, reserve_)};
  const auto status = writable ? rocksdb::DB::Open(database_options(), path_, &raw)
                               : rocksdb::DB::OpenForReadOnly(database_options(), path_, &raw);
  if (!status.ok()) return failed(path_, "open", status);
  db_.reset(raw);
  read_only_ = !writable;
  return {};
}

Result<void> SpoolDatabase::move_aside(Timestamp now) {
  std::error_code problem;
  const fs::path path{path_};
  const auto prefix = path.filename().string() + ".damaged-";
  for (const auto& entry : fs::directory_iterator{path.parent_path(), problem})
    if (entry.path().filename().string().rfind(prefix, 0) == 0) fs::remove_all(entry.path(), problem);
  fs::rename(path, path.parent_path() / (prefix + std::to_string(now / second)), problem);
  if (problem) return Error{Errc::io, path_ + ": cannot move the damaged spool aside: " + problem.message()};
  fs::create_directories(path, problem);
  return {};
}

Result<void> SpoolDatabase::replace(Timestamp now) {
  db_.reset();
  if (auto moved = move_aside(now); !moved) return moved;
  ++replaced_;
  in_doubt_ = false;
  return open_files();
}

Result<void> SpoolDatabase::make_writable() {
  if (const auto room = free_(); room < reserve_)
    return Error{Errc::io, "spool: nothing can be kept: " + too_full_text(path_, room, reserve_)};
  if (db_ != nullptr && !read_only_) return {};
  if (auto again = open_files(); !again) return again;
  // Between the two looks at the volume it may have filled up.
  if (read_only_) return Error{Errc::io, "spool: nothing can be kept: the volume of " + path_ + " is full"};
  return {};
}

Result<void> SpoolDatabase::write(rocksdb::WriteBatch& changes, bool sync) {
  if (in_doubt_)
    return Error{Errc::io, "spool: nothing can be kept: an earlier write of " + path_ + " failed"};
  if (auto ready = make_writable(); !ready) return ready;
  rocksdb::WriteOptions options;
  options.sync = sync;
  const auto status = db_->Write(options, &changes);
  if (status.ok()) return {};
  // This handle may not write again (see disk_space.hpp). Opening takes up what is in the log.
  in_doubt_ = true;
  const auto error = failed(path_, "write", status);
  (void)open_files();
  return error;
}

Result<void> SpoolDatabase::settle() {
  if (auto ready = make_writable(); !ready) return ready;
  in_doubt_ = false; // an opening for writing has synced what it found in the log
  return {};
}

Result<std::string> SpoolDatabase::get(const std::string& key) const {
  if (db_ == nullptr) return Error{Errc::unavailable, path_ + ": the spool is not open"};
  std::string value;
  const auto status = db_->Get({}, key, &value);
  if (!status.ok() && !status.IsNotFound()) return failed(path_, "read", status);
  return value;
}

std::unique_ptr<rocksdb::Iterator> SpoolDatabase::iterate() const {
  return std::unique_ptr<rocksdb::Iterator>{
      db_ == nullptr ? rocksdb::NewErrorIterator(rocksdb::Status::IOError("the spool is not open"))
                     : db_->NewIterator({})};
}

} // namespace iris
