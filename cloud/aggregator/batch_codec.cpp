#include "cloud/aggregator/batch_codec.hpp"
#include "core/alert/codec.hpp"
#include "core/base/capnp_reader.hpp"
#include "core/base/saturating.hpp"
#include "core/learn/delta_merge.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>
#include <cstring>

namespace iris {
namespace {

constexpr std::size_t batch_limit = 2 << 20; ///< bytes; the link carries half of that

constexpr unsigned entry_limit = 16'384; ///< findings, deltas or losses of one batch
constexpr std::size_t name_limit = 128;
constexpr std::size_t loss_limit = 300; ///< kinds of loss of one batch; a spool has 256

void note(BatchContent& content, const std::string& line) {
  ++content.damaged_total;
  if (content.damaged.size() < 8) content.damaged.push_back(line);
}

std::string short_text(capnp::Text::Reader reader) {
  return {reader.begin(), std::min<std::size_t>(reader.size(), name_limit)};
}

std::string_view view(capnp::Data::Reader bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}
std::string_view view(capnp::Text::Reader text) { return {text.begin(), text.size()}; }

/// All tenants' losses share one table, so one batch must not fill it: the same kind is summed, and what is
/// beyond the limit is one of kind "other".
void add_loss(std::vector<LossRow>& losses, LossRow loss) {
  auto same = [&](const LossRow& known) { return known.kind == loss.kind && known.sensor == loss.sensor; };
  auto known = std::find_if(losses.begin(), losses.end(), same);
  if (known == losses.end() && losses.size() < loss_limit) {
    losses.push_back(std::move(loss));
    return;
  }
  if (known == losses.end()) {
    loss.kind = "other";
    loss.sensor = "link";
    known = std::find_if(losses.begin(), losses.end(), same);
  }
  if (known == losses.end()) {
    losses.push_back(std::move(loss));
    return;
  }
  known->count = saturating_add(known->count, loss.count);
  known->since = std::min(known->since, loss.since);
  known->until = std::max(known->until, loss.until);
}

/// A seal that cannot be read is none.
std::optional<BatchSeal> read_seal(schema::Seal::Reader in) {
  BatchSeal seal;
  if (!take_bytes(in.getMac(), seal.mac) || !take_bytes(in.getEntriesDigest(), seal.entries_digest))
    return std::nullopt;
  if (in.getState() > std::uint8_t(BatchSeal::State::merged)) return std::nullopt;
  seal.state = BatchSeal::State(in.getState());
  seal.entries = in.getEntries();
  seal.observations = in.getObservations();
  seal.merged_entries = in.getMergedEntries();
  seal.merged_observations = in.getMergedObservations();
  seal.since = in.getSince();
  seal.until = in.getUntil();
  seal.losses = in.getLosses();
  seal.into = in.getInto();
  return seal;
}

/// Counts and digests of the bytes as they came, for comparison with the seal.
void compare(BatchContent& content, schema::Batch::Reader root) {
  content.seal = read_seal(root.getSeal());
  if (!content.seal) return;
  auto& found = content.found;
  PartsDigest entries, losses;
  for (auto bytes : root.getFindings())
    entries.text(view(bytes));
  for (auto bytes : root.getDeltas()) {
    entries.text(view(bytes));
    if (const auto facts = delta_facts(view(bytes).data(), bytes.size()))
      found.observations = saturating_add(found.observations, facts->observations);
  }
  found.entries = root.getFindings().size() + root.getDeltas().size();
  unsigned number = 0;
  for (auto loss : root.getLosses()) {
    if (number++ < content.seal->losses) {
      losses.text(view(loss.getKind()))
          .text(view(loss.getSensor()))
          .number(loss.getCount())
          .number(std::uint64_t(loss.getSince()))
          .number(std::uint64_t(loss.getUntil()));
      continue;
    }
    const auto kind = view(loss.getKind());
    if (kind == "findings" || kind == "deltas")
      found.told_entries = saturating_add(found.told_entries, loss.getCount());
    if (kind == "observations")
      found.told_observations = saturating_add(found.told_observations, loss.getCount());
  }
  found.entries_digest = entries.finish();
  found.losses_digest = losses.finish();
}

void read(BatchContent& content, schema::Batch::Reader root) {
  if (root.hasSeal()) compare(content, root);
  auto findings = root.getFindings();
  auto deltas = root.getDeltas();
  auto losses = root.getLosses();
  if (findings.size() > entry_limit || deltas.size() > entry_limit || losses.size() > entry_limit)
    return note(content, "it has more than " + std::to_string(entry_limit) + " entries");
  for (auto bytes : findings) {
    auto finding = decode_finding({reinterpret_cast<const char*>(bytes.begin()), bytes.size()});
    if (finding)
      content.findings.push_back(std::move(*finding));
    else
      note(content, finding.error().message);
  }
  for (auto bytes : deltas) {
    auto delta = decode_delta(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
    if (delta)
      content.deltas.push_back(std::move(*delta));
    else
      note(content, delta.error().message);
  }
  for (auto loss : losses)
    add_loss(content.losses, {short_text(loss.getKind()), short_text(loss.getSensor()), loss.getCount(),
                              loss.getSince(), loss.getUntil()});
}

} // namespace

BatchContent decode_batch(const std::vector<char>& bytes) {
  BatchContent content;
  // Entries are read twice: for the seal, and to be taken. What was read before a damaged place is taken.
  const auto whole = read_message<schema::Batch>(bytes, {batch_limit, 3, 4}, "the batch",
                                                 [&](schema::Batch::Reader root) -> Result<void> {
                                                   read(content, root);
                                                   return {};
                                                 });
  if (!whole) note(content, whole.error().message);
  return content;
}

} // namespace iris
