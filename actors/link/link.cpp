#include "actors/link/link.hpp"

namespace iris {

const char* to_string(CloseCause cause) {
  switch (cause) {
  case CloseCause::peer_closed:
    return "peer-closed";
  case CloseCause::local:
    return "local";
  case CloseCause::tls:
    return "tls";
  case CloseCause::deadline:
    return "deadline";
  case CloseCause::violation:
    return "violation";
  case CloseCause::silent:
    return "silent";
  case CloseCause::slow:
    return "slow";
  case CloseCause::clone:
    return "clone";
  case CloseCause::replaced:
    return "replaced";
  case CloseCause::revoked:
    return "revoked";
  case CloseCause::limit:
    return "limit";
  case CloseCause::refused:
    return "refused";
  case CloseCause::unreachable:
    return "unreachable";
  }
  return "unknown";
}

std::string to_string(const CloseReason& reason) {
  std::string text = to_string(reason.cause);
  if (reason.violation != Violation::none) text += std::string{" ("} + to_string(reason.violation) + ")";
  if (!reason.detail.empty()) text += ": " + reason.detail;
  return text;
}

} // namespace iris
