#pragma once
#include "actors/atoms.hpp"
#include "actors/messages.hpp"
#include "actors/ref.hpp"
#include "actors/wire.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

/// The typed interface of every actor of both programs. An actor is its interface here, a state struct and a
/// free function of its own name. Messages of `Ref<…>` never leave the process; those of `wire::` are all
/// that does.
namespace iris {

/// Every actor answers a question about itself with JSON objects, one a line.
using InspectableActor = caf::typed_actor<
    // The state of this actor, as a small tree.
    caf::replies_to<atom::inspect>::with<Ref<InspectAnswer>>>;

// -- both programs
// -----------------------------------------------------------------------------------------------

/// Answers questions about actors of its process: "actors", "actor ID".
using InspectorActor = InspectableActor::extend<
    // A question in, lines out.
    caf::replies_to<Ref<QueryRequest>>::with<Ref<QueryAnswer>>>;

/// Restarts crashed children with backoff and ends them all in order.
using SupervisorActor = InspectableActor::extend<
    // Look after this child from now on.
    caf::reacts_to<Ref<Supervise>>,
    // Start the child of this number again.
    caf::reacts_to<atom::wake, std::uint64_t>,
    // End all children, the youngest first; answered when the last one is gone or the grace period is over.
    caf::replies_to<atom::down>::with<atom::ok>,
    // The grace period is over.
    caf::reacts_to<atom::tick>>;

// -- the gateway
// -------------------------------------------------------------------------------------------------

/// Stands for a source that has a thread of its own (docker, process, packets of one interface, usage,
/// EdgeX).
using SourceActor = InspectableActor;

/// Maps pid, cgroup, address and interface to an entity and hands each entity's observations to its
/// collector.
using RouterActor = InspectableActor::extend<
    // What the process source saw.
    caf::reacts_to<Ref<ProcessBatch>>,
    // What a packet source saw.
    caf::reacts_to<Ref<FlowBatch>>,
    // What the docker source saw.
    caf::reacts_to<Ref<ContainerBatch>>,
    // Counters of all containers for one window.
    caf::reacts_to<Ref<UsageBatch>>,
    // LAN devices that EdgeX knows.
    caf::reacts_to<Ref<DeviceList>>,
    // The host's own addresses and networks, and where core-metadata is.
    caf::reacts_to<Ref<HostAddresses>>,
    // A source's own condition.
    caf::reacts_to<Ref<HealthBatch>>,
    // A baseline or indicators from the cloud or from disk.
    caf::reacts_to<Ref<Baseline>>, caf::reacts_to<Ref<IndicatorSet>>,
    // Scales as the cloud set them.
    caf::reacts_to<Ref<LinkTerms>>,
    // Time passes: retire idle pairs.
    caf::reacts_to<atom::tick>>;

/// Counts one entity's behaviours and numbers; yields a delta every window.
using CollectorActor = InspectableActor::extend<
    // Observations of this entity.
    caf::reacts_to<Ref<ObservationBatch>>,
    // A new baseline: texts of keys that it knows need not be sent. Indicators: listed peers are never
    // learned.
    caf::reacts_to<Ref<Baseline>>, caf::reacts_to<Ref<IndicatorSet>>,
    // New scales.
    caf::reacts_to<Ref<LinkTerms>>,
    // Close windows that are over.
    caf::reacts_to<atom::tick>>;

/// Judges one entity's observations at once.
using ScorerActor = InspectableActor::extend<
    // Observations with the behaviours that the collector derived.
    caf::reacts_to<Ref<ObservationBatch>>,
    // A new baseline or new indicators.
    caf::reacts_to<Ref<Baseline>>, caf::reacts_to<Ref<IndicatorSet>>,
    // New scales.
    caf::reacts_to<Ref<LinkTerms>>,
    // Close windows that are over.
    caf::reacts_to<atom::tick>>;

/// Keeps findings and deltas on disk until the cloud has them.
using SpoolActor = InspectableActor::extend<
    // Findings: durable before anything else happens to them.
    caf::reacts_to<Ref<FindingBatch>>,
    // Deltas of one window.
    caf::reacts_to<Ref<DeltaBatch>>,
    // What sources lost.
    caf::reacts_to<Ref<HealthBatch>>,
    // The uplink asks for batches after the given sequence, up to the given bytes.
    caf::replies_to<Ref<SpoolRead>>::with<Ref<SpooledBatches>>,
    // Everything up to here is durable in the cloud.
    caf::reacts_to<Ref<SpoolAck>>,
    // What it holds, for Hello; and the epoch that the cloud granted.
    caf::replies_to<atom::state>::with<Ref<SpoolState>>,
    caf::replies_to<Ref<SpoolEpoch>>::with<Ref<SpoolState>>,
    // A small value to keep: the last baselines, indicators and terms.
    caf::reacts_to<Ref<SpoolPut>>,
    // Time passes: losses that wait for a batch get one of their own.
    caf::reacts_to<atom::tick>>;

/// The only actor of a gateway that the cloud can speak to.
using UplinkActor = InspectableActor::extend<
    // The link is up: this is the session in the cloud.
    caf::reacts_to<atom::up, caf::strong_actor_ptr>,
    // The link is down, for the reason given.
    caf::reacts_to<atom::down, std::string>,
    // The spool has something new.
    caf::reacts_to<atom::wake>,
    // From the cloud: a baseline, indicators, credit.
    caf::replies_to<wire::Push>::with<wire::PushAck>,
    // From the cloud, for an operator.
    caf::replies_to<wire::Query>::with<wire::Reply>,
    // Time passes.
    caf::reacts_to<atom::tick>>;

// -- the cloud
// ---------------------------------------------------------------------------------------------------

/// One per connected peer; the only actor that this peer can address.
using SessionActor = InspectableActor::extend<
    // The peer says who it is and what it holds.
    caf::replies_to<wire::Hello>::with<wire::Welcome>,
    // A batch: acknowledged when it is durable.
    caf::replies_to<wire::Batch>::with<wire::Ack>,
    // An operator's question.
    caf::replies_to<wire::Query>::with<wire::Reply>,
    // Something to push to this gateway.
    caf::reacts_to<Ref<PushOut>>,
    // A question for this gateway, from inside the cloud.
    caf::replies_to<Ref<QueryRequest>>::with<Ref<QueryAnswer>>,
    // Perhaps there is room for the next answer to an operator; or: ask the gateway for its time.
    caf::reacts_to<atom::wake>,
    // The link is gone.
    caf::reacts_to<atom::down, std::string>>;

/// One per gateway: applies its batches exactly once and owns its alerts.
using AggregatorActor = InspectableActor::extend<
    // A session starts: answers what is durable and what to push.
    caf::replies_to<Ref<SessionStart>>::with<Ref<SessionTerms>>,
    // A batch; answered when it is durable.
    caf::replies_to<Ref<BatchIn>>::with<wire::Ack>,
    // A baseline of a profile that this gateway runs, or new indicators.
    caf::reacts_to<Ref<Baseline>>, caf::reacts_to<Ref<IndicatorSet>>,
    // An operator changes an alert.
    caf::replies_to<Ref<AlertCommand>>::with<Ref<QueryAnswer>>,
    // The peer broke the rules of the link.
    caf::reacts_to<Ref<PeerViolation>>,
    // How far its clock is from ours.
    caf::reacts_to<Ref<ClockReading>>,
    // The session of this number ended.
    caf::reacts_to<atom::down, std::uint64_t>,
    // Time passes.
    caf::reacts_to<atom::tick>>;

/// One per service profile: learns from all gateways, makes baselines.
using TrainerActor = InspectableActor::extend<
    // What a gateway's aggregator has made durable.
    caf::reacts_to<Ref<DeltaIn>>,
    // Look whether it is time for a new version.
    caf::reacts_to<atom::tick>,
    // What training on a thread of its own gave.
    caf::reacts_to<Ref<Trained>>,
    // Promote by an operator; learning progress.
    caf::replies_to<Ref<QueryRequest>>::with<Ref<QueryAnswer>>>;

/// Knows every alert of the shard; answers about them and sends commands to who owns them.
using AlertManagerActor = InspectableActor::extend<
    // Revisions that are durable.
    caf::reacts_to<Ref<AlertChanges>>,
    // "alerts", "alert ID", "ack ID", "close ID", "open ID".
    caf::replies_to<Ref<QueryRequest>>::with<Ref<QueryAnswer>>>;

/// Loads indicators and countries, and hands them out when they change.
using IntelligenceActor = InspectableActor::extend<
    // Look whether a file changed.
    caf::reacts_to<atom::tick>>;

/// Group commit: many writers, one synced write.
using StoreActor = InspectableActor::extend<
    // A set of changes; answered when it is on disk.
    caf::replies_to<Ref<StoreWrite>>::with<atom::ok>,
    // Everything that had arrived before this goes to disk now.
    caf::reacts_to<atom::tick>>;

/// One per sink: at least once, in order, with backoff.
using NotifierActor = InspectableActor::extend<
    // Something is in the outbox.
    caf::reacts_to<atom::wake>,
    // Try again.
    caf::reacts_to<atom::tick>,
    // The sink's thread has delivered everything up to the given row, or has failed.
    caf::reacts_to<Ref<SinkResult>>>;

/// Knows who is connected and which actors exist; answers operators' questions.
using FrontdeskActor = InspectableActor::extend<
    // A session came or went.
    caf::reacts_to<Ref<SessionNotice>>,
    // A question of an operator whose rights are in it.
    caf::replies_to<Ref<QueryRequest>>::with<Ref<QueryAnswer>>>;

} // namespace iris
