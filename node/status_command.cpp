#include "node/status_command.hpp"

#include "actors/control_socket.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace iris {

int status_main(int argc, char** argv) {
  CLI::App app{"Asks the running iris-node: one JSON object a line.", "iris-node status"};
  std::string data = "/var/lib/iris";
  std::vector<std::string> question{"actors"};
  app.add_option("--data", data, "Data directory of the running program")
      ->envname("IRIS_DATA")
      ->capture_default_str();
  app.add_option("question", question, "actors, or actor KIND/NAME")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  QueryRequest request;
  request.verb = question.front();
  request.arguments.assign(question.begin() + 1, question.end());
  request.admin = true;
  auto answer = ask_control_socket(data + "/control.sock", request);
  if (!answer) {
    std::fprintf(stderr, "iris-node: %s\n", answer.error().message.c_str());
    return answer.error().code == Errc::unavailable ? 3 : 1;
  }
  for (const auto& line : answer->lines)
    std::printf("%s\n", line.c_str());
  if (answer->status == 0) return 0;
  std::fprintf(stderr, "iris-node: %s\n", answer->message.c_str());
  return 1;
}

} // namespace iris
