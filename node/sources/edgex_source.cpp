#include "node/sources/edgex_source.hpp"

#include "actors/link/private_file.hpp"
#include "core/inventory/device_list.hpp"
#include "node/sources/http_client.hpp"
#include "node/sources/node_clock.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace iris {
namespace {

constexpr std::size_t page_limit = 8 << 20; ///< bytes of one answer
constexpr int page_size = 1024;             ///< EdgeX's MaxResultCount
constexpr std::size_t resolve_limit = 64;   ///< host names of devices looked up a round
constexpr std::size_t cache_limit = 32 << 20;

/// One way to ask: which port where the URL does not say, and which path.
struct Api {
  const char* version;
  std::uint16_t port;
  const char* path; ///< paged where it holds '?'
};
constexpr Api apis[] = {{"v3", 59881, "/api/v3/device/all?"},
                        {"v2", 59881, "/api/v2/device/all?"},
                        {"v1", 48081, "/api/v1/device"}};

std::vector<IpAddress> resolve(const std::string& host) {
  std::vector<IpAddress> out;
  if (auto ip = parse_ip(host)) return {*ip};
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return out;
  for (auto* entry = list; entry != nullptr && out.size() < 8; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET)
      out.push_back(IpAddress::v4(ntohl(reinterpret_cast<sockaddr_in*>(entry->ai_addr)->sin_addr.s_addr)));
    if (entry->ai_family == AF_INET6) {
      IpAddress address;
      std::copy_n(reinterpret_cast<sockaddr_in6*>(entry->ai_addr)->sin6_addr.s6_addr, 16,
                  address.bytes.begin());
      out.push_back(address);
    }
  }
  ::freeaddrinfo(list);
  return out;
}

Result<HttpEndpoint> parse_url(std::string_view url) {
  const Error bad{Errc::invalid,
                  "\"" + std::string{url.substr(0, 80)} + "\" is not a URL of the form http://HOST:PORT"};
  if (!url.starts_with("http://")) return bad;
  url.remove_prefix(7);
  while (url.ends_with('/'))
    url.remove_suffix(1);
  auto colon = url.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || url.find('/') != std::string_view::npos) return bad;
  HttpEndpoint out;
  const auto port = std::strtoul(std::string{url.substr(colon + 1)}.c_str(), nullptr, 10);
  auto host = url.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (port == 0 || port > 65535) return bad;
  auto addresses = resolve(std::string{host});
  if (addresses.empty()) return Error{Errc::not_found, "the host of " + std::string{url} + " has no address"};
  out.host = std::string{url};
  out.address = addresses.front();
  out.port = std::uint16_t(port);
  return out;
}

/// For telling whether anything changed.
std::string fingerprint(const std::vector<EdgexDevice>& devices) {
  std::string out;
  for (const auto& device : devices) {
    out += device.name + '\x1f' + device.service + '\x1f' + device.profile + '\x1f' + device.protocol +
           '\x1f' + std::to_string(device.port);
    for (const auto& label : device.labels)
      out += '\x1f' + label;
    for (const auto& address : device.addresses)
      out.append(reinterpret_cast<const char*>(address.bytes.data()), 16);
    out += '\x1e';
  }
  return out;
}

class Source final : public EdgexSource {
public:
  Source(const EdgexSourceOptions& options, EdgexSourceSinks sinks, std::optional<HttpEndpoint> fixed)
      : options_{options}, sinks_{std::move(sinks)}, fixed_{std::move(fixed)},
        wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}, stop_fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    thread_ = std::thread{[this] { run(); }};
    ::pthread_setname_np(thread_.native_handle(), "iris-edgex");
  }

  ~Source() override {
    stop_ = true;
    signal(stop_fd_);
    thread_.join();
    ::close(wake_);
    ::close(stop_fd_);
  }

  void container_started(const ContainerFacts& facts) override {
    if (fixed_ || !is_core_metadata(facts)) return;
    HttpEndpoint endpoint;
    endpoint.address = IpAddress::v4(0x7f000001); // on the host's network
    for (const auto& network : facts.networks)
      if (network.address != IpAddress{}) endpoint.address = network.address;
    endpoint.host = facts.name;
    {
      std::lock_guard guard{lock_};
      container_ = facts.id;
      found_ = endpoint;
    }
    signal(wake_);
  }

  void container_gone(const std::string& id) override {
    std::lock_guard guard{lock_};
    if (container_ != id) return;
    container_.clear();
    found_.reset(); // names stay as they were: devices do not change because EdgeX restarts
  }

