#include "node/evidence/evidence_answer.hpp"

#include "core/base/hash.hpp"
#include "node/evidence/evidence_lines.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace iris {
namespace {

constexpr std::size_t addresses_limit = 16;
constexpr std::size_t text_limit = 360U << 10; ///< bytes of all observations in an answer

template <class Line>
Duration distance(const Line& line, const EvidenceQuestion& question) {
  if (line.at < question.first) return question.first - line.at;
  return line.at > question.last ? line.at - question.last : 0;
}

/// The most telling ones that fit, in the order of time; the others are counted.
std::size_t keep_best(std::vector<EvidenceLine>& lines, const EvidenceQuestion& question) {
  std::stable_sort(lines.begin(), lines.end(), [&](const EvidenceLine& left, const EvidenceLine& right) {
    if (left.between != right.between) return left.between;
    return distance(left, question) < distance(right, question);
  });
  std::size_t kept = 0, bytes = 0;
  while (kept < lines.size() && kept < evidence_lines_limit) {
    bytes += lines[kept].json.size() + 16;
    if (bytes > text_limit) break;
    ++kept;
  }
  const auto left_out = lines.size() - kept;
  lines.resize(kept);
  std::stable_sort(lines.begin(), lines.end(), [](const EvidenceLine& left, const EvidenceLine& right) {
    return std::tie(left.kind, left.at) < std::tie(right.kind, right.at);
  });
  return left_out;
}

struct Packets {
  std::vector<std::pair<std::string, PacketHeader>> found; ///< interface, header
  Timestamp oldest = 0;
  std::uint64_t thinned = 0;
  std::size_t left_out = 0;
};

Packets find_packets(const EvidenceRing& ring, const EvidenceQuestion& question, Duration shift) {
  Packets packets;
  const auto from = question.first - evidence_margin - shift, until = question.last + evidence_margin - shift;
  for (const auto& one : ring.rings()) {
    std::vector<PacketHeader> headers;
    // Whom it was with, where that is known; else all that they did.
    one->find(from, until, question.addresses, question.peers, headers);
    for (auto& header : headers)
      packets.found.emplace_back(one->interface(), header);
    packets.thinned += one->counters().thinned;
    if (const auto oldest = one->oldest(); oldest != 0 && (packets.oldest == 0 || oldest < packets.oldest))
      packets.oldest = oldest;
  }
  std::stable_sort(packets.found.begin(), packets.found.end(),
                   [](const auto& left, const auto& right) { return left.second.at < right.second.at; });
  if (packets.found.size() > evidence_packets_limit) {
    packets.left_out = packets.found.size() - evidence_packets_limit;
    packets.found.erase(packets.found.begin(), packets.found.begin() + std::ptrdiff_t(packets.left_out));
  }
  return packets;
}

std::string packet_line(const std::string& interface, const PacketHeader& header, Duration shift) {
  const std::string_view bytes{reinterpret_cast<const char*>(header.bytes.data()), header.size};
  JsonWriter json;
  json.object().field("kind", "packet").field("at", rfc3339(header.at + shift));
  json.field("ns", std::int64_t(header.at + shift)).field("interface", interface);
  json.field("link", std::int64_t(header.link)).field("length", header.wire_length);
  return json.field("header", to_hex(bytes)).end_object().take();
}

/// What of the span cannot be there any more, in a sentence; "" for nothing.
std::string gone(const EvidenceRing::Figures& figures, const EvidenceQuestion& question, Timestamp now) {
  constexpr Duration late = 2 * second; // by which a batch comes after what it tells
  const auto ago = [now](Timestamp at) { return human_duration(now - at) + " ago"; };
  const auto kept =
      figures.oldest == 0 ? std::string{"nothing is kept yet"} : "what is kept begins " + ago(figures.oldest);
  if (question.last < now - EvidenceRing::age || figures.oldest == 0 || question.last < figures.oldest - late)
    return "gone already: the alert was " + ago(question.last) + ", " + kept;
  if (question.first < figures.oldest - late)
    return "the beginning is gone: the alert began " + ago(question.first) + ", " + kept;
  return {};
}

} // namespace

Result<EvidenceQuestion> parse_evidence_question(const std::vector<std::string>& arguments) {
  EvidenceQuestion question;
  for (const auto& argument : arguments) {
    const auto equals = argument.find('=');
    const auto name = std::string_view{argument}.substr(0, equals);
    const auto value =
        equals == std::string::npos ? std::string_view{} : std::string_view{argument}.substr(equals + 1);
    const auto bad = [&] { return Error{Errc::invalid, "evidence: \"" + argument + "\" is not understood"}; };
    if (name == "first" || name == "last") {
      auto& time = name == "first" ? question.first : question.last;
      const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), time);
      if (problem != std::errc{} || end != value.data() + value.size() || time < 0 || time > frame_latest)
        return bad();
    } else if (name == "container" && value.size() <= 64) {
      question.container = value;
    } else if (name == "address" || name == "peer") {
      auto& list = name == "address" ? question.addresses : question.peers;
      const auto address = parse_ip(value);
      if (!address || list.size() >= addresses_limit) return bad();
      list.push_back(*address);
    } else if (argument == "packets=1") {
      question.packets = true;
    } else {
      return bad();
    }
  }
  if (question.first == 0 || question.last < question.first)
    return Error{Errc::invalid, "evidence: it takes first=NS and last=NS of an alert"};
  return question;
}

QueryAnswer answer_evidence(const EvidenceRing& ring, const EvidenceQuestion& question, Timestamp now,
                            Duration shift) {
  EvidenceLines lines{question};
  ring.read(question.first - evidence_margin, question.last + evidence_margin,
            [&](const RecordedFrame& frame) { lines.add(frame); });
  const auto left_out = lines.beyond() + keep_best(lines.found(), question);
  Packets packets;
  if (question.packets) packets = find_packets(ring, question, shift);

  const auto figures = ring.figures();
  JsonWriter head;
  head.object().field("kind", "evidence");
  head.field("from", rfc3339(question.first - evidence_margin));
  head.field("until", rfc3339(question.last + evidence_margin));
  head.field("observations", std::uint64_t(lines.found().size())).field("left_out", std::uint64_t(left_out));
  head.field("kept_since", figures.oldest == 0 ? std::string{} : rfc3339(figures.oldest));
  head.field("kept_bytes", std::uint64_t(figures.bytes)).field("shed", figures.shed);
  if (question.packets) {
    head.field("packets", std::uint64_t(packets.found.size()));
    head.field("packets_left_out", std::uint64_t(packets.left_out)).field("packets_thinned", packets.thinned);
    head.field("packets_since", packets.oldest == 0 ? std::string{} : rfc3339(packets.oldest + shift));
  }
  QueryAnswer answer;
  answer.message = gone(figures, question, now + shift);
  head.field("gone", answer.message);
  answer.lines.push_back(head.end_object().take());
  for (auto& line : lines.found())
    answer.lines.push_back(std::move(line.json));
  for (const auto& [interface, header] : packets.found)
    answer.lines.push_back(packet_line(interface, header, shift));
  return answer;
}

} // namespace iris
