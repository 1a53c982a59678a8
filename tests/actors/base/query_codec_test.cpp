#include "actors/query_codec.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace iris;

namespace {

QueryRequest question(std::string verb, std::vector<std::string> arguments) {
  QueryRequest request;
  request.verb = std::move(verb);
  request.arguments = std::move(arguments);
  request.deadline_ms = 1'234;
  return request;
}

} // namespace

TEST_CASE("a question and its reply survive the wire") {
  const auto bytes = encode_query(question("alert", {"A-1", "", "ä b"}));
  const auto request = decode_query(bytes);
  REQUIRE(request);
  CHECK(request->verb == "alert");
  CHECK(request->arguments == std::vector<std::string>{"A-1", "", "ä b"});
  CHECK(request->deadline_ms == 1'234);
  CHECK(request->tenant.empty()); // rights never come from the asker
  CHECK_FALSE(request->admin);

  QueryAnswer answer;
  answer.status = 2;
  answer.message = "no such alert";
  answer.lines = {"{}", "{\"a\":1}"};
  answer.partial = true;
  const auto reply = decode_reply(encode_reply(answer));
  REQUIRE(reply);
  CHECK(reply->status == 2);
  CHECK(reply->message == "no such alert");
  CHECK(reply->lines == answer.lines);
  CHECK(reply->partial);
}

TEST_CASE("a question beyond the limits is not sent and not taken") {
  CHECK_FALSE(check_query(question("", {})));
  CHECK_FALSE(decode_query(encode_query(question("", {}))));
  CHECK_FALSE(decode_query(encode_query(question("x", std::vector<std::string>(17)))));
  CHECK_FALSE(check_query(question(std::string(65, 'x'), {})));
  CHECK_FALSE(check_query(question("x", std::vector<std::string>(17))));
  CHECK_FALSE(check_query(question("x", {std::string(query_argument_limit + 1, 'x')})));
  CHECK_FALSE(
      check_query(question("x", std::vector<std::string>(16, std::string(query_argument_limit, 'x')))));
  auto late = question("x", {});
  late.deadline_ms = deadline_limit_ms + 1;
  CHECK_FALSE(decode_query(encode_query(late)));
  CHECK(check_query(late).error().code == Errc::invalid);
  CHECK(check_query(question("x", std::vector<std::string>(15, std::string(4'000, 'x')))));
}

TEST_CASE("a reply that is too long is cut with a note, never split in a line") {
  for (const std::size_t width : {10u, 200u, 100'000u}) {
    QueryAnswer answer;
    answer.lines.assign(2 * reply_limit / width, std::string(width, 'x'));
    const auto bytes = encode_reply(answer);
    CHECK(bytes.size() <= reply_limit);
    const auto reply = decode_reply(bytes);
    REQUIRE(reply);
    CHECK(reply->partial);
    CHECK(reply->status == 0);
    CHECK(reply->lines.size() < answer.lines.size());
    CHECK_FALSE(reply->lines.empty());
    CHECK(reply->lines.back().size() == width);
    CHECK(reply->message.find("cut: " + std::to_string(reply->lines.size()) + " of") == 0);
  }
}

TEST_CASE("damaged bytes are errors, never crashes") {
  CHECK(decode_query({}).error().code == Errc::corrupt);
  CHECK(decode_reply(std::vector<char>(7)).error().code == Errc::corrupt);
  CHECK(decode_query(std::vector<char>(query_limit + 8)).error().code == Errc::corrupt);
  const auto whole = encode_query(question("alerts", {"--limit", "3"}));
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(decode_query(std::span{whole}.first(size)));
  std::mt19937 random{7};
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = whole;
    for (int flips = 1 + int(random() % 4); flips > 0; --flips)
      bytes[random() % bytes.size()] = char(random());
    (void)decode_query(bytes);
    (void)decode_reply(bytes);
  }
}
