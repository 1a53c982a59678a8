#pragma once
#include "core/base/result.hpp"
#include "core/inventory/container.hpp"

#include <cstdint>
#include <list>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace iris {

/// What was said already of how a gateway's containers are set up, so that each thing is told once and not at
/// every start. While the gateway is new to us (a learning day of watching), what is there was there from the
/// start; afterwards what appears is a change. Keyed by service, so that a container made anew is no news.
class PostureBook {
public:
  static constexpr std::size_t service_limit = 4096; ///< the one seen longest ago is forgotten
  static constexpr std::size_t key_limit = 256;      ///< statements of one service; more are not told

  /// Fills in what is to be told now: notes and new_container.
  void note(const ContainerFacts& facts, Duration day, ContainerChange& change);
  /// The same container under another name is no new one.
  void renamed(const std::string& from, const std::string& to);
  /// So long more were the containers watched. Elapsed time, not the wall's: clocks of gateways jump.
  void watched(Duration more) { watched_ += more; }
  [[nodiscard]] bool learned(Duration day) const { return watched_ >= day; }

  /// Grows when what encode() would write has changed by more than time.
  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  [[nodiscard]] std::size_t services() const { return services_.size(); }

  [[nodiscard]] std::vector<char> encode() const;
  [[nodiscard]] static Result<PostureBook> decode(std::span<const char> bytes);

private:
  struct Service {
    std::set<std::string> keys;
    std::list<std::string>::iterator age;
  };
  Service& service(const std::string& name, bool& fresh);

  std::unordered_map<std::string, Service> services_;
  std::list<std::string> ages_; ///< least recently seen first
  std::set<std::string> of_gateway_;
  Duration watched_ = 0;
  std::uint64_t revision_ = 0;
};

/// Whom a container is known as here: its service, or its image where its name is made up by the engine or
/// belongs to one run (`docker run` without a name, `docker-compose run`).
[[nodiscard]] std::string posture_name(const ContainerFacts& facts);

} // namespace iris
