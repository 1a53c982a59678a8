/* Which process has which socket: outgoing TCP connections, the first datagram of a UDP socket to somebody,
 * and listening. Built on two tracepoints that every kernel with BTF has: a socket's change of state, and a
 * packet that is handed to a device (where the local port is known at last, and where who opens many
 * connections costs nothing but his own packets). Included by process.bpf.c, whose ring buffer it shares. */
#pragma once

enum { AF_INET = 2, AF_INET6 = 10, PROTO_TCP = 6, PROTO_UDP = 17 };
enum { STATE_ESTABLISHED = 1, STATE_SYN_SENT = 2, STATE_CLOSE = 7, STATE_LISTEN = 10 };
enum { SOCK_BINDPORT_LOCK = 8 };
#define SEND_TOLD_AGAIN_NS (60ULL * 1000000000ULL)

/* Beyond this fill of the ring buffer, programs matter more than sockets. */
#define SOCKETS_ROOM (2ULL * 1024 * 1024)

struct send_key {
  __u64 socket;
  __u8 remote[16];
  __u16 remote_port;
  __u16 unused[3];
};
struct send_value {
  __u64 told_ns;
  __u32 pid;
  __u16 local_port;
  __u16 unused;
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 8192);
  __type(key, struct send_key);
  __type(value, struct send_value);
} sends SEC(".maps");

/* TCP sockets that are about to send their SYN: who asked for that. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 2048);
  __type(key, __u64);
  __type(value, __u32);
} callers SEC(".maps");

/* Whether the current task is the sender, and was not merely interrupted: a packet that waited for its
 * neighbour's address is sent by whoever the processor happens to run. Who opened a socket shares its file's
 * credentials; one that was inherited, or opened before the credentials changed, is at least in the same
 * namespace and control group. */
static __always_inline bool of_current_task(struct sock* sk) {
  struct task_struct* task = (void*)bpf_get_current_task();
  struct file* file = BPF_CORE_READ(sk, sk_socket, file);
  if (!file || !BPF_CORE_READ(task, mm)) return false;
  if (BPF_CORE_READ(file, f_cred) == BPF_CORE_READ(task, cred)) return true;
  if (BPF_CORE_READ(sk, __sk_common.skc_net.net) != BPF_CORE_READ(task, nsproxy, net_ns)) return false;
  return !bpf_core_field_exists(sk->sk_cgrp_data.cgroup) ||
         BPF_CORE_READ(sk, sk_cgrp_data.cgroup) == BPF_CORE_READ(task, cgroups, dfl_cgrp);
}

static __always_inline void emit_socket(__u32 kind, struct sock* sk, __u32 pid, __u16 family, __u8 protocol,
                                        const __u8* local, __u16 local_port, const __u8* remote,
                                        __u16 remote_port) {
  struct socket_event* event = 0;
  if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < SOCKETS_ROOM)
    event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&dropped_sockets, 1);
    return;
  }
  event->head.kind = kind;
  event->head.pid = pid;
  event->head.parent = event->head.uid = event->head.exit_code = event->head.unused = 0;
  event->head.boot_ns = bpf_ktime_get_boot_ns();
  event->cgroup = 0;
  if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
    event->cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
  event->net = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
  event->family = family;
  event->local_port = local_port;
  event->remote_port = remote_port;
  event->protocol = protocol;
  event->bound = (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK) != 0;
  __builtin_memset(event->unused, 0, sizeof(event->unused));
  __builtin_memcpy(event->local, local, 16);
  __builtin_memcpy(event->remote, remote, 16);
  bpf_ringbuf_submit(event, wake_flag());
}

static __always_inline __u16 swapped(__be16 port) { return __builtin_bswap16(port); }

