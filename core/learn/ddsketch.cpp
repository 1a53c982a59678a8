#include "core/learn/ddsketch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace iris {
namespace {

constexpr double smallest = 1e-3;
const double ratio = (1 + DDSketch::relative_error) / (1 - DDSketch::relative_error);
const double log_ratio = std::log(ratio);

void put(std::vector<char>& out, std::uint64_t number) {
  while (number >= 0x80) {
    out.push_back(char(number | 0x80));
    number >>= 7;
  }
  out.push_back(char(number));
}

struct Cursor {
  const char* at;
  const char* end;
  bool good = true;
  std::uint64_t take() {
    std::uint64_t number = 0;
    for (int shift = 0; shift < 64 && at != end; shift += 7) {
      auto byte = std::uint8_t(*at++);
      number |= std::uint64_t(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return number;
    }
    good = false;
    return 0;
  }
};

} // namespace

double DDSketch::gamma() { return ratio; }
double DDSketch::lower_edge(std::int32_t index) { return std::exp(double(index - 1) * log_ratio); }

void DDSketch::add(double value, std::uint64_t times) {
  if (times == 0) return;
  count_ += times;
  if (!(value >= smallest)) { // also NaN
    zeros_ += times;
    if (value > max_) max_ = value;
    return;
  }
  value = std::min(value, std::numeric_limits<double>::max());
  max_ = std::max(max_, value);
  auto index = std::int32_t(std::ceil(std::log(value) / log_ratio));
  auto place =
      std::lower_bound(buckets_.begin(), buckets_.end(), index,
                       [](const Bucket& bucket, std::int32_t wanted) { return bucket.first < wanted; });
  if (place != buckets_.end() && place->first == index) {
    place->second += times;
    return;
  }
  buckets_.insert(place, {index, times});
  collapse();
}

void DDSketch::collapse() {
  if (buckets_.size() <= bucket_limit) return;
  auto surplus = buckets_.size() - bucket_limit;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < surplus; ++i)
    sum += buckets_[i].second;
  buckets_[surplus].second += sum;
  buckets_.erase(buckets_.begin(), buckets_.begin() + std::ptrdiff_t(surplus));
}

void DDSketch::merge(const DDSketch& other) {
  std::vector<Bucket> merged;
  merged.reserve(buckets_.size() + other.buckets_.size());
  auto left = buckets_.begin();
  auto right = other.buckets_.begin();
  while (left != buckets_.end() || right != other.buckets_.end()) {
    if (right == other.buckets_.end() || (left != buckets_.end() && left->first < right->first)) {
      merged.push_back(*left++);
    } else if (left == buckets_.end() || right->first < left->first) {
      merged.push_back(*right++);
    } else {
      merged.emplace_back(left->first, left->second + right->second);
      ++left;
      ++right;
    }
  }
  buckets_ = std::move(merged);
  count_ += other.count_;
  zeros_ += other.zeros_;
  max_ = std::max(max_, other.max_);
  collapse();
}

double DDSketch::quantile(double q) const {
  if (count_ == 0) return 0;
  auto rank = std::uint64_t(std::clamp(q, 0.0, 1.0) * double(count_ - 1));
  if (rank < zeros_) return 0;
  auto below = zeros_;
  for (const auto& [index, count] : buckets_) {
    below += count;
    // The middle of the bucket in the sense of relative error: 2 gamma^i / (gamma + 1).
    if (rank < below) return std::min(max_, 2 * lower_edge(index) * ratio / (ratio + 1));
  }
  return max_;
}

std::uint64_t DDSketch::count_above(double value) const {
  std::uint64_t above = 0;
  for (auto bucket = buckets_.rbegin(); bucket != buckets_.rend() && lower_edge(bucket->first) >= value;
       ++bucket)
    above += bucket->second;
  return above;
}

std::vector<char> DDSketch::encode() const {
  std::vector<char> out;
  put(out, zeros_);
  put(out, std::bit_cast<std::uint64_t>(max_));
  put(out, buckets_.size());
  std::int32_t before = -32'768;
  for (const auto& [index, count] : buckets_) {
    put(out, std::uint64_t(index - before));
    put(out, count);
    before = index;
  }
  return out;
}

Result<DDSketch> DDSketch::decode(const char* data, std::size_t size) {
  Cursor cursor{data, data + size};
  DDSketch sketch;
  auto bad = [](const char* what) { return Error{Errc::corrupt, std::string{"sketch: "} + what}; };
  sketch.zeros_ = sketch.count_ = cursor.take();
  sketch.max_ = std::bit_cast<double>(cursor.take());
  auto buckets = cursor.take();
  if (!cursor.good) return bad("cut short");
  if (!(sketch.max_ >= 0) || std::isinf(sketch.max_)) return bad("maximum is not a number");
  if (buckets > bucket_limit) return bad("more than 1024 buckets");
  if (sketch.zeros_ > (1ULL << 60)) return bad("impossible count");
  sketch.buckets_.reserve(buckets);
  std::int64_t index = -32'768;
  for (std::uint64_t i = 0; i < buckets; ++i) {
    auto step = cursor.take();
    auto count = cursor.take();
    if (!cursor.good) return bad("cut short");
    if (step == 0 || step > 70'000 || count == 0 || count > (1ULL << 60)) return bad("impossible bucket");
    index += std::int64_t(step);
    // The largest double lies in bucket 35,500.
    if (index > 36'000 || sketch.count_ > (1ULL << 62) - count) return bad("impossible bucket");
    sketch.buckets_.emplace_back(std::int32_t(index), count);
    sketch.count_ += count;
  }
  if (cursor.at != cursor.end) return bad("bytes left over");
  return sketch;
}

} // namespace iris
