#include "core/base/entity.hpp"

namespace iris {

const char* to_string(EntityKind kind) {
  switch (kind) {
  case EntityKind::unknown:
    return "unknown";
  case EntityKind::service:
    return "service";
  case EntityKind::device:
    return "device";
  case EntityKind::gateway:
    return "gateway";
  case EntityKind::internet:
    return "internet";
  }
  return "unknown";
}

std::string profile_of(const Entity& entity) {
  if (entity.kind == EntityKind::service) return entity.name + "@" + entity.digest;
  return std::string{to_string(entity.kind)} + ":" + entity.name;
}

} // namespace iris
