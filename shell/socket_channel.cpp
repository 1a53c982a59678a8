#include "shell/channel.hpp"

#include "actors/control_socket.hpp"

namespace iris {
namespace {

class SocketChannel final : public Channel {
public:
  explicit SocketChannel(std::string path) : path_{std::move(path)} {
    // nop
  }
  Result<QueryAnswer> ask(const QueryRequest& request) override { return ask_control_socket(path_, request); }
  [[nodiscard]] bool open() const override { return true; }
  [[nodiscard]] std::string name() const override { return "local"; }

private:
  std::string path_;
};

} // namespace

std::unique_ptr<Channel> open_socket_channel(std::string path) {
  return std::make_unique<SocketChannel>(std::move(path));
}

} // namespace iris
