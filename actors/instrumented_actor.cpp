#include "actors/instrumented_actor.hpp"

#include "actors/atoms.hpp"
#include "actors/wire.hpp"

namespace iris {
namespace {

template <class T>
bool measure(const std::type_info* type, const void* value, std::uint32_t& bytes) {
  if (type != &typeid(T)) return false;
  bytes = std::uint32_t(static_cast<const T*>(value)->bytes.size());
  return true;
}

std::uint32_t wire_bytes(const std::type_info* type, const caf::type_erased_tuple& content) {
  std::uint32_t bytes = 0;
  const void* value = content.get(0);
  (void)(measure<wire::Batch>(type, value, bytes) || measure<wire::Push>(type, value, bytes) ||
         measure<wire::Query>(type, value, bytes) || measure<wire::Reply>(type, value, bytes) ||
         measure<wire::Hello>(type, value, bytes) || measure<wire::Welcome>(type, value, bytes) ||
         measure<wire::PushAck>(type, value, bytes));
  return bytes;
}

} // namespace

MessageLabel label_of(const caf::mailbox_element& element) {
  const auto& content = element.content();
  MessageLabel label;
  label.flow = element.mid.is_response() ? 2 : element.mid.is_request() ? 1 : 0;
  const auto size = content.size();
  if (size == 0) return label;
  label.elements = std::uint8_t(std::min<std::size_t>(size, 255));
  const auto [number, type] = content.type(0);
  if (number == caf::type_nr<caf::atom_value>::value) {
    label.form = MessageLabel::Form::atom;
    label.type = std::uint64_t(content.get_as<caf::atom_value>(0));
  } else if (number != 0) {
    label.form = MessageLabel::Form::builtin;
    label.type = number;
  } else {
    label.form = MessageLabel::Form::custom;
    label.type = reinterpret_cast<std::uint64_t>(type);
    label.bytes = wire_bytes(type, content);
  }
  return label;
}

bool may_be_dropped(const caf::mailbox_element& element) {
  if (element.mid.is_response() || element.mid.category() != caf::message_id::normal_message_category)
    return false;
  const auto& content = element.content();
  if (content.empty()) return true;
  const auto number = content.type(0).first;
  // A tick sets the next one: without it the actor's clock would stand still for ever.
  if (content.size() == 1 && number == caf::type_nr<caf::atom_value>::value &&
      content.get_as<caf::atom_value>(0) == atom::tick::value)
    return false;
  return number != caf::type_nr<caf::exit_msg>::value && number != caf::type_nr<caf::down_msg>::value &&
         number != caf::type_nr<caf::timeout_msg>::value &&
         number != caf::type_nr<caf::group_down_msg>::value;
}

void refuse_request(const caf::mailbox_element& element) {
  if (!element.mid.is_request() || !element.sender) return;
  element.sender->enqueue(nullptr, element.mid.response_id(),
                          caf::make_message(caf::make_error(caf::sec::unavailable_or_would_block)), nullptr);
}

std::string current_exception_text() {
  try {
    throw;
  } catch (const std::exception& problem) {
    return problem.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

caf::error end_by_exception(caf::scheduled_actor*, std::exception_ptr&) {
  return make_error(caf::sec::runtime_error);
}

std::string error_text(const caf::error& reason) {
  if (!reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown ||
      reason == caf::exit_reason::unreachable)
    return {};
  return caf::to_string(reason);
}

} // namespace iris
