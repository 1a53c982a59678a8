#pragma once
#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <vector>

/// The messages that cross the link: one named struct each, nothing else (design section 6). `bytes` is Cap'n
/// Proto of schemas/link.capnp. The guard knows them by these names.
namespace iris::wire {

struct Hello {
  std::vector<char> bytes;
};
struct Welcome {
  std::vector<char> bytes;
};
struct Batch {
  std::uint64_t epoch = 0;
  std::uint8_t lane = 0; ///< 0 findings, 1 counts
  std::uint64_t seq = 0; ///< 1, 2, 3 … within (epoch, lane)
  std::vector<char> bytes;
};
/// Everything of the lane up to `seq` is durable in the cloud.
struct Ack {
  std::uint64_t epoch = 0;
  std::uint8_t lane = 0;
  std::uint64_t seq = 0;
};
struct Push {
  std::vector<char> bytes;
};
struct PushAck {
  std::vector<char> bytes;
};
struct Query {
  std::vector<char> bytes;
};
struct Reply {
  std::vector<char> bytes;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Hello& x) {
  return f(caf::meta::type_name("hello"), x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Welcome& x) {
  return f(caf::meta::type_name("welcome"), x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Batch& x) {
  return f(caf::meta::type_name("batch"), x.epoch, x.lane, x.seq, x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Ack& x) {
  return f(caf::meta::type_name("ack"), x.epoch, x.lane, x.seq);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Push& x) {
  return f(caf::meta::type_name("push"), x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, PushAck& x) {
  return f(caf::meta::type_name("push_ack"), x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Query& x) {
  return f(caf::meta::type_name("query"), x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Reply& x) {
  return f(caf::meta::type_name("reply"), x.bytes);
}

} // namespace iris::wire
