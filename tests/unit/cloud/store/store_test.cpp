#include "cloud/store/look.hpp"
#include "cloud/store/rows.hpp"
#include "cloud/store/store.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace iris;

TEST_CASE("a store keeps what was written and gives it back in order of keys") {
  TempDir dir;
  auto path = dir.path() + "/db";
  {
    auto store = Store::create(path);
    REQUIRE(store);
    StoreWrite write;
    for (std::uint64_t i : {3, 1, 2})
      write.put(Table::outbox, outbox_key("hook", i), std::to_string(i));
    write.put(Table::outbox, outbox_key("hoo", 9), "other sink");
    write.put(Table::observations, "x", "y");
    REQUIRE((*store)->write(write));
  }
  auto store = Store::open(path);
  REQUIRE(store);
  auto prefix = KeyBuilder{}.text("hook").str();
  std::string seen;
  auto collect = [&](std::string_view, std::string_view value) {
    seen += value;
    return true;
  };
  REQUIRE((*store)->scan(Table::outbox, prefix, collect));
  CHECK(seen == "123");
  seen.clear();
  REQUIRE((*store)->scan_back(Table::outbox, prefix, collect));
  CHECK(seen == "321");
  seen.clear();
  REQUIRE((*store)->scan_from(Table::outbox, prefix, outbox_key("hook", 2), collect));
  CHECK(seen == "23");
  CHECK((*store)->get(Table::outbox, outbox_key("hook", 2))->value() == "2");
  CHECK_FALSE((*store)->get(Table::alerts, "none")->has_value());
}

TEST_CASE("a missing, locked, existing, foreign or newer database each give one clear line") {
  TempDir dir;
  auto path = dir.path() + "/db";
  auto missing = Store::open(path);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::not_found);
  CHECK(missing.error().message == "there is no database at " + path + "; make one with iris-cloud init");
  {
    auto store = Store::create(path);
    REQUIRE(store);
    auto again = Store::open(path);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Errc::locked);
    CHECK(again.error().message.find("in use by another process") != std::string::npos);
    auto twice = Store::create(path);
    REQUIRE_FALSE(twice);
    CHECK(twice.error().code == Errc::refused);
    StoreWrite newer;
    newer.put(Table::meta, "format", KeyBuilder{}.u64(Store::format + 1).str());
    REQUIRE((*store)->write(newer));
  }
  auto newer = Store::open(path);
  REQUIRE_FALSE(newer);
  CHECK(newer.error().code == Errc::version);
  CHECK(newer.error().message.find("has format 2") != std::string::npos);
}

TEST_CASE("issue: files that root left in a database are neither damage nor a newer version") {
  if (::geteuid() != 0) return; // only root can give files away
  constexpr uid_t nobody = 65'534;
  TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms::all);
  const auto path = dir.path() + "/data/db";
  REQUIRE(Store::create(path));
  const auto give = [&](const std::string& what, uid_t user) {
    REQUIRE(::chown(what.c_str(), user, user) == 0);
  };
  give(dir.path() + "/data", nobody);
  give(path, nobody);
  for (const auto& file : std::filesystem::directory_iterator{path})
    give(file.path(), nobody);
  // Root would leave such files: refused before it does.
  const auto by_root = Store::open(path);
  REQUIRE_FALSE(by_root);
  CHECK(by_root.error().code == Errc::refused);
  CHECK(by_root.error().message.find(path + " belongs to nobody") == 0);
  CHECK(by_root.error().message.find("runuser -u nobody -- iris-cloud") != std::string::npos);
  CHECK(look_into_database(path)); // which leaves nothing
  for (const auto* name : {"/CURRENT", "/LOCK"}) {
    give(path + name, 0);
    std::filesystem::permissions(path + name, std::filesystem::perms::owner_read);
    REQUIRE(::seteuid(nobody) == 0);
    const auto opened = Store::open(path);
    const auto looked = look_into_database(path);
    REQUIRE(::seteuid(0) == 0);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::io);
    CHECK(opened.error().message.find(path + name + ": Permission denied; it belongs to root") !=
          std::string::npos);
    CHECK(opened.error().message.find("chown -R 65534:0 " + dir.path() + "/data") != std::string::npos);
    REQUIRE_FALSE(looked);
    CHECK(looked.error().message == opened.error().message);
    std::filesystem::permissions(path + name,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    give(path + name, nobody);
  }
  REQUIRE(::seteuid(nobody) == 0);
  const bool good = Store::open(path).ok();
  REQUIRE(::seteuid(0) == 0);
  CHECK(good);
}

TEST_CASE("issue: where the authority is there and the database is not, init is not what helps") {
  TempDir dir;
  std::filesystem::create_directories(dir.path("pki"));
  std::ofstream{dir.path("pki/ca.key")} << "key";
  for (const auto& error :
       {Store::open(dir.path("db")).error(), look_into_database(dir.path("db")).error()}) {
    CHECK(error.message.find("iris-cloud restore DIRECTORY --data " + dir.path()) != std::string::npos);
    CHECK(error.message.find("iris-cloud run --create-store") != std::string::npos);
    CHECK(error.message.find("init") == std::string::npos);
  }
}

