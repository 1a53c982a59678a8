# Sourced by the labs: network namespaces, bridges, and the guarantee that nothing leaves this machine.
# Every name made here begins with iris-.

# Routes that swallow what is sent to a lab's range while no host of the lab is there to take it. Routes of interfaces
# have a lower metric and win while they exist.
add_blackholes() {
  local range
  for range in "$@"; do ip route replace blackhole "$range" metric 40000; done
}

remove_blackholes() {
  local range
  for range in "$@"; do ip route del blackhole "$range" metric 40000 2>/dev/null || true; done
}

# A host: a namespace with one interface eth0, whose other end is HOST_END on this machine.
add_host() { # NAMESPACE HOST_END MAC
  local namespace="$1" host_end="$2" mac="$3"
  ip netns add "$namespace"
  ip netns exec "$namespace" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip link add "$host_end" type veth peer name eth0 netns "$namespace" address "$mac"
  sysctl -qw "net.ipv6.conf.$host_end.disable_ipv6=1"
  ip -n "$namespace" link set lo up
  ip -n "$namespace" link set eth0 up
  ip link set "$host_end" up
}

remove_hosts() {
  local namespace pids
  for namespace in "$@"; do
    [ -e "/var/run/netns/$namespace" ] || continue
    pids="$(ip netns pids "$namespace" 2>/dev/null || true)"
    [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
    ip netns del "$namespace"
  done
}

remove_links() {
  local link
  for link in "$@"; do ip link del "$link" 2>/dev/null || true; done
}

# Runs a program in a namespace, detached, its output in $lab_state/NAME.log.
start_in() { # NAMESPACE NAME PROGRAM ARGUMENT...
  local namespace="$1" name="$2"
  shift 2
  setsid ip netns exec "$namespace" "$@" >"$lab_state/$name.log" 2>&1 </dev/null &
  echo "$! $(awk '{ print $22 }' "/proc/$!/stat")" >"$lab_state/$name.pid"
}

# Ends what start_in started, also where its namespace is gone; a pid counts only with its start time.
end_started() {
  local file pid started
  for file in "$lab_state"/*.pid; do
    [ -f "$file" ] || continue
    read -r pid started <"$file"
    [ "$(awk '{ print $22 }' "/proc/$pid/stat" 2>/dev/null)" = "$started" ] && kill -9 "$pid"
    rm -f "$file"
  done
}

# A range that this machine already has a way to is somebody's: the lab must not take it over.
refuse_foreign_routes() {
  local range found
  for range in "$@"; do
    found="$(ip -4 route show root "$range" | { grep -v '^default' || true; } | head -1)"
    [ -z "$found" ] || die "this machine has a network of its own in the lab's range $range ($found)"
  done
}

# A published port may lie in the range from which the kernel takes ports for clients, and a client's closed connection
# keeps its port for a minute (TIME-WAIT): Docker then cannot publish it. So the kernel is told to leave these alone.
reserved_ports=/proc/sys/net/ipv4/ip_local_reserved_ports
reserve_ports() { # PORT...
  [ -f "$lab_state/reserved_ports" ] || cp --no-preserve=all "$reserved_ports" "$lab_state/reserved_ports"
  sed "s/$/,$(tr ' ' ',' <<<"$*")/; s/^,//" "$lab_state/reserved_ports" | tr -d '\n' >"$reserved_ports"
}

release_ports() {
  [ -f "$lab_state/reserved_ports" ] || return 0
  cat "$lab_state/reserved_ports" >"$reserved_ports"
  rm -f "$lab_state/reserved_ports"
}

# Waits for what held one of the ports before they were reserved.
await_ports() { # PORT...
  local filter holder said=""
  filter="$(printf ' or sport = :%s' "$@")"
  for _ in {1..150}; do
    holder="$(ss -Htanup "( ${filter# or } )" | head -1)"
    [ -n "$holder" ] || return 0
    [ -n "$said" ] || say "lab: waiting up to 75 s for a port that is still in use: $holder"
    said=1
    sleep 0.5
  done
  die "a port that the lab publishes is in use by something else: $holder"
}

# Packets between these interfaces may pass; from them to anywhere else (the machine's own network) they may not.
firewall_chain=IRIS-LAB
open_firewall() { # BRIDGE LAN WAN
  local from to
  iptables -w -N "$firewall_chain"
  for from in "$2" "$3"; do
    for to in "$2" "$3"; do iptables -w -A "$firewall_chain" -i "$from" -o "$to" -j ACCEPT; done
    iptables -w -A "$firewall_chain" -i "$from" -o "$1" -j RETURN # Docker decides what is published
    iptables -w -A "$firewall_chain" -i "$1" -o "$from" -j RETURN
    iptables -w -A "$firewall_chain" -i "$from" -j DROP
  done
  iptables -w -A "$firewall_chain" -i "$1" ! -o "$1" -j DROP
  iptables -w -I DOCKER-USER -j "$firewall_chain"
}

close_firewall() {
  iptables -w -D DOCKER-USER -j "$firewall_chain" 2>/dev/null || true
  iptables -w -F "$firewall_chain" 2>/dev/null || true
  iptables -w -X "$firewall_chain" 2>/dev/null || true
}
