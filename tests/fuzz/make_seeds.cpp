// Writes the seeds of the fuzz targets: make_fuzz_seeds DIRECTORY. Honest inputs made by our own encoders.
#include "actors/query_codec.hpp"
#include "cloud/pki/pki.hpp"
#include "cloud/session/session_codec.hpp"
#include "core/alert/codec.hpp"
#include "core/learn/delta.hpp"
#include "core/link/openssl_ptr.hpp"
#include "core/link/token.hpp"
#include "node/uplink/session_messages.hpp"
#include "tests/fuzz/seeds.hpp"
#include "tests/unit/core/alert/alert_fixture.hpp"
#include "tests/unit/core/link/frames.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace {

using namespace iris;
using namespace iris::test;
using iris::fuzz::seed;
namespace fs = std::filesystem;

fs::path root;

std::string text_of(const std::vector<char>& bytes) { return {bytes.begin(), bytes.end()}; }

void guard_seeds() {
  const std::uint64_t session = 77, uplink = 12;
  NodeId own{}; // as guard_fuzz.cpp names our side
  own[6] = 'x';
  own[31] = 1;
  NodeId peer = own;
  peer[31] = 2;
  const auto both = test::text_of(peer) + test::text_of(own);
  const auto start = frame(Operation::client_handshake, 0, 0, 0, test::text_of(peer)) +
                     frame(Operation::server_handshake, 0, 0, 0, server_hello(own, session), 5) +
                     frame(Operation::client_handshake, flag_select_connection, 0, 0, test::text_of(peer));
  auto direct = [&](const std::string& payload, std::uint64_t id) {
    return frame(Operation::direct, 0, uplink, session, payload, id);
  };
  const auto batch = message("iris::wire::Batch", number(1, 8) + number(0, 1) + number(1, 8) + text("bytes"));
  const std::string head{"\0\xff", 2}, shell{"\1\xff", 2};
  seed("guard", "hello", head + start + frame(Operation::monitor, 0, 0, session, both) + direct(hello(), 9));
  seed("guard", "batch", head + start + direct(hello(), 9) + direct(batch, 10) + heartbeat_frame(1));
  seed("guard", "query",
       shell + start + direct(hello(), 9) + direct(message("iris::wire::Query", text("q")), 10));
  seed("guard", "error", head + start + direct(message("@error", error(3)), response | 9));
  seed("guard", "down",
       head + start + direct(hello(), 9) + frame(Operation::down, 0, uplink, 0, both + error(3)));
  seed("guard", "client",
       head + frame(Operation::server_handshake, 0, 0, 0, server_hello(peer, session), 5) +
           frame(Operation::direct, 0, session, uplink, message("iris::wire::Push", text("p")), 9));
}

void session_seeds() {
  HelloOut hello;
  hello.version = "0.1.0";
  hello.spool.epoch = 7;
  hello.spool.first = {1, 5};
  hello.spool.last = {4, 9};
  hello.baselines = {{"service:edgex-core-data", 3}};
  hello.now = start_of_test;
  seed("session", "hello", '\0' + text_of(encode_hello(hello)));
  WelcomeOut welcome;
  welcome.version = "0.1.0";
  welcome.terms.epoch = 7;
  welcome.credit_batches = 16;
  welcome.credit_bytes = 1 << 20;
  welcome.tenant = "acme";
  welcome.baseline_key = std::string(32, 'k');
  seed("session", "welcome", '\1' + text_of(encode_welcome(welcome)));
  PushOut push;
  push.kind = PushOut::Kind::indicators;
  push.bytes = std::make_shared<const std::vector<char>>(64, 'i');
  seed("session", "push", '\3' + text_of(encode_push(push)));
  seed("session", "push_clock", '\3' + text_of(encode_clock_question()));
  seed("session", "push_ack", '\4' + text_of(encode_push_ack(false, "held")));
  seed("session", "query", '\5' + text_of(encode_query({"alerts", {"--limit", "5"}})));
  seed("session", "reply", '\6' + text_of(encode_reply({0, "ok", {"{\"id\":1}", "{}"}, false})));
}

/// Batches come from the spool, which is where the node makes them.
void batch_seeds(const fs::path& scratch) {
  auto spool = Spool::open((scratch / "spool").string(), {}, start_of_test);
  if (!spool) std::exit(1);
  ServiceDelta delta;
  delta.entity.kind = EntityKind::service;
  delta.entity.name = "edgex-core-data";
  delta.from = start_of_test;
  delta.until = start_of_test + 10 * second;
  delta.observations = 3;
  KeyDelta key;
  key.keys[0] = 5;
  key.texts[0] = "flow out edgex-redis 6379/tcp";
  key.count = 3;
  delta.keys.push_back(key);
  (*spool)->note_loss({"packets", "packet_source", 12, start_of_test, start_of_test});
  (void)(*spool)->append(Lane::findings, {encode(sample_finding())}, start_of_test);
  (void)(*spool)->append(Lane::counts, {encode(delta)}, start_of_test);
  for (auto lane : {Lane::findings, Lane::counts})
    for (const auto& batch : (*spool)->read(lane, 0, 1, 1 << 20, start_of_test))
      seed("session", lane == Lane::findings ? "findings" : "counts", '\2' + text_of(batch.bytes));
}

