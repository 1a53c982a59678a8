#include "actors/query_codec.hpp"

#include "core/base/capnp_reader.hpp"
#include "schemas/link.capnp.h"

#include <fmt/format.h>

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t verb_limit = 64;
constexpr std::size_t message_limit = 4'096;
constexpr std::size_t line_overhead = 16; ///< list pointer, terminator and padding of a text

std::vector<char> flat(capnp::MessageBuilder& builder) {
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

kj::StringPtr text(const std::string& value) { return {value.c_str(), value.size()}; }
std::string string(capnp::Text::Reader value) { return {value.cStr(), value.size()}; }

} // namespace

Result<void> check_query(const QueryRequest& request) {
  if (request.verb.empty() || request.verb.size() > verb_limit)
    return Error{Errc::invalid, fmt::format("a verb has 1 to {} bytes", verb_limit)};
  if (request.arguments.size() > query_arguments_limit)
    return Error{Errc::limit, fmt::format("at most {} arguments", query_arguments_limit)};
  std::size_t total = 0;
  for (const auto& argument : request.arguments) {
    total += argument.size() + line_overhead;
    if (argument.size() > query_argument_limit || total > query_limit - 1'024)
      return Error{Errc::limit, fmt::format("an argument has at most {} bytes, all together {}",
                                            query_argument_limit, query_limit - 1'024)};
  }
  if (request.deadline_ms == 0 || request.deadline_ms > deadline_limit_ms)
    return Error{Errc::invalid, fmt::format("a deadline is 1 to {} ms", deadline_limit_ms)};
  return {};
}

std::vector<char> encode_query(const QueryRequest& request) {
  capnp::MallocMessageBuilder builder;
  auto out = builder.initRoot<schema::Query>();
  out.setVerb(text(request.verb));
  auto arguments = out.initArguments(unsigned(request.arguments.size()));
  for (unsigned i = 0; i < arguments.size(); ++i)
    arguments.set(i, text(request.arguments[i]));
  out.setDeadline(request.deadline_ms);
  return flat(builder);
}

Result<QueryRequest> decode_query(std::span<const char> bytes) {
  return read_message<schema::Query>(
      bytes, {query_limit}, "a question", [](schema::Query::Reader in) -> Result<QueryRequest> {
        QueryRequest request;
        request.tenant.clear(); // rights are for the receiver to fill in, from the certificate
        request.verb = string(in.getVerb());
        const auto arguments = in.getArguments(); // once: every call counts against the traversal limit
        if (arguments.size() > query_arguments_limit)
          return Error{Errc::limit, fmt::format("at most {} arguments", query_arguments_limit)};
        for (const auto argument : arguments)
          request.arguments.push_back(string(argument));
        request.deadline_ms = in.getDeadline();
        if (auto checked = check_query(request); !checked) return checked.error();
        return request;
      });
}

std::vector<char> encode_reply(const QueryAnswer& answer) {
  std::size_t kept = 0, bytes = 1'024 + 2 * message_limit;
  while (kept < answer.lines.size() && kept < reply_lines_limit) {
    bytes += answer.lines[kept].size() + line_overhead;
    if (bytes > reply_limit) break;
    ++kept;
  }
  auto message = answer.message.substr(0, message_limit);
  if (kept < answer.lines.size()) {
    if (!message.empty()) message += "; ";
    message +=
        fmt::format("cut: {} of {} lines; ask for less, for example with --limit", kept, answer.lines.size());
  }
  capnp::MallocMessageBuilder builder{unsigned(bytes / 8)};
  auto out = builder.initRoot<schema::Reply>();
  out.setStatus(answer.status);
  out.setMessage(text(message));
  out.setPartial(answer.partial || kept < answer.lines.size());
  auto lines = out.initLines(unsigned(kept));
  for (unsigned i = 0; i < kept; ++i)
    lines.set(i, text(answer.lines[i]));
  return flat(builder);
}

Result<QueryAnswer> decode_reply(std::span<const char> bytes) {
  return read_message<schema::Reply>(
      bytes, {reply_limit + 8'192}, "a reply", [](schema::Reply::Reader in) -> Result<QueryAnswer> {
        QueryAnswer answer;
        answer.status = in.getStatus();
        answer.message = string(in.getMessage());
        answer.partial = in.getPartial();
        const auto lines = in.getLines();
        if (lines.size() > reply_lines_limit)
          return Error{Errc::limit, fmt::format("a reply of {} lines", lines.size())};
        answer.lines.reserve(lines.size());
        for (const auto line : lines)
          answer.lines.push_back(string(line));
        return answer;
      });
}

} // namespace iris
