#include "core/inventory/posture_book.hpp"

#include "core/base/capnp_reader.hpp"
#include "core/inventory/posture.hpp"

#include "schemas/inventory.capnp.h"

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t file_limit = 16 << 20;

bool lower_letters(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// The engine's own choice: "zealous_fermat", "zealous_fermat7".
bool is_made_up(std::string_view name) {
  while (!name.empty() && name.back() >= '0' && name.back() <= '9')
    name.remove_suffix(1);
  const auto bar = name.find('_');
  return bar != std::string_view::npos && lower_letters(name.substr(0, bar)) &&
         lower_letters(name.substr(bar + 1));
}

/// `docker-compose run`: "edgex_backup_run_1a2b3c4d5e6f".
bool is_one_run(std::string_view name) {
  const auto run = name.rfind("_run_") != std::string_view::npos ? name.rfind("_run_") : name.rfind("-run-");
  return run != std::string_view::npos && name.size() > run + 5 &&
         name.find_first_not_of("0123456789abcdef", run + 5) == std::string_view::npos;
}

std::string string_of(capnp::Text::Reader text) { return {text.cStr(), text.size()}; }

} // namespace

std::string posture_name(const ContainerFacts& facts) {
  const bool passing = !facts.image.empty() && (is_made_up(facts.service) || is_one_run(facts.service));
  return (passing ? "image " + facts.image : facts.service).substr(0, 512);
}

PostureBook::Service& PostureBook::service(const std::string& name, bool& fresh) {
  auto [found, made] = services_.try_emplace(name);
  fresh = made;
  if (made) {
    found->second.age = ages_.insert(ages_.end(), name);
    ++revision_;
    if (services_.size() > service_limit) {
      services_.erase(ages_.front());
      ages_.pop_front();
    }
  } else {
    ages_.splice(ages_.end(), ages_, found->second.age);
  }
  return found->second;
}

void PostureBook::note(const ContainerFacts& facts, Duration day, ContainerChange& change) {
  if (facts.image.empty()) return; // gone before the engine could say more than its id
  const bool known_gateway = learned(day);
  bool fresh_service = false;
  auto& known = service(posture_name(facts), fresh_service);
  change.new_container = fresh_service && known_gateway;
  for (auto& statement : posture_of(facts)) {
    auto& keys = statement.of_gateway ? of_gateway_ : known.keys;
    if (keys.size() >= key_limit || !keys.insert(statement.key).second) continue;
    ++revision_;
    // A known hole is the version's, and no right that somebody gave: never a change of the set-up.
    const bool change_of_setup = known_gateway && (statement.fresh > 0 || statement.standing == 0);
    change.notes.push_back({std::move(statement.key), std::move(statement.text),
                            std::string{statement.attack},
                            change_of_setup ? statement.fresh : statement.standing, change_of_setup});
  }
}

void PostureBook::renamed(const std::string& from, const std::string& to) {
  const auto found = services_.find(from);
  if (found == services_.end() || from == to) return;
  const auto keys = found->second.keys;
  bool fresh = false;
  auto& known = service(to, fresh);
  for (const auto& key : keys)
    if (known.keys.size() < key_limit && known.keys.insert(key).second) ++revision_;
}

std::vector<char> PostureBook::encode() const {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::PostureBook>();
  root.setWatched(watched_);
  auto write = [](auto list, const std::set<std::string>& keys) {
    unsigned i = 0;
    for (const auto& key : keys)
      list.set(i++, key.c_str());
  };
  write(root.initOfGateway(unsigned(of_gateway_.size())), of_gateway_);
  auto services = root.initServices(unsigned(ages_.size()));
  unsigned at = 0;
  for (const auto& name : ages_) {
    const auto& keys = services_.at(name).keys;
    auto row = services[at++];
    row.setName(name.c_str());
    write(row.initKeys(unsigned(keys.size())), keys);
  }
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  return {bytes.begin(), bytes.end()};
}

Result<PostureBook> PostureBook::decode(std::span<const char> bytes) {
  return read_message<schema::PostureBook>(
      bytes, {.bytes = file_limit}, "the book of containers", [](auto root) -> Result<PostureBook> {
        PostureBook book;
        book.watched_ = std::max<Duration>(0, root.getWatched());
        auto read = [](auto list, std::set<std::string>& keys) {
          for (auto key : list)
            if (keys.size() < key_limit) keys.insert(string_of(key));
        };
        read(root.getOfGateway(), book.of_gateway_);
        for (auto row : root.getServices()) {
          bool fresh = false;
          read(row.getKeys(), book.service(string_of(row.getName()), fresh).keys);
        }
        return book;
      });
}

} // namespace iris
