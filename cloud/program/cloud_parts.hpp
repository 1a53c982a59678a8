#pragma once
#include "actors/actor_config.hpp"
#include "actors/control_socket.hpp"
#include "actors/directory.hpp"
#include "actors/link/server.hpp"
#include "cloud/admin/admin.hpp"
#include "cloud/notify/sink_thread.hpp"
#include "cloud/program/backup_job.hpp"
#include "cloud/program/cloud_program.hpp"
#include "cloud/program/health_server.hpp"
#include "cloud/program/worker.hpp"
#include "cloud/world.hpp"

#include <atomic>
#include <mutex>

namespace iris {

/// The parts of the running program, in the order in which they start; they end the other way round.
struct CloudProgram::Impl {
  CloudPaths paths;
  CloudConfig config;
  Directory directory;
  std::unique_ptr<ActorConfig> actor_config;
  std::unique_ptr<caf::actor_system> system;
  WorldPtr world;
  std::vector<std::unique_ptr<SinkThread>> sink_threads;
  std::unique_ptr<Worker> heavy, enrolling;
  std::unique_ptr<Admin> admin;
  std::unique_ptr<BackupJob> backups;
  std::unique_ptr<ControlSocket> control;
  std::mutex server_mutex; ///< around every use of `server` by another thread than the main one
  std::unique_ptr<LinkServer> server;
  std::unique_ptr<HealthServer> health;
  std::atomic<bool> ready{false};
  std::string renewal_fault; ///< said last, so that it is said once
  Timestamp next_look = 0;   ///< at gateways that are away
  Timestamp renewal_pause = 0;

  Result<void> open_store(bool create);
  Result<void> start_world();
  void start_actors();
  void await_actors();
  Result<void> start_link();
  Result<void> start_control();
  Result<void> start_health();
  caf::strong_actor_ptr open_session(const ConnectionInfo& info);
  void cut_off(const Identity& identity);
  ~Impl();
};

} // namespace iris
