#pragma once
#include "actors/link/link.hpp"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// The real programs, as an attacker and a healthy gateway meet them.
namespace linklab {

struct Output {
  int code = -1;
  std::string text; ///< stdout
};
/// Runs a program to its end.
Output run(const std::vector<std::string>& arguments);

/// An iris-cloud with a fresh data directory on loopback; gone with this, with all its files.
class CloudProcess {
public:
  explicit CloudProcess(const std::vector<std::string>& settings = {});
  ~CloudProcess();
  CloudProcess(const CloudProcess&) = delete;
  CloudProcess& operator=(const CloudProcess&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string data() const { return directory_ + "/data"; }
  [[nodiscard]] std::string pki() const { return data() + "/pki"; }
  [[nodiscard]] std::string scratch() const { return directory_; }
  /// One of its commands with --data; what it printed.
  Output command(std::vector<std::string> arguments) const;
  /// iris-shell as an admin of all tenants, over the link.
  Output shell(std::vector<std::string> arguments);
  [[nodiscard]] std::map<std::string, std::uint64_t> metrics() const; ///< without "iris_"
  [[nodiscard]] std::uint64_t resident() const;                       ///< bytes
  [[nodiscard]] std::uint64_t descriptors() const;
  [[nodiscard]] bool alive() const;
  [[nodiscard]] std::string log() const;

private:
  std::string directory_, binaries_;
  int port_ = 0, health_ = 0;
  pid_t pid_ = -1;
  bool has_operator_ = false;
};

/// What an enrolled gateway of this name has on disk: joined by a token of the cloud's.
iris::TlsFiles join(const CloudProcess& cloud, const std::string& name);

} // namespace linklab
