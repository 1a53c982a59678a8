# Sourced by the attacks: how the intruder reaches the gateway from outside. Everything is bounded in count and time.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)"
source "$root/scripts/lib.sh"
source "$root/tests/lab/gateway2017/config.sh"
export PATH="$PATH:/usr/sbin:/sbin"

outside() { ip netns exec iris-outside "$@"; }
tower() { ip netns exec iris-tower "$@"; }

# The planted hole of the Java stand-ins (docs/lab.md): a command as a child of the service, or bytes sent by the
# service's own process.
exploit_exec() { # PORT COMMAND
  outside curl -sS --fail --max-time 5 --interface "$attacker_address" -o /dev/null --data-binary "$2" \
    "http://$wan_gateway:$1/invoker/exec"
}
exploit_send() { # PORT tcp|udp HOST PORT BYTES (with escapes)
  printf '%b' "$5" | outside curl -sS --fail --max-time 5 --interface "$attacker_address" -o /dev/null --data-binary @- \
    "http://$wan_gateway:$1/invoker/send?$2&$3&$4"
}
