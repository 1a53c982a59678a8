#include "cloud/store/look.hpp"
#include "cloud/store/access.hpp"
#include "cloud/store/keys.hpp"
#include "cloud/store/store.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

namespace iris {
namespace {

/// RocksDB would begin a new LOG file in the folder.
class Silent final : public rocksdb::Logger {
public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {
    // nop
  }
};

/// A file that is missing is damage, a disk that does not answer is none.
Error failed(const std::string& path, const rocksdb::Status& status) {
  const auto why = status.ToString();
  if (status.IsIOError() && why.find("No such file") == std::string::npos)
    return {Errc::io, "the database " + path + ": " + why};
  return {Errc::corrupt,
          "the database " + path + " is damaged (" + why + "); restore a backup with iris-cloud restore"};
}

} // namespace

Result<void> look_into_database(const std::string& path) {
  if (!std::filesystem::exists(path + "/CURRENT")) return no_database(path);
  if (auto good = check_access(path); !good) return good;
  rocksdb::DBOptions options;
  options.info_log = std::make_shared<Silent>();
  std::vector<std::string> names;
  if (auto status = rocksdb::DB::ListColumnFamilies(options, path, &names); !status.ok())
    return failed(path, status);
  std::set<std::string> known;
  for (std::size_t i = 0; i < table_count; ++i)
    known.insert(to_string(Table(i)));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names) {
    if (known.count(name) == 0)
      return Error{Errc::version, "the database " + path +
                                      " was made by a newer version of iris-cloud (it has " +
                                      name.substr(0, 64) + "); upgrade iris-cloud"};
    families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  if (auto status = rocksdb::DB::OpenForReadOnly(options, path, families, &handles, &opened); !status.ok())
    return failed(path, status);
  const std::unique_ptr<rocksdb::DB> db{opened};
  std::string stored;
  const auto meta = std::find(names.begin(), names.end(), to_string(Table::meta)) - names.begin();
  const bool told =
      std::size_t(meta) < handles.size() && db->Get({}, handles[std::size_t(meta)], "format", &stored).ok();
  for (auto* handle : handles)
    db->DestroyColumnFamilyHandle(handle);
  KeyReader reader{stored};
  const auto format = reader.u64();
  if (!told || !reader.ok())
    return Error{Errc::corrupt,
                 "the database " + path + " does not say its format; it is not one of iris-cloud"};
  if (format > Store::format)
    return Error{Errc::version, "the database " + path + " has format " + std::to_string(format) +
                                    ", this iris-cloud knows up to " + std::to_string(Store::format) +
                                    "; upgrade iris-cloud"};
  return {};
}

} // namespace iris