void identity_seeds(const fs::path& scratch) {
  const auto authority = (scratch / "pki").string();
  if (!pki::make_authority(authority, "fuzz", start_of_test)) std::exit(1);
  for (const char* uri :
       {"iris://gateway/acme/gw-17", "iris://cloud/shard-1", "iris://operator/acme/eve?role=admin"}) {
    auto identity = parse_identity(uri);
    auto bundle = pki::issue(authority, *identity, start_of_test);
    if (!bundle) std::exit(1);
    const std::string name = to_string(identity->role);
    seed("identity", (name + "_uri").c_str(), uri);
    seed("identity", (name + "_pem").c_str(), bundle->certificate.pem);
    seed("identity", (name + "_der").c_str(), ossl::to_der(ossl::read_cert(bundle->certificate.pem).get()));
  }
}

void token_seeds() {
  JoinToken token{
      {"cloud.example:7443", "192.0.2.1:7443"}, std::string(32, 'f'), std::string(32, 's'), start_of_test};
  const auto text = format_token(token);
  seed("token", "text", '\0' + text);
  auto raw = from_base64url(std::string_view{text}.substr(6));
  seed("token", "inside", '\1' + raw->substr(0, raw->size() - 4));
}

void spool_seeds() {
  auto batch = [](char lane, char seq, const std::string& content) {
    auto value = number(std::uint64_t(start_of_test), 8) + number(1, 4) + content;
    return std::string{'\0', lane, seq} + char(value.size()) + value;
  };
  const auto lanes = std::string{'\2', '\0', 16} + number(1, 8) + number(0, 8);
  const auto epoch = std::string{'\3', 8} + number(7, 8);
  const auto entries = std::string{5} + epoch + lanes + batch(0, 1, "one") +
                       batch(0, 2, std::string(200, 'x')) + batch(1, 1, "two");
  const std::string calls{"\x01\0\x07\0\x01\x02\0\x02\x03\xff\x01\x03\0\0\0\0\0\0\0\x01\0\x04\x09\0\x07", 25};
  seed("spool", "two_lanes", entries + calls);
  seed("spool", "small", std::string{1} + batch(0, 1, "") + calls);
}

void field_seeds() {
  const std::string one{"\0\1", 2}; // one packet, to host 1
  seed("field", "modbus", '\0' + one + std::string{"\0\1\0\0\0\6\1\3\0\0\0\12", 12});
  seed("field", "modbus_write", '\0' + one + std::string{"\0\1\0\0\0\11\1\20\0\0\0\1\2\0\7", 15});
  seed("field", "bacnet_read",
       '\1' + one + std::string{"\x81\x0a\0\x11\1\4\0\5\x09\x0c\x0c\0\x80\0\1\x19\x55", 17});
  seed("field", "bacnet_who_is", '\1' + one + std::string{"\x81\x0b\0\x08\1\0\x10\x08", 8});
  const std::string uptime{"\x30\x0c\6\x08\x2b\6\1\2\1\1\3\0\5\0", 14};
  seed("field", "snmp_get",
       '\2' + one + std::string{"\x30\x26\2\1\0\4\6", 7} + "public" +
           std::string{"\xa0\x19\2\1\1\2\1\0\2\1\0\x30\x0e", 13} + uptime);
}

} // namespace

void iris::fuzz::seed(const char* target, const char* name, const std::string& bytes) {
  fs::create_directories(root / target);
  std::ofstream out{root / target / name, std::ios::binary};
  out << bytes;
  if (!out.flush()) {
    std::fprintf(stderr, "%s: cannot write\n", (root / target / name).c_str());
    std::exit(1);
  }
}

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: make_fuzz_seeds DIRECTORY\n"), 2;
  root = argv[1];
  const auto scratch = fs::temp_directory_path() / ("iris-fuzz-seeds-" + std::to_string(::getpid()));
  fs::create_directories(scratch);
  guard_seeds();
  session_seeds();
  batch_seeds(scratch);
  identity_seeds(scratch);
  token_seeds();
  spool_seeds();
  field_seeds();
  iris::fuzz::spool_records_seeds();
  iris::fuzz::recording_seeds();
  iris::fuzz::packet_path_seeds(scratch);
  fs::remove_all(scratch);
  return 0;
}
