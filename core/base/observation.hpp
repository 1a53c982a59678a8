#pragma once
#include "core/base/entity.hpp"
#include "core/base/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace iris {

/// Where an executable or a script came from.
enum class Origin : std::uint8_t {
  unknown,
  image,   ///< part of the container's image
  upper,   ///< written into the container's writable layer after it was created
  mount,   ///< on a writable mount (volume or bind)
  tmpfs,   ///< on a memory file system
  memory,  ///< memfd: has no file at all
  deleted, ///< the file was already unlinked
};
[[nodiscard]] const char* to_string(Origin origin);

struct ProcessInfo {
  std::uint32_t pid = 0;
  std::uint32_t parent_pid = 0;
  std::uint32_t uid = 0;
  std::string exe;               ///< path of the file that runs, as the container sees it
  std::vector<std::string> args; ///< argv, secrets already redacted
  std::string cwd;
  std::string parent_exe;             ///< empty where the parent is outside of the container
  std::vector<std::string> ancestors; ///< executables, nearest first, the container's first process last
  Timestamp started = 0;
  Origin origin = Origin::unknown;
  std::string script; ///< the script file an interpreter was given, if any
  Origin script_origin = Origin::unknown;
  bool entered = false;      ///< came in from outside: docker exec, nsenter, a debugger
  bool args_cut = false;     ///< the argument vector was longer than what is kept
  std::string tty;           ///< "pts/0": somebody sits at it; "" for none or not known
  std::uint64_t inode = 0;   ///< of the file that runs; 0 where not known
  bool fresh = false;        ///< the file, or the script, was written within fresh_file before it ran
  bool health_check = false; ///< the probe that the engine starts by the container's configuration
};

/// What was written so shortly before it ran was brought or made for this.
inline constexpr Duration fresh_file = 600 * second;

struct ProcessStart {
  ProcessInfo process;
};

struct ProcessExit {
  std::uint32_t pid = 0;
  std::string exe;
  int exit_code = 0;
  int signal = 0; ///< 0 for none
  Duration lifetime = 0;
};

enum class FlowState : std::uint8_t {
  opening,     ///< TCP: SYN seen, no answer yet
  established, ///< both sides have spoken
  refused,     ///< TCP: answered by RST; UDP: answered by ICMP port unreachable
  closed,
  one_way, ///< UDP, ICMP and others: only the first side has spoken
};
[[nodiscard]] const char* to_string(FlowState state);

/// One flow or the part of a long one since its last report; counts are deltas, never cumulative.
/// `src` is the side that opened it. Bytes are IP bytes; "out" is from src to dst.
struct Flow {
  IpAddress src, dst;
  std::uint16_t sport = 0, dport = 0; ///< ICMP: sport = 0, dport = type << 8 | code
  std::uint8_t protocol = 0;          ///< IANA number
  FlowState state = FlowState::one_way;
  bool first_report = true;    ///< false for the later parts of a long flow
  bool last_report = false;    ///< it ended (FIN, RST or idle); a datagram each way of UDP or ICMP counts as
                               ///< such: should more follow, it comes as later parts
  bool initiator_known = true; ///< false where the start was not seen and the ports decided
  bool inbound = false;        ///< as seen from the observation's entity: the peer opened it
  std::uint32_t packets_out = 0, packets_in = 0;
  std::uint64_t bytes_out = 0, bytes_in = 0;
  std::uint64_t payload_out = 0, payload_in = 0; ///< bytes above the transport header
  Timestamp first = 0, last = 0;
  std::uint16_t interface = 0; ///< index in the source's list of interfaces
  std::string application;     ///< protocol by nDPI, "" when not known
  /// The host that src asked for in its TLS hello: its own word. Null where there was none.
  std::shared_ptr<const std::string> server_name;
  /// TCP segments with content, and openings, that came again or out of order.
  std::uint32_t retransmitted_out = 0, retransmitted_in = 0;
  /// What TCP did since the flow began, each kind once a direction, in the order of its first time: S
  /// opening, H its answer, A bare acknowledgement, D content, F end, R reset, T retransmission; capitals are
  /// src's.
  std::array<char, 16> history{}; ///< ends with 0; empty for other protocols
};

