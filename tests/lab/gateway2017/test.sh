#!/bin/bash
# The lab tests itself: it comes up, lives as documented, its attacks do what they say, and nothing of it stays.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
source "$here/../../../scripts/lib.sh"
source "$here/config.sh"
lab="$here/lab"
failures=0
check() { # WHAT COMMAND...; what a failing command says is shown
  local what="$1" output
  shift
  if output="$("$@" 2>&1)"; then
    say "ok   $what"
  else
    say "FAIL $what"
    say "     ${output//$'\n'/$'\n'     }"
    failures=$((failures + 1))
  fi
}
# On a slow machine the services are not all connected when the first window begins.
lives_as_documented() {
  for _ in 1 2 3; do "$lab" life 16 | grep -v '^ok ' && return 0; done
  return 1
}
trap '"$lab" down >/dev/null' EXIT

nothing_left() {
  [ -z "$(docker ps -aq --filter "label=$lab_label")" ] && [ -z "$(docker network ls -q --filter "label=$lab_label")" ] &&
    ! ip link show "$lan_interface" && ! ip link show "$wan_interface" && ! ip netns list | grep -E '^iris-(tower|outside|thermostat)' &&
    ! ip route show type blackhole | grep -E '10\.77\.0|198\.51\.100|203\.0\.113' && ! iptables -S | grep IRIS-LAB
}
swallowed() { # no host of the lab is there: the route must be a blackhole
  local error
  error="$(ip route get 203.0.113.70 2>&1)" && return 1
  grep -qi 'invalid argument' <<<"$error"
}
# A client that happens to have a port which the lab publishes, as its closed connection does for a minute.
hold_port() { # PORT
  exec python3 - "$1" <<'EOF'
import socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # leaves no TIME-WAIT
client.bind(("127.0.0.1", int(sys.argv[1])))
client.connect(server.getsockname())
time.sleep(100)
EOF
}
state_of() { docker inspect -f "{{.State.$2}}" "$1"; }
country_is_germany() { mmdblookup --file "$lab_state/country.mmdb" --ip 203.0.113.66 country iso_code | grep -q DE; }
unknown_has_no_country() { ! mmdblookup --file "$lab_state/country.mmdb" --ip 192.0.2.1 country iso_code; }

# A run that dies half-way leaves things behind; the next one must not mind.
source "$here/../lib/net.sh"
reserved_before="$(cat "$reserved_ports")"
hold_port 48080 &
holder=$!
while read -r line; do
  say "$line"
  [[ "$line" != *"still in use"*:48080* ]] || { waited=1; kill "$holder"; }
done < <("$lab" up --speed 20)
check "it waits for a published port that a client holds" test "${waited:-}" = 1
ip netns del iris-tower
docker kill edgex-mongo >/dev/null
"$lab" up --speed 20
check "no client gets a published port" grep -q 48080 "$reserved_ports"
check "it comes up after a crashed run" "$lab" status
check "country of the listed address" country_is_germany
check "no country for an unknown address" unknown_has_no_country
check "the tower's lights by real snmpd" snmpget -v1 -c private -t 2 "$tower_address" 1.3.6.1.4.1.20440.4.1.5.1.2.1.4.3
check "documented traffic flows" lives_as_documented
for attack in 01 02 03 04 05 06; do check "attack $attack" "$lab" attack "$attack"; done
check "the payload is in device-bacnet's /tmp" test -n "$(docker diff edgex-device-bacnet | grep '/tmp/.kworker')"
check "flood at the gateway" "$lab" attack 07
sleep 1
check "core-command was killed for memory" test "$(state_of edgex-core-command OOMKilled) $(state_of edgex-core-command ExitCode)" = "true 137"
check "flood through the gateway" "$lab" attack 08
check "the others live on" test "$(docker ps -q --filter "label=$lab_label" | wc -l)" = 9
"$lab" down >/dev/null
check "nothing is left" nothing_left
check "clients may have the ports again" test "$(cat "$reserved_ports")" = "$reserved_before"
add_blackholes $outside_subnets
check "a blackhole swallows what has no host" swallowed
remove_blackholes $outside_subnets
[ "$failures" = 0 ] || die "$failures checks failed"
