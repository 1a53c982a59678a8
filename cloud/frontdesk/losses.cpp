#include "cloud/frontdesk/listings.hpp"
#include "cloud/store/gateway_names.hpp"
#include "cloud/store/rows.hpp"
#include "core/alert/json_writer.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace iris {
namespace {

constexpr std::size_t usual_lines = 100, most_lines = 1'000;
constexpr std::size_t most_gateways = 20'000; ///< looked at for one question
constexpr std::size_t most_counted = 200'000; ///< rows, for the number that is left out

struct Request {
  std::string gateway;
  std::size_t limit = usual_lines;
};

Result<Request> request_of(const std::vector<std::string>& arguments) {
  Request request;
  for (std::string_view argument : arguments) {
    const auto equals = argument.find('=');
    const auto value = equals == std::string_view::npos ? std::string_view{} : argument.substr(equals + 1);
    const auto name = argument.substr(0, equals);
    if (name == "gateway" && !value.empty()) {
      request.gateway = value;
    } else if (name == "limit") {
      const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), request.limit);
      if (failure != std::errc{} || end != value.data() + value.size() || request.limit == 0 ||
          request.limit > most_lines)
        return Error{Errc::invalid, "limit must be a number from 1 to " + std::to_string(most_lines)};
    } else {
      return Error{Errc::invalid, "\"" + std::string{argument.substr(0, 64)} +
                                      "\" is not understood; use gateway=GATEWAY, limit=N"};
    }
  }
  return request;
}

/// For a person. `sensor` is who lost it: a source of the gateway, its spool, or the cloud's check of the
/// chain.
std::string reason_of(const LossRow& row) {
  if (row.kind == "spool") return "the gateway's spool was damaged and begun anew";
  if (row.sensor == "rewind")
    return "the cloud was restored, and the gateway no longer had what came after the backup";
  if (row.sensor == "chain") return "sealed wrongly, so not counted: somebody may have changed the spool";
  if (row.sensor == "spool" || row.sensor == "several")
    return "the gateway could not keep it until the cloud was reached: too much, too old, or the disk was "
           "full";
  if (row.kind == "packets") return "the gateway's capture was slower than the traffic";
  if (row.kind == "processes") return "the gateway's process source was slower than what started";
  return "the gateway had more to judge than it could";
}

using Owner = std::pair<std::string, std::string>; ///< tenant, gateway

/// Whose statements there are, among those that may be seen.
Result<std::vector<Owner>> owners_of(const Store& store, const std::string& tenant) {
  std::vector<Owner> owners;
  const auto prefix = tenant == "*" ? std::string{} : KeyBuilder{}.text(tenant).str();
  for (std::string from = prefix; owners.size() < most_gateways;) {
    std::optional<Owner> owner;
    auto scanned = store.scan_from(Table::observations, prefix, from, [&](std::string_view key, auto) {
      KeyReader reader{key};
      owner = Owner{reader.text(), reader.text()};
      return false;
    });
    if (!scanned) return scanned.error();
    if (!owner) break;
    from = alert_prefix(owner->first, owner->second) + std::string(17, char(0xff)); // no time is so late
    owners.push_back(std::move(*owner));
  }
  return owners;
}

struct Found {
  Timestamp received = 0;
  std::size_t owner = 0;
  LossRow row;
};

} // namespace

QueryAnswer list_losses(const CloudWorld& world, const std::string& tenant,
                        const std::vector<std::string>& arguments) {
  const auto failed = [](const Error& error) { return answer_error(error.code, error.message); };
  const auto request = request_of(arguments);
  if (!request) return failed(request.error());
  const auto& store = *world.store;
  std::vector<Owner> owners;
  if (request->gateway.empty()) {
    auto found = owners_of(store, tenant);
    if (!found) return failed(found.error());
    owners = std::move(*found);
  } else {
    auto found = find_gateways(store, tenant, request->gateway);
    if (!found) return failed(found.error());
    for (auto& one : *found)
      owners.emplace_back(std::move(one.tenant), std::move(one.id));
  }
  const auto newer = [](const Found& a, const Found& b) { return a.received > b.received; };
  std::vector<Found> newest; // a heap, its oldest in front
  std::size_t all = 0, unreadable = 0;
  bool counted = true;
  for (std::size_t owner = 0; owner < owners.size(); ++owner) {
    const auto prefix = alert_prefix(owners[owner].first, owners[owner].second);
    auto scanned =
        store.scan_back(Table::observations, prefix, [&](std::string_view key, std::string_view value) {
          KeyReader reader{key};
          (void)reader.text();
          (void)reader.text();
          const auto received = Timestamp(reader.u64());
          const bool wanted = newest.size() < request->limit || received > newest.front().received;
          ++all;
          if (!wanted) { // nor is any before it: from here on they are only counted
            counted = counted && all < most_counted;
            return counted;
          }
          auto row = decode_loss(value);
          if (!reader.ok() || !row) {
            ++unreadable;
            return true;
          }
          newest.push_back({received, owner, std::move(*row)});
          std::push_heap(newest.begin(), newest.end(), newer);
          if (newest.size() > request->limit) {
            std::pop_heap(newest.begin(), newest.end(), newer);
            newest.pop_back();
          }
          return true;
        });
    if (!scanned) return failed(scanned.error());
  }
  std::stable_sort(newest.begin(), newest.end(), newer);
  QueryAnswer answer;
  GatewayNames names{store};
  for (const auto& [received, owner, row] : newest) {
    const auto& [of, gateway] = owners[owner];
    JsonWriter out;
    out.object().field("gateway", gateway).field("gateway_name", names.of(of, gateway)).field("tenant", of);
    out.field("kind", row.kind).field("count", row.count).field("lost_by", row.sensor);
    out.field("since", rfc3339(row.since)).field("until", rfc3339(row.until));
    out.field("received", rfc3339(received)).field("reason", reason_of(row)).end_object();
    answer.lines.push_back(out.take());
  }
  if (const auto left_out = all - newest.size() - unreadable; left_out > 0)
    answer.message = (counted ? "" : "at least ") + std::to_string(left_out) +
                     " older are left out; --limit takes up to " + std::to_string(most_lines);
  if (unreadable > 0) {
    answer.partial = true;
    answer.message += (answer.message.empty() ? "" : "; ") + std::to_string(unreadable) + " cannot be read";
  }
  if (owners.size() >= most_gateways) {
    answer.partial = true;
    answer.message += (answer.message.empty() ? "" : "; ") + std::string{"only "} +
                      std::to_string(most_gateways) + " gateways are looked at";
  }
  return answer;
}

} // namespace iris
