#pragma once
// Shared by the codecs of this folder only: includes Cap'n Proto.
#include "core/base/capnp_reader.hpp"
#include "core/learn/delta.hpp"

#include "schemas/common.capnp.h"
#include "schemas/delta.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstring>
#include <string>
#include <vector>

namespace iris::learn_wire {

/// Longest text of any field; longer ones are cut when written and refused when read.
inline constexpr std::size_t text_limit = 512;
/// Largest document of any kind that is read.
inline constexpr std::size_t document_limit = 32u * 1024 * 1024;

/// Thrown inside a decoder only: `read` below turns it into an Error.
struct Bad {
  std::string what;
};

[[nodiscard]] kj::StringPtr text(const std::string& text, std::string& scratch);
[[nodiscard]] std::string text(capnp::Text::Reader reader, const char* what);
[[nodiscard]] std::vector<char> flatten(capnp::MessageBuilder& message);

template <class Enum>
Enum enumerator(unsigned value, unsigned count, const char* what) {
  if (value >= count) throw Bad{std::string{what} + " " + std::to_string(value) + " is not known"};
  return Enum(value);
}

void write(schema::Party::Builder out, const Party& party);
[[nodiscard]] Party read(schema::Party::Reader in);
void write(schema::NumberSamples::Builder out, const NumberKey& key, const NumberSamples& samples);
[[nodiscard]] NumberDelta read(schema::NumberSamples::Reader in);
[[nodiscard]] NumberKey number_key(unsigned family, unsigned peer_class);
[[nodiscard]] DDSketch sketch(capnp::Data::Reader in);

/// Works for KeyDelta and KeyRecord alike: the part that they share.
template <class Key>
void write_key(schema::BehaviourKey::Builder out, const Key& key) {
  out.setFamily(std::uint8_t(key.family));
  out.setPhase(std::uint8_t(key.phase));
  out.setSiteLevels(key.site_levels);
  out.setNeverLearn(key.never_learn);
  out.setPeerClass(std::uint8_t(key.peer_class));
  out.setFine(key.keys[0]);
  out.setMiddle(key.keys[1]);
  out.setCoarse(key.keys[2]);
  if (key.texts[0].empty()) return;
  auto texts = out.initTexts(level_count);
  std::string scratch;
  for (unsigned level = 0; level < level_count; ++level)
    texts.set(level, text(key.texts[level], scratch));
}

template <class Key>
void read_key(schema::BehaviourKey::Reader in, Key& key) {
  key.family = enumerator<Family>(in.getFamily(), family_count, "family");
  key.phase = enumerator<Phase>(in.getPhase(), phase_count, "phase");
  if (in.getSiteLevels() > level_count) throw Bad{"more site levels than levels"};
  key.site_levels = in.getSiteLevels();
  key.never_learn = in.getNeverLearn();
  key.peer_class = enumerator<EntityKind>(in.getPeerClass(), 5, "class of peer");
  key.keys = {in.getFine(), in.getMiddle(), in.getCoarse()};
  if (key.keys[0] == 0) throw Bad{"a behaviour without a key"};
  auto texts = in.getTexts();
  if (texts.size() > level_count) throw Bad{"more texts than levels"};
  for (unsigned level = 0; level < texts.size(); ++level)
    key.texts[level] = text(texts[level], "text of a key");
}

/// Runs a decoder over a copy of the bytes that is aligned to words, within explicit limits.
template <class Value, class Decode>
Result<Value> read_message(const char* data, std::size_t size, const char* what, Decode&& decode) {
  auto bad = [&](const std::string& why) { return Error{Errc::corrupt, std::string{what} + ": " + why}; };
  if (size < 16 || size % 8 != 0) return bad("not a whole message");
  if (size > document_limit) return bad("larger than 32 MiB");
  try {
    auto words = kj::heapArray<capnp::word>(size / 8);
    std::memcpy(words.begin(), data, size);
    capnp::ReaderOptions options;
    options.traversalLimitInWords = size / 8 * 4 + 1024;
    options.nestingLimit = 16;
    capnp::FlatArrayMessageReader message{words, options};
    return decode(message);
  } catch (const Bad& failure) {
    return bad(failure.what);
  } catch (const kj::Exception& failure) {
    return bad("damaged (" + description(failure) + ")");
  } catch (const std::exception& failure) {
    return bad(failure.what());
  }
}

} // namespace iris::learn_wire
