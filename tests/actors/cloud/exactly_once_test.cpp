#include "tests/actors/cloud/cloud_fixture.hpp"

#include "cloud/store/rows.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;

TEST_CASE("a batch is applied once: a repeat is acknowledged again without effect, a gap is refused") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  auto terms = cloud.hello(gateway, 0);
  CHECK(terms.epoch == 1);
  CHECK(terms.site == "plant");
  CHECK(cloud.send(gateway, 1, 1, findings({"a", "b"})) == 1);
  CHECK(cloud.send(gateway, 1, 1, findings({"a", "b"})) == 1);
  CHECK(cloud.send(gateway, 1, 3, findings({"c"})) == 1);
  CHECK(cloud.send(gateway, 7, 2, findings({"c"})) == 0);
  auto alerts = cloud.stored_alerts();
  REQUIRE(alerts.size() == 2);
  for (const auto& alert : alerts) {
    CHECK(alert.revision == 1);
    CHECK(alert.finding.count == 1);
    CHECK(alert.tenant == "acme");
    CHECK(alert.site == "plant");
  }
  CHECK(cloud.rows(Table::outbox) == 2);
  CHECK(cloud.send(gateway, 1, 2, findings({"a"})) == 2);
  CHECK(cloud.rows(Table::outbox) == 3);
  CHECK(cloud.stored_alerts().size() == 2);
  // The other lane counts for itself.
  CHECK(cloud.send(gateway, 1, 1, batch_of({}), 1) == 1);
}

TEST_CASE("a crash after the write and before the acknowledgement loses nothing and doubles nothing") {
  TempDir dir;
  {
    Cloud cloud{dir};
    auto gateway = cloud.aggregator();
    CHECK(cloud.hello(gateway, 0).epoch == 1);
    CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
    cloud.writes_hang = true;
    CHECK(cloud.send(gateway, 1, 2, findings({"a", "b"})) == -1);
  } // everything in memory is gone
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  auto terms = cloud.hello(gateway, 1, 3);
  CHECK(terms.epoch == 1);
  CHECK(terms.applied[0] == 2);
  // The gateway may still believe that the second one is missing.
  CHECK(cloud.send(gateway, 1, 2, findings({"a", "b"})) == 2);
  CHECK(cloud.send(gateway, 1, 3, findings({"b"})) == 3);
  auto alerts = cloud.stored_alerts();
  REQUIRE(alerts.size() == 2);
  for (const auto& alert : alerts) {
    CHECK(alert.finding.count == 2);
    CHECK(alert.revision == 2);
  }
  CHECK(cloud.rows(Table::outbox) == 4); // a1, then a2 and b1, then b2
}

TEST_CASE("a crash before the write applies the batch when it comes again") {
  TempDir dir;
  {
    Cloud cloud{dir};
    auto gateway = cloud.aggregator();
    (void)cloud.hello(gateway, 0);
    CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
    cloud.writes_fail = true;
    CHECK(cloud.send(gateway, 1, 2, findings({"a", "b"})) == -1);
  }
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  CHECK(cloud.hello(gateway, 1, 2).applied[0] == 1);
  CHECK(cloud.send(gateway, 1, 2, findings({"a", "b"})) == 2);
  CHECK(cloud.stored_alerts().size() == 2);
  CHECK(cloud.rows(Table::outbox) == 3);
}

TEST_CASE("a failed write makes the aggregator start anew from the store") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0);
  cloud.writes_fail = true;
  CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == -1);
  CHECK_FALSE(aggregator_of(cloud.world, "acme", "gw-1")); // waits for its supervisor
  cloud.writes_fail = false;
  cloud.pass(std::chrono::milliseconds{200});
  auto again = cloud.aggregator();
  REQUIRE(again);
  CHECK(again != gateway);
  CHECK(cloud.hello(again, 1, 1).applied[0] == 0);
  CHECK(cloud.send(again, 1, 1, findings({"a"})) == 1);
  CHECK(cloud.stored_alerts().size() == 1);
}

TEST_CASE("the same batch twice while the first is being written is applied once and both are answered") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0);
  auto batch = make_ref(BatchIn{1, 1, 0, 1, findings({"a"})});
  auto first = cloud.self->request(gateway, std::chrono::seconds{5}, batch);
  auto second = cloud.self->request(gateway, std::chrono::seconds{5}, batch);
  cloud.settle();
  int acks = 0;
  auto count = [&](const wire::Ack& ack) { acks += ack.seq == 1 ? 1 : 100; };
  auto no_error = [](const caf::error& error) { FAIL(caf::to_string(error)); };
  first.receive(count, no_error);
  second.receive(count, no_error);
  CHECK(acks == 2);
  CHECK(cloud.stored_alerts().at(0).finding.count == 1);
}