TEST_CASE("a flipped bit in the log is told, not cut away with the rows behind it") {
  TempDir dir;
  const auto path = dir.path("db");
  {
    auto store = Store::create(path);
    REQUIRE(store);
    for (int i = 0; i < 20; ++i) {
      StoreWrite write;
      write.put(Table::audit, "row" + std::to_string(i), std::string(200, 'x'));
      REQUIRE((*store)->write({&write}));
    }
    // As a crash would leave it: a copy while it is open.
    std::filesystem::copy(path, dir.path("crashed"), std::filesystem::copy_options::recursive);
  }
  std::filesystem::path log;
  for (const auto& file : std::filesystem::directory_iterator{dir.path("crashed")})
    if (file.path().extension() == ".log" && file.file_size() > 1'000) log = file.path();
  REQUIRE_FALSE(log.empty());
  {
    std::fstream file{log, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(1'500);
    const char byte = char(file.get());
    file.seekp(1'500);
    file.put(char(byte ^ 4));
  }
  auto opened = Store::open(dir.path("crashed"));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::corrupt);
  CHECK(opened.error().message.find("restore a backup") != std::string::npos);
}

TEST_CASE("a log whose end is torn, as a crash leaves it, opens with what was written whole") {
  TempDir dir;
  const auto path = dir.path("db");
  {
    auto store = Store::create(path);
    REQUIRE(store);
    for (int i = 0; i < 3; ++i) {
      StoreWrite write;
      write.put(Table::audit, "row" + std::to_string(i), std::string(200, 'x'));
      REQUIRE((*store)->write({&write}));
    }
    std::filesystem::copy(path, dir.path("crashed"), std::filesystem::copy_options::recursive);
  }
  for (const auto& file : std::filesystem::directory_iterator{dir.path("crashed")})
    if (file.path().extension() == ".log" && file.file_size() > 600)
      std::filesystem::resize_file(file.path(), file.file_size() - 50);
  auto opened = Store::open(dir.path("crashed"));
  REQUIRE(opened);
  std::size_t rows = 0;
  REQUIRE((*opened)->scan(Table::audit, "", [&](auto, auto) { return ++rows, true; }));
  CHECK(rows == 2);
}

TEST_CASE("a store keeps off the reserve of its volume, and writes again when there is room") {
  TempDir dir;
  auto store = Store::create(dir.path("db"));
  REQUIRE(store);
  StoreWrite write;
  write.put(Table::audit, "a", std::string{"1"});
  (*store)->set_reserve(UINT64_MAX);
  const auto refused = (*store)->write({&write});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("stay in reserve; make room there") != std::string::npos);
  CHECK_FALSE((*store)->get(Table::audit, "a")->has_value());
  (*store)->set_reserve(0);
  CHECK((*store)->write({&write}));
  CHECK_FALSE((*store)->broken());
}

TEST_CASE("a backup restores to what was there, and never over a database") {
  TempDir dir;
  auto path = dir.path() + "/db";
  auto copy = dir.path() + "/copy";
  {
    auto store = Store::create(path);
    REQUIRE(store);
    StoreWrite write;
    write.put(Table::alerts, "a", "1");
    REQUIRE((*store)->write(write));
    REQUIRE((*store)->backup(dir.path() + "/backup"));
    StoreWrite later;
    later.put(Table::alerts, "a", "2");
    REQUIRE((*store)->write(later));
    CHECK_FALSE(Store::restore(dir.path() + "/backup", path));
  }
  const auto restored = Store::restore(dir.path() + "/backup", copy);
  REQUIRE(restored);
  CHECK(restored->of == 1);
  CHECK(restored->made > 1'764'000'000 * iris::second);
  auto store = Store::open(copy);
  REQUIRE(store);
  CHECK((*store)->get(Table::alerts, "a")->value() == "1");
  CHECK(Store::restore(dir.path() + "/nothing", dir.path() + "/x").error().code == Errc::not_found);
}

TEST_CASE("rows survive encoding and damaged ones are refused") {
  GatewayRow gateway{7, {11, 12}, "plant", "1.0", 1, 2, -5};
  auto bytes = encode(gateway);
  auto back = decode_gateway({bytes.data(), bytes.size()});
  REQUIRE(back);
  CHECK(back->epoch == 7);
  CHECK(back->applied == gateway.applied);
  CHECK(back->clock == -5);
  EnrolmentRow enrolment{"plant", "tok", 3, true, {"ab", "cd"}};
  bytes = encode(enrolment);
  auto again = decode_enrolment({bytes.data(), bytes.size()});
  REQUIRE(again);
  CHECK(again->serials == enrolment.serials);
  CHECK(again->revoked);
  CHECK_FALSE(decode_gateway("0123456789abcdef"));
  ProfileRow profile{{{1, "ann"}, {2, "bob"}}, "ann"};
  bytes = encode(profile);
  CHECK(decode_profile({bytes.data(), bytes.size()})->accepted == profile.accepted);
  bytes = encode_outbox({'x', 'y'});
  CHECK(*decode_outbox({bytes.data(), bytes.size()}) == "xy");
}

TEST_CASE("no text of a key can reach into the next part") {
  CHECK(alert_key("a", "bc", "d") != alert_key("ab", "c", "d"));
  auto key = alert_key("tenant", std::string{"g\0x", 3}, "A-1");
  KeyReader reader{key};
  CHECK(reader.text() == "tenant");
  CHECK(reader.text() == std::string{"g\0x", 3});
  CHECK(reader.text() == "A-1");
  CHECK(reader.ok());
  CHECK(reader.u64() == 0);
  CHECK_FALSE(reader.ok());
}
