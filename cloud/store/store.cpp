#include "cloud/store/store.hpp"
#include "actors/disk_space.hpp"
#include "cloud/store/access.hpp"

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/backup_engine.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>
#include <set>

namespace iris {
namespace {

constexpr const char* format_key = "format";

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.max_total_wal_size = 64 << 20;
  options.keep_log_file_num = 3;
  options.max_open_files = -1; // the family with a time to live asks for it
  options.info_log_level = rocksdb::WARN_LEVEL;
  // A torn end is a crash, and was never acknowledged; damage before it is told, not cut away in silence.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(Table table) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 16 << 20;
  options.max_write_buffer_number = 3;
  rocksdb::BlockBasedTableOptions blocks;
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  if (table == Table::observations) {
    // Whole files are dropped when all that is in them is too old.
    options.compaction_style = rocksdb::kCompactionStyleFIFO;
    options.ttl = std::uint64_t(observation_life / second);
    options.compaction_options_fifo.max_table_files_size = 1ull << 30;
  }
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  std::vector<rocksdb::ColumnFamilyDescriptor> result;
  for (std::size_t i = 0; i < table_count; ++i)
    result.emplace_back(to_string(Table(i)), family_options(Table(i)));
  return result;
}

Error failed(const std::string& path, const rocksdb::Status& status) {
  auto text = status.ToString();
  if (status.IsIOError() && text.find("lock") != std::string::npos)
    return {Errc::locked, "the database " + path +
                              " is in use by another process; stop it, or let it do this through "
                              "its control socket"};
  if (status.IsCorruption())
    return {Errc::corrupt,
            "the database " + path + " is damaged (" + text + "); restore a backup with iris-cloud restore"};
  return {Errc::io, "the database " + path + ": " + text};
}

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

} // namespace

struct Store::Database {
  std::string path;
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, table_count> handles{};

  rocksdb::ColumnFamilyHandle* handle(Table table) const { return handles[std::size_t(table)]; }
  ~Database() {
    if (db == nullptr) return;
    for (auto* entry : handles)
      db->DestroyColumnFamilyHandle(entry);
    db->Close();
  }
};

Store::Store(std::unique_ptr<Database> database) : database_{std::move(database)} {
  // nop
}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
  if (!std::filesystem::exists(path + "/CURRENT")) return no_database(path);
  if (auto good = check_owner(path); !good) return good.error();
  if (auto good = check_access(path); !good) return good.error();
  if (const auto room = free_bytes(path); room < default_reserve)
    return Error{Errc::io, "the database " + path + ": " + too_full_text(path, room, default_reserve)};
  auto database = std::make_unique<Database>();
  database->path = path;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  auto status = rocksdb::DB::Open(database_options(), path, families(), &handles, &db);
  if (status.IsInvalidArgument() && status.ToString().find("olumn famil") != std::string::npos)
    return Error{Errc::version, "the database " + path +
                                    " was made by a newer version of iris-cloud (it has families that "
                                    "this one does not know); upgrade iris-cloud"};
  if (!status.ok()) return failed(path, status);
  database->db.reset(db);
  for (std::size_t i = 0; i < table_count; ++i)
    database->handles[i] = handles[i];
  std::string stored;
  status = db->Get({}, database->handle(Table::meta), format_key, &stored);
  if (!status.ok())
    return Error{Errc::corrupt,
                 "the database " + path + " does not say its format; it is not one of iris-cloud"};
  KeyReader reader{stored};
  auto found = reader.u64();
  if (!reader.ok() || found > format)
    return Error{Errc::version, "the database " + path + " has format " + std::to_string(found) +
                                    ", this iris-cloud knows up to " + std::to_string(format) +
                                    "; upgrade iris-cloud"};
  return std::unique_ptr<Store>{new Store{std::move(database)}};
}

Result<std::unique_ptr<Store>> Store::create(const std::string& path) {
  if (std::filesystem::exists(path + "/CURRENT"))
    return Error{Errc::refused, "there is a database at " + path + " already"};
  auto options = database_options();
  options.create_if_missing = true;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  std::error_code ignored;
  std::filesystem::create_directories(path, ignored); // what goes wrong RocksDB says better
  auto status = rocksdb::DB::Open(options, path, families(), &handles, &db);
  if (!status.ok()) return failed(path, status);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  status = db->Put(synced, handles[0], format_key, slice(KeyBuilder{}.u64(format).str()));
  for (auto* handle : handles)
    db->DestroyColumnFamilyHandle(handle);
  db->Close();
  delete db;
  if (!status.ok()) return failed(path, status);
  return open(path);
}

Result<void> Store::write(const std::vector<const StoreWrite*>& writes) {
  const auto& path = database_->path;
  if (broken_)
    return Error{Errc::io, "the database " + path + ": a write failed on the disk; start iris-cloud anew"};
  if (const auto room = free_bytes(path); room < reserve_)
    return Error{Errc::io, "the database " + path + ": " + too_full_text(path, room, reserve_)};
  rocksdb::WriteBatch batch;
  for (const auto* write : writes)
    for (const auto& change : write->changes) {
      auto status = change.erase ? batch.Delete(database_->handle(change.table), change.key)
                                 : batch.Put(database_->handle(change.table), change.key, change.value);
      if (!status.ok()) return failed(database_->path, status);
    }
  rocksdb::WriteOptions options;
  options.sync = true;
  auto status = database_->db->Write(options, &batch);
  if (status.ok()) return {};
  broken_ = true; // RocksDB would end the program at the next write of its log (actors/disk_space.hpp)
  return failed(path, status);
}