static __always_inline void local_address(struct sock* sk, __u16 family, __u8* out) {
  __builtin_memset(out, 0, 16);
  if (family == AF_INET)
    BPF_CORE_READ_INTO((__u32*)out, sk, __sk_common.skc_rcv_saddr);
  else
    BPF_CORE_READ_INTO((struct in6_addr*)out, sk, __sk_common.skc_v6_rcv_saddr);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_socket_state, struct sock* sk, int before, int now) {
  const bool closed = before == STATE_LISTEN && now == STATE_CLOSE;
  if (now != STATE_SYN_SENT && now != STATE_LISTEN && !closed) return 0;
  if (BPF_CORE_READ(sk, sk_protocol) != PROTO_TCP) return 0;
  __u32 pid = bpf_get_current_pid_tgid() >> 32;
  if (now == STATE_SYN_SENT) {
    __u64 key = (__u64)sk;
    bpf_map_update_elem(&callers, &key, &pid, BPF_ANY);
    return 0;
  }
  __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
  if (family != AF_INET && family != AF_INET6) return 0;
  /* Of a port that nobody asked for the number is given back already; and where a program listens without
   * binding it is not chosen yet, and looked up in /proc later. */
  __u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);
  if (port == 0) port = swapped(BPF_CORE_READ((struct inet_sock*)sk, inet_sport));
  if (port == 0) return 0;
  __u8 local[16], none[16] = {};
  local_address(sk, family, local);
  emit_socket(closed ? SOCKET_CLOSED : SOCKET_LISTEN, sk, pid, family, PROTO_TCP, local, port, none, 0);
  return 0;
}

/* Of a packet that goes out, its addresses and ports as they are on the wire; false where it is no UDP or a
 * later fragment. */
static __always_inline bool read_datagram(struct sk_buff* skb, __u16 family, __u8* local, __u8* remote,
                                          __be16 ports[2]) {
  const unsigned char* at = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
  __u8 header[40];
  if (family == AF_INET) {
    if (bpf_probe_read_kernel(header, 20, at) != 0) return false;
    if (header[0] >> 4 != 4 || header[9] != PROTO_UDP || (header[6] & 0x1f) || header[7]) return false;
    __builtin_memcpy(local, header + 12, 4);
    __builtin_memcpy(remote, header + 16, 4);
    at += (header[0] & 15) * 4;
  } else {
    if (bpf_probe_read_kernel(header, 40, at) != 0) return false;
    if (header[0] >> 4 != 6 || header[6] != PROTO_UDP) return false;
    __builtin_memcpy(local, header + 8, 16);
    __builtin_memcpy(remote, header + 24, 16);
    at += 40;
  }
  return bpf_probe_read_kernel(ports, 4, at) == 0;
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(on_packet, struct sk_buff* skb) {
  struct sock* sk = BPF_CORE_READ(skb, sk);
  if (!sk) return 0; /* forwarded */
  __u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
  /* Other states are TCP's, whose call was told, or of sockets that are not whole ones. */
  if (state != STATE_SYN_SENT && state != STATE_CLOSE && state != STATE_ESTABLISHED) return 0;
  __u16 protocol = BPF_CORE_READ(sk, sk_protocol);
  if (protocol != (state == STATE_SYN_SENT ? PROTO_TCP : PROTO_UDP)) return 0;
  __u16 family = BPF_CORE_READ(skb, protocol) == __builtin_bswap16(0x0800) ? AF_INET : AF_INET6;
  struct send_key key = {.socket = (__u64)sk};
  __u8 local[16] = {};
  __be16 ports[2] = {};
  __u32 pid = 0;
  bool sure = true;
  if (protocol == PROTO_TCP) {
    local_address(sk, family, local);
    if (family == AF_INET)
      BPF_CORE_READ_INTO((__u32*)key.remote, sk, __sk_common.skc_daddr);
    else
      BPF_CORE_READ_INTO((struct in6_addr*)key.remote, sk, __sk_common.skc_v6_daddr);
    ports[0] = swapped(BPF_CORE_READ(sk, __sk_common.skc_num));
    ports[1] = BPF_CORE_READ(sk, __sk_common.skc_dport);
    __u32* caller = bpf_map_lookup_elem(&callers, &key.socket);
    if (caller) pid = *caller;
  } else {
    if (!read_datagram(skb, family, local, key.remote, ports)) return 0;
    sure = of_current_task(sk);
    if (sure) pid = bpf_get_current_pid_tgid() >> 32;
  }
  key.remote_port = swapped(ports[1]);
  __u64 now = bpf_ktime_get_boot_ns();
  struct send_value* known = bpf_map_lookup_elem(&sends, &key);
  if (known && known->local_port == swapped(ports[0]) && (!sure || known->pid == pid) &&
      (protocol == PROTO_TCP || now - known->told_ns < SEND_TOLD_AGAIN_NS))
    return 0;
  struct send_value value = {.told_ns = now, .pid = pid, .local_port = swapped(ports[0])};
  bpf_map_update_elem(&sends, &key, &value, BPF_ANY);
  emit_socket(SOCKET_CALL, sk, pid, family, protocol, local, value.local_port, key.remote, key.remote_port);
  return 0;
}
