#include "node/sources/dpi.hpp"

#include "core/net/application.hpp"

#include <ndpi/ndpi_api.h>

#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace iris {

namespace {

/// nDPI's initialisation keeps state of its own and must not run twice at once.
std::mutex& initialisation() {
  static std::mutex mutex;
  return mutex;
}

ndpi_detection_module_struct* make_module() {
  std::lock_guard lock{initialisation()};
  auto* module = ndpi_init_detection_module(ndpi_dont_load_tor_hosts);
  if (module == nullptr) return nullptr;
  NDPI_PROTOCOL_BITMASK all;
  NDPI_BITMASK_SET_ALL(all);
  ndpi_set_protocol_detection_bitmask2(module, &all);
  ndpi_finalize_initialization(module);
  return module;
}

/// What the library finds in the content. It also "finds" some protocols by a port alone, though it be the
/// client's ephemeral one (EtherNet/IP, BitTorrent, STUN, Teredo, H.323, TargusDataspeed), and some in every
/// hundredth or thousandth of flows of random bytes (RTP, Skype, RTMP, WebSocket, Cassandra; MQTT and Redis,
/// for which there are recognisers of ours): tests/unit/node/sources/dpi_test.cpp tries them.
bool is_by_content(std::uint16_t found, std::uint8_t transport) {
  switch (found) {
  case NDPI_PROTOCOL_FTP_CONTROL:
  case NDPI_PROTOCOL_MAIL_POP:
  case NDPI_PROTOCOL_MAIL_SMTP:
  case NDPI_PROTOCOL_MAIL_IMAP:
  case NDPI_PROTOCOL_DNS:
  case NDPI_PROTOCOL_IPP:
  case NDPI_PROTOCOL_HTTP:
  case NDPI_PROTOCOL_HTTP_CONNECT:
  case NDPI_PROTOCOL_HTTP_PROXY:
  case NDPI_PROTOCOL_SOAP:
  case NDPI_PROTOCOL_MDNS:
  case NDPI_PROTOCOL_NTP:
  case NDPI_PROTOCOL_SSDP:
  case NDPI_PROTOCOL_SNMP:
  case NDPI_PROTOCOL_SYSLOG:
  case NDPI_PROTOCOL_DHCP:
  case NDPI_PROTOCOL_DHCPV6:
  case NDPI_PROTOCOL_SMBV1:
  case NDPI_PROTOCOL_SMBV23:
  case NDPI_PROTOCOL_POSTGRES:
  case NDPI_PROTOCOL_MYSQL:
  case NDPI_PROTOCOL_MSSQL_TDS:
  case NDPI_PROTOCOL_MONGODB:
  case NDPI_PROTOCOL_MEMCACHED:
  case NDPI_PROTOCOL_AMQP:
  case NDPI_PROTOCOL_ZMQ:
  case NDPI_PROTOCOL_COAP:
  case NDPI_PROTOCOL_MODBUS:
  case NDPI_PROTOCOL_DNP3:
  case NDPI_PROTOCOL_IEC60870:
  case NDPI_PROTOCOL_S7COMM:
  case NDPI_PROTOCOL_TLS:
  case NDPI_PROTOCOL_DTLS:
  case NDPI_PROTOCOL_QUIC:
  case NDPI_PROTOCOL_SSH:
  case NDPI_PROTOCOL_TELNET:
  case NDPI_PROTOCOL_VNC:
  case NDPI_PROTOCOL_RSYNC:
  case NDPI_PROTOCOL_TFTP:
  case NDPI_PROTOCOL_GIT:
  case NDPI_PROTOCOL_LDAP:
  case NDPI_PROTOCOL_KERBEROS:
  case NDPI_PROTOCOL_RADIUS:
  case NDPI_PROTOCOL_RTSP:
  case NDPI_PROTOCOL_SIP:
  case NDPI_PROTOCOL_SOCKS:
  case NDPI_PROTOCOL_OPENVPN:
  case NDPI_PROTOCOL_WIREGUARD:
  case NDPI_PROTOCOL_IRC:
  case NDPI_PROTOCOL_JABBER:
  case NDPI_PROTOCOL_MINING:
    return true;
  case NDPI_PROTOCOL_RDP:
    return transport == ip_protocol::tcp; // over UDP by its port
  default:
    return false;
  }
}

} // namespace

struct ApplicationLabeller::State {
  FlowTable& flows;
  ndpi_detection_module_struct* module = make_module();
  std::size_t state_size = ndpi_detection_get_sizeof_ndpi_flow_struct();
  std::vector<ndpi_flow_struct*> free;                          ///< zeroed
  std::unordered_map<std::uint32_t, ndpi_flow_struct*> looking; ///< by place
  std::size_t limit;
  LabellerStats stats;

