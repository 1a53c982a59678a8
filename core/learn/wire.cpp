#include "core/learn/wire.hpp"

#include <cmath>

namespace iris::learn_wire {

kj::StringPtr text(const std::string& whole, std::string& scratch) {
  if (whole.size() <= text_limit) return kj::StringPtr(whole.c_str(), whole.size());
  auto end = text_limit;
  while (end > 0 && (std::uint8_t(whole[end]) & 0xc0) == 0x80)
    --end; // not inside a UTF-8 sequence
  scratch.assign(whole, 0, end);
  return kj::StringPtr(scratch.c_str(), scratch.size());
}

std::string text(capnp::Text::Reader reader, const char* what) {
  if (reader.size() > text_limit) throw Bad{std::string{what} + " is longer than 512 bytes"};
  return std::string{reader.begin(), reader.size()};
}

std::vector<char> flatten(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

void write(schema::Party::Builder out, const Party& party) {
  std::string scratch;
  out.setKind(std::uint8_t(party.kind));
  out.setName(text(party.name, scratch));
  out.setImage(text(party.image, scratch));
  out.setDigest(text(party.digest, scratch));
  out.setContainer(text(party.container, scratch));
  if (party.address != IpAddress{}) out.setAddress({party.address.bytes.data(), 16});
}

Party read(schema::Party::Reader in) {
  Party party;
  party.kind = enumerator<EntityKind>(in.getKind(), 5, "kind of entity");
  party.name = text(in.getName(), "name");
  party.image = text(in.getImage(), "image");
  party.digest = text(in.getDigest(), "digest");
  party.container = text(in.getContainer(), "container");
  auto address = in.getAddress();
  if (address.size() != 0 && address.size() != 16) throw Bad{"an address that is not 16 bytes"};
  if (address.size() == 16) std::memcpy(party.address.bytes.data(), address.begin(), 16);
  return party;
}

void write(schema::NumberSamples::Builder out, const NumberKey& key, const NumberSamples& samples) {
  out.setFamily(std::uint8_t(key.family));
  out.setPeerClass(std::uint8_t(key.peer_class));
  auto bytes = samples.sketch.encode();
  out.setSketch({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
  auto days = out.initDays(unsigned(samples.days.size()));
  for (unsigned i = 0; i < days.size(); ++i) {
    days[i].setDay(samples.days[i].day);
    days[i].setValue(samples.days[i].value);
  }
}

NumberKey number_key(unsigned family, unsigned peer_class) {
  return {enumerator<NumberFamily>(family, number_family_count, "number"),
          enumerator<EntityKind>(peer_class, 5, "class of peer")};
}

DDSketch sketch(capnp::Data::Reader in) {
  auto decoded = DDSketch::decode(reinterpret_cast<const char*>(in.begin()), in.size());
  if (!decoded) throw Bad{decoded.error().message};
  return std::move(*decoded);
}

NumberDelta read(schema::NumberSamples::Reader in) {
  NumberDelta delta;
  delta.key = number_key(in.getFamily(), in.getPeerClass());
  delta.samples.sketch = sketch(in.getSketch());
  auto days = in.getDays();
  if (days.size() > NumberSamples::day_limit) throw Bad{"more than 16 days of a number"};
  NumberSamples ordered; // whatever order they come in, and whether or not days repeat
  for (auto day : days) {
    if (!(day.getValue() >= 0) || std::isinf(day.getValue())) throw Bad{"a value that is no number"};
    NumberSamples one;
    one.days.push_back({day.getDay(), day.getValue()});
    ordered.merge(one);
  }
  delta.samples.days = std::move(ordered.days);
  return delta;
}

} // namespace iris::learn_wire
