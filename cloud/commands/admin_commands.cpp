#include "actors/ticks.hpp"
#include "cloud/admin/admin.hpp"
#include "cloud/commands/commands.hpp"
#include "cloud/commands/common.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/store/store.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace iris {
namespace {

/// What the commands that talk to the store have in common.
struct Common {
  std::string data = "/var/lib/iris";
  bool json = false;
  explicit Common(CLI::App& app) {
    app.require_subcommand(1);
    app.fallthrough(); // --data and --json also after the subcommand
    add_data_option(app, data);
    app.add_flag("--json", json, "One JSON object a line");
  }
  [[nodiscard]] Result<QueryAnswer> ask(const std::string& verb, std::vector<std::string> arguments) const {
    return administrate(CloudPaths{data}, verb, std::move(arguments));
  }
};

/// One line on success, where the answer has none of its own; as JSON nothing.
int print_done(const Result<QueryAnswer>& answer, bool json, const std::string& line) {
  const auto code = print_answer(answer, true, {});
  if (code == 0 && !json) std::printf("%s\n", line.c_str());
  return code;
}

void add_named(std::vector<std::string>& arguments, const char* name, const std::string& value) {
  if (!value.empty()) arguments.push_back(std::string{name} + "=" + value);
}

/// Writes the files that iris-shell reads: cert.pem, key.pem, ca.pem, addresses.txt.
Result<void> write_bundle(const std::string& line, const std::string& directory) {
  std::error_code problem;
  const auto made = std::filesystem::create_directories(directory, problem);
  if (problem) return Error{Errc::io, directory + ": cannot make the directory: " + problem.message()};
  // One that was there keeps its mode, it may be anybody's; the key has mode 0600 wherever it is.
  if (made) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, problem);
  for (const auto& [file, field] :
       {std::pair{"key.pem", "key"}, std::pair{"ca.pem", "ca"}, std::pair{"addresses.txt", "addresses"},
        std::pair{"cert.pem", "certificate"}})
    if (auto done = pki::write_file(directory + "/" + file, json_text(line, field)); !done) return done;
  return {};
}

} // namespace

int token_main(int argc, char** argv) {
  CLI::App app{"Join tokens: the line that lets a new gateway in.", "iris-cloud token"};
  Common common{app};
  std::string gateway, tenant, site, ttl, uses, id;
  std::vector<std::string> addresses;
  auto* create = app.add_subcommand("create", "Print a token");
  create->add_option("--gateway", gateway,
                     "The only gateway id that it may be used for (default: one is made)");
  create->add_option("--tenant", tenant, "Tenant of the gateway (default: default)");
  create->add_option("--site", site, "Where the gateway stands, for people");
  create->add_option("--ttl", ttl, "How long it is good (default: 1h)");
  create->add_option("--uses", uses, "How often it can be used (default: 1)");
  create
      ->add_option("--address", addresses,
                   "HOST:PORT for the gateway in the place of the configured ones; repeatable")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  auto* list = app.add_subcommand("list", "All tokens");
  auto* revoke = app.add_subcommand("revoke", "End a token");
  revoke->add_option("ID", id, "As token list prints it")->required();
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  if (list->parsed())
    return print_answer(common.ask("token-list", {}), common.json,
                        {"id", "state", "tenant", "gateway", "site", "expires", "uses_left"});
  if (revoke->parsed())
    return print_done(common.ask("token-revoke", {id}), common.json,
                      "revoked token " + id + "; gateways that it let in stay");
  std::vector<std::string> arguments;
  add_named(arguments, "gateway", gateway);
  add_named(arguments, "tenant", tenant);
  add_named(arguments, "site", site);
  add_named(arguments, "ttl", ttl);
  add_named(arguments, "uses", uses);
  for (const auto& address : addresses)
    add_named(arguments, "address", address);
  auto answer = common.ask("token-create", std::move(arguments));
  if (!answer || answer->status != 0 || common.json || answer->lines.empty())
    return print_answer(answer, true, {});
  const auto& line = answer->lines[0];
  std::printf("%s\n", json_text(line, "token").c_str());
  const bool ends_early = json_text(line, "ends_with_authority") == "true";
  const auto only = json_text(line, "gateway"), place = json_text(line, "site");
  // Not on stdout: the token alone is what scripts take.
  std::fprintf(stderr, "token %s, good until %s for %s (tenant %s%s)\n", json_text(line, "id").c_str(),
               json_text(line, "expires").c_str(),
               only.empty() ? "a gateway with an id that is made" : ("gateway " + only).c_str(),
               json_text(line, "tenant").c_str(), place.empty() ? "" : (", site " + place).c_str());
  if (ends_early)
    std::fprintf(stderr,
                 "it names the older authority and ends with it: use it before `iris-cloud ca retire`\n");
  return 0;
}

