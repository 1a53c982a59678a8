#include "core/learn/evidence.hpp"
#include "core/learn/wire.hpp"

#include <algorithm>

namespace iris {
using namespace learn_wire;

std::vector<char> encode_head(const Evidence& evidence) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::EvidenceHead>();
  std::string scratch;
  out.setProfile(text(evidence.profile, scratch));
  out.setGateway(text(evidence.gateway, scratch));
  write(out.initEntity(), evidence.entity);
  out.setStarted(evidence.started);
  out.setUpdated(evidence.updated);
  out.setDay(evidence.day);
  out.setWeekdays(evidence.weekdays);
  out.setOverflow(evidence.overflow);
  out.setSlices(std::uint16_t(evidence.slices.size()));
  return flatten(message);
}

std::vector<char> encode(const KeyRecord& record) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::KeyRecord>();
  write_key(out.initKey(), record);
  out.setCount(record.count);
  out.setHours(record.hours);
  out.setDays(record.days);
  out.setFirst(record.first);
  out.setLast(record.last);
  auto days = out.initFirstDays(unsigned(record.first_days.size()));
  for (unsigned i = 0; i < days.size(); ++i)
    days.set(i, record.first_days[i]);
  return flatten(message);
}

std::vector<char> encode(const EvidenceSlice& slice) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::EvidenceSlice>();
  out.setSteady(slice.steady);
  out.setStartups(slice.startups);
  auto numbers = out.initNumbers(unsigned(slice.numbers.size()));
  unsigned i = 0;
  for (const auto& [key, samples] : slice.numbers)
    write(numbers[i++], key, samples);
  return flatten(message);
}

Result<Evidence> decode_head(const char* data, std::size_t size) {
  return read_message<Evidence>(data, size, "evidence", [](capnp::MessageReader& message) {
    auto in = message.getRoot<schema::EvidenceHead>();
    Evidence evidence;
    evidence.profile = text(in.getProfile(), "profile");
    evidence.gateway = text(in.getGateway(), "gateway");
    evidence.entity = read(in.getEntity());
    evidence.started = in.getStarted();
    evidence.updated = in.getUpdated();
    evidence.day = in.getDay();
    if (evidence.day <= 0) throw Bad{"a learning day of no length"};
    evidence.weekdays = in.getWeekdays();
    evidence.overflow = in.getOverflow();
    if (in.getSlices() > Evidence::slice_limit) throw Bad{"more than 16 slices"};
    evidence.slices.resize(in.getSlices());
    return evidence;
  });
}

Result<KeyRecord> decode_key(const char* data, std::size_t size) {
  return read_message<KeyRecord>(data, size, "key", [](capnp::MessageReader& message) {
    auto in = message.getRoot<schema::KeyRecord>();
    KeyRecord record;
    read_key(in.getKey(), record);
    record.count = in.getCount();
    record.hours = in.getHours();
    record.days = in.getDays();
    record.first = in.getFirst();
    record.last = in.getLast();
    auto days = in.getFirstDays();
    if (days.size() > KeyRecord::day_limit) throw Bad{"more than 8 first days"};
    for (auto day : days)
      record.first_days.push_back(day);
    if (!std::is_sorted(record.first_days.begin(), record.first_days.end())) throw Bad{"days out of order"};
    return record;
  });
}

Result<EvidenceSlice> decode_slice(const char* data, std::size_t size) {
  return read_message<EvidenceSlice>(data, size, "slice", [](capnp::MessageReader& message) {
    auto in = message.getRoot<schema::EvidenceSlice>();
    EvidenceSlice slice;
    slice.steady = in.getSteady();
    slice.startups = in.getStartups();
    if (slice.steady < 0) throw Bad{"exposure below nothing"};
    auto numbers = in.getNumbers();
    if (numbers.size() > number_family_count * 5) throw Bad{"more numbers than there are families"};
    for (auto row : numbers) {
      auto number = read(row);
      slice.numbers[number.key].merge(number.samples);
    }
    return slice;
  });
}

} // namespace iris
