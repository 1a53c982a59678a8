#include "core/base/hash.hpp"
#include "core/learn/behaviour.hpp"

#include <unordered_map>

namespace iris {
namespace {

/// Everything of a flow that its behaviour depends on. The peer's pointer stands for its content: the cache
/// holds it.
struct FlowKey {
  const Entity* peer = nullptr;
  IpAddress address;
  std::uint32_t bits = 0;        ///< port, protocol and flags
  std::uint64_t application = 0; ///< hash of its name; 0 for none
  friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

struct FlowKeyHash {
  std::size_t operator()(const FlowKey& key) const {
    auto mixed = std::uint64_t(IpAddressHash{}(key.address)) ^
                 ((std::uint64_t(key.bits) + key.application) * 0x9e3779b97f4a7c15ULL) ^
                 (reinterpret_cast<std::uintptr_t>(key.peer) >> 4);
    return std::size_t(mixed ^ (mixed >> 31));
  }
};

struct Cached {
  EntityPtr peer;
  std::vector<BehaviourPtr> behaviours;
};

std::uint64_t raw_hash(const ProcessInfo& process, Phase phase) {
  auto hash =
      hash64(process.exe, 4 * std::uint64_t(process.health_check) +
                              2 * std::uint64_t(phase == Phase::steady) + std::uint64_t(process.entered));
  hash = hash_combine(hash, hash64(process.parent_exe));
  hash = hash_combine(hash, hash64(process.script, std::uint64_t(process.origin) * 16 +
                                                       std::uint64_t(process.script_origin)));
  for (const auto& argument : process.args)
    hash = hash_combine(hash, hash64(argument));
  return hash;
}

} // namespace

struct BehaviourCache::State {
  std::size_t limit;
  std::uint64_t flushes = 0;
  std::unordered_map<FlowKey, Cached, FlowKeyHash> flows;
  std::unordered_map<std::uint64_t, std::vector<BehaviourPtr>> processes;
  std::vector<BehaviourPtr> last;
  BudgetShare flow_share, process_share;

  static std::vector<BehaviourPtr> share(const Observation& observation) {
    std::vector<BehaviourPtr> shared;
    for (auto& behaviour : behaviours_of(observation))
      shared.push_back(std::make_shared<const Behaviour>(std::move(behaviour)));
    return shared;
  }

  /// An entry with its node, the behaviours, and the peer that nobody else may hold any more.
  static std::size_t cost_of(const std::vector<BehaviourPtr>& behaviours, bool with_peer) {
    std::size_t bytes = sizeof(FlowKey) + sizeof(Cached) + 64 + (with_peer ? sizeof(Entity) + 64 : 0);
    for (const auto& behaviour : behaviours) {
      bytes += sizeof(Behaviour) + 48;
      for (const auto& text : behaviour->texts)
        bytes += text.size();
    }
    return bytes;
  }

  static constexpr std::size_t least = 16; ///< entries that each map may have whatever the budget says
  template <class Map>
  void make_room(Map& map, BudgetShare& share, std::size_t cost) {
    if (map.size() < limit && share.grow(cost, map.size() < least)) return;
    map.clear();
    share.clear();
    ++flushes;
    static_cast<void>(share.grow(cost, true));
  }
};

BehaviourCache::BehaviourCache(std::size_t limit, std::shared_ptr<TableBudget> budget)
    : state_{std::make_unique<State>()} {
  state_->limit = limit;
  state_->flow_share = BudgetShare{budget};
  state_->process_share = BudgetShare{std::move(budget)};
}
BehaviourCache::~BehaviourCache() = default;
BehaviourCache::BehaviourCache(BehaviourCache&&) noexcept = default;
BehaviourCache& BehaviourCache::operator=(BehaviourCache&&) noexcept = default;
std::uint64_t BehaviourCache::flushes() const { return state_->flushes; }

const std::vector<BehaviourPtr>& BehaviourCache::derive(const Observation& observation) {
  auto& state = *state_;
  if (const auto* flow = std::get_if<Flow>(&observation.what)) {
    bool counts = flow->inbound ? is_contact(*flow) : flow->packets_out > 0;
    bool ephemeral = !flow->initiator_known && flow->sport >= 32768 && flow->dport >= 32768;
    FlowKey key{observation.peer.get(), flow->inbound ? flow->src : flow->dst,
                std::uint32_t(ephemeral ? 0 : flow->dport) | std::uint32_t(flow->protocol) << 16 |
                    std::uint32_t(flow->inbound) << 24 | std::uint32_t(counts) << 25 |
                    std::uint32_t(ephemeral) << 26 | std::uint32_t(observation.phase == Phase::steady) << 27 |
                    std::uint32_t(flow->packets_in > 0) << 28 | std::uint32_t(flow->initiator_known) << 29,
                flow->application.empty() ? 0 : hash64(flow->application)};
    if (auto known = state.flows.find(key); known != state.flows.end()) return known->second.behaviours;
    auto shared = State::share(observation);
    state.make_room(state.flows, state.flow_share, State::cost_of(shared, true));
    return state.flows.emplace(key, Cached{observation.peer, std::move(shared)}).first->second.behaviours;
  }
  if (const auto* start = std::get_if<ProcessStart>(&observation.what)) {
    auto hash = raw_hash(start->process, observation.phase);
    if (auto known = state.processes.find(hash); known != state.processes.end()) return known->second;
    auto shared = State::share(observation);
    state.make_room(state.processes, state.process_share, State::cost_of(shared, false));
    return state.processes.emplace(hash, std::move(shared)).first->second;
  }
  state.last = State::share(observation);
  return state.last;
}

} // namespace iris
