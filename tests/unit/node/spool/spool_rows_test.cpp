#include "node/spool/spool_rows.hpp"

#include "core/learn/delta.hpp"
#include "node/spool/batch_content.hpp"
#include "node/spool/spool_keys.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>
#include <rocksdb/db.h>

using namespace iris;
using namespace iris::spool_rows;
using namespace iris::spool_keys;

namespace {

constexpr auto lane = Lane::findings;

LanePlace place_of(const LaneMark& mark, const std::vector<std::uint64_t>& batches) {
  LaneRecovery recovery{lane, mark};
  for (auto seq : batches)
    REQUIRE(recovery.batch(batch_key(lane, seq), 100).ok());
  auto place = recovery.finish(0);
  REQUIRE(place.ok());
  return *place;
}

std::string damage_of(const LaneMark& mark, const std::vector<std::uint64_t>& batches) {
  LaneRecovery recovery{lane, mark};
  for (auto seq : batches)
    if (auto seen = recovery.batch(batch_key(lane, seq), 100); !seen) return seen.error().message;
  auto place = recovery.finish(0);
  return place ? "" : place.error().message;
}

/// A spool with one batch, whose database `key` is then set to `value`.
std::string trouble_with(TempDir& dir, const std::string& key, const std::string& value) {
  {
    auto spool = Spool::open(dir.path("spool"), {}, 1);
    REQUIRE(spool.ok());
    REQUIRE((*spool)->start_epoch(3, std::string(32, 'k')).ok());
    REQUIRE((*spool)->append(lane, {{'a'}}, 1).ok());
  }
  {
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open({}, dir.path("spool"), &raw).ok());
    std::unique_ptr<rocksdb::DB> database{raw};
    REQUIRE(database->Put({}, key, value).ok());
  }
  auto spool = Spool::open(dir.path("spool"), {}, 2);
  REQUIRE(spool.ok());
  CHECK((*spool)->epoch() == 0);
  return (*spool)->trouble();
}

} // namespace

TEST_CASE("the place of a lane is found from its rows") {
  const auto fresh = place_of({}, {});
  CHECK(fresh.next == 1);
  CHECK(fresh.oldest == 1);
  const auto gone_on = place_of({7, 2}, {});
  CHECK(gone_on.next == 8);
  CHECK(gone_on.oldest == 8);
  const auto kept = place_of({7, 2}, {5, 6, 7, 8, 10}); // one was taken out
  CHECK(kept.next == 11);
  CHECK(kept.oldest == 5);
  CHECK(kept.base == 2);
  CHECK(kept.batches == 5);
  CHECK(kept.bytes == 5 * (100 + note_size));
}

TEST_CASE("a mark of what was offered does not run ahead of the batches") {
  LaneRecovery recovery{lane, {}};
  REQUIRE(recovery.batch(batch_key(lane, 1), 100).ok());
  const auto place = recovery.finish(~0ull);
  REQUIRE(place.ok());
  CHECK(place->offered == 1);
  CHECK(place->offered_mark == 1 + offered_step);
}

TEST_CASE("rows of a spool that cannot be are told with their name") {
  CHECK(decode_number("mepoch", "123").error().message ==
        "spool: row mepoch is damaged: 3 bytes instead of 8");
  CHECK(decode_mark(lane, "123").error().message == "spool: row mlane0 is damaged: 3 bytes instead of 16");
  CHECK(decode_mark(lane, encode(LaneMark{3, 5})).error().message ==
        "spool: row mlane0 is damaged: acknowledged up to 3 in an epoch that began after 5");
  CHECK_FALSE(decode_mark(lane, encode(LaneMark{most_batches + 1, 0})).ok());
  CHECK_FALSE(decode_chained("2").ok());
  CHECK_FALSE(decode_stored("short").ok());
  CHECK(damage_of({}, {0}) == "spool: row of batch 0 of lane 0 is damaged: there is no such number");
  CHECK(damage_of({}, {~0ull}).find("no such number") != std::string::npos);
}

TEST_CASE("regression: one row with a far number made the spool send empty batches without end") {
  CHECK(damage_of({}, {1, 2, most_missing + 3}).empty());
  CHECK(damage_of({}, {1, 2, most_missing + 4}) ==
        "spool: row of batch 65540 of lane 0 is damaged: 65537 are missing before it");
  CHECK(damage_of({most_batches, 0}, {1, 2}).find("row mlane0 is damaged") != std::string::npos);
  TempDir dir;
  CHECK(trouble_with(dir, batch_key(lane, 1ull << 40), value_of(1, 0, "x")).find("are missing before it") !=
        std::string::npos);
}

TEST_CASE("a damaged row is told when the spool is opened, and the spool begins anew") {
  TempDir dir;
  CHECK(trouble_with(dir, "mlane1", "7") ==
        "spool: row mlane1 is damaged: 1 bytes instead of 16; it was moved aside");
}

TEST_CASE("a key that does not lead to the newest batch is told when the spool is opened") {
  TempDir dir;
  CHECK(trouble_with(dir, batch_key(lane, 2), value_of(1, 0, "x")) ==
        "spool: the key of lane 0 seals batch 2, but the batch 2 that is there has no seal; a new epoch is "
        "asked for");
}

TEST_CASE("regression: a note from before the spool's beginning overflowed its clock") {
  BatchNote note;
  note.made_at = 5;
  CHECK(decode_note(encode_note(note), note));
  for (auto at : {Duration{-1}, std::numeric_limits<Duration>::min(), std::numeric_limits<Duration>::max()}) {
    BatchNote bad;
    bad.made_at = at;
    CHECK_FALSE(decode_note(encode_note(bad), note));
  }
  CHECK(note.made_at == 5);
}

TEST_CASE("the two copies of the key file are read back, and a changed byte is noticed") {
  ChainFile::Content content;
  content.present.epoch = 3;
  content.coming.epoch = 4;
  content.present.lanes[1] = {9, ChainLink::first("key", 1)};
  auto copy = ChainFile::encode(17, content);
  const auto found = ChainFile::decode(copy);
  REQUIRE(found);
  CHECK(found->first == 17);
  CHECK(found->second.present.lanes[1].next == 9);
  CHECK(found->second.present.lanes[1].link.key == content.present.lanes[1].link.key);
  CHECK(found->second.coming.epoch == 4);
  copy[100] ^= 1;
  CHECK_FALSE(ChainFile::decode(copy));
}

TEST_CASE("regression: an error about a damaged batch brought its bytes into the log") {
  auto content = encode_content(lane, {}, {{"packets", "packet_source", 1, 1, 1}}, 1);
  std::string bytes{content.begin(), content.end()};
  bytes[bytes.find("packets") + 7] = '\n'; // where its text should end
  const auto read = decode_content(lane, bytes);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().message.find("a batch of the spool is damaged: ") == 0);
  CHECK(read.error().message.find('\n') == std::string::npos);
}

TEST_CASE("issue: a damaged delta's count made the seal's sum wrap around, and the cloud's did not") {
  ServiceDelta delta;
  delta.entity = {.kind = EntityKind::service, .name = "edgex-core-data"};
  delta.until = second;
  delta.observations = UINT64_MAX;
  const auto bytes = encode(delta);
  CHECK(note_of(Lane::counts, {bytes, bytes}, {}, 1).seal.observations == UINT64_MAX);
}
