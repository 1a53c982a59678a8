// libFuzzer entry: a spool's database whose keys and values are anyone's, opened, read, acknowledged and
// written to. Each run makes a database in /dev/shm: slow, a hundred or two a second.
#include "node/spool/spool.hpp"
#include "tests/fuzz/bytes.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace {

using namespace iris;

std::string key_of(fuzz::Bytes& in) {
  switch (in.number(1) % 5) {
  case 0: // a batch, near the others so that they meet
    return std::string{"b"} + char(in.number(1) % 3) + std::string(7, '\0') + char(in.number(1));
  case 1: // a batch with any number
    return std::string{"b"} + char(in.number(1) % 3) + std::string{in.take(8)};
  case 2:
    return std::string{"mlane"} + char('0' + in.number(1) % 3);
  case 3:
    return "mepoch";
  default:
    return std::string{in.take(in.number(1) % 32)};
  }
}

void fill(const std::string& path, fuzz::Bytes& in) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 64 << 10; // with the usual 64 MiB a run takes five times as long
  options.allow_fallocate = false;
  rocksdb::DB* raw = nullptr;
  if (!rocksdb::DB::Open(options, path, &raw).ok()) std::abort();
  std::unique_ptr<rocksdb::DB> db{raw};
  rocksdb::WriteBatch changes;
  for (auto count = in.number(1) % 16; count > 0; --count) {
    auto key = key_of(in);
    auto size = in.number(1);
    changes.Put(key, std::string{in.take(size)});
  }
  if (!db->Write({}, &changes).ok()) std::abort();
}

void use(Spool& spool, fuzz::Bytes& in) {
  Timestamp now = 1'764'000'000 * second;
  for (int steps = 0; steps < 16 && !in.empty(); ++steps, now += second) {
    const auto lane = Lane(in.number(1) % lane_count);
    switch (in.number(1) % 8) {
    case 0: {
      const auto after = in.number(8);
      const auto limit = in.number(1) % 8;
      auto batches = spool.read(lane, after, limit, 1 << 16, now);
      if (batches.size() > limit) std::abort();
      break;
    }
    case 1:
      (void)spool.acknowledge(lane, in.number(1), now + 7'200 * second);
      break;
    case 2:
      (void)spool.append(lane, {std::vector<char>(in.number(2) % 1'024, 'x')}, now);
      break;
    case 3:
      (void)spool.resume(lane, in.number(8), now);
      break;
    case 4:
      (void)spool.start_epoch(in.number(1) + 1);
      break;
    case 5:
      spool.note_loss({"packets", "fuzz", in.number(8), now, now});
      (void)spool.flush_losses(now);
      break;
    case 6:
      (void)spool.list(std::string{in.take(1)});
      break;
    default:
      (void)spool.read(lane, spool.acked_seq(lane), 16, 1 << 16, now);
      (void)spool.first_seq(lane);
      (void)spool.last_seq(lane);
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto path = "/dev/shm/iris-spool-fuzz-" + std::to_string(::getpid());
  std::filesystem::remove_all(path);
  fuzz::Bytes in{data, size};
  fill(path, in);
  SpoolLimits limits;
  limits.bytes = 512 + in.number(1) * 16;
  limits.free_bytes = [] { return std::uint64_t{1} << 40; };
  {
    auto spool = Spool::open(path, limits, 1'764'000'000 * second);
    if (!spool) std::abort(); // whatever is in it: it starts, with an empty one at the worst
    use(**spool, in);
  }
  std::filesystem::remove_all(path);
  std::filesystem::remove(path + ".key");
  return 0;
}