int operators_main(int argc, char** argv) {
  CLI::App app{"Operators: people who use iris-shell.", "iris-cloud operators"};
  Common common{app};
  std::string name, tenant, out;
  bool admin = false;
  auto* add = app.add_subcommand("add", "Make a certificate and key for an operator");
  add->add_option("NAME", name, "a-z 0-9 . _ -")->required();
  add->add_flag("--admin", admin, "May change things, not only look");
  add->add_option("--tenant", tenant, "The only tenant that he may see (default: all)");
  add->add_option("--out", out, "Directory for cert.pem, key.pem, ca.pem and addresses.txt")->required();
  auto* list = app.add_subcommand("list", "All operators");
  auto* revoke = app.add_subcommand("revoke", "End an operator's certificate");
  revoke->add_option("NAME", name, "[TENANT/]NAME, as operators list prints them")->required();
  revoke->add_option("--tenant", tenant, "His tenant, where it is not all");
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  if (list->parsed())
    return print_answer(common.ask("operators-list", {}), common.json,
                        {"name", "tenant", "admin", "created", "certificate_ends", "state"});
  std::vector<std::string> arguments{name};
  add_named(arguments, "tenant", tenant);
  if (revoke->parsed())
    return print_done(common.ask("operators-revoke", std::move(arguments)), common.json,
                      "revoked operator " + name + "; the certificate is good for nothing from now on");
  if (std::filesystem::exists(out + "/key.pem"))
    return fail({Errc::refused, "there is a key in " + out + " already; nothing was changed"});
  if (admin) arguments.push_back("admin=true");
  auto answer = common.ask("operators-add", std::move(arguments));
  if (!answer || answer->status != 0 || answer->lines.empty()) return print_answer(answer, true, {});
  if (auto done = write_bundle(answer->lines[0], out); !done) return fail(done.error());
  std::printf("made %s until %s in %s\nnext: iris-shell --bundle %s\n",
              json_text(answer->lines[0], "identity").c_str(), json_text(answer->lines[0], "expires").c_str(),
              out.c_str(), out.c_str());
  return 0;
}

int gateways_main(int argc, char** argv) {
  CLI::App app{"Gateways that enrolled here.", "iris-cloud gateways"};
  Common common{app};
  std::string id;
  std::string name;
  auto* list = app.add_subcommand("list", "All gateways");
  auto* rename = app.add_subcommand("rename", "Call a gateway by another name; its id and its key stay");
  rename->add_option("OLD", id, "[TENANT/]ID, or the name that it has now")->required();
  rename->add_option("NEW", name, "a-z 0-9 . _ -; its id takes the name away again")->required();
  auto* revoke = app.add_subcommand("revoke", "End a gateway's certificates and its session");
  revoke->add_option("ID", id, "[TENANT/]ID, or the name that it has")->required();
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  if (list->parsed())
    return print_answer(
        common.ask("gateways-list", {}), common.json,
        {"gateway", "name", "tenant", "site", "version", "last_seen", "certificate_ends", "state"});
  if (rename->parsed())
    return print_done(common.ask("gateways-rename", {id, name}), common.json,
                      "gateway " + id + " is called " + name + " from now on");
  return print_done(common.ask("gateways-revoke", {id}), common.json,
                    "revoked gateway " + id + "; it comes back only with a new token");
}

