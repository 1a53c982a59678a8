#include "node/router/name_book.hpp"

namespace iris {

void NameBook::tell(const IpAddress& client, const IpAddress& address, const std::string& name) {
  if (name.empty() || name.size() > name_limit) return;
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
  if (fresh || place->second->name != name)
    place->second = std::make_shared<const Entity>(Entity{EntityKind::internet, name, "", "", "", address});
  if (!fresh) return;
  if (book.order.size() < address_limit) {
    book.order.push_back(address);
    return;
  }
  ++evicted_;
  book.names.erase(book.order[book.next]);
  book.order[book.next] = address;
  book.next = (book.next + 1) % address_limit;
}

EntityPtr NameBook::find(const IpAddress& client, const IpAddress& address) const {
  auto known = clients_.find(client);
  if (known == clients_.end()) return nullptr;
  auto named = known->second.names.find(address);
  return named == known->second.names.end() ? nullptr : named->second;
}

} // namespace iris
