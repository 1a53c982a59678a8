#pragma once
#include "core/inventory/container.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// What is known of products by their images: what they serve, how they let people in, and which versions
/// have known holes. The tables are small on purpose: what an IoT gateway runs, each row with its source.

/// "registry:5000/edgexfoundry/docker-core-data-go-arm64:1.3.0@sha256:…" -> "core-data", "1.3.0".
struct ImageName {
  std::string product; ///< last part of the path without EdgeX's prefixes and suffixes, lower case
  std::string tag;     ///< "" where there is none
};
[[nodiscard]] ImageName parse_image(std::string_view reference);

/// A data store or console that should not be open to a network.
struct KnownServer {
  std::string_view name;  ///< "the MongoDB database"
  std::string_view image; ///< part of the product's name
  std::uint16_t port;
  bool by_port; ///< the port alone tells it, whatever the image is called
};
[[nodiscard]] const KnownServer* known_server(std::string_view product, std::uint16_t port);
[[nodiscard]] const KnownServer* known_server(std::string_view product);

/// A range of versions with a hole that is known to the public.
struct KnownHole {
  std::string_view product;
  std::string_view from, fixed; ///< from <= version < fixed, by numbers
  std::string_view id, says;
  std::string_view source;
};
/// The first row that fits; null where the version is not known ("latest") or none does.
[[nodiscard]] const KnownHole* known_hole(const ImageName& image);

[[nodiscard]] Login login_of(std::string_view image, const std::vector<std::string>& command,
                             const std::vector<std::string>& environment);
/// docker.sock, podman.sock, containerd.sock, crio.sock, wherever they lie.
[[nodiscard]] bool is_engine_socket(std::string_view path);

} // namespace iris
