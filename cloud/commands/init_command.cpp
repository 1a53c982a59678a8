#include "actors/ticks.hpp"
#include "cloud/commands/commands.hpp"
#include "cloud/commands/common.hpp"
#include "cloud/config/address.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "cloud/store/access.hpp"
#include "cloud/store/store.hpp"
#include "core/base/hash.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace iris {
namespace {

std::string host_of(const std::string& address) {
  auto host = address.substr(0, address.rfind(':'));
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host;
}

/// What is wrong with --address or --listen, before anything is made.
Result<void> check_addresses(const std::vector<std::string>& listen,
                             const std::vector<std::string>& addresses) {
  for (const auto& text : listen)
    if (auto good = check_listen_address(text); !good)
      return Error{good.error().code, "--listen: " + good.error().message};
  for (const auto& text : addresses)
    if (auto good = check_public_address(text); !good)
      return Error{good.error().code, "--address: " + good.error().message};
  return {};
}

Result<void> make_all(const CloudPaths& paths, const std::string& name, const std::string& shard,
                      const std::vector<std::string>& listen, const std::vector<std::string>& addresses) {
  const auto now = TickScale::wall_now();
  if (auto done = pki::make_authority(paths.pki(), name, now); !done) return done;
  std::vector<std::string> hosts;
  for (const auto& address : addresses)
    hosts.push_back(host_of(address));
  if (auto made = pki::issue_server(paths.pki(), shard, hosts, now); !made) return made.error();
  if (!std::filesystem::exists(paths.config()))
    if (auto done = pki::write_file(paths.config(), default_config_text(listen, addresses)); !done)
      return done;
  auto store = Store::create(paths.database());
  if (!store) return store.error();
  return {};
}

} // namespace

int init_main(int argc, char** argv) {
  CLI::App app{"Makes a cloud: certificate authority, configuration and an empty database. Changes nothing "
               "where there "
               "is one already.",
               "iris-cloud init"};
  std::string data = "/var/lib/iris", name = "Iris", shard = "cloud-0";
  std::vector<std::string> addresses{"localhost:7443"}, listen{"0.0.0.0:7443"};
  add_data_option(app, data);
  app.add_option("--address", addresses,
                 "HOST:PORT that gateways and operators reach this cloud under; repeatable")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  app.add_option("--listen", listen, "ADDRESS:PORT to listen on; repeatable")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  app.add_option("--name", name, "Name of the certificate authority")->capture_default_str();
  app.add_option("--shard", shard, "Name of this shard")->capture_default_str();
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  for (auto& address : addresses)
    if (address.find(':') == std::string::npos) address += ":7443";
  if (auto good = check_addresses(listen, addresses); !good) return fail(good.error());
  CloudPaths paths{data};
  for (const auto& there : {paths.pki() + "/" + pki::ca_key, paths.database() + "/CURRENT"})
    if (std::filesystem::exists(there)) {
      auto why = "there is a cloud in " + data + " already (" + there + "); nothing was changed";
      if (!std::filesystem::exists(paths.database() + "/CURRENT"))
        why += ". " + no_database(paths.database()).message;
      return fail({Errc::refused, why});
    }
  if (auto done = make_data_directory(paths); !done) return fail(done.error());
  if (auto done = make_all(paths, name, shard, listen, addresses); !done) return fail(done.error());
  auto fingerprint = pki::fingerprint(paths.pki());
  if (!fingerprint) return fail(fingerprint.error());
  std::printf("made a cloud in %s\n"
              "  configuration  %s\n"
              "  authority      %s (keep a copy of this directory off the machine)\n"
              "  fingerprint    %s\n"
              "next: iris-cloud run --data %s\n",
              data.c_str(), paths.config().c_str(), paths.pki().c_str(), to_hex(*fingerprint).c_str(),
              data.c_str());
  if (std::all_of(addresses.begin(), addresses.end(), is_local_address))
    std::fprintf(stderr,
                 "iris-cloud: warning: only this machine can reach %s; for gateways elsewhere set "
                 "\"public\" in %s to HOST:PORT before tokens are made\n",
                 addresses.front().c_str(), paths.config().c_str());
  return 0;
}

} // namespace iris
