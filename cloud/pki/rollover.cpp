#include "cloud/pki/authority.hpp"
#include "cloud/pki/files.hpp"
#include "core/base/hash.hpp"

#include <arpa/inet.h>

#include <cstdio>
#include <ctime>

namespace iris::pki {

namespace {

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

std::string common_name(X509* cert) {
  char text[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text, sizeof text);
  return text;
}

/// "Iris" becomes "Iris #2", that "Iris #3": two authorities of one name could not be told apart in a chain.
std::string next_name(const std::string& name) {
  auto base = name;
  unsigned long generation = 1;
  if (auto at = name.rfind(" #"); at != std::string::npos) {
    char* end = nullptr;
    auto number = std::strtoul(name.c_str() + at + 2, &end, 10);
    if (*end == 0 && number > 0 && number < 1'000'000'000) {
      generation = number;
      base = name.substr(0, at);
    }
  }
  return base.substr(0, 50) + " #" + std::to_string(generation + 1);
}

Result<ossl::Cert> read_server(const std::string& directory) {
  auto pem = read_file(in(directory, server_certificate));
  if (!pem) return pem.error();
  auto cert = ossl::read_cert(*pem);
  ERR_clear_error();
  if (!cert)
    return Error{Errc::corrupt, in(directory, server_certificate) + ": not a certificate in PEM form"};
  return Result<ossl::Cert>{std::move(cert)};
}

/// Null when there is no server.pem yet, or one of somebody else.
const Authority* signer_of_server(const std::string& directory, const std::vector<Authority>& all) {
  auto server = read_server(directory);
  if (!server) return nullptr;
  for (const auto& authority : all)
    if (X509_verify(server->get(), X509_get0_pubkey(authority.cert.get())) == 1) return &authority;
  ERR_clear_error();
  return nullptr;
}

struct Names {
  std::string uri;
  std::vector<std::string> hosts;
};
Names names_of(X509* cert) {
  Names found;
  ossl::Names names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI && name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const auto* value = name->type == GEN_IPADD ? name->d.iPAddress : name->d.ia5;
    std::string bytes{reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                      std::size_t(ASN1_STRING_length(value))};
    char text[INET6_ADDRSTRLEN] = "";
    if (name->type == GEN_URI)
      found.uri = bytes;
    else if (name->type == GEN_DNS)
      found.hosts.push_back(bytes);
    else if (bytes.size() == 4 || bytes.size() == 16)
      found.hosts.emplace_back(
          inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text));
  }
  return found;
}

Result<Certificate> sign_server(const std::string& directory, const Authority& authority, Timestamp now,
                                Duration validity) {
  auto server = read_server(directory);
  if (!server) return server.error();
  auto pem = read_file(in(directory, server_key));
  if (!pem) return pem.error();
  auto key = ossl::read_key(*pem);
  if (!key || X509_check_private_key(server->get(), key.get()) != 1) {
    ERR_clear_error();
    return Error{Errc::corrupt, in(directory, server_key) + ": not the key of " + server_certificate};
  }
  const auto names = names_of(server->get());
  auto identity = parse_identity(names.uri);
  if (!identity || identity->role != Role::cloud)
    return Error{Errc::corrupt, in(directory, server_certificate) + ": is not of a cloud"};
  auto fresh = certify(authority, key.get(), *identity, names.hosts, now, validity);
  if (!fresh) return fresh;
  if (auto done = write_file(in(directory, server_certificate), fresh->pem); !done) return done.error();
  return fresh;
}

std::string pem_of(const std::vector<Authority>& all) {
  std::string text;
  for (const auto& authority : all)
    text += ossl::to_pem(authority.cert.get());
  return text;
}

