#include "node/router/name_book.hpp"

#include <algorithm>

namespace iris {

namespace {

EntityPtr outside(const std::string& name, const IpAddress& address) {
  return std::make_shared<const Entity>(Entity{EntityKind::internet, name, "", "", "", address});
}

} // namespace

/// Makes room for it at a limit.
NameBook::Names& NameBook::names_of(const IpAddress& client, const IpAddress& address) {
  auto known = clients_.find(client);
  if (known == clients_.end()) {
    if (clients_.size() >= client_limit) {
      auto oldest = clients_.find(ages_.front());
      evicted_ += oldest->second.names.size();
      clients_.erase(oldest);
      ages_.pop_front();
    }
    known = clients_.try_emplace(client).first;
    known->second.age = ages_.insert(ages_.end(), client);
  }
  auto& book = known->second;
  ages_.splice(ages_.end(), ages_, book.age);
  auto [place, fresh] = book.names.try_emplace(address);
  if (!fresh) return place->second;
  if (book.order.size() < address_limit) {
    book.order.push_back(address);
    return place->second;
  }
  ++evicted_;
  book.names.erase(book.order[book.next]);
  book.order[book.next] = address;
  book.next = (book.next + 1) % address_limit;
  return place->second;
}

void NameBook::tell(const IpAddress& client, const IpAddress& address, const std::string& name) {
  if (name.empty() || name.size() > name_limit) return;
  auto& told = names_of(client, address).told;
  auto known = std::find_if(told.begin(), told.end(), [&](const auto& one) { return one->name == name; });
  if (known != told.end()) {
    std::rotate(told.begin(), known, known + 1);
    return;
  }
  if (told.size() >= names_limit) told.pop_back();
  told.insert(told.begin(), outside(name, address));
}

EntityPtr NameBook::find(const IpAddress& client, const IpAddress& address) const {
  auto known = clients_.find(client);
  if (known == clients_.end()) return nullptr;
  auto named = known->second.names.find(address);
  return named == known->second.names.end() || named->second.told.empty() ? nullptr
                                                                          : named->second.told.front();
}

EntityPtr NameBook::asked_for(const IpAddress& client, const IpAddress& address, const std::string& name) {
  if (name.empty() || name.size() > name_limit) return find(client, address);
  auto& names = names_of(client, address);
  for (const auto& told : names.told)
    if (told->name == name) return told;
  auto marked = name + own_word;
  if (!names.own_word || names.own_word->name != marked) names.own_word = outside(marked, address);
  return names.own_word;
}

} // namespace iris
