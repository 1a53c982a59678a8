#include "cloud/aggregator/evidence_store.hpp"
#include "cloud/store/rows.hpp"

namespace iris {

Result<std::optional<Evidence>> load_evidence(const Store& store, const std::string& tenant,
                                              const std::string& gateway, const std::string& profile,
                                              std::vector<std::string>& problems) {
  std::optional<Evidence> evidence;
  const auto prefix = evidence_prefix(tenant, gateway, profile);
  auto scanned = store.scan(Table::behaviours, prefix, [&](std::string_view key, std::string_view value) {
    KeyReader reader{key.substr(prefix.size())};
    const auto kind = EvidenceRow(reader.u8());
    const auto number = reader.u64();
    auto problem = [&](const Error& error) {
      problems.push_back(gateway + "/" + profile + ": " + error.message);
    };
    if (kind == EvidenceRow::head) { // comes first
      auto head = decode_head(value.data(), value.size());
      if (!head) return problem(head.error()), false;
      evidence = std::move(*head);
      evidence->profile = profile;
      evidence->gateway = gateway;
    } else if (!evidence) {
      problems.push_back(gateway + "/" + profile + ": rows without a head");
      return false;
    } else if (kind == EvidenceRow::key) {
      auto record = decode_key(value.data(), value.size());
      if (!record) return problem(record.error()), true;
      evidence->keys[number] = std::move(*record);
    } else if (kind == EvidenceRow::slice && number < Evidence::slice_limit) {
      auto slice = decode_slice(value.data(), value.size());
      if (!slice) return problem(slice.error()), true;
      if (evidence->slices.size() <= number) evidence->slices.resize(number + 1);
      evidence->slices[number] = std::move(*slice);
    }
    return true;
  });
  if (!scanned) return scanned.error();
  return evidence;
}

void put_evidence(StoreWrite& write, const std::string& tenant, const Evidence& evidence,
                  const Evidence::Touched& touched) {
  const auto& gateway = evidence.gateway;
  const auto& profile = evidence.profile;
  write.put(Table::behaviours, evidence_key(tenant, gateway, profile, EvidenceRow::head, 0),
            encode_head(evidence));
  for (auto id : touched.keys)
    if (auto found = evidence.keys.find(id); found != evidence.keys.end())
      write.put(Table::behaviours, evidence_key(tenant, gateway, profile, EvidenceRow::key, id),
                encode(found->second));
  for (auto slice : touched.slices)
    if (slice < evidence.slices.size())
      write.put(Table::behaviours, evidence_key(tenant, gateway, profile, EvidenceRow::slice, slice),
                encode(evidence.slices[slice]));
}

Result<std::vector<std::string>> profiles_of(const Store& store, const std::string& tenant,
                                             const std::string& gateway) {
  std::vector<std::string> profiles;
  const auto prefix = evidence_prefix(tenant, gateway);
  auto from = prefix;
  for (;;) {
    std::string found;
    auto scanned =
        store.scan_from(Table::behaviours, prefix, from, [&](std::string_view key, std::string_view) {
          found = KeyReader{key.substr(prefix.size())}.text();
          return false;
        });
    if (!scanned) return scanned.error();
    if (found.empty()) return profiles;
    // Kinds are small numbers, so this lies behind every row of the profile.
    from = evidence_prefix(tenant, gateway, found) + '\xff';
    profiles.push_back(std::move(found));
  }
}

Result<std::vector<std::string>> gateways_of(const Store& store, const std::string& tenant,
                                             const std::string& profile) {
  std::vector<std::string> gateways;
  const auto prefix = profile_index_prefix(tenant, profile);
  auto scanned = store.scan(Table::behaviours, prefix, [&](std::string_view key, std::string_view) {
    gateways.push_back(KeyReader{key.substr(prefix.size())}.text());
    return true;
  });
  if (!scanned) return scanned.error();
  return gateways;
}

Result<BaselinePtr> latest_baseline(const Store& store, const std::string& tenant,
                                    const std::string& profile) {
  BaselinePtr result;
  Result<void> decoded;
  auto scanned = store.scan_back(Table::baselines, baseline_prefix(tenant, profile),
                                 [&](std::string_view, std::string_view value) {
                                   auto baseline = decode_baseline(value.data(), value.size());
                                   if (!baseline) {
                                     decoded = baseline.error();
                                     return true; // an older one that can be read is better than none
                                   }
                                   decoded = {};
                                   result = std::make_shared<const Baseline>(std::move(*baseline));
                                   return false;
                                 });
  if (!scanned) return scanned.error();
  if (!decoded) return decoded.error();
  return result;
}

} // namespace iris
