#include "node/spool/spool_rows.hpp"

#include "node/spool/spool_keys.hpp"

#include <algorithm>

namespace iris {

void SpoolTotals::add(const BatchSeal& seal) {
  if (seal.state == BatchSeal::State::merged) return;
  entries += seal.entries;
  observations += seal.observations;
  if (since == 0 || seal.since < since) since = seal.since;
  until = std::max(until, seal.until);
}

void SpoolPast::add(const PastEpoch& epoch) {
  std::erase_if(epochs, [&](const PastEpoch& known) { return known.epoch >= epoch.epoch; });
  // That of a cloud without a row of us is the first, and stays.
  while (epochs.size() >= most)
    epochs.erase(epochs.begin() + (epochs[0].epoch == 0 ? 1 : 0));
  epochs.push_back(epoch);
}

} // namespace iris

namespace iris::spool_rows {

using namespace spool_keys;

namespace {

Error damaged(std::string_view row, const std::string& how) {
  return {Errc::corrupt, "spool: row " + std::string{row} + " is damaged: " + how};
}

Error wrong_size(std::string_view row, std::size_t found, std::size_t wanted) {
  return damaged(row, std::to_string(found) + " bytes instead of " + std::to_string(wanted));
}

std::string name_of(Lane lane, std::uint64_t seq) {
  return "of batch " + std::to_string(seq) + " of lane " + std::to_string(int(lane));
}

} // namespace

Result<std::uint64_t> decode_number(std::string_view key, std::string_view value) {
  if (value.empty()) return std::uint64_t{0};
  if (value.size() != 8) return wrong_size(key, value.size(), 8);
  return get_big_endian(value.data(), 8);
}

Result<bool> decode_chained(std::string_view value) {
  if (!value.empty() && value != "0" && value != "1") return damaged("mchain", "neither 0 nor 1");
  return value == "1";
}

std::string encode(const LaneMark& mark) {
  std::string value;
  put_big_endian(value, mark.acked, 8);
  put_big_endian(value, mark.base, 8);
  return value;
}

Result<LaneMark> decode_mark(Lane lane, std::string_view value) {
  LaneMark mark;
  if (value.empty()) return mark;
  if (value.size() != 16) return wrong_size(lane_key(lane), value.size(), 16);
  mark.acked = get_big_endian(value.data(), 8);
  mark.base = get_big_endian(value.data() + 8, 8);
  if (mark.acked > most_batches || mark.base > mark.acked)
    return damaged(lane_key(lane), "acknowledged up to " + std::to_string(mark.acked) +
                                       " in an epoch that began after " + std::to_string(mark.base));
  return mark;
}

namespace {

constexpr std::size_t totals_size = 32, past_size = 8 + lane_count * (8 + totals_size);
constexpr std::size_t longest_cloud = 64;

SpoolTotals totals_at(const char* bytes) {
  return {get_big_endian(bytes, 8), get_big_endian(bytes + 8, 8), Timestamp(get_big_endian(bytes + 16, 8)),
          Timestamp(get_big_endian(bytes + 24, 8))};
}

} // namespace

std::string encode(const SpoolTotals& totals) {
  std::string value;
  for (const auto number :
       {totals.entries, totals.observations, std::uint64_t(totals.since), std::uint64_t(totals.until)})
    put_big_endian(value, number, 8);
  return value;
}

Result<SpoolTotals> decode_totals(Lane lane, std::string_view value) {
  if (value.empty()) return SpoolTotals{};
  if (value.size() != totals_size) return wrong_size(dropped_key(lane), value.size(), totals_size);
  return totals_at(value.data());
}

/// Length u8 and name of the cloud; then of each epoch its number and of each lane base and totals.
std::string encode(const SpoolPast& past) {
  const auto cloud = past.cloud.substr(0, longest_cloud);
  std::string value{char(cloud.size())};
  value += cloud;
  for (const auto& epoch : past.epochs) {
    put_big_endian(value, epoch.epoch, 8);
    for (const auto& lane : epoch.lanes) {
      put_big_endian(value, lane.base, 8);
      value += encode(lane.sum);
    }
  }
  return value;
}

Result<SpoolPast> decode_past(std::string_view value) {
  SpoolPast past;
  if (value.empty()) return past;
  const auto length = std::size_t(std::uint8_t(value[0]));
  value.remove_prefix(1);
  if (length > longest_cloud || length > value.size()) return damaged("mpast", "the name of the cloud");
  past.cloud = value.substr(0, length);
  value.remove_prefix(length);
  if (value.size() % past_size != 0 || value.size() / past_size > SpoolPast::most + 1)
    return damaged("mpast", std::to_string(value.size()) + " bytes of epochs");
  for (; !value.empty(); value.remove_prefix(past_size)) {
    PastEpoch epoch;
    epoch.epoch = get_big_endian(value.data(), 8);
    const char* at = value.data() + 8;
    for (auto& lane : epoch.lanes) {
      lane.base = get_big_endian(at, 8);
      if (lane.base > most_batches) return damaged("mpast", "there is no batch " + std::to_string(lane.base));
      lane.sum = totals_at(at + 8);
      at += 8 + totals_size;
    }
    past.epochs.push_back(epoch);
  }
  return past;
}

Result<StoredBatch> decode_stored(std::string_view value) {
  if (value.size() < value_header)
    return Error{Errc::corrupt, "spool: a batch of " + std::to_string(value.size()) +
                                    " bytes is damaged: its head alone has " + std::to_string(value_header)};
  return StoredBatch{Timestamp(get_big_endian(value.data(), 8)), get_big_endian(value.data() + 8, 4),
                     value.substr(value_header)};
}

BatchNote note_beside(Lane lane, std::string_view note_row, const StoredBatch& stored) {
  BatchNote note;
  if (decode_note(note_row, note)) return note;
  note.seal.since = note.seal.until = stored.at;
  if (auto content = decode_content(lane, stored.content))
    note = note_of(lane, content->entries, content->losses, stored.at);
  note.seal.entries = stored.entries;
  return note;
}

LaneRecovery::LaneRecovery(Lane lane, const LaneMark& mark) : lane_{lane}, newest_{mark.acked} {
  place_.acked = mark.acked;
  place_.base = mark.base;
  place_.next = place_.oldest = mark.acked + 1;
}

Result<void> LaneRecovery::batch(std::string_view key, std::size_t value_size) {
  const auto seq = seq_of(key);
  if (seq == 0 || seq > most_batches) return damaged(name_of(lane_, seq), "there is no such number");
  if (seq > newest_ && seq - newest_ - 1 > most_missing)
    return damaged(name_of(lane_, seq), std::to_string(seq - newest_ - 1) + " are missing before it");
  if (place_.batches == 0) place_.oldest = seq;
  newest_ = std::max(newest_, seq);
  place_.next = newest_ + 1;
  place_.bytes += value_size + note_size;
  ++place_.batches;
  last_ = seq;
  return {};
}

Result<LanePlace> LaneRecovery::finish(std::uint64_t offered_mark) const {
  // What is acknowledged goes from the oldest on, so the newest of what is kept is the newest of all.
  if (place_.batches != 0 && place_.acked > last_ && place_.acked - last_ > most_missing)
    return damaged(lane_key(lane_), std::to_string(place_.acked) + " are acknowledged, and batch " +
                                        std::to_string(last_) + " is the newest");
  auto place = place_;
  place.offered_mark = std::min(offered_mark, place.next - 1 + offered_step);
  place.offered = std::min(place.offered_mark, place.next - 1);
  return place;
}

Result<ChainLink> step_over(Lane lane, const ChainPosition::Lane& from, std::uint64_t next,
                            const std::function<std::string(std::uint64_t)>& note_row) {
  const auto where =
      "spool: the key of lane " + std::to_string(int(lane)) + " seals batch " + std::to_string(from.next);
  if (from.next == 0 || from.next > next)
    return Error{Errc::corrupt,
                 where + ", but the next one is " + std::to_string(next) + ": batches were taken out"};
  auto link = from.link;
  for (auto at = from.next; at < next; ++at) {
    BatchNote note;
    if (!decode_note(note_row(at), note) || !note.sealed) {
      link.erase();
      return Error{Errc::corrupt,
                   where + ", but the batch " + std::to_string(at) + " that is there has no seal"};
    }
    link.step(note.seal.mac);
  }
  return link;
}

} // namespace iris::spool_rows
