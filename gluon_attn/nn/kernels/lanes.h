// Vectors of one register, for the convolutions.

#ifndef GLUON_ATTN_LANES_H_
#define GLUON_ATTN_LANES_H_

#include <cstring>

#include "common.h"

template <typename T>
struct Lanes {
  typedef T V __attribute__((vector_size(64)));
  static constexpr int64_t count = 64 / sizeof(T);

  static V load(const T* from) {
    V v;
    std::memcpy(&v, from, sizeof(v));
    return v;
  }
  // The first `left` numbers, zeros behind them.
  static V load(const T* from, int64_t left) {
    if (left >= count) return load(from);
    V v = {};
    std::memcpy(&v, from, left * sizeof(T));
    return v;
  }
  static void store(const V& v, T* to, int64_t left) { std::memcpy(to, &v, sizeof(T) * std::min(count, left)); }
  static T sum(const V& v) {
    T total = 0;
    for (int64_t lane = 0; lane < count; ++lane) total += v[lane];
    return total;
  }
};

#endif  // GLUON_ATTN_LANES_H_