TEST_CASE("an epoch that is not ours, or a spool that is behind, starts a new epoch") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  CHECK(cloud.hello(gateway, 0).epoch == 1);
  CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
  CHECK(cloud.hello(gateway, 1, 1).epoch == 1);
  // Its spool was lost: it says epoch 1, but has nothing.
  auto terms = cloud.hello(gateway, 1, 0);
  CHECK(terms.epoch == 2);
  CHECK(terms.applied[0] == 0);
  // It comes from another cloud.
  CHECK(cloud.hello(gateway, 9, 1).epoch == 10);
  // A number without sense does not run over.
  CHECK(cloud.hello(gateway, ~std::uint64_t{0}, 1).epoch == 11);
  CHECK(cloud.send(gateway, 11, 1, findings({"b"})) == 1);
}

TEST_CASE("a damaged batch is counted and passed over, and what is good in it is taken") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0);
  CHECK(cloud.send(gateway, 1, 1, std::vector<char>(24, 'x')) == 1);
  auto bad = finding("bad");
  bad.severity = Severity(77);
  CHECK(cloud.send(gateway, 1, 2, batch_of({bad, finding("good")})) == 2);
  auto alerts = cloud.stored_alerts();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].finding.cause == "good");
  CHECK(cloud.world->counters.entries_damaged == 2);
}

TEST_CASE("open alerts, their incidents and their ids survive a restart") {
  TempDir dir;
  std::string id, incident;
  {
    Cloud cloud{dir};
    auto gateway = cloud.aggregator();
    (void)cloud.hello(gateway, 0);
    CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
    id = cloud.stored_alerts().at(0).id;
    incident = cloud.stored_alerts().at(0).incident;
  }
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 1, 2);
  CHECK(cloud.send(gateway, 1, 2, findings({"a", "b"})) == 2);
  auto alerts = cloud.stored_alerts();
  REQUIRE(alerts.size() == 2);
  for (const auto& alert : alerts)
    CHECK(alert.incident == incident);
  CHECK((alerts[0].id == id || alerts[1].id == id));
}

TEST_CASE("a gateway's alerts are bounded: closed ones go first") {
  TempDir dir;
  Cloud cloud{dir};
  cloud.world->settings.alerts_per_gateway = 20;
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0);
  CHECK(cloud.send(gateway, 1, 1, findings({"keep"})) == 1);
  auto kept = cloud.stored_alerts().at(0).id;
  CHECK(cloud.send(gateway, 1, 2, findings({"closed"})) == 2);
  std::string closed;
  for (const auto& alert : cloud.stored_alerts())
    if (alert.finding.cause == "closed") closed = alert.id;
  CHECK(cloud.query("close", {closed}).status == 0);
  for (std::uint64_t i = 3; i <= 21; ++i)
    CHECK(cloud.send(gateway, 1, i, findings({std::to_string(i)})) == std::int64_t(i));
  auto alerts = cloud.stored_alerts();
  CHECK(alerts.size() <= 20);
  CHECK(cloud.world->counters.alerts_dropped == 2);
  for (const auto& alert : alerts)
    CHECK(alert.id != closed);
  (void)kept;
}

TEST_CASE("a burst of alerts in one batch stays within the gateway's limit, and the count is true") {
  TempDir dir;
  Cloud cloud{dir};
  cloud.world->settings.alerts_per_gateway = 20;
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0);
  for (std::uint64_t batch = 1; batch <= 3; ++batch) {
    std::vector<std::string> causes;
    for (int i = 0; i < 50; ++i)
      causes.push_back(std::to_string(batch) + "/" + std::to_string(i));
    CHECK(cloud.send(gateway, 1, batch, findings(causes)) == std::int64_t(batch));
  }
  const auto alerts = cloud.stored_alerts();
  CHECK(alerts.size() <= 20);
  CHECK(alerts.size() >= 18);
  CHECK(cloud.world->counters.alerts_dropped == 150 - alerts.size());
  CHECK(cloud.query("alerts", {"limit=1000"}).lines.size() ==
        alerts.size()); // and nobody remembers the others
}

