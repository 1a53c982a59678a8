#pragma once
#include "actors/query.hpp"
#include "core/base/result.hpp"

#include <span>
#include <vector>

namespace iris {

/// Bounds of schemas/link.capnp Query and Reply. A question beyond them is an error; a reply is cut with a
/// note.
inline constexpr std::size_t query_limit = 64 * 1024;
inline constexpr std::size_t query_arguments_limit = 16;
inline constexpr std::size_t query_argument_limit = 4'096;
inline constexpr std::size_t reply_limit =
    768 * 1024; ///< under the guard's 1 MiB, CAF's own overhead included
inline constexpr std::size_t reply_lines_limit = 50'000;
inline constexpr std::uint32_t deadline_limit_ms = 60'000;

/// Only verb, arguments and deadline cross the link: who asks is in his certificate. See check_query().
[[nodiscard]] std::vector<char> encode_query(const QueryRequest& request);
[[nodiscard]] Result<QueryRequest> decode_query(std::span<const char> bytes);

/// Lines beyond the limit are left out; `partial` is set and `message` says how many are missing.
[[nodiscard]] std::vector<char> encode_reply(const QueryAnswer& answer);
[[nodiscard]] Result<QueryAnswer> decode_reply(std::span<const char> bytes);

/// The rules that decode_query() enforces: for those who send, or take questions from elsewhere.
[[nodiscard]] Result<void> check_query(const QueryRequest& request);

} // namespace iris
