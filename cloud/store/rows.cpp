#include "cloud/store/rows.hpp"

#include "cloud/store/keys.hpp"
#include "core/base/capnp_reader.hpp"
#include "schemas/store.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>

namespace iris {
namespace {

constexpr std::size_t row_limit = 1 << 20; ///< bytes

std::vector<char> flatten(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

template <class Root, class Read>
auto decode(std::string_view bytes, const char* what, Read read)
    -> Result<decltype(read(std::declval<typename Root::Reader>()))> {
  using Row = decltype(read(std::declval<typename Root::Reader>()));
  return read_message<Root>({bytes.data(), bytes.size()}, {row_limit, 4, 4},
                            (std::string{"a stored "} + what).c_str(),
                            [&](typename Root::Reader root) -> Result<Row> { return read(root); });
}

std::string text(capnp::Text::Reader reader) { return {reader.begin(), reader.size()}; }
std::string bytes_of(capnp::Data::Reader reader) {
  return {reinterpret_cast<const char*>(reader.begin()), reader.size()};
}
kj::ArrayPtr<const kj::byte> data(const char* bytes, std::size_t size) {
  return {reinterpret_cast<const kj::byte*>(bytes), size};
}

kj::ArrayPtr<const kj::byte> data(const Bytes32& bytes) { return data(bytes.data(), bytes.size()); }

void write(schema::LaneTaken::Builder out, const LaneTaken& taken) {
  out.setApplied(taken.applied);
  out.setEntries(taken.entries);
  out.setObservations(taken.observations);
  out.setUntil(taken.until);
}

LaneTaken read(schema::LaneTaken::Reader in) {
  return {in.getApplied(), in.getEntries(), in.getObservations(), in.getUntil()};
}

} // namespace

std::vector<char> encode(const GatewayRow& row) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::GatewayRow>();
  out.setEpoch(row.epoch);
  auto applied = out.initApplied(unsigned(row.applied.size()));
  for (unsigned i = 0; i < row.applied.size(); ++i)
    applied.set(i, row.applied[i]);
  out.setSite(row.site);
  out.setFirstSeen(row.first_seen);
  out.setLastSeen(row.last_seen);
  out.setVersion(row.version);
  out.setClock(row.clock);
  out.setClockTold(row.clock_told);
  out.setAwaySince(row.away_since);
  out.setAwayAlert(row.away_alert);
  out.setGrantedFrom(row.granted_from);
  auto chains = out.initChains(unsigned(row.chains.size()));
  for (unsigned i = 0; i < row.chains.size(); ++i) {
    const auto& chain = row.chains[i];
    if (!chain.active) continue;
    chains[i].setKey(data(chain.link.key));
    chains[i].setPrevious(data(chain.link.previous));
    chains[i].setOwedEntries(chain.owed_entries);
    chains[i].setOwedObservations(chain.owed_observations);
    chains[i].setInto(chain.into);
    chains[i].setOwedAt(chain.owed_at);
  }
  auto taken = out.initTaken(unsigned(row.taken.size()));
  for (unsigned i = 0; i < row.taken.size(); ++i)
    write(taken[i], row.taken[i]);
  auto before = out.initBefore();
  before.setEpoch(row.before.epoch);
  auto lanes = before.initLanes(unsigned(row.before.lanes.size()));
  for (unsigned i = 0; i < row.before.lanes.size(); ++i)
    write(lanes[i], row.before.lanes[i]);
  return flatten(message);
}

std::vector<char> encode(const EnrolmentRow& row) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::EnrolmentRow>();
  out.setSite(row.site);
  out.setEnrolledAt(row.enrolled_at);
  out.setEnrolledBy(row.enrolled_by);
  out.setRevoked(row.revoked);
  auto serials = out.initSerials(unsigned(row.serials.size()));
  for (unsigned i = 0; i < row.serials.size(); ++i)
    serials.set(i, row.serials[i]);
  auto issuers = out.initIssuers(unsigned(row.issuers.size()));
  for (unsigned i = 0; i < row.issuers.size(); ++i)
    issuers.set(i, row.issuers[i]);
  auto ends = out.initEnds(unsigned(row.ends.size()));
  for (unsigned i = 0; i < row.ends.size(); ++i)
    ends.set(i, row.ends[i]);
  out.setName(row.name);
  return flatten(message);
}

Result<EnrolmentRow> decode_enrolment(std::string_view bytes) {
  return decode<schema::EnrolmentRow>(bytes, "enrolment", [](schema::EnrolmentRow::Reader root) {
    EnrolmentRow row;
    row.site = text(root.getSite());
    row.enrolled_at = root.getEnrolledAt();
    row.enrolled_by = text(root.getEnrolledBy());
    row.revoked = root.getRevoked();
    for (auto serial : root.getSerials())
      row.serials.push_back(text(serial));
    for (auto issuer : root.getIssuers())
      row.issuers.push_back(text(issuer));
    for (auto end : root.getEnds())
      row.ends.push_back(end);
    row.issuers.resize(row.serials.size());
    row.ends.resize(row.serials.size());
    row.name = text(root.getName());
    return row;
  });
}