TEST_CASE("to open an open alert changes nothing and tells nobody") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0);
  CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
  const auto id = cloud.stored_alerts().at(0).id;
  const auto outbox = cloud.rows(Table::outbox);
  const auto answer = cloud.query("open", {id});
  REQUIRE(answer.lines.size() == 1);
  CHECK(answer.lines[0].find("\"revision\":1,") != std::string::npos);
  CHECK(cloud.rows(Table::outbox) == outbox);
  CHECK(cloud.rows(Table::audit) == 0);
  CHECK(cloud.world->counters.alerts_opened == 1);
  // The same where the book has forgotten it and only the store knows.
  cloud.clock += 100'000 * second;
  cloud.pass(std::chrono::seconds{60}, std::chrono::seconds{5});
  CHECK(cloud.query("open", {id}).status == 0);
  CHECK(cloud.stored_alerts().at(0).revision == 1);
  // And two commands at once do not start from the same row.
  QueryRequest ack{}, close{};
  for (auto* request : {&ack, &close}) {
    request->verb = request == &ack ? "ack" : "close";
    request->arguments = {id};
    request->tenant = "acme";
    request->admin = true;
    request->deadline_ms = 5'000;
    cloud.self->send(cloud.world->frontdesk.get(), make_ref(*request));
  }
  cloud.settle();
  CHECK(cloud.stored_alerts().at(0).revision == 3);
  CHECK(cloud.stored_alerts().at(0).state == AlertState::closed);
}

TEST_CASE("an aggregator without a session goes home and comes back with all it knew") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0);
  CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
  cloud.self->send(gateway, atom::down_v, std::uint64_t{1});
  cloud.settle();
  for (int i = 0; i < 200 && cloud.world->aggregators.size() != 0; ++i) {
    cloud.clock += 5 * second;
    cloud.pass(std::chrono::seconds{5}, std::chrono::seconds{5});
  }
  CHECK(cloud.world->aggregators.size() == 0);
  auto again = cloud.aggregator();
  CHECK(cloud.hello(again, 1, 1).applied[0] == 1);
}

TEST_CASE("a store that stalls for minutes doubles nothing: what was written late is known") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  CHECK(cloud.hello(gateway, 0).epoch == 1);
  CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
  cloud.writes_wait = true;
  CHECK(cloud.send(gateway, 1, 2, findings({"a"})) == -1);
  cloud.pass(std::chrono::minutes{3}, std::chrono::seconds{1});
  gateway = cloud.aggregator();
  cloud.land_writes();
  CHECK(cloud.hello(gateway, 1, 2).applied[0] == 2);
}

TEST_CASE("after a failed write none of those that followed on it lands") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  CHECK(cloud.hello(gateway, 0).epoch == 1);
  CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
  cloud.writes_wait = true;
  CHECK(cloud.send(gateway, 1, 2, findings({"b"})) == -1);
  CHECK(cloud.send(gateway, 1, 3, findings({"c"})) == -1);
  cloud.land_writes(true); // the disk was full for a moment
  cloud.pass(std::chrono::seconds{3});
  gateway = cloud.aggregator();
  CHECK(cloud.hello(gateway, 1, 3).applied[0] == 1);
  CHECK(cloud.send(gateway, 1, 2, findings({"b"})) == 2);
  CHECK(cloud.send(gateway, 1, 3, findings({"c"})) == 3);
  CHECK(cloud.stored_alerts().size() == 3);
}

TEST_CASE("what an aggregator wrote before it was replaced does not land after the next has loaded") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  CHECK(cloud.hello(gateway, 0).epoch == 1);
  CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
  cloud.writes_wait = true;
  CHECK(cloud.send(gateway, 1, 2, findings({"b"})) == -1);
  anon_send_exit(gateway, caf::exit_reason::kill);
  cloud.settle();
  cloud.pass(std::chrono::seconds{3});
  gateway = cloud.aggregator();
  REQUIRE(gateway);
  cloud.land_writes();
  CHECK(cloud.hello(gateway, 1, 2).applied[0] == 1);
  CHECK(cloud.stored_alerts().size() == 1);
}

