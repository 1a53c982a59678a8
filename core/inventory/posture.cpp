#include "core/inventory/posture.hpp"

#include "core/inventory/docker_json.hpp"
#include "core/inventory/known_settings.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace iris {
namespace {

constexpr const char* open_service = "T1133 T1190";
constexpr const char* known_login = "T1078.001";
constexpr const char* escape = "T1611";

// Bits of standing statements: low is from 3, so that each is one line of a list and no call at night. What
// is new is a change that somebody made: medium from 4, high from 6.5.
constexpr double low = 3, low_open = 3.5, low_worst = 3.9, changed = 5, dangerous = 7, as_root = 8;

class Statements {
public:
  explicit Statements(const ContainerFacts& facts) : facts_{facts}, image_{parse_image(facts.image)} {}

  std::vector<PostureStatement> take() {
    ports();
    rights();
    mounts();
    settings();
    hardening();
    std::stable_sort(out_.begin(), out_.end(), [](const auto& a, const auto& b) {
      return std::max(a.standing, a.fresh / 3) > std::max(b.standing, b.fresh / 3);
    });
    return std::move(out_);
  }

private:
  void say(std::string key, std::string text, double standing, double fresh, std::string_view attack = {}) {
    out_.push_back({std::move(key), std::move(text), standing, fresh, attack, false});
  }

  std::string how_to_get_in() const {
    if (facts_.login == Login::none) return ", and asks for no password";
    return facts_.login == Login::known_password ? ", with the password of its documentation" : "";
  }

  void ports() {
    std::set<std::string> said; // IPv4 and IPv6 of one port are one
    for (const auto& port : facts_.ports) {
      if (!port.reachable_from_outside()) continue;
      const char* protocol = port.protocol == 17 ? "/udp" : port.protocol == 132 ? "/sctp" : "/tcp";
      // The host's port may be another one at every start.
      auto key = "port:" + std::to_string(port.container_port) + protocol;
      if (!said.insert(key).second) continue;
      const auto* server = port.protocol == 6 ? known_server(image_.product, port.container_port) : nullptr;
      if (server == nullptr) {
        say(std::move(key), "is reachable from outside of the gateway at " + to_string(port), 0, changed,
            open_service);
        continue;
      }
      const bool open = facts_.login != Login::unknown;
      if (open) key += ":open";
      say(std::move(key),
          "opens " + std::string{server->name} + " to every network of the gateway at " + to_string(port) +
              how_to_get_in(),
          open ? low_worst : low_open, open ? as_root : dangerous,
          open ? "T1133 T1190 T1078.001" : open_service);
    }
    if (!facts_.host_network()) {
      if (said.empty() && facts_.login != Login::unknown)
        say("login", "holds data" + how_to_get_in() + "; only containers reach it", 0, 0, known_login);
      return;
    }
    const auto* server = known_server(image_.product);
    if (server != nullptr)
      say("host-server",
          "runs " + std::string{server->name} + " on the gateway's own network" + how_to_get_in(), low_open,
          dangerous, open_service);
  }

  void rights() {
    if (facts_.privileged)
      say("privileged", "is privileged: whoever is in it has the gateway", low_open, as_root, escape);
    if (facts_.engine_socket)
      say("engine-socket", "has the container engine's socket: whoever is in it can start anything as root",
          low_open, as_root, "T1610 T1611");
    if (facts_.host_network()) say("host-network", "uses the gateway's own network", 0, changed, escape);
    if (facts_.pid_mode == "host")
      say("host-pid", "sees and can signal the gateway's processes", low, dangerous, escape);
    if (facts_.ipc_mode == "host")
      say("host-ipc", "shares the gateway's memory segments", 0, changed, escape);
    constexpr std::array strong{"ALL",       "SYS_ADMIN",       "SYS_MODULE", "SYS_PTRACE",
                                "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"};
    for (const auto& capability : facts_.capabilities) {
      const bool is_strong = std::find(strong.begin(), strong.end(), capability) != strong.end();
      say("capability:" + capability, "has the capability " + capability, is_strong ? low : 0,
          is_strong ? dangerous : changed, escape);
    }
    for (const auto& option : facts_.security_options)
      if (option.ends_with("unconfined") || option == "label=disable" || option == "label:disable")
        say("unconfined:" + option, "runs without a protection of the kernel (" + option + ")", 0, changed,
            escape);
    for (const auto& device : facts_.devices)
      say("device:" + device, "has the gateway's device " + device, 0, changed);
  }

  void mounts() {
    constexpr std::array whole{"/",    "/etc", "/root",    "/boot", "/proc",          "/sys",
                               "/dev", "/var", "/var/run", "/run",  "/var/lib/docker"};
    for (const auto& mount : facts_.mounts) {
      if (mount.type != "bind") continue;
      auto is = [&](const char* path) { return mount.source == path; };
      auto below = [&](std::string_view path) {
        return mount.writable && mount.source.size() > path.size() && mount.source.starts_with(path) &&
               mount.source[path.size()] == '/';
      };
      if (is_engine_socket(mount.source)) continue;
      if (std::any_of(whole.begin(), whole.end(), is))
        say("mount:" + mount.source + (mount.writable ? ":rw" : ""),
            "has the gateway's " + mount.source + (mount.writable ? ", to write" : ", to read"),
            mount.writable ? low_open : low, mount.writable ? as_root : changed, escape);
      else if (below("/etc") || below("/root") || below("/boot") || below("/usr") || below("/var/lib/docker"))
        say("mount:" + mount.source + ":rw", "can write the gateway's " + mount.source, low, dangerous,
            escape);
    }
  }

  void settings() {
    if (facts_.security_off) {
      say("edgex-security", "runs with EdgeX's security turned off (EDGEX_SECURITY_SECRET_STORE=false)", low,
          dangerous, "T1562.001");
      out_.back().of_gateway = true; // all of EdgeX's services carry it
    }
    if (const auto* hole = known_hole(image_); hole != nullptr)
      say("hole:" + std::string{hole->id},
          "is of an image with a known hole (" + std::string{hole->id} + ", " + image_.product + " " +
              image_.tag + "): " + std::string{hole->says},
          low, 0, "T1190");
    for (const auto& network : facts_.networks)
      if (network.name.ends_with("edgex-network") && !is_edgex_container(facts_.name, facts_.image, {}))
        say("network:" + network.name,
            "is on EdgeX's network " + network.name +
                ", where services trust each other, and is none of them",
            0, changed, "T1610 T1021");
  }

  /// What ADR 0016 of EdgeX asks for. Most containers of the world do without: a line, never an alert.
  void hardening() {
    if (facts_.user.empty() || facts_.user == "0" || facts_.user == "root" || facts_.user.starts_with("0:") ||
        facts_.user.starts_with("root:"))
      say("root", "starts as root", 0, 0);
    if (!facts_.read_only) say("writable-root", "can write its own root file system", 0, 0);
    if (std::none_of(facts_.security_options.begin(), facts_.security_options.end(),
                     [](const auto& option) { return option.starts_with("no-new-privileges"); }))
      say("new-privileges", "lets programs gain privileges (setuid)", 0, 0);
    if (!facts_.memory_limited) say("no-memory-limit", "may use all of the gateway's memory", 0, 0);
  }

  const ContainerFacts& facts_;
  ImageName image_;
  std::vector<PostureStatement> out_;
};

} // namespace

std::vector<PostureStatement> posture_of(const ContainerFacts& facts) { return Statements{facts}.take(); }

} // namespace iris
