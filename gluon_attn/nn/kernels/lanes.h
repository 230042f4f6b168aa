// Vectors of one register, and loops that leave arrays of them there, for the convolutions.

#ifndef GLUON_ATTN_LANES_H_
#define GLUON_ATTN_LANES_H_

#include <cstring>
#include <type_traits>
#include <utility>

#include "common.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define ALWAYS_INLINE_BODY __attribute__((always_inline))

// Calls body with each of 0 ... count - 1 as a constant, so that arrays of vectors stay in registers.
template <int64_t count, typename Body, int64_t... i>
ALWAYS_INLINE void each(Body body, std::integer_sequence<int64_t, i...>) {
  (body(std::integral_constant<int64_t, i>{}), ...);
}

template <int64_t count, typename Body>
ALWAYS_INLINE void each(Body body) {
  each<count>(body, std::make_integer_sequence<int64_t, count>{});
}

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
  static void store(const V& v, T* to) { std::memcpy(to, &v, sizeof(v)); }
  static void store(const V& v, T* to, int64_t left) {
    if (left >= count) return store(v, to);
    std::memcpy(to, &v, left * sizeof(T));
  }
  static T sum(const V& v) {
    T total = 0;
    for (int64_t lane = 0; lane < count; ++lane) total += v[lane];
    return total;
  }
};

#endif  // GLUON_ATTN_LANES_H_