/// A retirement that was cut off at its very end left the only key in the file that roll() writes.
Result<void> tidy(const std::string& directory, const std::vector<Authority>& all) {
  if (all.size() != 1) return {};
  auto first = read_file(in(directory, ca_key));
  if (!first) return first.error();
  auto key = ossl::read_key(*first);
  auto fits = key && X509_check_private_key(all.front().cert.get(), key.get()) == 1;
  ERR_clear_error();
  if (fits) {
    std::remove(in(directory, next_key).c_str()); // of a rollover that was cut off before it counted
    return {};
  }
  if (auto done = write_file(in(directory, ca_key), ossl::to_pem(all.front().key.get())); !done) return done;
  std::remove(in(directory, next_key).c_str());
  return {};
}

} // namespace

Result<Certificate> renew_server(const std::string& directory, Timestamp now, Duration validity) {
  auto all = load(directory);
  if (!all) return all.error();
  const auto* authority = signer_of_server(directory, *all);
  if (!authority)
    return Error{Errc::corrupt, in(directory, server_certificate) + ": not signed by an authority in " +
                                    in(directory, ca_certificate)};
  return sign_server(directory, *authority, now, validity);
}

Result<Timestamp> server_renewable(const std::string& directory, Timestamp now, Duration longest) {
  auto server = read_server(directory);
  if (!server) return server.error();
  auto begin = seconds_of(X509_get0_notBefore(server->get()));
  auto end = seconds_of(X509_get0_notAfter(server->get()));
  if (now != 0 && end * second > now + longest) return now; // the setting was made shorter
  return (begin + (end - begin) / 3 * 2) * second;
}

Result<std::vector<AuthorityInfo>> authorities(const std::string& directory) {
  auto all = load(directory);
  if (!all) return all.error();
  const auto* serving = signer_of_server(directory, *all);
  std::vector<AuthorityInfo> found;
  for (const auto& authority : *all)
    found.push_back({to_hex(fingerprint_of(authority.cert.get())), common_name(authority.cert.get()),
                     seconds_of(X509_get0_notAfter(authority.cert.get())) * second, &authority == serving});
  return found;
}

Result<void> roll(const std::string& directory, Timestamp now) {
  auto all = load(directory);
  if (!all) return all.error();
  if (all->size() > 1)
    return Error{Errc::refused,
                 "there are two authorities already; `iris-cloud ca retire` ends the older one first"};
  if (auto done = tidy(directory, *all); !done) return done;
  auto fresh = self_signed(next_name(common_name(all->front().cert.get())), now);
  if (!fresh) return fresh.error();
  all->insert(all->begin(), std::move(*fresh));
  auto done = write_file(in(directory, next_key), ossl::to_pem(all->front().key.get()));
  if (done) done = write_revocations(directory, *all, now);
  // From here on it counts. Before, a key and a list of nobody were left behind.
  if (done) done = write_file(in(directory, ca_certificate), pem_of(*all));
  return done;
}

Result<void> retire(const std::string& directory, Timestamp now, Duration validity) {
  auto all = load(directory);
  if (!all) return all.error();
  if (all->size() == 1) {
    if (auto done = tidy(directory, *all); !done) return done;
    return Error{Errc::refused, "there is only one authority; `iris-cloud ca roll` makes its successor"};
  }
  // Each step leaves what a start can use, and can be done again.
  if (signer_of_server(directory, *all) != &all->front())
    if (auto done = sign_server(directory, all->front(), now, validity); !done) return done.error();
  all->resize(1);
  if (auto done = write_file(in(directory, ca_certificate), pem_of(*all)); !done) return done;
  if (auto done = write_revocations(directory, *all, now); !done) return done;
  return tidy(directory, *all);
}

Result<std::string> fingerprint(const std::string& directory) {
  auto pem = read_file(in(directory, ca_certificate));
  if (!pem) return pem.error();
  auto certs = ossl::read_certs(*pem);
  if (certs.empty())
    return Error{Errc::corrupt, in(directory, ca_certificate) + ": not certificates in PEM form"};
  auto server = read_server(directory);
  auto* issuer = server ? ossl::issuer_of(server->get(), certs) : nullptr;
  return fingerprint_of(issuer ? issuer : certs.front().get());
}

} // namespace iris::pki
