#pragma once
#include <caf/meta/type_name.hpp>

#include <memory>
#include <utility>

namespace iris {

/// A message that stays inside the process: an immutable value, passed by reference. Serialising one carries
/// nothing, and the guard lets its name through in neither direction.
template <class T>
struct Ref {
  std::shared_ptr<const T> value;

  const T& operator*() const { return *value; }
  const T* operator->() const { return value.get(); }
  explicit operator bool() const { return value != nullptr; }
};

template <class T>
[[nodiscard]] Ref<T> make_ref(T value) {
  return Ref<T>{std::make_shared<const T>(std::move(value))};
}

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, Ref<T>&) {
  return f(caf::meta::type_name("local"));
}

} // namespace iris
