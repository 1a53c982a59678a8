#include "cloud/aggregator/batch_codec.hpp"
#include "core/alert/codec.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>

namespace iris {
namespace {

constexpr unsigned entry_limit = 16'384; ///< findings, deltas or losses of one batch
constexpr std::size_t name_limit = 128;

void note(BatchContent& content, const std::string& line) {
  ++content.damaged_total;
  if (content.damaged.size() < 8) content.damaged.push_back(line);
}

std::string short_text(capnp::Text::Reader reader) {
  return {reader.begin(), std::min<std::size_t>(reader.size(), name_limit)};
}

void read(BatchContent& content, schema::Batch::Reader root) {
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
    content.losses.push_back({short_text(loss.getKind()), short_text(loss.getSensor()), loss.getCount(),
                              loss.getSince(), loss.getUntil()});
}

} // namespace

BatchContent decode_batch(const std::vector<char>& bytes) {
  BatchContent content;
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0) {
    note(content, "its length is " + std::to_string(bytes.size()));
    return content;
  }
  try {
    auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
    std::memcpy(words.begin(), bytes.data(), bytes.size());
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 2 * words.size() + 1'024;
    options.nestingLimit = 4;
    capnp::FlatArrayMessageReader message{words, options};
    read(content, message.getRoot<schema::Batch>());
  } catch (const kj::Exception& exception) {
    note(content, exception.getDescription().cStr());
  }
  return content;
}

} // namespace iris