private:
  static void signal(int fd) {
    const std::uint64_t one = 1;
    (void)!::write(fd, &one, sizeof one);
  }

  void run() {
    restore();
    Duration wait = 0;
    while (!stop_) {
      pollfd fds[2] = {{stop_fd_, POLLIN, 0}, {wake_, POLLIN, 0}};
      if (::poll(fds, 2, int(wait / millisecond)) > 0 && (fds[1].revents & POLLIN) != 0) {
        std::uint64_t count = 0;
        (void)!::read(wake_, &count, sizeof count);
        retry_ = first_retry;
      }
      if (stop_) return;
      // Just started, core-metadata does not answer yet: ask again soon, then less often.
      if (ask()) {
        retry_ = first_retry;
        wait = options_.interval;
      } else {
        wait = std::min(retry_, options_.interval);
        retry_ = std::min(retry_ * 2, options_.interval);
      }
    }
  }

  /// What core-metadata said before this start: it may be slower to start than we are, or gone.
  void restore() {
    if (options_.cache.empty()) return;
    auto bytes = read_small_file(options_.cache, cache_limit);
    if (!bytes) {
      if (bytes.error().code != Errc::not_found) tell("unreadable", bytes.error().message);
      return;
    }
    auto devices = decode_devices(*bytes);
    if (!devices) return tell("unreadable", options_.cache + ": " + devices.error().message);
    if (devices->empty()) return;
    last_ = fingerprint(*devices);
    sinks_.deliver(std::move(devices.value()));
  }

  void keep(const std::vector<EdgexDevice>& devices) {
    if (options_.cache.empty()) return;
    const auto bytes = encode_devices(devices);
    auto done = write_private_file(options_.cache, {bytes.data(), bytes.size()});
    if (!done && !std::exchange(unkept_, true)) tell("unwritable", done.error().message);
  }

  bool ask() {
    std::optional<HttpEndpoint> endpoint = fixed_;
    if (!endpoint) {
      std::lock_guard guard{lock_};
      endpoint = found_;
    }
    if (!endpoint) return false; // no EdgeX here: nothing to say
    Error last{Errc::unavailable, ""};
    for (std::size_t i = 0; i < std::size(apis); ++i) {
      const auto& api = apis[(i + preferred_) % std::size(apis)];
      if (!fixed_) endpoint->port = api.port;
      auto devices = fetch(*endpoint, api);
      if (!devices) {
        last = devices.error();
        continue;
      }
      preferred_ = (i + preferred_) % std::size(apis);
      locate_names(*devices);
      std::ifstream arp{options_.neighbours};
      locate_by_mac(*devices, parse_neighbours(std::string{std::istreambuf_iterator<char>{arp}, {}}));
      if (auto print = fingerprint(*devices); print != last_ || !answered_) {
        if (print != last_) keep(*devices);
        last_ = std::move(print);
        const auto count = devices->size();
        sinks_.deliver(std::move(devices.value()));
        if (!answered_)
          tell("up", std::string{"API "} + api.version + ", " + std::to_string(count) + " devices");
      }
      answered_ = true;
      complained_ = false;
      return true;
    }
    if ((answered_ || fixed_) && !std::exchange(complained_, true)) tell("down", last.message);
    answered_ = false;
    return false;
  }

  Result<std::vector<EdgexDevice>> fetch(const HttpEndpoint& endpoint, const Api& api) {
    std::vector<EdgexDevice> devices;
    const bool paged = std::string_view{api.path}.ends_with('?');
    for (std::size_t offset = 0; offset < options_.device_limit; offset += page_size) {
      std::string target = api.path;
      if (paged) target += "offset=" + std::to_string(offset) + "&limit=" + std::to_string(page_size);
      auto reply = http_get(endpoint, target, options_.request_timeout, page_limit, stop_fd_);
      if (!reply) return reply.error();
      if (reply->status != 200)
        return Error{reply->status == 401 ? Errc::refused : Errc::unavailable,
                     "core-metadata answered " + std::to_string(reply->status) + " to GET " + target};
      auto page = parse_edgex_devices(reply->body);
      if (!page) return page.error();
      const auto got = page->devices.size();
      for (auto& device : page->devices)
        if (devices.size() < options_.device_limit) devices.push_back(std::move(device));
      if (!paged || got == 0 || std::int64_t(offset) + page_size >= page->total) break;
    }
    std::sort(devices.begin(), devices.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return devices;
  }

  void locate_names(std::vector<EdgexDevice>& devices) const {
    std::size_t looked_up = 0;
    for (auto& device : devices)
      for (const auto& host : device.hosts) {
        if (looked_up++ >= resolve_limit || stop_) return;
        for (const auto& address : resolve(host))
          if (scope_of(address) != AddressScope::loopback) device.addresses.push_back(address);
      }
  }

  void tell(const char* what, std::string detail) {
    if (sinks_.health) sinks_.health({"edgex", what, 0, node_clock().now(), std::move(detail)});
  }

  static constexpr Duration first_retry = second;

  EdgexSourceOptions options_;
  EdgexSourceSinks sinks_;
  std::optional<HttpEndpoint> fixed_;
  int wake_, stop_fd_;
  std::atomic<bool> stop_{false};
  std::mutex lock_;
  std::string container_;
  std::optional<HttpEndpoint> found_;
  Duration retry_ = first_retry;
  std::size_t preferred_ = 0; ///< the API that answered last
  std::string last_;
  bool answered_ = false, complained_ = false, unkept_ = false;
  std::thread thread_;
};

} // namespace

bool is_core_metadata(const ContainerFacts& facts) {
  if (!facts.running) return false;
  return facts.name == "edgex-core-metadata" || facts.service == "edgex-core-metadata" ||
         (facts.is_edgex && facts.image.find("core-metadata") != std::string::npos) ||
         // Known by its control group only: its program's name, or of 2017 its jar's.
         (facts.image.empty() && facts.name.find("core-metadata") != std::string::npos);
}

Result<std::unique_ptr<EdgexSource>> EdgexSource::start(const EdgexSourceOptions& options,
                                                        EdgexSourceSinks sinks) {
  std::optional<HttpEndpoint> fixed;
  if (!options.url.empty()) {
    auto endpoint = parse_url(options.url);
    if (!endpoint) return endpoint.error();
    fixed = std::move(endpoint.value());
  }
  return std::unique_ptr<EdgexSource>{new Source{options, std::move(sinks), std::move(fixed)}};
}

} // namespace iris
