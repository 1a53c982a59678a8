#pragma once
#include "actors/query.hpp"
#include "core/base/result.hpp"

#include <string>
#include <vector>

namespace iris {

/// The option pcap=FILE of `evidence` is the shell's own: the gateway is asked for packets in its place.
/// @returns the file; "" for none.
[[nodiscard]] std::string take_pcap_option(std::vector<std::string>& arguments);

/// Takes the heads of packets out of an answer to `evidence` and writes them to a file, as pcapng. A line for
/// a person about it; where there are none no file is made.
[[nodiscard]] Result<std::string> save_packets(QueryAnswer& answer, const std::string& path);

} // namespace iris
