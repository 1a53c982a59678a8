#pragma once
#include "actors/query.hpp"
#include "actors/ref.hpp"

#include <caf/typed_response_promise.hpp>

#include <memory>
#include <string>

namespace iris {

/// Collects the answers of several, each within its deadline, and delivers one when the last has come. Who
/// fails leaves a mark that the whole is partial.
class Gather {
public:
  using Promise = caf::typed_response_promise<Ref<QueryAnswer>>;
  static constexpr std::size_t line_limit = 100'000;

  Gather(Promise promise, std::size_t parts) : promise_{std::move(promise)}, missing_{parts} {}

  void add(QueryAnswer part) {
    if (part.status != 0) {
      part.partial = true;
      ++failed_;
      if (answer_.message.empty()) {
        answer_.message = part.message;
        answer_.status = part.status;
      }
    }
    answer_.partial = answer_.partial || part.partial;
    for (auto& line : part.lines)
      if (answer_.lines.size() < line_limit) answer_.lines.push_back(std::move(line));
    ++got_;
    if (--missing_ == 0) finish();
  }
  void fail(const std::string& why) { add(answer_error(Errc::unavailable, why)); }

private:
  void finish() {
    // One that failed among several that did not is a partial answer, not an error.
    if (failed_ < got_) answer_.status = 0;
    promise_.deliver(make_ref(std::move(answer_)));
  }

  Promise promise_;
  std::size_t missing_, got_ = 0, failed_ = 0;
  QueryAnswer answer_;
};
using GatherPtr = std::shared_ptr<Gather>;

} // namespace iris
