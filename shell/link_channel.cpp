#include "shell/channel.hpp"

#include "actors/actor_config.hpp"
#include "actors/interfaces.hpp"
#include "actors/link/client.hpp"
#include "actors/query_codec.hpp"
#include "shell/bundle.hpp"
#include "shell/greeting.hpp"

#include <caf/all.hpp>
#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <optional>

namespace iris {
namespace {

/// Beyond the time that the cloud was given: for the way there and back.
constexpr std::chrono::seconds way{3};

/// What the link's thread tells the shell's.
struct LinkState {
  std::mutex mutex;
  std::condition_variable changed;
  caf::strong_actor_ptr session;
  std::string address;
  std::string failure;
  std::size_t failures = 0;
  bool final = false; ///< trying again cannot help
};

bool cannot_help(CloseCause cause) {
  switch (cause) {
  case CloseCause::tls:
  case CloseCause::violation:
  case CloseCause::clone:
  case CloseCause::revoked:
  case CloseCause::limit:
  case CloseCause::refused:
    return true;
  default:
    return false;
  }
}

class LinkChannel final : public Channel {
public:
  explicit LinkChannel(LinkChannelOptions options) : options_{std::move(options)} { close_registry(system_); }
  ~LinkChannel() override { client_.reset(); } // before its actor system

  Result<void> start() {
    auto bundle = read_bundle(options_.bundle, options_.server.empty());
    if (!bundle) return bundle.error();
    LinkClientOptions link;
    link.addresses = options_.server.empty() ? bundle->addresses : std::vector{options_.server};
    addresses_ = link.addresses.size();
    link.tls = {bundle->certificate, bundle->key, bundle->ca, {}};
    link.timing.handshake = std::min(link.timing.handshake, options_.patience);
    link.backoff_least = std::chrono::milliseconds{200};
    link.backoff_most = std::chrono::milliseconds{5'000};
    auto client = LinkClient::start(system_, std::move(link), events());
    if (!client) return client.error();
    client_ = std::move(*client);
    if (client_->identity().role != Role::operator_)
      return Error{Errc::refused, fmt::format("{} is of {}, not of an operator", bundle->certificate,
                                              to_uri(client_->identity()))};
    return {};
  }

  Result<QueryAnswer> ask(const QueryRequest& request) override {
    if (auto good = check_query(request); !good) return good.error();
    if (auto up = connected(); !up) return up.error();
    auto reply = exchange<wire::Reply>(std::chrono::milliseconds{request.deadline_ms} + way,
                                       wire::Query{encode_query(request)});
    if (!reply) return reply.error();
    return decode_reply(reply->bytes);
  }

  [[nodiscard]] bool open() const override { return false; }
  [[nodiscard]] std::string name() const override { return client_ ? client_->identity().name : "iris"; }

private:
  LinkClientEvents events() {
    LinkClientEvents events;
    events.up = [state = state_](caf::strong_actor_ptr session, const Identity&, const std::string& address) {
      const std::lock_guard lock{state->mutex};
      state->session = std::move(session);
      state->address = address;
      state->failures = 0;
      state->changed.notify_all();
    };
    events.down = [state = state_](const CloseReason& reason) {
      const std::lock_guard lock{state->mutex};
      state->session = nullptr;
      state->failure = fmt::format("{}: {}", state->address, to_string(reason));
      state->final = cannot_help(reason.cause);
      state->changed.notify_all();
    };
    events.failed = [state = state_](const CloseReason& reason, const std::string& address) {
      const std::lock_guard lock{state->mutex};
      state->failure =
          address.empty() ? to_string(reason) : fmt::format("{}: {}", address, to_string(reason));
      ++state->failures;
      state->final = cannot_help(reason.cause);
      state->changed.notify_all();
    };
    return events;
  }

  /// Waits for a session and says hello to a new one.
  Result<void> connected() {
    caf::strong_actor_ptr session;
    {
      std::unique_lock lock{state_->mutex};
      // A cloud that is away is told once every address was tried, not after the whole patience.
      state_->changed.wait_for(lock, options_.patience, [&] {
        return state_->session || state_->final || state_->failures >= addresses_;
      });
      if (!state_->session) {
        state_->failures = 0; // the next question tries again
        state_->final = false;
        return Error{Errc::unavailable,
                     state_->failure.empty() ? "the cloud does not answer" : state_->failure};
      }
      session = state_->session;
    }
    if (session == greeted_) return {};
    if (session == refused_) return *refusal_; // a second hello would get the same answer
    session_ = caf::actor_cast<SessionActor>(session);
    auto welcome =
        exchange<wire::Welcome>(options_.patience, wire::Hello{encode_operator_hello(IRIS_VERSION)});
    if (!welcome) return welcome.error();
    auto greeting = decode_operator_welcome(welcome->bytes);
    if (!greeting) {
      refused_ = session;
      refusal_ = greeting.error();
      return *refusal_;
    }
    greeted_ = session;
    return {};
  }

  template <class Answer, class Message>
  Result<Answer> exchange(std::chrono::milliseconds deadline, Message message) {
    Result<Answer> result = Error{Errc::unavailable, "the cloud went away"};
    self_->request(session_, deadline, std::move(message))
        .receive([&](Answer& answer) { result = std::move(answer); },
                 [&](const caf::error& error) {
                   result = Error{Errc::unavailable, error == caf::sec::request_timeout
                                                         ? std::string{"the cloud did not answer in time"}
                                                         : "the cloud went away: " + caf::to_string(error)};
                 });
    return result;
  }

  static ActorConfig::Options actor_options() {
    ActorConfig::Options options;
    options.remote = true;
    options.threads = 1;
    return options;
  }

  LinkChannelOptions options_;
  std::size_t addresses_ = 1;
  std::shared_ptr<LinkState> state_ = std::make_shared<LinkState>();
  ActorConfig config_{actor_options()};
  caf::actor_system system_{config_};
  caf::scoped_actor self_{system_};
  std::unique_ptr<LinkClient> client_;
  SessionActor session_;
  caf::strong_actor_ptr greeted_, refused_;
  std::optional<Error> refusal_; ///< of `refused_`
};

} // namespace

Result<std::unique_ptr<Channel>> open_link_channel(LinkChannelOptions options) {
  auto channel = std::make_unique<LinkChannel>(std::move(options));
  if (auto started = channel->start(); !started) return started.error();
  return std::unique_ptr<Channel>{std::move(channel)};
}

} // namespace iris
