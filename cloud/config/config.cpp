#include "cloud/config/config.hpp"

#include "cloud/config/address.hpp"
#include "cloud/config/webhook_url.hpp"
#include "core/link/identity.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <set>

namespace iris {
namespace {

constexpr std::array<OptionSpec, 34> options{{
    {"listen.addresses", "--listen", "address:port for gateways and operators", true},
    {"listen.public", "--address", "host:port that gateways reach this cloud under", true},
    {"listen.health", "--health", "address:port of /healthz, /readyz and /metrics"},
    {"log.level", "--log-level", "trace, debug, info, warn, error or off"},
    {"intelligence.lists", "--threat-list", "file of addresses and networks, one a line", true},
    {"intelligence.mmdb", "--mmdb", "MaxMind database of countries or networks", true},
    {"learning.day", "--learning-day", "length of a learning day, e.g. 1d, 2s"},
    {"learning.window", "--learning-window", "window of numbers and deltas"},
    {"learning.startup", "--learning-startup", "a container's startup phase, at the least"},
    {"learning.quorum", "--learning-quorum", "gateways that must show a fleet key"},
    {"learning.days", "--learning-days", "distinct days until a gateway's own key counts as learned"},
    {"learning.budget", "--learning-budget", "alerts a horizon that may be promised"},
    {"learning.horizon_days", "--learning-horizon-days", "days that a promise covers"},
    {"learning.min_days", "--learning-min-days", "days before a service can be monitored"},
    {"learning.looks", "--learning-looks", "times that learning is looked at"},
    {"learning.alpha", "--learning-alpha", "risk that a promise is broken"},
    {"learning.report_bits", "--learning-report-bits", "novelties below this are not reported"},
    {"alerts.quiet", "--alert-quiet", "an alert that is quiet for longer is raised anew"},
    {"alerts.late_after", "--alert-late-after", "older than this on arrival is late"},
    {"alerts.away_after", "--alert-away-after", "a gateway silent for so long makes an alert; 0s: never"},
    {"alerts.per_gateway", "--alerts-per-gateway", "alerts kept of one gateway"},
    {"limits.outbox", "--outbox-limit", "revisions that wait for one sink"},
    {"limits.credit_batches", "--credit-batches", "batches a gateway may have under way"},
    {"limits.connections", "--connections", "connections in all"},
    {"limits.strangers", "--strangers", "connections that are not authenticated yet, in all"},
    {"limits.strangers_per_address", "--strangers-per-address", "and from one address"},
    {"limits.shells_per_operator", "--shells-per-operator", "connections of one operator"},
    {"limits.pending_per_identity", "--pending-per-identity",
     "connections of one identity that are authenticated and not admitted"},
    {"limits.retire_after", "--retire-after", "an absent gateway's aggregator is kept for this long"},
    {"pki.gateway_life", "--gateway-life", "life of a gateway's certificate, renewed at two thirds"},
    {"pki.operator_life", "--operator-life", "life of an operator's certificate"},
    {"pki.server_life", "--server-life", "life of this cloud's own certificate, renewed at two thirds"},
    {"backup.directory", "--backup-dir", "where backups go by themselves"},
    {"backup.every", "--backup-every", "how often"},
}};

/// Takes settings out one by one; the first error is kept.
class Taker {
public:
  explicit Taker(const std::map<std::string, RawSetting>& settings) : settings_{settings} {}
  Result<void> result() const { return error_.message.empty() ? Result<void>{} : Result<void>{error_}; }

