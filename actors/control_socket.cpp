#include "actors/control_socket.hpp"

#include "actors/query_codec.hpp"
#include "actors/unix_stream.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace iris {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& tree) { return tree.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<QueryRequest> parse_request(const std::string& line) {
  const auto tree = Json::parse(line, nullptr, false);
  if (!tree.is_object()) return Error{Errc::invalid, "the question is not one JSON object on one line"};
  QueryRequest request;
  request.admin = true; // whoever may open the socket owns the process
  request.asked_by = "local";
  for (const auto& [key, value] : tree.items()) {
    if (key == "verb" && value.is_string())
      request.verb = value.get<std::string>();
    else if (key == "deadline_ms" && value.is_number_unsigned() &&
             value.get<std::uint64_t>() <= deadline_limit_ms)
      request.deadline_ms = value.get<std::uint32_t>();
    else if (key == "arguments" && value.is_array() &&
             std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); }))
      request.arguments = value.get<std::vector<std::string>>();
    else
      return Error{Errc::invalid,
                   fmt::format("`{}` in the question is unknown or has a wrong value", key.substr(0, 64))};
  }
  if (auto checked = check_query(request); !checked) return checked.error();
  return request;
}

/// Inner line ends would end a JSON line early; JSON itself has none outside of strings.
void append_line(std::string& out, const std::string& line) {
  for (const char c : line)
    out += c == '\n' || c == '\r' ? ' ' : c;
  out += '\n';
}

std::string answer_text(const QueryAnswer& answer) {
  std::string out;
  for (const auto& line : answer.lines)
    append_line(out, line);
  append_line(
      out, dump(Json{{"status", answer.status}, {"message", answer.message}, {"partial", answer.partial}}));
  return out;
}

} // namespace

struct ControlSocket::Impl {
  std::string path;
  Handler handler;
  FileDescriptor listener, stop;
  std::atomic<std::uint64_t> served{0}, refused{0};
  std::thread thread;

  void serve(FileDescriptor client) {
    const UnixStream stream{client.get()};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    QueryAnswer answer;
    if (!stream.peer_is_owner()) {
      ++refused;
      answer = answer_error(Errc::refused, "this socket is for the process's own user and root");
    } else {
      const auto line = stream.read_line(request_limit, deadline);
      auto request = line ? parse_request(*line) : Result<QueryRequest>{line.error()};
      if (!request) {
        ++refused;
        answer = answer_error(request.error().code, request.error().message);
      } else if (stream
                     .peer_is_gone()) { // it was told that nobody answers: what it asked for must not happen
        ++refused;
        return;
      } else {
        ++served;
        answer = ask(*request);
      }
    }
    // A client that does not take its answer loses the rest of it; the next one waits no longer than this.
    (void)stream.write(answer_text(answer), std::chrono::steady_clock::now() + patience);
  }

  QueryAnswer ask(const QueryRequest& request) {
    try {
      return handler(request);
    } catch (const std::exception& problem) {
      return answer_error(Errc::io, fmt::format("`{}` failed: {}", request.verb, problem.what()));
    }
  }

  void run() {
    while (wait_readable(listener.get(), stop.get()))
      if (FileDescriptor client{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
          client.get() >= 0)
        serve(std::move(client));
      else if (errno == EMFILE || errno == ENFILE)
        std::this_thread::sleep_for(std::chrono::milliseconds{100}); // no descriptor is free: do not spin
  }
};

ControlSocket::ControlSocket(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {
  // nop
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::listen(const std::string& path, Handler handler) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->handler = std::move(handler);
  auto listener = listen_unix(path);
  if (!listener) return listener.error();
  impl->listener = std::move(*listener);
  impl->stop = FileDescriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (impl->stop.get() < 0) return Error{Errc::io, fmt::format("eventfd: {}", std::strerror(errno))};
  impl->thread = std::thread{[raw = impl.get()] { raw->run(); }};
  return std::unique_ptr<ControlSocket>{new ControlSocket{std::move(impl)}};
}

ControlSocket::~ControlSocket() {
  const std::uint64_t one = 1;
  (void)!::write(impl_->stop.get(), &one, sizeof one);
  impl_->thread.join();
  ::unlink(impl_->path.c_str());
}

std::uint64_t ControlSocket::served() const { return impl_->served; }
std::uint64_t ControlSocket::refused() const { return impl_->refused; }

Result<QueryAnswer> ask_control_socket(const std::string& path, const QueryRequest& request) {
  if (auto checked = check_query(request); !checked) return checked.error();
  auto socket = connect_unix(path);
  if (!socket) return socket.error();
  const UnixStream stream{socket->get()};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds{request.deadline_ms} +
                        std::chrono::seconds{1};
  std::string line;
  append_line(line, dump(Json{{"verb", request.verb},
                              {"arguments", request.arguments},
                              {"deadline_ms", request.deadline_ms}}));
  if (auto written = stream.write(line, deadline); !written) return written.error();
  QueryAnswer answer;
  auto text = stream.read_all(64 * 1024 * 1024, deadline);
  if (!text) return text.error();
  std::size_t begin = 0;
  while (begin < text->size()) {
    const auto end = std::min(text->find('\n', begin), text->size());
    answer.lines.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
  const auto last = answer.lines.empty() ? Json{} : Json::parse(answer.lines.back(), nullptr, false);
  if (!last.is_object() || !last.contains("status") || !last["status"].is_number_unsigned() ||
      !last["message"].is_string() || !last["partial"].is_boolean())
    return Error{Errc::unavailable, fmt::format("the process at {} went away before it had answered", path)};
  answer.lines.pop_back();
  answer.status = last["status"].get<std::uint8_t>();
  answer.message = last["message"].get<std::string>();
  answer.partial = last["partial"].get<bool>();
  return answer;
}

} // namespace iris
