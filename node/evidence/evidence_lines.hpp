#pragma once
#include "core/alert/json_writer.hpp"
#include "node/evidence/evidence_ring.hpp"

#include <string>
#include <vector>

namespace iris {

/// One observation as a JSON object.
struct EvidenceLine {
  Timestamp at = 0;     ///< wall time
  bool between = false; ///< of both sides of the alert; or of the service itself, during it
  int kind = 0;         ///< in the order in which kinds are shown
  std::string json;
};

/// Picks what frames hold of an alert.
class EvidenceLines {
public:
  static constexpr std::size_t limit = 20'000; ///< lines that are looked through; the rest is counted

  explicit EvidenceLines(const EvidenceQuestion& question) : question_{question} {}
  void add(const RecordedFrame& frame);
  [[nodiscard]] std::vector<EvidenceLine>& found() { return found_; }
  [[nodiscard]] std::size_t beyond() const { return beyond_; }

private:
  void take(const ProcessBatch& batch);
  void take(const FlowBatch& batch);
  void take(const ContainerBatch& batch);
  void take(const HealthBatch& batch);
  template <class Other>
  void take(const Other&) {}

  /// Whether it is in the span and there is room for it.
  [[nodiscard]] bool wants(Timestamp wall);
  [[nodiscard]] bool between(const IpAddress& one, const IpAddress& other) const;
  JsonWriter begin(int kind, Timestamp wall, bool between);
  void keep(JsonWriter& json);

  const EvidenceQuestion& question_;
  Duration shift_ = 0; ///< of the frame at hand
  EvidenceLine line_;  ///< that is being made
  std::vector<EvidenceLine> found_;
  std::size_t beyond_ = 0;
};

} // namespace iris