  void text(const char* key, std::string& out) {
    if (const auto* setting = find(key)) out = setting->texts.back();
  }
  void texts(const char* key, std::vector<std::string>& out) {
    if (const auto* setting = find(key)) out = setting->texts;
  }
  /// Each by `check`, and at least one.
  template <class Check>
  void addresses(const char* key, std::vector<std::string>& out, Check check) {
    if (auto empty = settings_.find(key); empty != settings_.end() && empty->second.texts.empty())
      fail(empty->second, key, "must hold at least one address; without the line the default is used");
    const auto* setting = find(key);
    if (setting == nullptr) return;
    for (const auto& text : setting->texts)
      if (auto good = check(text); !good) fail(*setting, key, good.error().message);
    out = setting->texts;
  }
  void duration(const char* key, Duration& out, Duration least,
                Duration most = std::numeric_limits<Duration>::max()) {
    const auto* setting = find(key);
    if (setting == nullptr) return;
    auto span = parse_duration(setting->texts.back());
    if (!span)
      fail(*setting, key,
           "\"" + setting->texts.back() + "\" is not a duration; write 250ms, 10s, 5m, 1h or 7d");
    else if (*span < least)
      fail(*setting, key, "must be at least " + human_duration(least));
    else if (*span > most)
      fail(*setting, key, "must be at most " + human_duration(most));
    else
      out = *span;
  }
  void number(const char* key, std::uint32_t& out, std::uint32_t least, std::uint32_t most) {
    const auto* setting = find(key);
    if (setting == nullptr) return;
    const auto& text = setting->texts.back();
    std::uint32_t value = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || value < least || value > most)
      fail(*setting, key,
           "\"" + text + "\" is not a number from " + std::to_string(least) + " to " + std::to_string(most));
    else
      out = value;
  }
  void real(const char* key, double& out, double least, double most) {
    const auto* setting = find(key);
    if (setting == nullptr) return;
    const auto& text = setting->texts.back();
    double value = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most))
      fail(*setting, key,
           "\"" + text + "\" is not a number from " + std::to_string(least) + " to " + std::to_string(most));
    else
      out = value;
  }
  void boolean(const char* key, bool& out) {
    const auto* setting = find(key);
    if (setting == nullptr) return;
    const auto& text = setting->texts.back();
    if (text != "true" && text != "false")
      fail(*setting, key, "must be true or false");
    else
      out = text == "true";
  }
  void fail(const RawSetting& setting, const std::string& key, const std::string& why) {
    if (error_.message.empty()) error_ = {Errc::invalid, setting.where + ": " + key + ": " + why};
  }
  [[nodiscard]] const RawSetting* find(const char* key) const {
    auto found = settings_.find(key);
    return found == settings_.end() || found->second.texts.empty() ? nullptr : &found->second;
  }

private:
  const std::map<std::string, RawSetting>& settings_;
  Error error_{};
};

Result<SinkConfig> build_sink(const std::map<std::string, RawSetting>& settings) {
  SinkConfig sink;
  Taker take{settings};
  const auto& place = settings.at("");
  std::string type;
  take.text("type", type);
  take.text("name", sink.name);
  take.text("url", sink.url);
  take.text("address", sink.address);
  take.text("ca", sink.ca);
  take.text("secret", sink.secret);
  take.text("tenant", sink.tenant);
  take.boolean("tls", sink.tls);
  take.duration("timeout", sink.timeout, 100 * millisecond);
  if (auto done = take.result(); !done) return done.error();
  auto wrong = [&](const std::string& why) { return Error{Errc::invalid, place.where + ": sink: " + why}; };
  if (sink.name.empty() || sink.name.size() > 64) return wrong("it needs a name of at most 64 characters");
  if (sink.name.find('/') != std::string::npos) // what is before it would be a tenant (frontdesk)
    return wrong("the name " + sink.name + " must not hold a slash");
  if (sink.tenant != "*" && !valid_identity_part(sink.tenant))
    return wrong(
        "tenant \"" + sink.tenant.substr(0, 64) +
        "\" cannot be one: 1 to 64 characters of a-z, 0-9, dot, dash and underscore, or \"*\" for all");
  if (type == "webhook") {
    sink.kind = SinkConfig::Kind::webhook;
    if (auto url = parse_webhook_url(sink.url); !url) return wrong(url.error().message);
  } else if (type == "syslog") {
    sink.kind = SinkConfig::Kind::syslog;
    if (sink.address.empty()) return wrong("a syslog sink needs address = \"host:port\"");
    if (auto good = check_public_address(sink.address); !good) return wrong(good.error().message);
  } else {
    return wrong("type must be \"webhook\" or \"syslog\"");
  }
  return sink;
}

} // namespace

std::span<const OptionSpec> cloud_options() { return options; }

std::string environment_name(const OptionSpec& option) {
  std::string name = "IRIS_";
  for (const char* c = option.flag + 2; *c != 0; ++c)
    name += *c == '-' ? '_' : char(std::toupper(static_cast<unsigned char>(*c)));
  return name;
}