TEST_CASE("a gateway whose batches are all broken floods no sink, and the alert still counts them") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  SessionStart start;
  start.number = 1;
  start.seals = true;
  const auto epoch = cloud.ask<Ref<SessionTerms>>(gateway, make_ref(std::move(start)))->epoch;
  const auto empty = batch_of({});
  for (std::uint64_t seq = 1; seq <= 500; ++seq)
    CHECK(cloud.send(gateway, epoch, seq, empty) == std::int64_t(seq));
  CHECK(cloud.world->counters.chain_broken == 500);
  REQUIRE(cloud.stored_alerts().size() == 1);
  CHECK(cloud.stored_alerts()[0].finding.count == 500);
  CHECK(cloud.rows(Table::outbox) == 1);
  CHECK(*cloud.world->sinks[0].waiting == 1);
  cloud.clock += 61 * second;
  cloud.pass(std::chrono::seconds{6}, std::chrono::seconds{1});
  CHECK(cloud.rows(Table::outbox) == 2); // with what was held back
  for (int i = 0; i < 50; ++i)
    (void)cloud.hello(gateway, 1'000 + std::uint64_t(i) * 1'000);
  CHECK(cloud.rows(Table::outbox) == 3); // one for the new epochs
}

TEST_CASE("an alert that the cloud raised about a gateway is not pushed out by the gateway's own") {
  TempDir dir;
  Cloud cloud{dir};
  cloud.world->settings.alerts_per_gateway = 20;
  auto gateway = cloud.aggregator();
  SessionStart start;
  start.number = 1;
  start.seals = true;
  const auto epoch = cloud.ask<Ref<SessionTerms>>(gateway, make_ref(std::move(start)))->epoch;
  std::uint64_t seq = 0;
  CHECK(cloud.send(gateway, epoch, ++seq, batch_of({})) == 1); // broken
  auto own = finding("chain.broken findings of mine");
  own.detector = "sensor.health";
  own.entity.kind = EntityKind::gateway;
  own.entity.name = "gw-1";
  for (int i = 0; i < 40; ++i) {
    auto junk = i % 2 == 0 ? finding("junk " + std::to_string(i)) : own;
    junk.cause += std::to_string(i);
    junk.first = junk.last = noon + 3'600 * second;
    ++seq;
    CHECK(cloud.send(gateway, epoch, seq, batch_of({junk})) == std::int64_t(seq));
  }
  std::size_t broken = 0;
  for (const auto& alert : cloud.stored_alerts())
    broken += alert.finding.cause == "chain.broken findings";
  CHECK(broken == 1);
  CHECK(cloud.stored_alerts().size() <= 20);
}

TEST_CASE("a batch that names more addresses of threat lists than a gateway meets makes few alerts") {
  TempDir dir;
  Cloud cloud{dir};
  auto lists = std::make_shared<Intelligence>();
  CHECK(lists->indicators.add_list("nets", "203.0.0.0/8\n"));
  lists->indicators.build(1);
  cloud.world->intelligence.set(lists);
  auto gateway = cloud.aggregator();
  CHECK(cloud.hello(gateway, 0).epoch == 1);
  ServiceDelta delta;
  delta.entity.kind = EntityKind::service;
  delta.entity.name = "edgex-mongo";
  delta.from = noon;
  delta.until = noon + second;
  for (unsigned i = 0; i < 400; ++i) {
    KeyDelta key;
    key.family = Family::peer_out;
    key.keys = {i + 1, 0, 0};
    key.contact = true;
    key.peer = *parse_ip("203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
    key.count = 1;
    key.first = key.last = noon;
    delta.keys.push_back(key);
  }
  CHECK(cloud.send(gateway, 1, 1, batch_of({}, {encode(delta)}), 1) == 1);
  CHECK(cloud.stored_alerts().size() == 257);
  CHECK(cloud.send(gateway, 1, 2, batch_of({}, {encode(delta)}), 1) == 2);
  CHECK(cloud.stored_alerts().size() == 401); // the rest is told with the next that names it
  CHECK(cloud.world->counters.known_bad_found == 400);
}

TEST_CASE("one batch full of losses makes few rows, and none of the losses is forgotten") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  CHECK(cloud.hello(gateway, 0).epoch == 1);
  capnp::MallocMessageBuilder message;
  auto losses = message.initRoot<schema::Batch>().initLosses(4'000);
  for (unsigned i = 0; i < losses.size(); ++i) {
    losses[i].setKind("packets");
    losses[i].setSensor(std::to_string(i % 1'000));
    losses[i].setCount(1);
  }
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asChars();
  CHECK(cloud.send(gateway, 1, 1, {bytes.begin(), bytes.end()}) == 1);
  CHECK(cloud.rows(Table::observations) == 301);
  std::uint64_t lost = 0;
  CHECK(cloud.world->store
            ->scan(Table::observations, "",
                   [&](std::string_view, std::string_view value) {
                     lost += decode_loss(value)->count;
                     return true;
                   })
            .ok());
  CHECK(lost == 4'000);
}
