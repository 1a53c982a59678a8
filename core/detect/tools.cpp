#include "core/detect/tools.hpp"

#include <algorithm>
#include <array>

namespace iris {
namespace {

struct Tool {
  std::string_view name;
  std::string_view what;
  std::string_view attack;
  double bits;
};

constexpr std::string_view finds_hosts = "looks for hosts on the network";
constexpr std::string_view scans = "scans hosts and their ports";
constexpr std::string_view connects = "opens raw connections";
constexpr std::string_view sniffs = "listens to other traffic";
constexpr std::string_view mines = "mines a crypto-currency";
constexpr std::string_view cracks = "guesses passwords";
constexpr std::string_view tunnels = "tunnels traffic";
constexpr std::string_view escapes = "enters other namespaces";

constexpr std::array<Tool, 56> tools{{
    {"ping", finds_hosts, "T1018", 6},
    {"ping6", finds_hosts, "T1018", 6},
    {"fping", finds_hosts, "T1018", 7},
    {"arping", finds_hosts, "T1018", 7},
    {"traceroute", finds_hosts, "T1018", 6},
    {"tracepath", finds_hosts, "T1018", 6},
    {"mtr", finds_hosts, "T1018", 6},
    {"netdiscover", finds_hosts, "T1018 T1046", 9},
    {"arp-scan", finds_hosts, "T1018 T1046", 9},
    {"nbtscan", finds_hosts, "T1018 T1046", 9},
    {"nmap", scans, "T1046", 9},
    {"zmap", scans, "T1046", 9},
    {"masscan", scans, "T1046", 9},
    {"rustscan", scans, "T1046", 9},
    {"unicornscan", scans, "T1046", 9},
    {"hping3", scans, "T1046 T1498", 9},
    {"onesixtyone", scans, "T1046", 9},
    {"snmpwalk", "reads out devices over SNMP", "T1602.001", 6},
    {"snmpset", "changes devices over SNMP", "T0836", 7},
    {"nikto", scans, "T1595.002", 9},
    {"sqlmap", scans, "T1190", 9},
    {"gobuster", scans, "T1595.003", 9},
    {"nc", connects, "T1095 T1059", 6.5},
    {"ncat", connects, "T1095 T1059", 7},
    {"netcat", connects, "T1095 T1059", 6.5},
    {"nc.traditional", connects, "T1095 T1059", 7},
    {"nc.openbsd", connects, "T1095 T1059", 6.5},
    {"socat", connects, "T1095 T1090", 7},
    {"telnet", connects, "T1021", 6},
    {"tcpdump", sniffs, "T1040", 7},
    {"tshark", sniffs, "T1040", 7},
    {"dumpcap", sniffs, "T1040", 7},
    {"ettercap", sniffs, "T1557", 9},
    {"bettercap", sniffs, "T1557", 9},
    {"arpspoof", sniffs, "T1557.002", 9},
    {"xmrig", mines, "T1496", 11},
    {"minerd", mines, "T1496", 11},
    {"cpuminer", mines, "T1496", 11},
    {"ethminer", mines, "T1496", 11},
    {"cgminer", mines, "T1496", 11},
    {"t-rex", mines, "T1496", 11},
    {"kinsing", mines, "T1496", 11},
    {"hydra", cracks, "T1110", 9},
    {"medusa", cracks, "T1110", 9},
    {"john", cracks, "T1110.002", 9},
    {"hashcat", cracks, "T1110.002", 9},
    {"msfconsole", "is an attack framework", "T1587", 11},
    {"msfvenom", "is an attack framework", "T1587", 11},
    {"chisel", tunnels, "T1572", 9},
    {"frpc", tunnels, "T1572", 9},
    {"ngrok", tunnels, "T1572", 9},
    {"gost", tunnels, "T1572", 9},
    {"proxychains", tunnels, "T1090", 9},
    {"nsenter", escapes, "T1611", 9},
    {"unshare", escapes, "T1611", 7},
    {"ptrace-inject", escapes, "T1055", 9},
}};

std::string_view basename(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

const Tool* find_tool(std::string_view path) {
  auto name = basename(path);
  auto known = std::find_if(tools.begin(), tools.end(), [&](const Tool& tool) { return tool.name == name; });
  return known == tools.end() ? nullptr : &*known;
}

bool is_multi_call(std::string_view path) {
  auto name = basename(path);
  return name == "busybox" || name == "toybox";
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// "| sh" and the like: a pipe, then a shell or an interpreter as the next word.
bool pipes_into_shell(std::string_view text) {
  for (auto at = text.find('|'); at != std::string_view::npos; at = text.find('|', at + 1)) {
    auto rest = text.substr(at + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with("sudo ")) rest.remove_prefix(5);
    auto word = basename(rest.substr(0, rest.find_first_of(" \t;&|)")));
    for (std::string_view shell : {"sh", "bash", "dash", "ash", "zsh", "python", "python3", "perl"})
      if (word == shell) return true;
  }
  return false;
}

std::optional<ToolMatch> match_script(std::string_view text) {
  bool downloads = has(text, "curl ") || has(text, "wget ") || has(text, "fetch ");
  if (has(text, "/dev/tcp/") || has(text, "/dev/udp/"))
    return ToolMatch{"reverse shell", "gives a shell to someone outside", "T1059.004 T1095", 11, false};
  bool sockets = has(text, "import socket") || has(text, "use Socket") || has(text, "TCPSocket") ||
                 has(text, "fsockopen");
  bool shells = has(text, "subprocess") || has(text, "pty.spawn") || has(text, "exec(") ||
                has(text, "/bin/sh") || has(text, "/bin/bash") || has(text, "dup2");
  if (sockets && shells)
    return ToolMatch{"reverse shell", "gives a shell to someone outside", "T1059 T1095", 11, false};
  bool pipe_shell =
      has(text, "mkfifo") && (has(text, "nc ") || has(text, "telnet ") || has(text, "openssl s_client"));
  if (pipe_shell)
    return ToolMatch{"reverse shell", "gives a shell to someone outside", "T1059.004 T1095", 11, false};
  if (downloads && pipes_into_shell(text))
    return ToolMatch{"download into a shell", "runs what it downloads without keeping it", "T1105 T1059.004",
                     9, false};
  if (has(text, "base64 -d") && pipes_into_shell(text))
    return ToolMatch{"hidden script", "runs an encoded script", "T1027 T1059.004", 9, false};
  if (has(text, "stratum+tcp://") || has(text, "stratum+ssl://") || has(text, "--donate-level"))
    return ToolMatch{"miner", mines, "T1496", 11, false};
  return std::nullopt;
}

} // namespace

std::optional<ToolMatch> match_tool(const ProcessInfo& process) {
  constexpr std::size_t text_limit = 8192;
  auto whole = [](const Tool& tool, bool by_program) {
    return ToolMatch{std::string{tool.name}, tool.what, tool.attack, tool.bits, by_program};
  };
  bool multi = is_multi_call(process.exe);
  // Of busybox the name it was called by counts: argv[0], or the first argument of `busybox ping`.
  const Tool* tool = multi ? nullptr : find_tool(process.exe);
  if (multi && !process.args.empty()) {
    tool = find_tool(process.args[0]);
    if (!tool && process.args.size() > 1 && is_multi_call(process.args[0])) tool = find_tool(process.args[1]);
  }
  if (tool) {
    auto match = whole(*tool, !multi);
    bool shell = std::any_of(process.args.begin(), process.args.end(), [](const std::string& argument) {
      return argument == "-e" || argument == "-c" || argument.starts_with("EXEC:") ||
             argument.starts_with("exec:");
    });
    if (shell && tool->what == connects) {
      match.tool += " with a shell";
      match.what = "gives a shell to someone outside";
      match.bits = 11;
    }
    return match;
  }
  std::string text;
  for (std::size_t i = 1; i < process.args.size() && text.size() < text_limit; ++i)
    text += process.args[i] + ' ';
  return match_script(text);
}

bool runs_from_memory(const ProcessInfo& process) {
  bool gone = process.origin == Origin::memory || process.origin == Origin::deleted;
  bool scripted = process.script_origin == Origin::memory || process.script_origin == Origin::deleted;
  bool runtime = process.parent_exe.empty() && process.ancestors.empty();
  return (gone && !runtime) || scripted;
}

} // namespace iris
