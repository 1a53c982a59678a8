#include "actors/actor_config.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "tests/fixtures/link/raw_peer.hpp"
#include "tests/lab/link/lab.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <future>

/// Who has a certificate, but not one that lets him in; and the cloud's own files.
namespace linklab {

using namespace iris;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t tries = 50;

Timestamp now() { return Timestamp(std::time(nullptr)) * iris::second; }

/// `from` may lie in the past or in the future.
TlsFiles forge(const std::string& authority, const std::string& base, const Identity& identity,
               Timestamp from, Duration validity, const std::string& ca) {
  auto bundle = pki::issue(authority, identity, from, validity);
  if (!bundle) throw std::runtime_error{bundle.error().message};
  (void)pki::write_file(base + ".pem", bundle->certificate.pem);
  (void)pki::write_file(base + ".key", bundle->key);
  return {base + ".pem", base + ".key", ca, ""};
}

void refused(Lab& lab, const std::string& what, const TlsFiles& files) {
  lab.attack(what, {"link_tls_failed", "link_revoked"}, [&]() -> std::uint64_t {
    auto context = *TlsContext::load(TlsContext::Use::client, files);
    for (unsigned i = 0; i < tries; ++i) {
      linktest::RawPeer peer{context, lab.cloud.address(), linktest::random_node(), source(i)};
      if (peer.handshake()) return 1u << 30; // it got in
    }
    return tries;
  });
}

/// A server with a gateway's certificate; the real client must not talk to it.
bool refuses_impostor(const TlsFiles& files) {
  auto context = *TlsContext::load(TlsContext::Use::server, files);
  auto listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  ::bind(listener, reinterpret_cast<sockaddr*>(&place), size);
  ::listen(listener, 1);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&place), &size);
  std::string heard; ///< plain text that the client was willing to say
  std::thread impostor{[&] {
    auto fd = ::accept(listener, nullptr, nullptr);
    TlsStream tls{context->make()};
    char piece[4096];
    for (ssize_t count; (count = ::recv(fd, piece, sizeof piece, 0)) > 0;) {
      tls.feed({piece, std::size_t(count)});
      std::string_view plain;
      if (tls.handshake() && tls.established() && tls.read(plain) == TlsStream::Read::data) heard += plain;
      std::string out;
      tls.drain(out);
      ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    }
    ::close(fd);
  }};
  std::promise<CloseReason> failed;
  std::atomic<bool> up{false}, told{false};
  {
    ActorConfig config{ActorConfig::Options{.remote = true}};
    caf::actor_system system{config};
    LinkClientOptions options;
    options.addresses = {"127.0.0.1:" + std::to_string(ntohs(place.sin_port))};
    options.tls = files;
    options.backoff_least = options.backoff_most = 60s;
    LinkClientEvents events;
    events.up = [&](caf::strong_actor_ptr, const Identity&, const std::string&) { up = true; };
    events.down = [](const CloseReason&) {};
    events.failed = [&](const CloseReason& reason, const std::string&) {
      if (!told.exchange(true)) failed.set_value(reason);
    };
    auto client = LinkClient::start(system, options, std::move(events));
    if (client) failed.get_future().wait_for(5s);
  }
  ::shutdown(listener, SHUT_RDWR);
  ::close(listener);
  impostor.join();
  return told && !up && heard.empty();
}

} // namespace

void certificates(Lab& lab) {
  const auto base = lab.cloud.scratch() + "/";
  auto honest = join(lab.cloud, "revoked-one");
  Identity someone{Role::gateway, "default", "someone", false};
  if (!pki::make_authority(base + "foreign", "Foreign", now())) throw std::runtime_error{"foreign authority"};
  refused(lab, "a client of a foreign CA",
          forge(base + "foreign", base + "f", someone, now(), 30 * pki::day, honest.ca));
  refused(lab, "a client whose certificate expired",
          forge(lab.cloud.pki(), base + "e", someone, now() - 3 * pki::day, pki::day, honest.ca));
  refused(lab, "a client whose certificate is not valid yet",
          forge(lab.cloud.pki(), base + "n", someone, now() + 3 * pki::day, pki::day, honest.ca));
  lab.check(lab.cloud.command({"gateways", "revoke", "revoked-one"}).code == 0, "a gateway is revoked");
  std::this_thread::sleep_for(1s);
  refused(lab, "a client whose certificate was revoked", honest);
  lab.check(refuses_impostor(join(lab.cloud, "impostor")),
            "a gateway certificate used as a server: the client refuses it and says nothing");
}

void certificate_files(Lab& lab) {
  const auto pki_directory = lab.cloud.pki();
  const auto certificate = pki_directory + "/" + pki::server_certificate,
             key = pki_directory + "/" + pki::server_key, ca = pki_directory + "/" + pki::ca_certificate;
  const auto saved_certificate = *pki::read_file(certificate), saved_key = *pki::read_file(key),
             saved_ca = *pki::read_file(ca);
  auto files = join(lab.cloud, "comer");
  auto context = *TlsContext::load(TlsContext::Use::client, files);
  const auto foreign = *pki::read_file(files.key);
  struct Damage {
    const char* what;
    std::function<void()> act;
  };
  const Damage damages[] = {
      {"key file removed", [&] { std::filesystem::remove(key); }},
      {"certificate file removed", [&] { std::filesystem::remove(certificate); }},
      {"CA file removed", [&] { std::filesystem::remove(ca); }},
      {"key file truncated", [&] { std::filesystem::resize_file(key, 40); }},
      {"certificate file truncated", [&] { std::filesystem::resize_file(certificate, 200); }},
      {"key of another certificate", [&] { (void)pki::write_file(key, foreign); }},
      {"certificate and key swapped",
       [&] {
         (void)pki::write_file(key, saved_certificate);
         (void)pki::write_file(certificate, saved_key);
       }},
  };
  for (const auto& damage : damages) {
    const auto before = lab.cloud.log().size();
    lab.attack(std::string{damage.what} + ", connections go on", {"link_admitted"}, [&]() -> std::uint64_t {
      damage.act();
      std::uint64_t in = 0;
      // Until the cloud has noticed, which it does within 250 ms, and then some more.
      auto noticed = [&] {
        return lab.cloud.log().find("the old ones stay in use", before) != std::string::npos;
      };
      const auto until = std::chrono::steady_clock::now() + 5s;
      for (int more = 5; more > 0 && std::chrono::steady_clock::now() < until; more -= noticed()) {
        linktest::RawPeer peer{context, lab.cloud.address(), linktest::random_node()};
        if (!peer.handshake()) return 1u << 30; // somebody honest was turned away
        ++in;
      }
      return in;
    });
    lab.check(lab.cloud.log().find("the old ones stay in use", before) != std::string::npos,
              std::string{damage.what} + ": reported, the old ones stay in use");
    (void)pki::write_file(ca, saved_ca);
    (void)pki::write_file(certificate, saved_certificate);
    (void)pki::write_file(key, saved_key);
  }
}

} // namespace linklab
