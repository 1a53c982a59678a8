#pragma once
#include "tests/lab/link/cloud.hpp"
#include "tests/lab/link/gateways.hpp"

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace linklab {

/// A cloud, healthy gateways that never stop, and the judgement on each attack: what it did, what refused it,
/// what the healthy ones felt of it.
class Lab {
public:
  Lab();

  CloudProcess cloud;
  std::vector<std::unique_ptr<HealthyGateway>> healthy;

  /// Time of acknowledgements and memory without an attack.
  void measure_quiet();
  /// Runs `attack` while the healthy ones go on. It gives the number of its tries, and each must be counted:
  /// `counters` (of the link, without "link_") must grow by at least that many together.
  void attack(const std::string& what, std::initializer_list<const char*> counters,
              const std::function<std::uint64_t()>& attack);
  /// One line; a false one fails the whole.
  void check(bool good, const std::string& what);
  [[nodiscard]] std::uint64_t counted(std::initializer_list<const char*> counters) const;
  [[nodiscard]] int failed() const { return failed_; }

private:
  void await_acks(std::size_t wanted) const;
  [[nodiscard]] double p99_ms();
  double quiet_ms_ = 0;
  std::uint64_t quiet_bytes_ = 0;
  int failed_ = 0;
};

// attack_strangers.cpp, attack_certificates.cpp, attack_frames.cpp, attack_batches.cpp
void strangers(Lab& lab);
void certificates(Lab& lab);
void certificate_files(Lab& lab);
void frames(Lab& lab, const iris::TlsFiles& thief);
void batches(Lab& lab, const iris::TlsFiles& thief);
/// 1,000 connections that say nothing: there at once, beside whatever else goes on, gone within 10 s.
class Silent {
public:
  explicit Silent(Lab& lab);
  ~Silent();
  void judge();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
/// Begins at once, is judged when at least 31 s are over.
class Loris {
public:
  explicit Loris(Lab& lab);
  ~Loris();
  void judge();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Memory and descriptors of so many connections that are authenticated, admitted and idle.
int idle_connections(std::size_t count);

/// "127.1.0.1", "127.1.0.2" …: many strangers, few from each address.
std::string source(unsigned stranger, unsigned per_address = 25);

} // namespace linklab