int ca_main(int argc, char** argv) {
  CLI::App app{"The certificate authority, and its replacement by a new one.", "iris-cloud ca"};
  Common common{app};
  bool force = false;
  auto* list = app.add_subcommand("list", "The authorities that are trusted, newest first");
  auto* roll =
      app.add_subcommand("roll", "Make a new authority; the old one stays trusted until `ca retire`");
  auto* retire = app.add_subcommand("retire", "End the older authority; refused while somebody needs it");
  retire->add_flag("--force", force, "Also when gateways, operators or tokens are shut out by it");
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  if (list->parsed())
    return print_answer(common.ask("ca-list", {}), common.json,
                        {"name", "signs_gateways", "signs_server", "expires", "fingerprint"});
  if (roll->parsed())
    return print_done(
        common.ask("ca-roll", {}), common.json,
        "there are two authorities now; keep a copy of pki/ off the machine. Gateways get the new "
        "one with their next renewal; `iris-cloud ca retire` says who has not yet");
  (void)retire;
  // What ends is said before it does.
  const auto planned = common.ask("ca-retire", {"dry=true"});
  if (!planned || planned->status != 0 || planned->lines.empty()) return print_answer(planned, true, {});
  std::vector<std::string> arguments;
  if (force) arguments.emplace_back("force=true");
  if (force && json_text(planned->lines[0], "authorities") != "1")
    std::fprintf(stderr, "ends with the authority %s: %s\n",
                 json_text(planned->lines[0], "authority").c_str(),
                 json_text(planned->lines[0], "shuts_out").c_str());
  const auto retired = common.ask("ca-retire", std::move(arguments));
  if (!common.json && retired && retired->status == 0)
    for (const auto& line : retired->lines)
      std::printf("shut out: %s\n", json_text(line, "shut_out").c_str());
  return print_done(
      common.json || !retired || retired->status != 0 ? retired : Result<QueryAnswer>{QueryAnswer{}},
      common.json, "the older authority is trusted no more; keep a copy of pki/ off the machine");
}

int backup_main(int argc, char** argv) {
  CLI::App app{"Adds a backup of the database to a directory. Works while the cloud runs; the certificate "
               "authority is not "
               "part of it.",
               "iris-cloud backup"};
  std::string data = "/var/lib/iris", to;
  add_data_option(app, data);
  app.add_option("DIRECTORY", to, "Where backups are kept")->required();
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  auto target = std::filesystem::absolute(to).string(); // the running process has another working directory
  return print_done(administrate(CloudPaths{data}, "backup", {target}), false, "backup made in " + target);
}

int restore_main(int argc, char** argv) {
  CLI::App app{"Makes the database from the newest backup. There must be no database.", "iris-cloud restore"};
  std::string data = "/var/lib/iris", from;
  add_data_option(app, data);
  app.add_option("DIRECTORY", from, "Where backups are kept")->required();
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  const CloudPaths paths{data};
  if (!std::filesystem::exists(from + "/meta"))
    return fail({Errc::not_found, "there is no backup in " + from}); // before a directory is made for it
  if (auto done = make_data_directory(paths); !done) return fail(done.error());
  const auto restored = Store::restore(from, paths.database());
  if (!restored) return fail(restored.error());
  {
    auto store = Store::open(paths.database());
    if (!store) return fail(store.error());
    if (auto noted = Admin::note_beginning(**store, TickScale::wall_now()); !noted)
      return fail(noted.error());
  }
  std::printf("restored the backup of %s, the newest of %zu; gateways send again what they keep of the last "
              "hour\n",
              rfc3339(restored->made).c_str(), restored->of);
  if (!std::filesystem::exists(paths.pki()))
    std::printf("next: copy the pki directory that you kept to %s\n", paths.pki().c_str());
  return 0;
}

} // namespace iris
