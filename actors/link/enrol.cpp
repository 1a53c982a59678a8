#include "actors/link/enrol.hpp"

#include "actors/link/endpoint.hpp"
#include "actors/link/enrol_codec.hpp"
#include "actors/link/tls_stream.hpp"
#include "core/link/openssl_ptr.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <functional>

namespace iris {

namespace {

using Clock = std::chrono::steady_clock;

/// A blocking dialogue of one line each, with one deadline for all of it.
class Dialogue {
public:
  Dialogue(std::string address, SslPtr ssl, std::chrono::milliseconds patience)
      : address_{std::move(address)}, tls_{std::move(ssl)}, deadline_{Clock::now() + patience} {}
  ~Dialogue() {
    if (fd_ >= 0) ::close(fd_);
  }
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  Result<void> connect();
  Result<void> handshake();
  Result<std::string> ask(const std::string& line);
  [[nodiscard]] SSL* ssl() const { return tls_.ssl(); }

private:
  [[nodiscard]] Error failed(const std::string& what) const {
    return {Errc::unavailable, address_ + ": " + what};
  }
  bool wait(short events) const {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    pollfd poll{fd_, events, 0};
    return left > 0 && ::poll(&poll, 1, int(left)) == 1;
  }
  Result<void> send();
  Result<void> receive();

  std::string address_;
  TlsStream tls_;
  Clock::time_point deadline_;
  int fd_ = -1;
};

Result<void> Dialogue::connect() {
  auto endpoint = parse_endpoint(address_);
  if (!endpoint) return endpoint.error();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto code = ::getaddrinfo(endpoint->host.c_str(), std::to_string(endpoint->port).c_str(), &hints, &found);
  if (code != 0) return failed(std::string{"cannot resolve: "} + gai_strerror(code));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner{found, freeaddrinfo};
  std::string why = "no address";
  for (auto* at = found; at; at = at->ai_next) {
    fd_ = ::socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ >= 0 && (::connect(fd_, at->ai_addr, at->ai_addrlen) == 0 || errno == EINPROGRESS)) {
      int error = ETIMEDOUT;
      socklen_t size = sizeof error;
      if (wait(POLLOUT)) ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0) return {};
      errno = error;
    }
    why = std::strerror(errno);
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  return failed("cannot connect: " + why);
}

Result<void> Dialogue::send() {
  std::string out;
  tls_.drain(out);
  for (std::size_t sent = 0; sent < out.size();) {
    auto count = ::send(fd_, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (count > 0) sent += std::size_t(count);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return failed(std::strerror(errno));
    if (count < 0 && !wait(POLLOUT)) return failed("no answer in time");
  }
  return {};
}

Result<void> Dialogue::receive() {
  if (!wait(POLLIN)) return failed("no answer in time");
  char piece[4096];
  auto count = ::recv(fd_, piece, sizeof piece, 0);
  if (count == 0) return failed("closed the connection");
  if (count < 0) return errno == EAGAIN || errno == EINTR ? Result<void>{} : failed(std::strerror(errno));
  tls_.feed({piece, std::size_t(count)});
  return {};
}

Result<void> Dialogue::handshake() {
  for (;;) {
    auto good = tls_.handshake();
    if (auto sent = send(); !sent) return sent;
    if (!good) return Error{Errc::refused, address_ + ": TLS: " + tls_.error()};
    if (tls_.established()) return {};
    if (auto received = receive(); !received) return received;
  }
}

Result<std::string> Dialogue::ask(const std::string& line) {
  if (!tls_.write(line + "\n")) return failed(tls_.error());
  if (auto sent = send(); !sent) return sent.error();
  std::string answer;
  for (;;) {
    std::string_view plain;
    switch (tls_.read(plain)) {
    case TlsStream::Read::data:
      answer += plain;
      break;
    case TlsStream::Read::more:
      if (auto received = receive(); !received) return received.error();
      break;
    case TlsStream::Read::closed:
      return failed("closed the connection");
    case TlsStream::Read::failed:
      return Error{Errc::refused, address_ + ": TLS: " + tls_.error()};
    }
    if (auto end = answer.find('\n'); end != std::string::npos) return answer.substr(0, end);
    if (answer.size() > largest_enrolment)
      return Error{Errc::limit, address_ + ": answers with more than 8 KiB"};
  }
}

/// Tries one address after the other while they are unreachable; an answer, also a refusal, is final.
Result<EnrolResponse> ask_one_of(const std::vector<std::string>& addresses, const EnrolRequest& request,
                                 std::chrono::milliseconds patience, const std::function<SslPtr()>& make,
                                 const std::function<Result<void>(SSL*)>& check) {
  Error last{Errc::invalid, "enrolment: no address to go to"};
  for (const auto& address : addresses) {
    auto ssl = make();
    if (!ssl) return Error{Errc::io, "TLS: " + ossl::error_text()};
    Dialogue dialogue{address, std::move(ssl), patience};
    auto done = dialogue.connect();
    if (done) done = dialogue.handshake();
    if (done) {
      if (auto known = check(dialogue.ssl()); !known)
        return Error{known.error().code, address + ": " + known.error().message};
      auto answer = dialogue.ask(encode(request));
      if (answer) {
        auto response = decode_enrol_response(*answer);
        if (response && !response->error.empty())
          return Error{Errc::refused, "the cloud refuses: " + response->error};
        return response;
      }
      done = answer.error();
    }
    last = done.error();
    if (last.code != Errc::unavailable) return last;
  }
  return last;
}

} // namespace

namespace {

Result<std::string> request_of(EVP_PKEY* key) {
  ossl::Request request{X509_REQ_new()};
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key) != 1 || X509_REQ_sign(request.get(), key, EVP_sha256()) <= 0)
    return Error{Errc::io, "cannot make a request: " + ossl::error_text()};
  auto out = ossl::writer();
  PEM_write_bio_X509_REQ(out.get(), request.get());
  return ossl::take(out);
}

} // namespace

