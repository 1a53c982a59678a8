#include "node/remembered.hpp"

#include "core/intel/indicator_set.hpp"
#include "core/learn/signed_baseline.hpp"
#include "node/spool/spool.hpp"
#include "node/uplink/session_messages.hpp"

#include <spdlog/spdlog.h>

namespace iris {
namespace {

/// Empty values stand for what is forgotten. The enrolment is noted last: what breaks off is done again.
Result<void> fit_enrolment(Spool& spool, const std::string& enrolment) {
  const auto noted = spool.list("enrolment");
  const std::vector<char> mark{enrolment.begin(), enrolment.end()};
  if (!noted.empty() && noted.front().second == mark) return {};
  // A spool of a version that noted none is of this enrolment, as far as anybody knows.
  if (!noted.empty()) {
    spdlog::info("this gateway was enrolled anew: what the earlier cloud had sent is forgotten");
    for (const auto* prefix : {"terms", "baseline/", "indicators"})
      for (const auto& [name, bytes] : spool.list(prefix))
        if (!bytes.empty())
          if (auto done = spool.put(name, {}); !done) return done;
  }
  return spool.put("enrolment", mark);
}

} // namespace

Remembered remember(Spool& spool, const std::string& enrolment) {
  Remembered found;
  if (auto fits = fit_enrolment(spool, enrolment); !fits) {
    spdlog::warn("what the cloud had said is left out: {}", fits.error().message);
    return found;
  }
  for (const auto& [name, bytes] : spool.list("terms")) {
    if (bytes.empty()) continue; // forgotten
    auto terms = decode_welcome(bytes);
    if (!terms)
      spdlog::warn("what the cloud had said is left out until it says it again: {}", terms.error().message);
    else
      found.terms = std::make_shared<const LinkTerms>(
          LinkTerms{terms->scale, terms->tenant, terms->site, terms->baseline_key});
  }
  if (!found.terms) return found;
  for (const auto& [name, bytes] : spool.list("baseline/")) {
    if (bytes.empty()) continue; // forgotten
    auto baseline = open_signed(bytes.data(), bytes.size(), found.terms->baseline_key);
    if (!baseline) {
      spdlog::warn("{} is left out: {}", name, baseline.error().message);
      continue;
    }
    found.versions[baseline->profile] = baseline->version;
    found.baselines.push_back(std::make_shared<const Baseline>(std::move(*baseline)));
  }
  for (const auto& [name, bytes] : spool.list("indicators")) {
    if (bytes.empty()) continue; // forgotten
    auto indicators = IndicatorSet::decode(bytes.data(), bytes.size());
    if (indicators)
      found.indicators = std::make_shared<const IndicatorSet>(std::move(*indicators));
    else
      spdlog::warn("{} of the last start are left out: {}", name, indicators.error().message);
  }
  return found;
}

} // namespace iris