Result<GatewayRow> decode_gateway(std::string_view bytes) {
  return decode<schema::GatewayRow>(bytes, "gateway", [](schema::GatewayRow::Reader root) {
    GatewayRow row;
    row.epoch = root.getEpoch();
    auto applied = root.getApplied();
    for (unsigned i = 0; i < applied.size() && i < row.applied.size(); ++i)
      row.applied[i] = applied[i];
    row.site = text(root.getSite());
    row.first_seen = root.getFirstSeen();
    row.last_seen = root.getLastSeen();
    row.version = text(root.getVersion());
    row.clock = root.getClock();
    row.clock_told = root.getClockTold();
    row.away_since = root.getAwaySince();
    row.away_alert = text(root.getAwayAlert());
    row.granted_from = root.getGrantedFrom();
    const auto chains = root.getChains();
    for (unsigned i = 0; i < chains.size() && i < row.chains.size(); ++i) {
      auto& chain = row.chains[i];
      chain.active = take_bytes(chains[i].getKey(), chain.link.key);
      (void)take_bytes(chains[i].getPrevious(), chain.link.previous);
      chain.owed_entries = chains[i].getOwedEntries();
      chain.owed_observations = chains[i].getOwedObservations();
      chain.into = chains[i].getInto();
      chain.owed_at = chains[i].getOwedAt();
    }
    const auto taken = root.getTaken();
    for (unsigned i = 0; i < taken.size() && i < row.taken.size(); ++i)
      row.taken[i] = read(taken[i]);
    row.before.epoch = root.getBefore().getEpoch();
    const auto lanes = root.getBefore().getLanes();
    for (unsigned i = 0; i < lanes.size() && i < row.before.lanes.size(); ++i)
      row.before.lanes[i] = read(lanes[i]);
    return row;
  });
}

std::vector<char> encode(const TokenRow& row) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::TokenRow>();
  out.setSecretHash(data(row.secret_hash.data(), row.secret_hash.size()));
  out.setTenant(row.tenant);
  out.setSite(row.site);
  out.setGateway(row.gateway);
  out.setExpires(row.expires);
  out.setUsesLeft(row.uses_left);
  out.setCreatedAt(row.created_at);
  out.setRevoked(row.revoked);
  out.setAuthority(row.authority);
  return flatten(message);
}

Result<TokenRow> decode_token(std::string_view bytes) {
  return decode<schema::TokenRow>(bytes, "token", [](schema::TokenRow::Reader root) {
    TokenRow row;
    row.secret_hash = bytes_of(root.getSecretHash());
    row.tenant = text(root.getTenant());
    row.site = text(root.getSite());
    row.gateway = text(root.getGateway());
    row.expires = root.getExpires();
    row.uses_left = root.getUsesLeft();
    row.created_at = root.getCreatedAt();
    row.revoked = root.getRevoked();
    row.authority = text(root.getAuthority());
    return row;
  });
}

std::vector<char> encode(const OperatorRow& row) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::OperatorRow>();
  out.setAdmin(row.admin);
  out.setSerial(row.serial);
  out.setCreatedAt(row.created_at);
  out.setRevoked(row.revoked);
  out.setIssuer(row.issuer);
  out.setEnds(row.ends);
  auto older = out.initOlder(unsigned(row.older.size()));
  for (unsigned i = 0; i < older.size(); ++i) {
    older[i].setSerial(row.older[i].serial);
    older[i].setIssuer(row.older[i].issuer);
    older[i].setEnds(row.older[i].ends);
  }
  return flatten(message);
}

Result<OperatorRow> decode_operator(std::string_view bytes) {
  return decode<schema::OperatorRow>(bytes, "operator", [](schema::OperatorRow::Reader root) {
    OperatorRow row;
    row.admin = root.getAdmin();
    row.serial = text(root.getSerial());
    row.created_at = root.getCreatedAt();
    row.revoked = root.getRevoked();
    row.issuer = text(root.getIssuer());
    row.ends = root.getEnds();
    for (const auto& one : root.getOlder())
      row.older.push_back({text(one.getSerial()), text(one.getIssuer()), one.getEnds()});
    return row;
  });
}

std::vector<char> encode(const AuditRow& row) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::AuditRow>();
  out.setBy(row.by);
  out.setWhat(row.what);
  out.setTarget(row.target);
  out.setDetail(row.detail);
  return flatten(message);
}

Result<AuditRow> decode_audit(std::string_view bytes) {
  return decode<schema::AuditRow>(bytes, "audit entry", [](schema::AuditRow::Reader root) {
    return AuditRow{text(root.getBy()), text(root.getWhat()), text(root.getTarget()), text(root.getDetail())};
  });
}

