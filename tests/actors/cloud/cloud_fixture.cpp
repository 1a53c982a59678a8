#include "tests/actors/cloud/cloud_fixture.hpp"

#include "core/alert/codec.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <spdlog/spdlog.h>

#include <cstring>

namespace iris::test {
namespace {

std::vector<char> flatten(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

struct FaultyStoreState {
  std::vector<caf::typed_response_promise<atom::ok>> never;
  std::vector<std::pair<Ref<StoreWrite>, caf::typed_response_promise<atom::ok>>> waiting;
};

/// Writes at once, refuses, or writes and never answers.
StoreActor::behavior_type faulty_store(StoreActor::stateful_pointer<FaultyStoreState> self, Cloud* cloud) {
  return {
      [](atom::inspect) { return make_ref(InspectAnswer{"{}"}); },
      [=](const Ref<StoreWrite>& write) -> caf::result<atom::ok> {
        auto promise = self->make_response_promise<atom::ok>();
        if (cloud->writes_wait) {
          self->state.waiting.emplace_back(write, promise);
        } else if (cloud->writes_fail) {
          promise.deliver(caf::make_error(caf::sec::runtime_error, "the disk is full"));
        } else if (auto done = cloud->world->store->write(*write); !done) {
          promise.deliver(caf::make_error(caf::sec::runtime_error, done.error().message));
        } else if (cloud->writes_hang) {
          self->state.never.push_back(promise);
        } else {
          promise.deliver(atom::ok_v);
        }
        return promise;
      },
      [=](atom::tick) {
        for (auto& [write, promise] : std::exchange(self->state.waiting, {})) {
          auto done = cloud->world->store->write(*write);
          cloud->world->store->set_reserve(0);
          if (done)
            promise.deliver(atom::ok_v);
          else
            promise.deliver(caf::make_error(caf::sec::runtime_error, done.error().message));
        }
      },
  };
}

} // namespace

UplinkActor::behavior_type fake_uplink(UplinkActor::stateful_pointer<FakeUplinkState> self,
                                       std::shared_ptr<FakeGateway> heard) {
  return {
      [](atom::inspect) { return make_ref(InspectAnswer{"{}"}); },
      [=](atom::up, const caf::strong_actor_ptr& session) {
        self->request(caf::actor_cast<SessionActor>(session), std::chrono::seconds{10},
                      wire::Hello{hello_bytes(1, 0)})
            .then([=](const wire::Welcome& welcome) { heard->welcomes.push_back(welcome); },
                  [](const caf::error&) {});
      },
      [](atom::down, const std::string&) {},
      [](atom::wake) {},
      [=](const wire::Push& push) -> wire::PushAck {
        heard->pushes.push_back(push);
        capnp::MallocMessageBuilder message;
        message.initRoot<schema::PushAck>().setAccepted(true);
        return {flatten(message)};
      },
      [=](const wire::Query& question) -> caf::result<wire::Reply> {
        heard->questions.push_back(question);
        auto promise = self->make_response_promise<wire::Reply>();
        if (heard->silent) return promise; // dropped: the asker's deadline ends it
        capnp::MallocMessageBuilder message;
        auto root = message.initRoot<schema::Reply>();
        auto lines = root.initLines(1);
        lines.set(0, R"({"id":1,"kind":"uplink","name":""})");
        promise.deliver(wire::Reply{flatten(message)});
        return promise;
      },
      [](atom::tick) {},
  };
}

Cloud::Cloud(const TempDir& place, std::vector<std::string> sinks) : dir{place} {
  spdlog::set_level(spdlog::level::off);
  auto path = dir.path("db");
  auto store = std::filesystem::exists(path + "/CURRENT") ? Store::open(path) : Store::create(path);
  if (!store) throw std::runtime_error{store.error().message};
  world->store = std::move(*store);
  world->system = &system;
  world->directory = &directory;
  world->now = [this] { return clock; };
  world->run_heavy = [](const std::function<void()>& task) { task(); };
  world->signing = *signing_key_of(std::string(32, 'k'));
  world->version = "test";
  for (const auto& name : sinks) {
    SinkState sink;
    sink.name = name;
    world->sinks.push_back(sink);
  }
  if (auto done = load_outbox(*world); !done) throw std::runtime_error{done.error().message};
  world->supervisor = spawn_supervisor(system, directory, SupervisorOptions{});
  supervise<StoreActor>(
      world->supervisor, "store",
      [this] {
        return spawn_in<StoreActor, FaultyStoreState>(system, directory, {.kind = "store"}, faulty_store,
                                                      this);
      },
      world->writer);
  supervise<AlertManagerActor>(
      world->supervisor, "alerts",
      [this] {
        return spawn_in<AlertManagerActor, AlertManagerState>(system, directory, {.kind = "alert_manager"},
                                                              alert_manager, world);
      },
      world->alerts);
  supervise<FrontdeskActor>(
      world->supervisor, "frontdesk",
      [this] {
        return spawn_in<FrontdeskActor, FrontdeskState>(system, directory, {.kind = "frontdesk"}, frontdesk,
                                                        world);
      },
      world->frontdesk);
  settle();
}

Cloud::~Cloud() {
  writes_fail = true;
  anon_send_exit(world->supervisor, caf::exit_reason::kill);
  world->supervisor = nullptr;
  world->writer.clear();
  world->alerts.clear();
  world->frontdesk.clear();
  for (int round = 0; round < 4; ++round) {
    for (const auto& entry : directory.list())
      if (auto actor = caf::actor_cast<caf::actor>(entry.actor))
        anon_send_exit(actor, caf::exit_reason::kill);
    settle();
  }
  world->aggregators.clear();
  world->trainers.clear();
}

SessionTerms Cloud::hello(const AggregatorActor& who, std::uint64_t epoch, std::uint64_t last,
                          std::uint64_t number, SessionActor session) {
  SessionStart start;
  start.number = number;
  start.epoch = epoch;
  start.lanes[0] = {last == 0 ? 0 : 1u, last};
  start.lanes[1] = start.lanes[0];
  start.version = "1.0";
  start.site = "plant";
  start.session = std::move(session);
  return *ask<Ref<SessionTerms>>(who, make_ref(std::move(start)));
}

std::int64_t Cloud::send(const AggregatorActor& who, std::uint64_t epoch, std::uint64_t seq,
                         std::vector<char> bytes, std::uint8_t lane) {
  try {
    return std::int64_t(ask<wire::Ack>(who, make_ref(BatchIn{1, epoch, lane, seq, std::move(bytes)})).seq);
  } catch (const std::runtime_error&) {
    return -1;
  }
}

QueryAnswer Cloud::query(std::string verb, std::vector<std::string> arguments, std::string tenant,
                         bool admin) {
  QueryRequest request;
  request.verb = std::move(verb);
  request.arguments = std::move(arguments);
  request.tenant = std::move(tenant);
  request.admin = admin;
  request.asked_by = "operator test";
  return *ask<Ref<QueryAnswer>>(world->frontdesk.get(), make_ref(std::move(request)));
}

SessionActor Cloud::open_session(Role role, const std::string& tenant, const std::string& name,
                                 std::vector<std::string>& closed, bool admin) {
  SessionPeer peer;
  peer.identity = {role, tenant, name, admin};
  peer.address = "192.0.2.1:1";
  peer.close = [&closed](const std::string& why) { closed.push_back(why); };
  auto handle = spawn_in<SessionActor, SessionState>(
      system, directory, {.kind = "session", .name = tenant + "/" + name}, session, world, std::move(peer));
  settle();
  return handle;
}

std::vector<Alert> Cloud::stored_alerts() {
  std::vector<Alert> alerts;
  auto scanned = world->store->scan(Table::alerts, "", [&](std::string_view, std::string_view value) {
    alerts.push_back(*decode_alert(value));
    return true;
  });
  if (!scanned) throw std::runtime_error{scanned.error().message};
  return alerts;
}

std::size_t Cloud::rows(Table table) {
  std::size_t count = 0;
  (void)world->store->scan(table, "", [&](std::string_view, std::string_view) { return ++count > 0; });
  return count;
}

void Cloud::land_writes(bool first_fails) {
  writes_wait = false;
  world->store->set_reserve(first_fails ? UINT64_MAX : 0);
  anon_send(world->writer.get(), atom::tick_v);
  settle();
}

Finding finding(const std::string& cause, const std::string& service) {
  Finding result;
  result.detector = "process.novel";
  result.entity.kind = EntityKind::service;
  result.entity.name = service;
  result.cause = cause;
  result.act = "ran " + cause;
  result.first = result.last = noon;
  result.score = 9;
  return result;
}

std::vector<char> batch_of(const std::vector<Finding>& entries,
                           const std::vector<std::vector<char>>& deltas) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Batch>();
  auto list = root.initFindings(unsigned(entries.size()));
  for (unsigned i = 0; i < entries.size(); ++i) {
    auto bytes = encode(entries[i]);
    list.set(i, {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
  }
  auto counts = root.initDeltas(unsigned(deltas.size()));
  for (unsigned i = 0; i < deltas.size(); ++i)
    counts.set(i, {reinterpret_cast<const kj::byte*>(deltas[i].data()), deltas[i].size()});
  return flatten(message);
}

std::vector<char> findings(const std::vector<std::string>& causes, const std::string& service) {
  std::vector<Finding> entries;
  for (const auto& cause : causes)
    entries.push_back(finding(cause, service));
  return batch_of(entries);
}

std::vector<char> hello_bytes(std::uint16_t major, std::uint16_t minor, std::uint64_t epoch) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Hello>();
  root.setProtocolMajor(major);
  root.setProtocolMinor(minor);
  root.setVersion("9.9");
  root.setEpoch(epoch);
  return flatten(message);
}

WelcomeSeen read_welcome(const std::vector<char>& bytes) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), bytes.data(), bytes.size());
  capnp::FlatArrayMessageReader message{words};
  auto root = message.getRoot<schema::Welcome>();
  WelcomeSeen seen{root.getRefusal(), root.getTenant(), root.getEpoch(), root.getCreditBatches(), {}};
  for (auto lane : root.getApplied())
    seen.applied[lane.getLane()] = lane.getLastSeq();
  return seen;
}

} // namespace iris::test
