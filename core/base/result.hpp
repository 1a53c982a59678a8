#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace iris {

/// Every way in which something can fail, in one place.
enum class Errc : std::uint8_t {
  invalid = 1, ///< input does not parse or breaks a rule
  not_found,   ///< no such thing
  unavailable, ///< the other side, a device or a file cannot be reached now
  refused,     ///< known, but not allowed
  limit,       ///< a bound was reached
  corrupt,     ///< stored or received data is damaged
  version,     ///< made by a version that this one does not understand
  locked,      ///< in use by another process
  io,          ///< the operating system said no
  expired,     ///< was valid once
};
[[nodiscard]] const char* to_string(Errc code);

/// What went wrong, where, and what to do next: one line for a person.
struct Error {
  Errc code{};
  std::string message;
};

/// A value or an Error. Exceptions are for what should never happen.
template <class T>
class [[nodiscard]] Result {
public:
  Result(T value) : state_{std::move(value)} {}
  Result(Error error) : state_{std::move(error)} {}
  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : error_{std::move(error)}, ok_{false} {}
  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  [[nodiscard]] const Error& error() const { return error_; }

private:
  Error error_;
  bool ok_ = true;
};

} // namespace iris
