#include "core/learn/delta.hpp"

#include "core/learn/wire.hpp"

#include <algorithm>

namespace iris {
using namespace learn_wire;

std::vector<char> encode(const ServiceDelta& delta) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::ServiceDelta>();
  write(out.initEntity(), delta.entity);
  out.setFrom(delta.from);
  out.setUntil(delta.until);
  out.setSteady(delta.steady);
  out.setStartups(delta.startups);
  out.setObservations(delta.observations);
  auto kept = std::min(delta.keys.size(), ServiceDelta::key_limit);
  out.setOverflow(delta.overflow + (delta.keys.size() - kept));
  auto keys = out.initKeys(unsigned(kept));
  for (unsigned i = 0; i < kept; ++i) {
    const auto& key = delta.keys[i];
    auto row = keys[i];
    write_key(row.initKey(), key);
    row.setCount(key.count);
    row.setHours(key.hours);
    row.setDays(key.days);
    row.setFirst(key.first);
    row.setLast(key.last);
    if (key.peer != IpAddress{}) row.setPeer({key.peer.bytes.data(), 16});
    row.setPort(key.port);
    row.setProtocol(key.protocol);
    row.setContact(key.contact);
    row.setBytesOut(key.bytes_out);
    row.setBytesIn(key.bytes_in);
  }
  auto numbers = out.initNumbers(unsigned(delta.numbers.size()));
  for (unsigned i = 0; i < numbers.size(); ++i)
    write(numbers[i], delta.numbers[i].key, delta.numbers[i].samples);
  return flatten(message);
}

Result<ServiceDelta> decode_delta(const char* data, std::size_t size) {
  return read_message<ServiceDelta>(data, size, "delta", [](capnp::MessageReader& message) {
    auto in = message.getRoot<schema::ServiceDelta>();
    ServiceDelta delta;
    delta.entity = read(in.getEntity());
    delta.from = in.getFrom();
    delta.until = in.getUntil();
    delta.steady = in.getSteady();
    if (delta.from < 0 || delta.until < delta.from) throw Bad{"a window that ends before it begins"};
    if (delta.steady < 0 || delta.steady > delta.until - delta.from) throw Bad{"more exposure than time"};
    delta.startups = in.getStartups();
    delta.observations = in.getObservations();
    delta.overflow = in.getOverflow();
    auto keys = in.getKeys();
    if (keys.size() > ServiceDelta::key_limit) throw Bad{"more than 4096 keys"};
    delta.keys.reserve(keys.size());
    for (auto row : keys) {
      // A newer node counts in families that are not learned here yet.
      if (row.getKey().getFamily() >= family_count) {
        ++delta.overflow;
        continue;
      }
      KeyDelta key;
      read_key(row.getKey(), key);
      key.count = row.getCount();
      key.hours = row.getHours();
      key.days = row.getDays();
      key.first = row.getFirst();
      key.last = row.getLast();
      if (key.first < 0 || key.last < key.first)
        throw Bad{"a behaviour that was last seen before it was first"};
      auto peer = row.getPeer();
      if (peer.size() != 0 && peer.size() != 16) throw Bad{"an address that is not 16 bytes"};
      if (peer.size() == 16) std::memcpy(key.peer.bytes.data(), peer.begin(), 16);
      key.port = row.getPort();
      key.protocol = row.getProtocol();
      key.contact = row.getContact();
      key.bytes_out = row.getBytesOut();
      key.bytes_in = row.getBytesIn();
      delta.keys.push_back(std::move(key));
    }
    auto numbers = in.getNumbers();
    if (numbers.size() > 256 * 5) throw Bad{"more numbers than there are families"};
    for (auto row : numbers)
      if (row.getFamily() < number_family_count) delta.numbers.push_back(read(row));
    return delta;
  });
}

std::string profile_of(const Party& entity) {
  Entity whole;
  whole.kind = entity.kind;
  whole.name = entity.name;
  whole.digest = entity.digest;
  return profile_of(whole);
}

void shift_times(ServiceDelta& delta, Duration by, Duration day) {
  if (by == 0) return;
  auto move = [by](Timestamp& at) {
    if (at != 0) at += by;
  };
  move(delta.from);
  move(delta.until);
  for (auto& key : delta.keys) {
    move(key.first);
    move(key.last);
  }
  if (day <= 0) return;
  const auto half = by < 0 ? -day / 2 : day / 2;
  const auto days = (by + half) / day;
  for (auto& number : delta.numbers)
    for (auto& most : number.samples.days)
      most.day = std::uint32_t(std::clamp<std::int64_t>(std::int64_t(most.day) + days, 0, UINT32_MAX));
}

} // namespace iris
