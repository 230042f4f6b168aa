// The softmax of a row and its gradient.

#ifndef GLUON_ATTN_SOFTMAX_H_
#define GLUON_ATTN_SOFTMAX_H_

#include <cmath>
#include <cstdint>
#include <limits>

#include "fast_exp.h"

// Zero for subnormal numbers: matrix products are fifty times slower with them.
template <typename T>
inline T flush_subnormal(T x) {
  return std::abs(x) < std::numeric_limits<T>::min() ? T(0) : x;
}

// x and y may be the same.
template <typename T>
inline void softmax_row(int64_t length, const T* x, T* y) {
  T maximum = x[0], sum = 0;
#pragma omp simd reduction(max : maximum)
  for (int64_t i = 0; i < length; ++i) maximum = x[i] > maximum ? x[i] : maximum;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < length; ++i) {
    const T shifted = x[i] - maximum;
    y[i] = shifted < T(-87) ? T(0) : fast_exp(shifted);  // `fast_exp` is not valid below
    sum += y[i];
  }
  const T inv_sum = T(1) / sum;
#pragma omp simd
  for (int64_t i = 0; i < length; ++i) y[i] = flush_subnormal(y[i] * inv_sum);
}

template <typename T>
inline void softmax_row_backward(int64_t length, const T* grad_output, const T* y, T* grad_input) {
  T mean_grad = 0;
#pragma omp simd reduction(+ : mean_grad)
  for (int64_t i = 0; i < length; ++i) mean_grad += grad_output[i] * y[i];
#pragma omp simd
  for (int64_t i = 0; i < length; ++i) grad_input[i] = flush_subnormal(y[i] * (grad_output[i] - mean_grad));
}

#endif  // GLUON_ATTN_SOFTMAX_H_
