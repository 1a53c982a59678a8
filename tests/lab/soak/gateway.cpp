// A gateway whose source is made up: everything from the spool to the link is the node's own. SIGTERM ends
// the making; the program ends when the cloud has acknowledged all that is in the spool.
#include "node/gateway.hpp"
#include "actors/logging.hpp"
#include "actors/ticks.hpp"
#include "core/base/hash.hpp"
#include "core/learn/delta.hpp"
#include "tests/lab/soak/ledger.hpp"

#include <CLI/CLI.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <csignal>
#include <cstdio>
#include <ctime>

namespace {

using namespace iris;
using namespace iris::soak;
using namespace std::chrono_literals;

constexpr unsigned per_finding = 10; ///< observations
constexpr const char* detector = "process.novel";

Party service() {
  Party party;
  party.kind = EntityKind::service;
  party.name = "soak";
  party.image = "soak";
  party.digest = "sha256:50a4";
  return party;
}

Finding finding_of(std::uint64_t number) {
  Finding finding;
  finding.detector = detector;
  finding.entity = service();
  finding.cause = "soak-" + std::to_string(group_of(number));
  finding.count = weight_of(number);
  finding.first = finding.last = TickScale::wall_now();
  finding.act = "did number " + std::to_string(number);
  finding.observed = std::to_string(number); // read back by `number_of`
  return finding;
}

KeyDelta key_of(const std::string& text, std::uint64_t count, Timestamp at) {
  KeyDelta key;
  key.family = Family::exec;
  key.keys = {hash64(text), hash64("soak"), 0};
  key.texts[0] = text;
  key.count = count;
  key.first = key.last = at;
  return key;
}

std::vector<char> delta_of(std::uint64_t number, std::uint64_t observations) {
  ServiceDelta delta;
  delta.entity = service();
  delta.entity.container = std::to_string(number); // read back by `number_of`
  delta.until = TickScale::wall_now();
  delta.from = delta.until - 10 * millisecond;
  delta.observations = observations;
  delta.keys.push_back(key_of("soak-" + std::to_string(group_of(number)), weight_of(number), delta.until));
  delta.keys.push_back(key_of("observations", observations, delta.until));
  return encode(delta);
}

std::uint64_t number_of(const Finding& finding) { return std::stoull(finding.observed); }
std::uint64_t number_of(const std::vector<char>& encoded) {
  auto delta = decode_delta(encoded.data(), encoded.size());
  return delta ? std::stoull(delta->entity.container) : UINT64_MAX;
}

/// Whether the cloud has all that the spool holds; false while that cannot be told.
bool acknowledged(Gateway& gateway) {
  auto spool = gateway.spool().get();
  if (!spool) return false;
  bool all = false;
  caf::scoped_actor self{gateway.system()};
  self->request(spool, 5s, atom::state_v)
      .receive(
          [&](const Ref<SpoolState>& state) {
            all = state->epoch != 0;
            for (auto first : state->first)
              all = all && first == 0;
          },
          [](const caf::error&) {});
  return all;
}

bool stop_asked(const sigset_t& signals, std::chrono::nanoseconds patience) {
  timespec wait{time_t(patience.count() / 1'000'000'000), long(patience.count() % 1'000'000'000)};
  return sigtimedwait(&signals, nullptr, &wait) > 0;
}

void make(Gateway& gateway, const LedgerFile& ledger, unsigned rate, const sigset_t& signals) {
  auto finding = ledger.next_finding();
  auto delta = ledger.next_delta();
  // A finding of every ten observations, and a delta of ten to forty: what is counted differs from delta to
  // delta.
  const auto step = std::chrono::nanoseconds{1s} * per_finding / rate;
  std::uint64_t uncounted = 0;
  while (!stop_asked(signals, step)) {
    ledger.line('F', finding);
    FindingBatch findings{{finding_of(finding++)}};
    gateway.spool().with([&](const SpoolActor& h) { caf::anon_send(h, make_ref(std::move(findings))); });
    uncounted += per_finding;
    if (uncounted < per_finding * (1 + delta % 4)) continue;
    ledger.line('D', delta, uncounted);
    DeltaBatch deltas{{delta_of(delta++, uncounted)}};
    gateway.spool().with([&](const SpoolActor& h) { caf::anon_send(h, make_ref(std::move(deltas))); });
    uncounted = 0;
  }
}

} // namespace

int main(int argc, char** argv) {
  NodeOptions options;
  options.log_level = "warn";
  std::string ledger_path;
  unsigned rate = 200, keep_acked = 3'600;
  CLI::App app{"A gateway with a made-up source, for the soak test", "lab_gateway"};
  app.add_option("--data", options.data, "Where it was enrolled")->required();
  app.add_option("--ledger", ledger_path, "What was made and kept")->required();
  app.add_option("--rate", rate, "Observations a second")->check(CLI::Range(10U, 100'000U));
  app.add_option("--keep-acked", keep_acked, "Seconds that acknowledged batches stay");
  CLI11_PARSE(app, argc, argv);
  if (!start_logging(options.log_level)) return 2;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto ledger = LedgerFile::open(ledger_path);
  if (!ledger) return std::fprintf(stderr, "%s\n", ledger.error().message.c_str()), 2;
  ledger->line('L');
  GatewaySetup setup;
  setup.sources = false;
  setup.spool.keep_acked = keep_acked * second;
  setup.longest_pause = 500ms; // a run has many cuts and little time
  setup.finding = [&](const Finding& finding, bool kept) {
    if (finding.detector == detector) ledger->line(kept ? 'f' : 'x', number_of(finding));
  };
  setup.delta = [&](const std::vector<char>& delta, bool kept) {
    ledger->line(kept ? 'd' : 'y', number_of(delta));
  };
  auto gateway = Gateway::start(options, setup);
  if (!gateway) return std::fprintf(stderr, "lab_gateway: %s\n", gateway.error().message.c_str()), 1;
  make(**gateway, *ledger, rate, signals);
  // Twice, a second apart: deltas and losses that waited are in the spool by then.
  for (int times = 0; times < 2;) {
    if (stop_asked(signals, 1s)) return 4; // asked again: gives up
    times = acknowledged(**gateway) ? times + 1 : 0;
  }
  ledger->line('E');
  return 0;
}
