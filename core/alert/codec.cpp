#include "core/alert/codec.hpp"

#include "core/base/capnp_reader.hpp"
#include "schemas/record.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace iris {
namespace {

constexpr std::size_t list_limit = 64;             ///< entries of any list inside a record
constexpr std::size_t list_text_limit = 8 * 1'024; ///< bytes of one process's arguments or ancestors together
using Failure = std::string;                       ///< empty for none

kj::StringPtr cut(const std::string& text) {
  // Cap'n Proto wants a terminator; callers hand over texts that prepare() has bounded.
  return kj::StringPtr(text.c_str(), text.size());
}

std::string bounded(const std::string& text) {
  if (text.size() <= record_text_limit) return text;
  auto end = record_text_limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end; // not inside a UTF-8 sequence
  return text.substr(0, end);
}

template <class Builder, class Texts>
void set_texts(Builder builder, const Texts& texts) {
  for (unsigned i = 0; i < builder.size(); ++i)
    builder.set(i, cut(bounded(texts[i])));
}

/// How many of the texts are kept so that eight full processes stay below record_limit.
unsigned fitting(const std::vector<std::string>& texts) {
  std::size_t total = 0;
  std::size_t count = 0;
  while (count < texts.size() && count < list_limit) {
    total += std::min(texts[count].size(), record_text_limit);
    if (total > list_text_limit) break;
    ++count;
  }
  return unsigned(count);
}

kj::ArrayPtr<const kj::byte> bytes_of(const IpAddress& address) { return {address.bytes.data(), 16}; }

void write(schema::Party::Builder out, const Party& party) {
  out.setKind(std::uint8_t(party.kind));
  out.setName(cut(bounded(party.name)));
  out.setImage(cut(bounded(party.image)));
  out.setDigest(cut(bounded(party.digest)));
  out.setContainer(cut(bounded(party.container)));
  if (party.address != IpAddress{}) out.setAddress(bytes_of(party.address));
  out.setPort(party.port);
  out.setProtocol(party.protocol);
  out.setCountry(cut(bounded(party.country)));
  out.setNetwork(cut(bounded(party.network)));
  if (!party.alias.empty()) out.setAlias(cut(bounded(party.alias)));
}

void write(schema::Process::Builder out, const ProcessInfo& process) {
  out.setPid(process.pid);
  out.setParentPid(process.parent_pid);
  out.setUid(process.uid);
  out.setExe(cut(bounded(process.exe)));
  set_texts(out.initArgs(fitting(process.args)), process.args);
  out.setCwd(cut(bounded(process.cwd)));
  out.setParentExe(cut(bounded(process.parent_exe)));
  set_texts(out.initAncestors(fitting(process.ancestors)), process.ancestors);
  out.setStarted(process.started);
  out.setOrigin(std::uint8_t(process.origin));
  out.setScript(cut(bounded(process.script)));
  out.setScriptOrigin(std::uint8_t(process.script_origin));
  out.setEntered(process.entered);
  out.setTty(cut(bounded(process.tty)));
  out.setInode(process.inode);
  out.setFresh(process.fresh);
  out.setHealthCheck(process.health_check);
  out.setArgsCut(process.args_cut || fitting(process.args) < process.args.size());
}

void write(schema::FlowEvidence::Builder out, const FlowEvidence& flow) {
  out.setSrc(bytes_of(flow.src));
  out.setDst(bytes_of(flow.dst));
  out.setSport(flow.sport);
  out.setDport(flow.dport);
  out.setProtocol(flow.protocol);
  out.setPackets(flow.packets);
  out.setBytesOut(flow.bytes_out);
  out.setBytesIn(flow.bytes_in);
  out.setFirst(flow.first);
  out.setLast(flow.last);
  out.setRetransmitted(flow.retransmitted);
  if (!flow.history.empty()) out.setHistory(cut(bounded(flow.history)));
  if (!flow.server_name.empty()) out.setServerName(cut(bounded(flow.server_name)));
}

void write(schema::Finding::Builder out, const Finding& finding) {
  out.setDetector(cut(bounded(finding.detector)));
  set_texts(out.initAlso(unsigned(std::min(finding.also.size(), list_limit))), finding.also);
  write(out.initEntity(), finding.entity);
  write(out.initPeer(), finding.peer);
  out.setCause(cut(bounded(finding.cause)));
  out.setSeverity(std::uint8_t(finding.severity));
  out.setScore(finding.score);
  out.setFirst(finding.first);
  out.setLast(finding.last);
  out.setCount(finding.count);
  out.setAct(cut(bounded(finding.act)));
  out.setExpected(cut(bounded(finding.expected)));
  out.setObserved(cut(bounded(finding.observed)));
  set_texts(out.initAttack(unsigned(std::min(finding.attack.size(), list_limit))), finding.attack);
  auto processes = out.initProcesses(unsigned(std::min(finding.processes.size(), Finding::evidence_limit)));
  for (unsigned i = 0; i < processes.size(); ++i)
    write(processes[i], finding.processes[i]);
  auto flows = out.initFlows(unsigned(std::min(finding.flows.size(), Finding::evidence_limit)));
  for (unsigned i = 0; i < flows.size(); ++i)
    write(flows[i], finding.flows[i]);
  auto loss = out.initLoss();
  loss.setPackets(finding.loss.packets);
  loss.setProcesses(finding.loss.processes);
  loss.setObservations(finding.loss.observations);
}

std::vector<char> flatten(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

/// Reads checked values; the first thing that is wrong is kept and ends the reading.
class Reading {
public:
  Failure failure;

  std::string text(capnp::Text::Reader reader, const char* field) {
    if (reader.size() > record_text_limit) fail(field, "is too long");
    return failure.empty() ? std::string{reader.begin(), reader.size()} : std::string{};
  }
  IpAddress address(capnp::Data::Reader reader, const char* field) {
    IpAddress result;
    if (reader.size() == 16)
      std::memcpy(result.bytes.data(), reader.begin(), 16);
    else if (reader.size() != 0)
      fail(field, "is not 16 bytes");
    return result;
  }
  template <class Enum>
  Enum choice(std::uint8_t number, Enum last, const char* field) {
    if (number > std::uint8_t(last)) fail(field, "has an unknown value");
    return failure.empty() ? Enum(number) : Enum{};
  }
  std::vector<std::string> texts(capnp::List<capnp::Text>::Reader list, const char* field) {
    std::vector<std::string> result;
    if (list.size() > list_limit) fail(field, "has too many entries");
    if (!failure.empty()) return result;
    for (auto entry : list)
      result.push_back(text(entry, field));
    return result;
  }
  void fail(const char* field, const char* what) {
    if (failure.empty()) failure = std::string{field} + " " + what;
  }
};

Party read_party(Reading& in, schema::Party::Reader reader) {
  Party party;
  party.kind = in.choice(reader.getKind(), EntityKind::internet, "party kind");
  party.name = in.text(reader.getName(), "party name");
  party.image = in.text(reader.getImage(), "party image");
  party.digest = in.text(reader.getDigest(), "party digest");
  party.container = in.text(reader.getContainer(), "party container");
  party.address = in.address(reader.getAddress(), "party address");
  party.port = reader.getPort();
  party.protocol = reader.getProtocol();
  party.country = in.text(reader.getCountry(), "party country");
  party.network = in.text(reader.getNetwork(), "party network");
  party.alias = in.text(reader.getAlias(), "party alias");
  return party;
}

ProcessInfo read_process(Reading& in, schema::Process::Reader reader) {
  ProcessInfo process;
  process.pid = reader.getPid();
  process.parent_pid = reader.getParentPid();
  process.uid = reader.getUid();
  process.exe = in.text(reader.getExe(), "process exe");
  process.args = in.texts(reader.getArgs(), "process args");
  process.cwd = in.text(reader.getCwd(), "process cwd");
  process.parent_exe = in.text(reader.getParentExe(), "process parent");
  process.ancestors = in.texts(reader.getAncestors(), "process ancestors");
  process.started = reader.getStarted();
  process.origin = in.choice(reader.getOrigin(), Origin::deleted, "process origin");
  process.script = in.text(reader.getScript(), "process script");
  process.script_origin = in.choice(reader.getScriptOrigin(), Origin::deleted, "script origin");
  process.entered = reader.getEntered();
  process.args_cut = reader.getArgsCut();
  process.tty = in.text(reader.getTty(), "process tty");
  process.inode = reader.getInode();
  process.fresh = reader.getFresh();
  process.health_check = reader.getHealthCheck();
  return process;
}

FlowEvidence read_flow(Reading& in, schema::FlowEvidence::Reader reader) {
  FlowEvidence flow;
  flow.src = in.address(reader.getSrc(), "flow source");
  flow.dst = in.address(reader.getDst(), "flow destination");
  flow.sport = reader.getSport();
  flow.dport = reader.getDport();
  flow.protocol = reader.getProtocol();
  flow.packets = reader.getPackets();
  flow.bytes_out = reader.getBytesOut();
  flow.bytes_in = reader.getBytesIn();
  flow.first = reader.getFirst();
  flow.last = reader.getLast();
  flow.retransmitted = reader.getRetransmitted();
  flow.history = in.text(reader.getHistory(), "flow history");
  flow.server_name = in.text(reader.getServerName(), "flow server name");
  return flow;
}

Finding read_finding(Reading& in, schema::Finding::Reader reader) {
  Finding finding;
  finding.detector = in.text(reader.getDetector(), "detector");
  if (finding.detector.empty()) in.fail("detector", "is missing");
  finding.also = in.texts(reader.getAlso(), "also");
  finding.entity = read_party(in, reader.getEntity());
  if (finding.entity.kind == EntityKind::unknown) in.fail("entity", "is missing");
  finding.peer = read_party(in, reader.getPeer());
  finding.cause = in.text(reader.getCause(), "cause");
  finding.severity = in.choice(reader.getSeverity(), Severity::critical, "severity");
  finding.score = reader.getScore();
  if (!std::isfinite(finding.score)) in.fail("score", "is not a finite number");
  finding.first = reader.getFirst();
  finding.last = reader.getLast();
  if (finding.first < 0 || finding.last < finding.first) in.fail("last", "is before first");
  finding.count = reader.getCount();
  finding.act = in.text(reader.getAct(), "act");
  finding.expected = in.text(reader.getExpected(), "expected");
  finding.observed = in.text(reader.getObserved(), "observed");
  finding.attack = in.texts(reader.getAttack(), "attack");
  if (reader.getProcesses().size() > Finding::evidence_limit) in.fail("processes", "has too many entries");
  if (reader.getFlows().size() > Finding::evidence_limit) in.fail("flows", "has too many entries");
  if (!in.failure.empty()) return finding;
  for (auto process : reader.getProcesses())
    finding.processes.push_back(read_process(in, process));
  for (auto flow : reader.getFlows())
    finding.flows.push_back(read_flow(in, flow));
  auto loss = reader.getLoss();
  finding.loss = {loss.getPackets(), loss.getProcesses(), loss.getObservations()};
  return finding;
}

/// Opens the bytes with explicit limits and gives the root to `read`; what Cap'n Proto throws becomes an
/// Error.
template <class Root, class Read>
auto decode(std::string_view bytes, const char* what, Read read)
    -> Result<decltype(read(std::declval<Reading&>(), std::declval<typename Root::Reader>()))> {
  using Record = decltype(read(std::declval<Reading&>(), std::declval<typename Root::Reader>()));
  return read_message<Root>({bytes.data(), bytes.size()}, {record_limit, 4, 8}, what,
                            [&](typename Root::Reader root) -> Result<Record> {
                              Reading in;
                              auto result = read(in, root);
                              if (!in.failure.empty())
                                return Error{Errc::corrupt, std::string{what} + " is damaged: " + in.failure};
                              return result;
                            });
}

} // namespace

std::vector<char> encode(const Finding& finding) {
  capnp::MallocMessageBuilder message;
  write(message.initRoot<schema::Finding>(), finding);
  return flatten(message);
}

std::vector<char> encode(const Alert& alert) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::Alert>();
  out.setId(cut(bounded(alert.id)));
  out.setRevision(alert.revision);
  out.setTenant(cut(bounded(alert.tenant)));
  out.setSite(cut(bounded(alert.site)));
  out.setGateway(cut(bounded(alert.gateway)));
  out.setIncident(cut(bounded(alert.incident)));
  out.setState(std::uint8_t(alert.state));
  write(out.initFinding(), alert.finding);
  out.setReceived(alert.received);
  out.setLate(alert.late);
  return flatten(message);
}

Result<Finding> decode_finding(std::string_view bytes) {
  return decode<schema::Finding>(
      bytes, "a finding", [](Reading& in, schema::Finding::Reader root) { return read_finding(in, root); });
}

Result<Alert> decode_alert(std::string_view bytes) {
  return decode<schema::Alert>(bytes, "an alert", [](Reading& in, schema::Alert::Reader root) {
    Alert alert;
    alert.id = in.text(root.getId(), "id");
    alert.revision = root.getRevision();
    alert.tenant = in.text(root.getTenant(), "tenant");
    alert.site = in.text(root.getSite(), "site");
    alert.gateway = in.text(root.getGateway(), "gateway");
    alert.incident = in.text(root.getIncident(), "incident");
    alert.state = in.choice(root.getState(), AlertState::closed, "state");
    alert.finding = read_finding(in, root.getFinding());
    alert.received = root.getReceived();
    alert.late = root.getLate();
    return alert;
  });
}

} // namespace iris
