#pragma once
#include "core/base/result.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace iris {

/// Quantile sketch with a relative error of 1 % (Masson, Rim, Lee: DDSketch, VLDB 2019). Values below 1e-3
/// count as zero. At most 1024 buckets: where more would be needed the lowest ones collapse, since only the
/// tail matters here.
class DDSketch {
public:
  static constexpr double relative_error = 0.01;
  static constexpr std::size_t bucket_limit = 1024;
  using Bucket = std::pair<std::int32_t, std::uint64_t>; ///< index, count

  void add(double value,
           std::uint64_t times = 1); ///< negative and NaN count as zero; +inf as the largest double
  void merge(const DDSketch& other); ///< commutative and associative
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t zeros() const { return zeros_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] double max() const { return max_; } ///< exact; 0 when empty
  [[nodiscard]] double quantile(double q) const;    ///< q in 0..1; 0 when empty
  /// Values whose bucket lies wholly above.
  [[nodiscard]] std::uint64_t count_above(double value) const;
  [[nodiscard]] const std::vector<Bucket>& buckets() const { return buckets_; } ///< ascending
  [[nodiscard]] static double lower_edge(std::int32_t index); ///< a bucket is (lower, lower * gamma]
  [[nodiscard]] static double gamma();

  [[nodiscard]] std::vector<char> encode() const; ///< varints: zeros, max, buckets; no longer than 12 KiB
  [[nodiscard]] static Result<DDSketch> decode(const char* data, std::size_t size);
  friend bool operator==(const DDSketch&, const DDSketch&) = default;

private:
  void collapse();
  std::vector<Bucket> buckets_;
  std::uint64_t count_ = 0, zeros_ = 0;
  double max_ = 0;
};

} // namespace iris
