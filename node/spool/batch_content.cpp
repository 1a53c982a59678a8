#include "node/spool/batch_content.hpp"

#include "core/base/capnp_reader.hpp"
#include "core/base/saturating.hpp"
#include "core/learn/delta_merge.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace iris {
namespace {

void put(std::string& to, std::uint64_t number, int bytes = 8) {
  for (int i = bytes - 1; i >= 0; --i)
    to.push_back(char(number >> (8 * i)));
}

void put(std::string& to, const Bytes32& bytes) { to.append(bytes.data(), bytes.size()); }

struct NoteReader {
  std::string_view rest;
  std::uint64_t number(int bytes = 8) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value = value << 8 | std::uint8_t(rest[std::size_t(i)]);
    rest.remove_prefix(std::size_t(bytes));
    return value;
  }
  Bytes32 bytes() {
    Bytes32 out;
    std::memcpy(out.data(), rest.data(), out.size());
    rest.remove_prefix(out.size());
    return out;
  }
};

capnp::Data::Reader data(const char* bytes, std::size_t size) {
  return {reinterpret_cast<const capnp::byte*>(bytes), size};
}

std::vector<char> flatten(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

/// Of our own disk, but a damaged one must not end the node.
constexpr ReadLimits limits{.bytes = 64 << 20, .visits = 4};
constexpr unsigned entry_limit = 16'384; ///< as the cloud's: an empty statement of loss costs no byte there

Bytes32 digest_of(const std::vector<std::vector<char>>& entries) {
  PartsDigest digest;
  for (const auto& entry : entries)
    digest.text({entry.data(), entry.size()});
  return digest.finish();
}

Bytes32 digest_of(const std::vector<SpoolLoss>& losses) {
  PartsDigest digest;
  for (const auto& loss : losses)
    digest.text(loss.kind)
        .text(loss.sensor)
        .number(loss.count)
        .number(std::uint64_t(loss.since))
        .number(std::uint64_t(loss.until));
  return digest.finish();
}

} // namespace

std::string encode_note(const BatchNote& note) {
  const auto& s = note.seal;
  std::string out;
  out.reserve(note_size);
  put(out, std::uint64_t(s.state) | (note.sealed ? 0x80u : 0u), 1);
  put(out, s.mac);
  put(out, s.entries_digest);
  put(out, note.losses_digest);
  for (auto number :
       {s.entries, s.observations, s.merged_entries, s.merged_observations, std::uint64_t(s.since),
        std::uint64_t(s.until), s.into, std::uint64_t(note.made_at), std::uint64_t(s.losses)})
    put(out, number);
  put(out, 0, 8); // for later
  return out;
}

bool decode_note(std::string_view bytes, BatchNote& note) {
  if (bytes.size() != note_size) return false;
  NoteReader in{bytes};
  const auto flags = in.number(1);
  if ((flags & 0x7f) > std::uint64_t(BatchSeal::State::merged)) return false;
  BatchNote read;
  auto& s = read.seal;
  read.sealed = (flags & 0x80) != 0;
  s.state = BatchSeal::State(flags & 0x7f);
  s.mac = in.bytes();
  s.entries_digest = in.bytes();
  read.losses_digest = in.bytes();
  s.entries = in.number();
  s.observations = in.number();
  s.merged_entries = in.number();
  s.merged_observations = in.number();
  s.since = Timestamp(in.number());
  s.until = Timestamp(in.number());
  s.into = in.number();
  read.made_at = Duration(in.number());
  const auto losses = in.number();
  // The spool counts with these: beyond a hundred years, or before its beginning, no node ran.
  if (read.made_at < 0 || read.made_at > second * 86'400 * 36'525 || losses > UINT32_MAX) return false;
  s.losses = std::uint32_t(losses);
  note = read;
  return true;
}

std::vector<char> encode_content(Lane lane, const std::vector<std::vector<char>>& entries,
                                 const std::vector<SpoolLoss>& losses, Timestamp now) {
  capnp::MallocMessageBuilder message;
  auto batch = message.initRoot<schema::Batch>();
  auto list = lane == Lane::findings ? batch.initFindings(unsigned(entries.size()))
                                     : batch.initDeltas(unsigned(entries.size()));
  for (unsigned i = 0; i < entries.size(); ++i)
    list.set(i, data(entries[i].data(), entries[i].size()));
  auto lost = batch.initLosses(unsigned(losses.size()));
  for (unsigned i = 0; i < losses.size(); ++i) {
    lost[i].setKind(losses[i].kind);
    lost[i].setSensor(losses[i].sensor);
    lost[i].setCount(losses[i].count);
    lost[i].setSince(losses[i].since);
    lost[i].setUntil(losses[i].until);
  }
  batch.setSentAt(now);
  return flatten(message);
}

