#include "core/inventory/bounded_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace iris {
namespace {

using Json = nlohmann::json;

/// Builds the document value by value. The library's own builder knows no limit, and the one with a callback
/// looks through a whole array at the end of each of its objects.
class Builder final : public nlohmann::json_sax<Json> {
public:
  explicit Builder(std::initializer_list<std::string_view> skipped) : skipped_(skipped) {}

  bool null() override { return put(nullptr) != nullptr; }
  bool boolean(bool value) override { return put(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override { return put(value) != nullptr; }
  bool string(string_t& value) override { return put(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!open_.empty() && open_.back() != nullptr) {
      skip_ = std::find(skipped_.begin(), skipped_.end(), name) != skipped_.end();
      key_ = std::move(name);
    }
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  Json root;
  bool beyond = false; ///< a limit

private:
  /// @returns where it stands, `&dropped_` where it is not kept, null beyond the limit.
  Json* put(Json&& value) {
    auto* parent = open_.empty() ? &root : open_.back();
    if (parent == nullptr || std::exchange(skip_, false)) return &dropped_;
    if (++values_ > json_value_limit) {
      beyond = true;
      return nullptr;
    }
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    if (parent->is_array()) {
      parent->push_back(std::move(value));
      return &parent->back();
    }
    auto& place = (*parent)[key_];
    place = std::move(value);
    return &place;
  }
  bool open(Json&& value) {
    if (open_.size() >= json_depth_limit) {
      beyond = true;
      return false;
    }
    auto* place = put(std::move(value));
    if (place == nullptr) return false;
    open_.push_back(place == &dropped_ ? nullptr : place);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::initializer_list<std::string_view> skipped_;
  std::vector<Json*> open_; ///< null: inside of what is not kept
  Json dropped_;
  std::string key_;
  bool skip_ = false;
  std::size_t values_ = 0;
};

} // namespace

Result<Json> parse_bounded(std::string_view text, std::string_view what,
                           std::initializer_list<std::string_view> skipped) {
  Builder builder{skipped};
  const bool whole = Json::sax_parse(text, &builder);
  if (builder.beyond)
    return Error{Errc::limit, std::string{what} + " (" + std::to_string(text.size()) +
                                  " bytes) nests deeper than " + std::to_string(json_depth_limit) +
                                  " levels or holds more than " + std::to_string(json_value_limit) +
                                  " values"};
  if (!whole)
    return Error{Errc::invalid,
                 std::string{what} + " is not JSON (" + std::to_string(text.size()) + " bytes)"};
  return std::move(builder.root);
}

} // namespace iris