Result<KeyAndRequest> make_key_and_request() {
  ossl::Key key{EVP_EC_gen("P-256")};
  if (!key) return Error{Errc::io, "cannot make a key: " + ossl::error_text()};
  auto request = request_of(key.get());
  if (!request) return request.error();
  return KeyAndRequest{ossl::to_pem(key.get()), std::move(*request)};
}

bool key_fits(const std::string& key, const std::string& certificate) {
  auto own = ossl::read_key(key);
  auto cert = ossl::read_cert(certificate);
  const auto fits = own && cert && X509_check_private_key(cert.get(), own.get()) == 1;
  ERR_clear_error();
  return fits;
}

bool share_authority(const std::string& one, const std::string& other) {
  const auto first = ossl::read_certs(one), second = ossl::read_certs(other);
  ERR_clear_error();
  return std::any_of(first.begin(), first.end(), [&](const auto& cert) {
    return std::any_of(second.begin(), second.end(),
                       [&](const auto& another) { return X509_cmp(cert.get(), another.get()) == 0; });
  });
}

Result<std::string> make_request(const std::string& key) {
  const auto known = ossl::read_key(key);
  ERR_clear_error();
  if (!known) return Error{Errc::corrupt, "not a key in PEM form"};
  return request_of(known.get());
}

Result<EnrolResponse> enrol(const JoinToken& token, const std::string& csr, const std::string& version,
                            std::chrono::milliseconds patience) {
  EnrolRequest request;
  request.secret = token.secret;
  request.csr = csr;
  request.version = version;
  return ask_one_of(token.addresses, request, patience, make_enrolment_tls, [&](SSL* ssl) -> Result<void> {
    auto server = verify_enrolment(ssl, token.fingerprint);
    if (!server) return server.error();
    return {};
  });
}

Result<EnrolResponse> renew(const TlsFiles& files, const std::vector<std::string>& addresses,
                            const std::string& csr, const std::string& version,
                            std::chrono::milliseconds patience) {
  auto context = TlsContext::load(TlsContext::Use::client, files);
  if (!context) return context.error();
  EnrolRequest request;
  request.csr = csr;
  request.version = version;
  return ask_one_of(
      addresses, request, patience, [&] { return (*context)->make_renewal(); },
      [&](SSL* ssl) -> Result<void> {
        auto server = peer_certificate(ssl);
        if (!server) return server.error();
        if (server->identity.role != Role::cloud) return Error{Errc::refused, "not a cloud"};
        return {};
      });
}

Result<CertificateTimes> certificate_times(const std::string& certificate) {
  auto cert = ossl::read_cert(certificate);
  ERR_clear_error();
  const auto renewable = renewal_time(cert.get());
  std::tm end{};
  if (!renewable || ASN1_TIME_to_tm(X509_get0_notAfter(cert.get()), &end) != 1)
    return Error{Errc::corrupt, "not a certificate in PEM form"};
  return CertificateTimes{*renewable, timegm(&end)};
}

} // namespace iris
