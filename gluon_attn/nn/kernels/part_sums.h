// Gradients of weights, summed in groups of samples that do not depend on the number of threads: nor do the sums.

#ifndef GLUON_ATTN_PART_SUMS_H_
#define GLUON_ATTN_PART_SUMS_H_

#include "simd.h"

constexpr int64_t kParts = 8;

// The first sample of a part.
inline int64_t first_sample(int64_t part, int64_t samples) { return part * samples / kParts; }

// A number per part and weight.
template <typename T>
class PartSums {
 public:
  explicit PartSums(int64_t weights) : weights_(weights), values_(kParts * weights) {}

  // The sums of one part: those of the weights from number `first` on, a vector of partial sums each.
  void set(int64_t part, int64_t first, const std::vector<typename Simd<T>::Vector>& sums) {
    T* to = &values_[part * weights_ + first];
    for (const auto& sum : sums) *to++ = Simd<T>::sum(sum);
  }

  // The sums of all parts for `count` weights.
  void total(int64_t first, int64_t count, T* to) const {
    for (int64_t i = 0; i < count; ++i) {
      to[i] = 0;
      for (int64_t part = 0; part < kParts; ++part) to[i] += values_[part * weights_ + first + i];
    }
  }

 private:
  const int64_t weights_;
  std::vector<T> values_;
};

#endif  // GLUON_ATTN_PART_SUMS_H_