/// A service waits for calls: told when that begins, and again now and then while it lasts.
struct Listen {
  std::uint8_t protocol = 6; ///< IANA number
  IpAddress address;         ///< unspecified: at all addresses
  std::uint16_t port = 0;
  bool chosen_by_kernel = false; ///< nobody asked for this number: it is another one each time
  std::uint32_t pid = 0;         ///< 0 where not known
  std::string exe;               ///< "" where not known
  bool again = false;            ///< told before
};

struct DnsAnswer {
  std::string name;
  std::vector<IpAddress> addresses;
};

/// A function of a field protocol that was asked of a device, `count` times since it was last told of.
/// `src` is the side that asks.
struct FieldCommand {
  IpAddress src, dst;
  std::uint16_t dport = 0;
  std::uint8_t protocol = 0; ///< IANA number
  bool inbound = false;      ///< as seen from the observation's entity: the peer asks
  bool changes = false;      ///< it changes something in the device, or hides what it does
  std::string application;   ///< "Modbus", "BACnet", "SNMP"
  std::string action;        ///< "read", "write", "manage", "notify", "find", "hidden"
  std::string function;      ///< "write holding registers (function 6)"
  std::uint32_t count = 0;
  Timestamp first = 0, last = 0;
};

enum class ContainerAction : std::uint8_t {
  listed,
  created,
  started,
  died,
  oom,
  killed,
  stopped,
  removed,
  connected,
  health,
  renamed,
  disconnected,
};
[[nodiscard]] const char* to_string(ContainerAction action);

/// One thing about how a container is set up that a person should know.
struct PostureNote {
  std::string key;    ///< the same over restarts: "port:27017/tcp", "privileged" …
  std::string text;   ///< completes "The container …"
  std::string attack; ///< ATT&CK ids, separated by spaces
  double bits = 0;    ///< 0: worth a line, no alert of its own
  bool fresh = false; ///< it was not so before, on a gateway whose containers are known
};

struct ContainerChange {
  ContainerAction action{};
  int exit_code = 0;
  int signal = 0; ///< of killed
  bool out_of_memory = false;
  bool asked_for = false; ///< someone told the engine to stop it
  bool privileged = false;
  std::vector<std::string> published; ///< "0.0.0.0:27017->27017/tcp"
  bool new_container = false;     ///< nobody of this name was here, and the gateway's containers are known
  std::vector<PostureNote> notes; ///< what was not told yet of its set-up
  std::string detail;
};

/// Counters of one window; differences, except memory and pids which are the last values.
struct Usage {
  Duration span = 0;
  Duration cpu = 0;
  std::uint64_t memory = 0;
  std::uint32_t pids = 0;
};

/// A source's own condition: what it lost since the last such observation.
struct SensorHealth {
  std::string sensor; ///< "process", "packet:br-edgex", "docker", "spool", …
  std::string what;   ///< "dropped", "down", "up", "clock-jump", …
  std::uint64_t count = 0;
  Timestamp since = 0;
  std::string detail;
};

/// SensorHealth::what of a node under load.
inline constexpr const char* load_shedding = "shedding";
inline constexpr const char* load_restored = "restored";

/// A container's life: startup until its process tree is steady, then steady. Their behaviours are learned
/// apart.
enum class Phase : std::uint8_t { startup, steady };
[[nodiscard]] const char* to_string(Phase phase);

struct Observation {
  EntityPtr entity;         ///< never null
  EntityPtr peer;           ///< null where there is none
  Timestamp at = 0;         ///< wall time
  std::int64_t boot_at = 0; ///< CLOCK_BOOTTIME ns, 0 where unknown (captures)
  Phase phase = Phase::steady;
  std::variant<ProcessStart, ProcessExit, Flow, DnsAnswer, ContainerChange, Usage, SensorHealth, FieldCommand,
               Listen>
      what;
};

} // namespace iris
