#include "actors/link/tls_stream.hpp"

#include "core/link/openssl_ptr.hpp"

#include <array>

namespace iris {

namespace {

constexpr std::size_t record = 16 * 1024;

} // namespace

void TlsStream::feed(std::string_view bytes) {
  if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), int(bytes.size()));
}

void TlsStream::note_failure() {
  auto verify = SSL_get_verify_result(ssl_.get());
  error_ = ossl::error_text();
  if (verify != X509_V_OK) error_ += std::string{": "} + X509_verify_cert_error_string(verify);
}

bool TlsStream::handshake() {
  if (established_) return true;
  ERR_clear_error();
  auto result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    established_ = true;
    return true;
  }
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return true;
  note_failure();
  return false;
}

TlsStream::Read TlsStream::read(std::string_view& plain) {
  static thread_local std::array<char, record> buffer;
  ERR_clear_error();
  auto count = SSL_read(ssl_.get(), buffer.data(), int(buffer.size()));
  if (count > 0) {
    plain = {buffer.data(), std::size_t(count)};
    return Read::data;
  }
  switch (SSL_get_error(ssl_.get(), count)) {
  case SSL_ERROR_WANT_READ:
    return Read::more;
  case SSL_ERROR_ZERO_RETURN:
    return Read::closed;
  default:
    note_failure();
    return Read::failed;
  }
}

bool TlsStream::write(std::string_view plain) {
  while (!plain.empty()) {
    ERR_clear_error();
    auto piece = plain.substr(0, record);
    auto count = SSL_write(ssl_.get(), piece.data(), int(piece.size()));
    if (count <= 0) {
      note_failure();
      return false;
    }
    plain.remove_prefix(std::size_t(count));
  }
  return true;
}

void TlsStream::close_notify() {
  ERR_clear_error();
  if (established_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsStream::drain(std::string& out) {
  auto* bio = SSL_get_wbio(ssl_.get());
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio, &data);
  if (size <= 0) return;
  out.append(data, std::size_t(size));
  BIO_reset(bio);
}

std::string TlsStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

} // namespace iris
