#pragma once

/// Forward declarations of everything that actors of one process pass to each other by Ref. Where it is
/// defined is said beside it; a program includes only what it uses.
namespace iris {

// actors/query.hpp
struct InspectAnswer;
struct QueryRequest;
struct QueryAnswer;
// actors/supervisor.hpp
struct Supervise;
// actors/terms.hpp
struct LinkTerms;
// core/learn/baseline.hpp, core/intel/indicator_set.hpp
struct Baseline;
class IndicatorSet;
// node/messages.hpp
struct ProcessBatch;
struct FlowBatch;
struct ContainerBatch;
struct UsageBatch;
struct DeviceList;
struct HostAddresses;
struct HealthBatch;
struct ObservationBatch;
struct FindingBatch;
struct DeltaBatch;
struct SpoolRead;
struct SpooledBatches;
struct SpoolAck;
struct SpoolState;
struct SpoolEpoch;
struct SpoolPut;
// cloud/store/store.hpp
struct StoreWrite;
// cloud/messages.hpp
struct PushOut;
struct SessionStart;
struct SessionTerms;
struct SessionNotice;
struct BatchIn;
struct AlertCommand;
struct PeerViolation;
struct ClockReading;
struct DeltaIn;
struct AlertChanges;
struct Trained;
struct SinkResult;

} // namespace iris
