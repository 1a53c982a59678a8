#include "core/base/result.hpp"

namespace iris {

const char* to_string(Errc code) {
  switch (code) {
  case Errc::invalid:
    return "invalid";
  case Errc::not_found:
    return "not found";
  case Errc::unavailable:
    return "unavailable";
  case Errc::refused:
    return "refused";
  case Errc::limit:
    return "limit reached";
  case Errc::corrupt:
    return "corrupt";
  case Errc::version:
    return "wrong version";
  case Errc::locked:
    return "locked";
  case Errc::io:
    return "input/output";
  case Errc::expired:
    return "expired";
  }
  return "unknown";
}

} // namespace iris
