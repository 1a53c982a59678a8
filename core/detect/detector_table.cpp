#include "core/detect/detector_table.hpp"

#include <algorithm>
#include <array>

namespace iris {
namespace {

constexpr std::array<DetectorInfo, 16> table{{
    {"network.known-bad", "A service or device talked to an address on a threat list; names the lists.",
     "The peer of a flow is looked up in all lists (addresses and networks). 7.5 bits for an attempt, 9.5 "
     "for an answered "
     "one, 7 for an accepted inbound one, and up to 2 more by the number of feeds behind the entry. Never "
     "learned. A "
     "connection attempt that was not completed from a listed address is no contact, since its source can be "
     "forged.",
     "Peers that are on no list; addresses hidden behind a proxy or a relay; names, as only addresses are "
     "matched; attempts in vain of an address without a name that never took part in an exchange, since it "
     "can be made up.",
     "T1071 T1190", false},
    {"process.origin", "A program or script ran that is not a file of the image.",
     "The file lies in the container's writable layer or on a memory file system (8 bits), on a writable "
     "mount (5), was "
     "deleted, or exists in memory only (11). Once a file was learned from such a place it is quiet there, "
     "except from memory, which is never learned; a known program of the image whose file was replaced is "
     "told. A "
     "container runtime on its way in is exempt by having nothing of the container above it.",
     "Code that a running process loads as a library or evaluates; files whose origin the sensor could not "
     "tell; a program learned from a volume whose file there is replaced.",
     "T1620 T1105 T1204.002", false},
    {"process.tool",
     "A tool of the never-learn list ran: scanners, sniffers, reverse shells, miners, downloads into a "
     "shell.",
     "By the program's name, by the applet of a multi-call binary, and by the text of inline scripts. 6 to "
     "11 bits by "
     "the kind of tool. Reported until a person makes an exception, however long it was there.",
     "Renamed binaries (process.novel sees those); tools that a program carries as a library.",
     "T1046 T1018 T1059 T1095 T1040 T1105 T1110 T1496 T1572 T1611", false},
    {"process.novel", "A program, parent or argument shape that this service never showed.",
     "Back-off from arguments and parent to the program tells which part is new. Score -log2((k + 1/2) / E) "
     "bits: k new "
     "keys in E days at that level; reported from 3 bits. In a startup that was seen less than twice all "
     "novelties make "
     "one finding.",
     "What a known program does with known arguments; a service in which new programs are usual; anything "
     "while learning.",
     "T1059", true},
    {"network.destination", "A name or an address outside that this service never talks to.",
     "The peer backs off from name or address and port to registrable domain or /24, to the internet as "
     "such; scored as "
     "process.novel. Attempts count too. Lookups and flows of one domain are one cause. A name counts for "
     "who was "
     "told it, and only in answer to a query that was seen.",
     "Another host of a domain that is known; lookups that give no address outside, or go over TCP or TLS; a "
     "service that gets false names for its own peers from a resolver of the attacker (whom it calls for the "
     "first time then); anything inside a tunnel to a known peer.",
     "T1071 T1105 T1071.004", true},
    {"network.lateral",
     "A call to a LAN device, a sibling service or the gateway that this service never calls.",
     "The peer backs off from name and port to any device on that port, to the kind of peer; scored as "
     "process.novel. "
     "Answered or not. After four peers of one kind the rest makes one cause. What a device does to a "
     "service is told by "
     "network.client at the service.",
     "Misuse of a peer and port that are known; traffic that never crosses the gateway.", "T1021 T0886 T1018",
     true},
    {"network.client", "A service was used from where it is never used.",
     "Completed inbound connections from devices, the internet, unlisted local addresses and the gateway; "
     "the client backs "
     "off to its network and its kind; scored as process.novel. Siblings are told by network.lateral at the "
     "caller.",
     "A stolen or forged address of a usual client; connections that were not completed.",
     "T1133 T1190 T1021", true},
    {"network.command",
     "A function of a field protocol (Modbus TCP, BACnet/IP, SNMP) that this service never asked of a "
     "device, or "
     "that nobody ever asked of this device: a service that only ever read, and now writes.",
     "Requests on the protocols' own ports (tcp/502, udp/47808 to 47823, udp/161 and 162) are read for their "
     "function and for what it is about (Modbus table, BACnet object type, SNMP enterprise or MIB-2 group), "
     "not for "
     "their values. Backs off from device and function to the function, to protocol and read, write, manage, "
     "find, "
     "notify or hidden; scored as process.novel, and one bit more for what changes the device or hides what "
     "it does. A read of a device that was never called is left to network.lateral.",
     "Another value for what is written anyway; another register or object of the same kind; a request that "
     "is "
     "split over several segments or cut by the snapshot (counted as unread); other ports; SNMPv3 encrypted, "
     "of "
     "which it only says that it is; what never crosses the gateway.",
     "T0855 T0836 T0861", true},
    {"network.protocol",
     "A service spoke, or was spoken to in, an application protocol on a port where it never was: a shell's "
     "protocol on the web port, say.",
     "The first eight packets of a flow are looked at by nDPI, BACnet and OPC UA by recognisers of Iris; "
     "only what "
     "the content shows counts, never a guess by port or address. Backs off from protocol and port to the "
     "protocol; scored as process.novel.",
     "Flows whose content is not recognised, or whose start was not seen; what tunnels inside a usual "
     "protocol; "
     "flows beyond the 1,024 that are looked at at once (counted); everything with --no-dpi.",
     "T1571 T1071", true},
    {"network.listen", "A service opened a port that it never listened on.",
     "Listening sockets by number: TCP as the kernel tells them, and all that are found in /proc every 30 s; "
     "a TCP "
     "port that the kernel chose is one habit, whatever its number. UDP counts where it stays bound for two "
     "looks, "
     "below 32768 or as BACnet's. Scored as process.novel.",
     "Who takes over a port that the service has; ports opened while learning; UDP ports above 32767; "
     "without "
     "eBPF, what listens for less than the time between two looks.",
     "T1571 T1505", true},
    {"network.volume", "More was sent to a peer than ever: in one flow, or in one window.",
     "Each report of a flow is added to its flow (a day at most) and to its peer's window, and compared with "
     "the number's "
     "threshold: a Pareto tail at one false alarm in 100 days, within 1.5 and 10 times of the maximum that "
     "two days "
     "showed, at least 1 MiB. A bit more for each doubling. One finding an episode, updated once a window.",
     "Slow leaks below the threshold; bytes received.", "T1048 T1041", true},
    {"network.scan", "Many ports of one host, many hosts on one port, a ping sweep or an ARP sweep.",
     "Distinct targets that failed within 60 s: 15 ports, 15 hosts; 12 hosts pinged, 30 asked for by ARP, "
     "answered or not; 60 % of the tries must fail. ONVIF discovery explains an ARP sweep where as many "
     "hosts were "
     "probed on port 3702 as answered (where no answer is seen: as were asked for). "
     "core/detect/traffic_watch.hpp has "
     "all limits.",
     "A scan slower than its window; one of targets that mostly answer; an ARP sweep by who also probes port "
     "3702 of "
     "every host that answers.",
     "T1046 T0846", false},
    {"network.flood",
     "Connections or packets beyond what any endpoint sends in health, at the gateway or through it.",
     "Within 5 s: 100 unanswered or 500 refused tries by a source, or 200 at one port (400 at all "
     "ports of a host) by 32 sources; packets a second that next to nothing answers: 200 ICMP, 1000 small, "
     "5000 "
     "large. Beyond 8 hosts under a forged flood the others are one alarm. Start, progress and end of one "
     "alarm are "
     "one alert.",
     "Floods of requests that are all answered.", "T1498 T0814", false},
    {"container.crash", "A container died without being asked to.",
     "Exit code other than 0, a signal, or the kernel's out-of-memory killer, where nobody told the engine "
     "to stop it. "
     "7 bits; 2 where the service is not learned yet and ended by a plain exit code, as a one-shot does. "
     "One-shot containers that exit with 0 are quiet.",
     "A service that hangs but does not die; one that ended while the container engine itself was away.",
     "T1499 T0814", false},
    {"container.drift", "A new container, or one that was given more than it had.",
     "By the engine's description, once the gateway's containers were watched for a learning day. A "
     "container of "
     "a "
     "name that was never here 5 bits; of a known one: made privileged, given an engine's socket or a "
     "directory of the host's to write 8, host processes or a strong capability 7, a data store opened to "
     "the gateway's networks 7 (8 without a password), any other port, host network, device, or a stranger "
     "on "
     "EdgeX's network 5. Each is told once, also over restarts and when the container is made anew; a name "
     "that the engine made up counts as its image.",
     "What is changed inside of a container; a change that was there before, went and came back; who asked "
     "for it.",
     "T1610 T1611 T1133 T1562.001", false},
    {"posture", "How a service is set up is dangerous, and was so from the start.",
     "A data store or console open to the gateway's networks, without a password or with a known one; "
     "privileged, an engine's socket, the host's processes, directories or strong capabilities; EdgeX's "
     "security turned off (told once a gateway); an image version with a known hole "
     "(core/inventory/known_settings.cpp has the table with its sources). 3 to 3.9 bits, so low, one "
     "alert a service, told once. What is usual but not ideal (root, a writable root file system) is listed "
     "there, and makes none of its own.",
     "Settings inside of configuration files; versions of images tagged \"latest\"; holes that are not in "
     "the "
     "small table; services outside of containers.",
     "T1078.001 T1133 T1190 T1610 T1611 T1562.001", false},
}};

} // namespace

std::span<const DetectorInfo> detector_table() { return table; }

const DetectorInfo* detector_info(std::string_view id) {
  auto known =
      std::find_if(table.begin(), table.end(), [&](const DetectorInfo& info) { return info.id == id; });
  return known == table.end() ? nullptr : &*known;
}

std::string detectors_markdown() {
  std::string text =
      "# Detectors\n\n"
      "Made from the table in core/detect/detector_table.cpp; a unit test keeps the two the same. In the "
      "order in "
      "which they claim an act:\none act makes one finding, told by the first detector that it trips; the "
      "others are named in it. Scores are bits of\nsurprise; severity is low from 3 bits, medium from 4, "
      "high from 6.5, critical from 9 (core/detect/severity.hpp).\n";
  for (const auto& info : table) {
    text += "\n## " + std::string{info.id} + "\n\n";
    text += std::string{info.says} + "\n\n";
    text += "- **How:** " + std::string{info.how} + "\n";
    text += "- **Misses:** " + std::string{info.misses} + "\n";
    text += "- **Speaks:** " +
            std::string{info.needs_baseline ? "once the service is monitored" : "from the first minute"} +
            "\n";
    text += "- **ATT&CK:** " + std::string{info.attack} + "\n";
  }
  return text;
}

} // namespace iris