Result<CloudConfig> build_config(const RawConfig& raw) {
  CloudConfig config;
  Taker take{raw.settings};
  take.addresses("listen.addresses", config.listen, check_listen_address);
  take.addresses("listen.public", config.public_addresses, check_public_address);
  std::vector<std::string> health;
  take.addresses("listen.health", health, [](const std::string& text) {
    if (text.empty()) return Result<void>{}; // none
    return check_listen_address(text.rfind("localhost:", 0) == 0 ? "127.0.0.1" + text.substr(9) : text);
  });
  if (!health.empty()) config.health = health.back();
  take.text("log.level", config.log_level);
  take.texts("intelligence.lists", config.threat_lists);
  take.texts("intelligence.mmdb", config.mmdb);
  take.duration("learning.day", config.scale.day, second);
  take.duration("learning.window", config.scale.window, 100 * millisecond);
  take.duration("learning.startup", config.scale.startup, 0);
  take.duration("alerts.quiet", config.scale.alert_quiet, second);
  take.number("learning.quorum", config.quorum, 1, 1'000);
  take.number("learning.days", config.trust_days, 1, 8);
  take.number("learning.budget", config.budget, 0, 100'000);
  take.number("learning.looks", config.looks, 1, 20);
  take.real("learning.horizon_days", config.horizon_days, 0.01, 365);
  take.real("learning.min_days", config.min_days, 0, 365);
  take.real("learning.alpha", config.alpha, 0.0001, 0.5);
  take.real("learning.report_bits", config.report_bits, 0, 64);
  take.duration("alerts.late_after", config.late_after, second);
  take.duration("alerts.away_after", config.away_after, 0);
  take.number("alerts.per_gateway", config.alerts_per_gateway, 10, 1'000'000);
  take.number("limits.outbox", config.outbox_limit, 10, 10'000'000);
  take.number("limits.credit_batches", config.credit_batches, 1, 1'024);
  take.number("limits.connections", config.connections, 1, 1'000'000);
  take.number("limits.strangers", config.strangers, 1, 1'000'000);
  take.number("limits.strangers_per_address", config.strangers_per_address, 1, 1'000'000);
  take.number("limits.shells_per_operator", config.shells_per_operator, 1, 1'024);
  take.number("limits.pending_per_identity", config.pending_per_identity, 1, 1'024);
  take.duration("limits.retire_after", config.retire_after, second);
  take.duration("pki.gateway_life", config.gateway_life, 10 * second, 365 * 86'400 * second);
  take.duration("pki.operator_life", config.operator_life, 10 * second, 730 * 86'400 * second);
  take.duration("pki.server_life", config.server_life, 10 * second, 730 * 86'400 * second);
  take.text("backup.directory", config.backup_dir);
  take.duration("backup.every", config.backup_every, second);
  if (auto done = take.result(); !done) return done.error();
  static const std::set<std::string> levels{"trace", "debug", "info", "warn", "error", "off"};
  if (levels.count(config.log_level) == 0)
    return Error{Errc::invalid, raw.settings.at("log.level").where +
                                    ": log.level: must be trace, debug, info, warn, error or off"};
  std::set<std::string> names;
  for (const auto& settings : raw.sinks) {
    auto sink = build_sink(settings);
    if (!sink) return sink.error();
    if (!names.insert(sink->name).second)
      return Error{Errc::invalid,
                   settings.at("").where + ": sink: the name " + sink->name + " is used twice"};
    config.sinks.push_back(std::move(*sink));
  }
  return config;
}

std::string default_config_text(const std::vector<std::string>& listen,
                                const std::vector<std::string>& public_addresses) {
  auto list = [](const std::vector<std::string>& entries) {
    std::string text = "[";
    for (const auto& entry : entries)
      text += (text.size() == 1 ? "\"" : ", \"") + entry + "\"";
    return text + "]";
  };
  return "# Configuration of iris-cloud. Every setting can also be given as a flag or in the environment; a "
         "flag comes\n"
         "# before the environment, the environment before this file. iris-cloud run --help lists them all.\n"
         "\n"
         "[listen]\n"
         "addresses = " +
         list(listen) +
         "   # gateways and operators\n"
         "public = " +
         list(public_addresses) +
         "   # what gateways and operators reach this cloud under\n"
         "# health = \"127.0.0.1:9464\"   # off unless set: /healthz, /readyz, /metrics\n"
         "\n"
         "[intelligence]\n"
         "lists = []   # files of addresses and networks, one a line; read again when they change\n"
         "mmdb = []    # MaxMind databases of countries and networks\n"
         "\n"
         "[learning]\n"
         "day = \"1d\"\n"
         "window = \"10s\"\n"
         "startup = \"2m\"\n"
         "quorum = 3\n"
         "days = 2\n"
         "budget = 7\n"
         "\n"
         "[alerts]\n"
         "quiet = \"1h\"\n"
         "\n"
         "# [[sink]]\n"
         "# name = \"soc\"\n"
         "# type = \"webhook\"\n"
         "# url = \"https://soc.example/hooks/iris\"\n"
         "# secret = \"change me\"\n"
         "#\n"
         "# [[sink]]\n"
         "# name = \"siem\"\n"
         "# type = \"syslog\"\n"
         "# address = \"siem.example:6514\"\n"
         "# tls = true\n";
}

} // namespace iris
