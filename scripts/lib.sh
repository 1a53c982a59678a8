# Sourced by the scripts: messages, and where things are. Needs bash.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The packages named in scripts/packages/NAME..., comments dropped.
packages_of() {
  local name
  for name in "$@"; do sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$root/scripts/packages/$name"; done
}

# A program built here: the release build first, then the debug build.
program() {
  local candidate
  for candidate in "${IRIS_BIN:-$root/build/bin}/$1" "$root/build/bin/$1" "$root/build/debug/bin/$1"; do
    [ -x "$candidate" ] && printf '%s\n' "$candidate" && return 0
  done
  return 1
}
