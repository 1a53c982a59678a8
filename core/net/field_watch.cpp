#include "core/net/field_watch.hpp"

#include "core/base/hash.hpp"

#include <cstring>

namespace iris {

struct FieldWatch::Slot {
  std::uint64_t key = 0; ///< 0: free
  IpAddress src, dst;
  std::uint16_t dport = 0;
  std::uint8_t protocol = 0;
  FieldRequest request;
  std::uint32_t count = 0; ///< not told of yet
  Timestamp first = 0, last = 0;
};

struct FieldWatch::Table {
  std::array<std::array<Slot, ways>, sets> slots;
};

FieldWatch::FieldWatch(std::uint64_t seed) : seed_{seed}, table_{std::make_unique<Table>()} {
  found_.reserve(field_requests_of_a_packet);
}
FieldWatch::~FieldWatch() = default;

void FieldWatch::read(FieldProtocol protocol, const PacketView& view, Timestamp at,
                      std::vector<FieldCommand>& out) {
  const std::span payload{view.payload, std::size_t(view.payload_captured)};
  found_.clear();
  bool good = false;
  switch (protocol) {
  case FieldProtocol::modbus:
    good = parse_modbus(payload, found_);
    break;
  case FieldProtocol::bacnet:
    good = parse_bacnet(payload, found_);
    break;
  case FieldProtocol::snmp:
    good = parse_snmp(payload, found_);
    break;
  }
  if (!good) ++stats_.unread;
  stats_.requests += found_.size();
  for (const auto& request : found_)
    count(view, request, at, out);
}

void FieldWatch::count(const PacketView& view, const FieldRequest& request, Timestamp at,
                       std::vector<FieldCommand>& out) {
  char bytes[41] = {};
  std::memcpy(bytes, view.src.bytes.data(), 16);
  std::memcpy(bytes + 16, view.dst.bytes.data(), 16);
  std::memcpy(bytes + 32, &view.dport, 2);
  std::memcpy(bytes + 34, &request.code, 2);
  std::memcpy(bytes + 36, &request.object, 4);
  bytes[40] = char(request.protocol);
  auto key = hash64({bytes, sizeof bytes}, seed_);
  if (key == 0) key = 1;
  auto& set = table_->slots[key % sets];
  auto* place = &set.front();
  for (auto& slot : set) {
    if (slot.key == key) {
      if (slot.count++ == 0) slot.first = at;
      slot.last = at;
      return;
    }
    if (place->key != 0 && (slot.key == 0 || slot.last < place->last)) place = &slot;
  }
  if (place->key != 0) {
    ++stats_.evicted;
    tell(*place, out);
  }
  *place = {key, view.src, view.dst, view.dport, view.protocol, request, 1, at, at};
  tell(*place, out);
}

void FieldWatch::tell(Slot& slot, std::vector<FieldCommand>& out) {
  if (slot.count == 0) return;
  if (out.size() >= harvest_limit) {
    stats_.dropped += slot.count;
  } else {
    const auto action = slot.request.action;
    FieldCommand command;
    command.src = slot.src;
    command.dst = slot.dst;
    command.dport = slot.dport;
    command.protocol = slot.protocol;
    command.changes =
        action == FieldAction::write || action == FieldAction::manage || action == FieldAction::hidden;
    command.application = to_string(slot.request.protocol);
    command.action = to_string(action);
    command.function = describe(slot.request);
    command.count = slot.count;
    command.first = slot.first;
    command.last = slot.last;
    out.push_back(std::move(command));
  }
  slot.count = 0;
}

void FieldWatch::advance(Timestamp now, std::vector<FieldCommand>& out) {
  if (now < next_ && now > next_ - 2 * pace) return;
  next_ = now + pace;
  if (stats_.requests != 0) flush(out);
}

void FieldWatch::flush(std::vector<FieldCommand>& out) {
  for (auto& set : table_->slots)
    for (auto& slot : set)
      tell(slot, out);
}

} // namespace iris
