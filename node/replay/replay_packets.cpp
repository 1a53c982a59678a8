#include "node/replay/replay_packets.hpp"

namespace iris {

ReplayPackets::ReplayPackets(std::string path) : path_{std::move(path)} {
  if (path_.empty()) return;
  file_.open(path_, std::ios::binary | std::ios::trunc);
  writer_.begin(out_, "iris-node replay");
}

Result<void> ReplayPackets::flush() {
  if (path_.empty()) return {};
  file_.write(out_.data(), std::streamsize(out_.size()));
  out_.clear();
  if (!file_.flush()) return Error{Errc::io, "cannot write " + path_};
  return {};
}

Result<void> ReplayPackets::write(const RecordedPackets& packets, Duration shift) {
  if (path_.empty()) return {};
  std::size_t from = 0;
  for (const auto& head : packets.heads) {
    (void)writer_.packet(out_, packets.interface, packets.link, head.at + shift, head.wire_length,
                         {packets.bytes.data() + from, head.captured});
    from += head.captured;
  }
  return flush();
}

Result<void> ReplayPackets::finish() { return flush(); }

} // namespace iris