  State(FlowTable& table, std::size_t most) : flows{table}, limit{most} { looking.reserve(most); }
  ~State() {
    for (auto& [place, flow] : looking)
      give_back(flow);
    for (auto* flow : free)
      ndpi_flow_free(flow);
    if (module != nullptr) ndpi_exit_detection_module(module);
  }

  ndpi_flow_struct* take() {
    if (looking.size() >= limit) return nullptr;
    if (free.empty()) {
      auto* made = static_cast<ndpi_flow_struct*>(ndpi_flow_malloc(state_size));
      if (made == nullptr) return nullptr;
      std::memset(made, 0, state_size);
      return made;
    }
    auto* flow = free.back();
    free.pop_back();
    return flow;
  }
  void give_back(ndpi_flow_struct* flow) {
    ndpi_free_flow_data(flow);
    std::memset(static_cast<void*>(flow), 0, state_size);
    free.push_back(flow);
  }
  void release(std::uint32_t place) {
    auto found = looking.find(place);
    if (found == looking.end()) return;
    give_back(found->second);
    looking.erase(found);
  }
  void settle(std::uint32_t place, std::uint16_t label) {
    ++(label != application::unknown ? stats.labelled : stats.unknown);
    flows.label(place, label);
    release(place);
  }
  /// The protocol itself where the library also names the site (TLS, not Google). Only what it found in the
  /// content: a guess by port or address names what an attacker wants it to be taken for.
  static std::uint16_t label_of(const ndpi_protocol& found, const ndpi_flow_struct& flow,
                                std::uint8_t transport) {
    if (flow.confidence != NDPI_CONFIDENCE_DPI) return application::unknown;
    const auto label =
        found.master_protocol != NDPI_PROTOCOL_UNKNOWN ? found.master_protocol : found.app_protocol;
    // By a port of the range from which clients take theirs: 61616 and on.
    if (label == NDPI_PROTOCOL_COAP && label == flow.guessed_protocol_id) return application::unknown;
    return is_by_content(label, transport) ? label : application::unknown;
  }
};

ApplicationLabeller::ApplicationLabeller(FlowTable& flows, std::size_t limit)
    : state_{std::make_unique<State>(flows, limit)} {
  auto* state = state_.get();
  flows.set_label_names(
      [](void* context, std::uint16_t label) -> const char* {
        if (const auto* own = application_name(label)) return own;
        return ndpi_get_proto_name(static_cast<State*>(context)->module, label);
      },
      state);
  flows.set_released([](void* context, std::uint32_t place) { static_cast<State*>(context)->release(place); },
                     state);
}

ApplicationLabeller::~ApplicationLabeller() {
  state_->flows.set_label_names(nullptr, nullptr);
  state_->flows.set_released(nullptr, nullptr);
}

void ApplicationLabeller::packet(std::uint32_t place, const PacketView& view, Timestamp at) {
  auto& state = *state_;
  auto seen = state.flows.packets_of(place);
  // The first packet of a flow is always fresh; later ones only matter while a state is held.
  if (seen > packet_limit || state.module == nullptr) return;
  auto found = state.looking.find(place);
  if (found == state.looking.end() && seen > 1) return;
  if (auto own = recognise_application(view); own != application::unknown) return state.settle(place, own);
  if (view.is_icmp() || (view.protocol != ip_protocol::tcp && view.protocol != ip_protocol::udp)) return;
  if (found == state.looking.end()) {
    auto* flow = state.take();
    if (flow == nullptr) {
      ++state.stats.no_room;
      return;
    }
    found = state.looking.emplace(place, flow).first;
  }
  auto* flow = found->second;
  if (view.ip != nullptr && !view.fragment && view.ip_captured <= 0xffff) {
    auto found_now = ndpi_detection_process_packet(
        state.module, flow, view.ip, std::uint16_t(view.ip_captured), std::uint64_t(at / millisecond));
    if (auto label = State::label_of(found_now, *flow, view.protocol); label != application::unknown)
      return state.settle(place, label);
  }
  if (seen < packet_limit) return;
  std::uint8_t guessed = 0;
  auto found_at_last = ndpi_detection_giveup(state.module, flow, 0, &guessed);
  state.settle(place, State::label_of(found_at_last, *flow, view.protocol));
}

LabellerStats ApplicationLabeller::stats() const {
  auto stats = state_->stats;
  stats.states = state_->looking.size();
  return stats;
}

} // namespace iris
