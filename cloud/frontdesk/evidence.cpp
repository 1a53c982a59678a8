#include "cloud/frontdesk/evidence.hpp"

#include "cloud/store/rows.hpp"
#include "cloud/store/store.hpp"
#include "core/alert/codec.hpp"
#include "core/inventory/bounded_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t addresses_limit = 4, peers_limit = 7; ///< a question has 16 arguments

void add(std::vector<IpAddress>& list, const IpAddress& address, std::size_t limit) {
  if (address == IpAddress{} || list.size() >= limit) return;
  if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(address);
}

} // namespace

Result<Alert> alert_of_line(const Store& store, const std::string& line) {
  const auto tree = parse_bounded(line, "an alert");
  if (!tree) return tree.error();
  const auto field = [&](const char* name) {
    const auto found = tree->find(name);
    return found != tree->end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  const auto row = store.get(Table::alerts, alert_key(field("tenant"), field("gateway"), field("id")));
  if (!row) return row.error();
  if (!*row) return Error{Errc::not_found, "the alert is no longer kept"};
  return decode_alert(**row);
}

QueryRequest evidence_question(const Alert& alert, const QueryRequest& asked) {
  const auto& finding = alert.finding;
  std::vector<IpAddress> addresses, peers;
  add(addresses, finding.entity.address, addresses_limit);
  add(peers, finding.peer.address, peers_limit);
  for (const auto& flow : finding.flows) {
    // Where the entity has no address of its own (of a flood with made-up sources, say) the flows name it.
    if (addresses.empty()) add(addresses, flow.src, addresses_limit);
    const bool from_it = std::find(addresses.begin(), addresses.end(), flow.src) != addresses.end();
    add(peers, from_it ? flow.dst : flow.src, peers_limit);
  }
  QueryRequest question;
  question.verb = "evidence";
  question.deadline_ms = asked.deadline_ms;
  question.arguments = {"first=" + std::to_string(finding.first), "last=" + std::to_string(finding.last)};
  if (finding.entity.container.size() <= 64 && !finding.entity.container.empty())
    question.arguments.push_back("container=" + finding.entity.container);
  for (const auto& address : addresses)
    question.arguments.push_back("address=" + to_string(address));
  for (const auto& peer : peers)
    question.arguments.push_back("peer=" + to_string(peer));
  if (std::find(asked.arguments.begin(), asked.arguments.end(), "packets=1") != asked.arguments.end())
    question.arguments.emplace_back("packets=1");
  return question;
}

} // namespace iris
