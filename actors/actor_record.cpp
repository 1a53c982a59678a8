#include "actors/actor_record.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace iris {

void SharedText::store(std::string_view text) {
  auto length = std::min(text.size(), limit);
  while (length < text.size() && length > 0 && (std::uint8_t(text[length]) & 0xc0) == 0x80)
    --length; // whole UTF-8
  std::array<std::uint64_t, words_> words{};
  std::memcpy(words.data(), text.data(), length);
  auto version = version_.load(std::memory_order_relaxed);
  while ((version & 1) != 0 ||
         !version_.compare_exchange_weak(version, version + 1, std::memory_order_acquire))
    version = version_.load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  size_.store(std::uint32_t(length), std::memory_order_relaxed);
  for (std::size_t i = 0; i < words_; ++i)
    text_[i].store(words[i], std::memory_order_relaxed);
  version_.store(version + 2, std::memory_order_release);
}

std::string SharedText::load() const {
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    const auto before = version_.load(std::memory_order_acquire);
    if ((before & 1) != 0) {
      std::this_thread::yield();
      continue;
    }
    std::array<std::uint64_t, words_> words;
    const auto length = std::min<std::size_t>(size_.load(std::memory_order_relaxed), limit);
    for (std::size_t i = 0; i < words_; ++i)
      words[i] = text_[i].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (version_.load(std::memory_order_relaxed) == before) {
      std::string text(length, '\0');
      std::memcpy(text.data(), words.data(), length);
      return text;
    }
  }
  return "(changing)";
}

std::vector<HandledMessage> ActorRecord::recent() const {
  std::vector<HandledMessage> messages;
  messages.reserve(ring_size);
  for (const auto& slot : ring_) {
    const auto number = slot.number.load(std::memory_order_acquire);
    if (number == 0) continue;
    HandledMessage message;
    const auto what = slot.what.load(std::memory_order_relaxed);
    message.number = number;
    message.label = {MessageLabel::Form(what & 0xff), std::uint8_t(what >> 8), std::uint8_t(what >> 16),
                     std::uint32_t(what >> 32), slot.type.load(std::memory_order_relaxed)};
    message.begin = slot.begin.load(std::memory_order_relaxed);
    message.span = slot.span.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (slot.number.load(std::memory_order_relaxed) == number) messages.push_back(message);
  }
  std::sort(messages.begin(), messages.end(),
            [](const auto& a, const auto& b) { return a.number > b.number; });
  return messages;
}

} // namespace iris