std::vector<char> encode(const ProfileRow& row) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::ProfileRow>();
  auto accepted = out.initAccepted(unsigned(row.accepted.size()));
  unsigned i = 0;
  for (const auto& [key, by] : row.accepted) {
    accepted[i].setKey(key);
    accepted[i++].setBy(by);
  }
  out.setForcedBy(row.forced_by);
  return flatten(message);
}

Result<ProfileRow> decode_profile(std::string_view bytes) {
  return decode<schema::ProfileRow>(bytes, "profile", [](schema::ProfileRow::Reader root) {
    ProfileRow row;
    for (auto entry : root.getAccepted())
      row.accepted[entry.getKey()] = text(entry.getBy());
    row.forced_by = text(root.getForcedBy());
    return row;
  });
}

std::vector<char> encode(const LossRow& row) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::LossRow>();
  out.setKind(row.kind);
  out.setSensor(row.sensor);
  out.setCount(row.count);
  out.setSince(row.since);
  out.setUntil(row.until);
  return flatten(message);
}

Result<LossRow> decode_loss(std::string_view bytes) {
  return decode<schema::LossRow>(bytes, "statement of loss", [](schema::LossRow::Reader root) {
    return LossRow{text(root.getKind()), text(root.getSensor()), root.getCount(), root.getSince(),
                   root.getUntil()};
  });
}

std::vector<char> encode_outbox(const std::vector<char>& alert, const std::string& owner) {
  capnp::MallocMessageBuilder message;
  auto row = message.initRoot<schema::OutboxRow>();
  row.setAlert(data(alert.data(), alert.size()));
  row.setOwner(owner);
  return flatten(message);
}

Result<std::string> outbox_owner(std::string_view bytes) {
  return decode<schema::OutboxRow>(bytes, "outbox entry",
                                   [](schema::OutboxRow::Reader root) { return text(root.getOwner()); });
}

Result<std::string> decode_outbox(std::string_view bytes) {
  return decode<schema::OutboxRow>(bytes, "outbox entry",
                                   [](schema::OutboxRow::Reader root) { return bytes_of(root.getAlert()); });
}

std::string gateway_key(std::string_view tenant, std::string_view gateway) {
  return KeyBuilder{}.u8('s').text(tenant).text(gateway).str();
}
std::string enrolment_key(std::string_view tenant, std::string_view gateway) {
  return KeyBuilder{}.u8('e').text(tenant).text(gateway).str();
}
std::string alert_prefix(std::string_view tenant, std::string_view gateway) {
  return KeyBuilder{}.text(tenant).text(gateway).str();
}
std::string loss_key(std::string_view tenant, std::string_view gateway, Timestamp at, std::uint64_t number) {
  return KeyBuilder{}.text(tenant).text(gateway).u64(std::uint64_t(at)).u64(number).str();
}
std::string alert_key(std::string_view tenant, std::string_view gateway, std::string_view id) {
  return KeyBuilder{}.text(tenant).text(gateway).text(id).str();
}
std::string outbox_key(std::string_view sink, std::uint64_t number) {
  return KeyBuilder{}.text(sink).u64(number).str();
}
std::string audit_key(std::string_view tenant, Timestamp at, std::uint64_t number) {
  return KeyBuilder{}.text(tenant).u64(std::uint64_t(at)).u64(number).str();
}
std::string evidence_prefix(std::string_view tenant, std::string_view gateway) {
  return KeyBuilder{}.u8('g').text(tenant).text(gateway).str();
}
std::string evidence_prefix(std::string_view tenant, std::string_view gateway, std::string_view profile) {
  return KeyBuilder{}.u8('g').text(tenant).text(gateway).text(profile).str();
}
std::string evidence_key(std::string_view tenant, std::string_view gateway, std::string_view profile,
                         EvidenceRow kind, std::uint64_t number) {
  return KeyBuilder{}
      .u8('g')
      .text(tenant)
      .text(gateway)
      .text(profile)
      .u8(std::uint8_t(kind))
      .u64(number)
      .str();
}
std::string profile_index_prefix(std::string_view tenant, std::string_view profile) {
  return KeyBuilder{}.u8('p').text(tenant).text(profile).str();
}
std::string profile_index_key(std::string_view tenant, std::string_view profile, std::string_view gateway) {
  return KeyBuilder{}.u8('p').text(tenant).text(profile).text(gateway).str();
}
std::string baseline_prefix(std::string_view tenant, std::string_view profile) {
  return KeyBuilder{}.u8('b').text(tenant).text(profile).str();
}
std::string baseline_key(std::string_view tenant, std::string_view profile, std::uint64_t version) {
  return KeyBuilder{}.u8('b').text(tenant).text(profile).u64(version).str();
}
std::string profile_row_key(std::string_view tenant, std::string_view profile) {
  return KeyBuilder{}.u8('p').text(tenant).text(profile).str();
}

} // namespace iris
