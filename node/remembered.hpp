#pragma once
#include "actors/terms.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace iris {

class IndicatorSet;
class Spool;
struct Baseline;

/// What the cloud had sent before this start.
struct Remembered {
  std::vector<std::shared_ptr<const Baseline>> baselines;
  std::shared_ptr<const IndicatorSet> indicators;
  std::shared_ptr<const LinkTerms> terms;
  std::map<std::string, std::uint64_t> versions;
};

/// `enrolment`: what changes when the gateway enrols anew, e.g. a hash of its key. Then it may be of another
/// cloud, whose signatures are of another key: all that was there is forgotten.
[[nodiscard]] Remembered remember(Spool& spool, const std::string& enrolment);

} // namespace iris
