#include "shell/evidence_file.hpp"

#include "core/base/hash.hpp"
#include "core/net/pcapng.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace iris {
namespace {

constexpr std::string_view option = "pcap=";

Result<void> write_file(const std::string& path, const std::string& bytes) {
  const auto fail = [&] { return Error{Errc::io, path + " cannot be written: " + std::strerror(errno)}; };
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail();
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto part = ::write(file, bytes.data() + done, bytes.size() - done);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) break;
    done += std::size_t(part);
  }
  if (done < bytes.size() || ::close(file) != 0) return fail();
  return {};
}

} // namespace

std::string take_pcap_option(std::vector<std::string>& arguments) {
  for (auto& argument : arguments)
    if (argument.starts_with(option)) {
      auto path = argument.substr(option.size());
      argument = "packets=1";
      return path;
    }
  return {};
}

Result<std::string> save_packets(QueryAnswer& answer, const std::string& path) {
  std::string bytes;
  PcapngWriter writer;
  writer.begin(bytes, "iris-shell evidence: headers only");
  std::size_t packets = 0;
  std::vector<std::string> rest;
  for (auto& line : answer.lines) {
    const auto row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object() || !row.contains("kind") || row["kind"] != "packet") {
      rest.push_back(std::move(line));
      continue;
    }
    const auto number = [&](const char* name) {
      const auto found = row.find(name);
      return found != row.end() && found->is_number_integer() ? found->get<std::int64_t>() : std::int64_t{-1};
    };
    const auto text = [&](const char* name) {
      const auto found = row.find(name);
      return found != row.end() && found->is_string() ? found->get<std::string>() : std::string{};
    };
    const auto header = from_hex(text("header"));
    const auto length = number("length"), link = number("link");
    if (header.empty() || length < 0 || length > 0x7fffffff || link < 0 || link > 0xffff) continue;
    packets += writer.packet(bytes, text("interface"), int(link), number("ns"), std::uint32_t(length),
                             {header.data(), header.size()})
                   ? 1
                   : 0;
  }
  answer.lines = std::move(rest);
  if (packets == 0) return std::string{"no heads of packets are kept of it, so no file was made"};
  if (auto done = write_file(path, bytes); !done) return done.error();
  return path + ": the headers of " + std::to_string(packets) + " packets, without what they carried";
}

} // namespace iris