std::vector<Result<void>> Store::write_each(const std::vector<const StoreWrite*>& writes) {
  std::set<WriteChain*> chains; // in one order for everybody
  for (const auto* write : writes)
    if (write->chain) chains.insert(write->chain.get());
  std::vector<std::unique_lock<std::mutex>> locks;
  for (auto* chain : chains)
    locks.emplace_back(chain->mutex_);
  std::vector<const StoreWrite*> good;
  for (const auto* entry : writes)
    if (!entry->chain || !entry->chain->ended_) good.push_back(entry);
  std::vector<Result<void>> results(writes.size());
  Result<void> done;
  if (!good.empty()) done = this->write(good);
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const auto* chain = writes[i]->chain.get();
    if (chain != nullptr && chain->ended_)
      results[i] = Error{Errc::unavailable, "a write before it failed, or its writer was replaced"};
    else
      results[i] = done;
  }
  if (!done)
    for (const auto* entry : good)
      if (entry->chain) entry->chain->ended_ = true;
  return results;
}

Result<std::optional<std::string>> Store::get(Table table, std::string_view key) const {
  std::string value;
  auto status = database_->db->Get({}, database_->handle(table), slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>{};
  if (!status.ok()) return failed(database_->path, status);
  return std::optional<std::string>{std::move(value)};
}

Result<void> Store::scan(Table table, std::string_view prefix, const Row& row) const {
  return scan_from(table, prefix, prefix, row);
}

Result<void> Store::scan_from(Table table, std::string_view prefix, std::string_view from,
                              const Row& row) const {
  std::unique_ptr<rocksdb::Iterator> it{database_->db->NewIterator({}, database_->handle(table))};
  for (it->Seek(slice(std::max(prefix, from))); it->Valid() && it->key().starts_with(slice(prefix));
       it->Next())
    if (!row(view(it->key()), view(it->value()))) return {};
  if (!it->status().ok()) return failed(database_->path, it->status());
  return {};
}

Result<void> Store::scan_back(Table table, std::string_view prefix, const Row& row) const {
  std::unique_ptr<rocksdb::Iterator> it{database_->db->NewIterator({}, database_->handle(table))};
  // The first key after all that start with the prefix: the prefix with its last byte that is not 0xff
  // raised.
  std::string after{prefix};
  while (!after.empty() && after.back() == char(0xff))
    after.pop_back();
  if (after.empty()) {
    it->SeekToLast();
  } else {
    after.back() = char(after.back() + 1);
    it->SeekForPrev(after);
    if (it->Valid() && view(it->key()) == after) it->Prev();
  }
  for (; it->Valid() && it->key().starts_with(slice(prefix)); it->Prev())
    if (!row(view(it->key()), view(it->value()))) return {};
  if (!it->status().ok()) return failed(database_->path, it->status());
  return {};
}

Result<void> Store::backup(const std::string& directory) {
  rocksdb::BackupEngine* raw = nullptr;
  rocksdb::BackupEngineOptions options{directory};
  options.sync = true;
  auto status = rocksdb::BackupEngine::Open(rocksdb::Env::Default(), options, &raw);
  std::unique_ptr<rocksdb::BackupEngine> engine{raw};
  if (!status.ok()) return Error{Errc::io, "the backup directory " + directory + ": " + status.ToString()};
  status = engine->CreateNewBackup(database_->db.get(), true);
  if (status.ok()) status = engine->PurgeOldBackups(24);
  if (!status.ok()) return Error{Errc::io, "backup to " + directory + " failed: " + status.ToString()};
  return {};
}

Result<RestoredBackup> Store::restore(const std::string& directory, const std::string& path) {
  if (std::filesystem::exists(path + "/CURRENT"))
    return Error{Errc::refused, "there is a database at " + path + " already; move it away first"};
  if (!std::filesystem::exists(directory + "/meta"))
    return Error{Errc::not_found, "there is no backup in " + directory};
  for (const auto& place : {std::filesystem::path{path}.parent_path().string(), path})
    if (auto good = check_owner(place); !good) return good.error();
  rocksdb::BackupEngineReadOnly* raw = nullptr;
  auto status = rocksdb::BackupEngineReadOnly::Open(rocksdb::Env::Default(),
                                                    rocksdb::BackupEngineOptions{directory}, &raw);
  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine{raw};
  std::vector<rocksdb::BackupInfo> backups;
  if (status.ok()) engine->GetBackupInfo(&backups);
  if (status.ok()) status = engine->RestoreDBFromLatestBackup(path, path);
  if (!status.ok()) return Error{Errc::io, "restore from " + directory + " failed: " + status.ToString()};
  return RestoredBackup{backups.empty() ? 0 : backups.back().timestamp * second, backups.size()};
}

std::uint64_t Store::disk_bytes() const {
  std::uint64_t total = 0;
  for (auto* handle : database_->handles) {
    std::uint64_t bytes = 0;
    if (database_->db->GetIntProperty(handle, "rocksdb.total-sst-files-size", &bytes)) total += bytes;
  }
  return total;
}

} // namespace iris