Result<BatchContentAtRest> decode_content(Lane lane, std::string_view bytes) {
  return read_message<schema::Batch>(
      bytes, limits, "a batch of the spool", [&](schema::Batch::Reader root) -> Result<BatchContentAtRest> {
        BatchContentAtRest content;
        const auto entries = lane == Lane::findings ? root.getFindings() : root.getDeltas();
        if (entries.size() > entry_limit || root.getLosses().size() > entry_limit)
          return Error{Errc::corrupt, "a batch of the spool is damaged: it has more than " +
                                          std::to_string(entry_limit) + " entries"};
        for (auto entry : entries)
          content.entries.emplace_back(reinterpret_cast<const char*>(entry.begin()),
                                       reinterpret_cast<const char*>(entry.end()));
        for (auto loss : root.getLosses())
          content.losses.push_back(
              {loss.getKind(), loss.getSensor(), loss.getCount(), loss.getSince(), loss.getUntil()});
        content.made_at = root.getSentAt();
        return content;
      });
}

Result<std::vector<char>> with_seal(std::string_view content, const BatchSeal& seal) {
  return read_message<schema::Batch>(
      content, limits, "a batch of the spool", [&](schema::Batch::Reader root) -> Result<std::vector<char>> {
        capnp::MallocMessageBuilder message{unsigned(content.size() / sizeof(capnp::word) + 64)};
        message.setRoot(root);
        auto out = message.getRoot<schema::Batch>().initSeal();
        out.setMac(data(seal.mac.data(), seal.mac.size()));
        out.setEntriesDigest(data(seal.entries_digest.data(), seal.entries_digest.size()));
        out.setEntries(seal.entries);
        out.setObservations(seal.observations);
        out.setMergedEntries(seal.merged_entries);
        out.setMergedObservations(seal.merged_observations);
        out.setSince(seal.since);
        out.setUntil(seal.until);
        out.setLosses(seal.losses);
        out.setState(std::uint8_t(seal.state));
        out.setInto(seal.into);
        return flatten(message);
      });
}

BatchNote note_of(Lane lane, const std::vector<std::vector<char>>& entries,
                  const std::vector<SpoolLoss>& losses, Timestamp now) {
  BatchNote note;
  auto& s = note.seal;
  s.entries_digest = digest_of(entries);
  note.losses_digest = digest_of(losses);
  s.entries = entries.size();
  s.losses = std::uint32_t(losses.size());
  s.since = s.until = now;
  if (lane == Lane::findings) return note;
  bool first = true;
  for (const auto& entry : entries) {
    const auto facts = delta_facts(entry.data(), entry.size());
    if (!facts) continue;
    s.observations = saturating_add(s.observations, facts->observations);
    s.since = first ? facts->from : std::min(s.since, facts->from);
    s.until = first ? facts->until : std::max(s.until, facts->until);
    first = false;
  }
  return note;
}

std::vector<std::vector<char>> merge_deltas(const std::vector<std::vector<char>>& entries, Duration day) {
  struct Slot {
    ServiceDelta delta;
    const std::vector<char>* as_it_was = nullptr; ///< when it took nothing in, or is no delta
  };
  std::vector<Slot> slots;
  std::map<std::string, std::vector<std::size_t>> of_profile;
  for (const auto& entry : entries) {
    auto delta = decode_delta(entry.data(), entry.size());
    if (!delta) {
      slots.push_back({{}, &entry});
      continue;
    }
    auto& candidates = of_profile[profile_of(delta->entity)];
    const auto taker = std::find_if(candidates.rbegin(), candidates.rend(),
                                    [&](std::size_t at) { return merge(slots[at].delta, *delta, day); });
    if (taker != candidates.rend()) {
      slots[*taker].as_it_was = nullptr;
      continue;
    }
    candidates.push_back(slots.size());
    slots.push_back({std::move(*delta), &entry});
  }
  std::vector<std::vector<char>> merged;
  merged.reserve(slots.size());
  for (const auto& slot : slots)
    merged.push_back(slot.as_it_was != nullptr ? *slot.as_it_was : encode(slot.delta));
  return merged;
}

} // namespace iris
