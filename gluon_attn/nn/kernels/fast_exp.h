// An exponential and a logistic function that the compiler vectorizes.

#ifndef GLUON_ATTN_FAST_EXP_H_
#define GLUON_ATTN_FAST_EXP_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

// Range reduction of Cody and Waite and the polynomial of Cephes: within 2 ulp, and unlike std::exp the compiler
// vectorizes it. NaN stays NaN. Valid from -87.3 to 88.3, to which x is clipped.
inline float fast_exp(float x) {
  x = std::min(std::max(x, -87.3f), 88.3f);
  const float n = std::nearbyint(x * 1.44269504f);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const uint32_t bits = (static_cast<uint32_t>(static_cast<int32_t>(n)) + 127) << 23;  // of NaN any number
  float power;
  __builtin_memcpy(&power, &bits, sizeof(power));
  return p * power;
}

inline double fast_exp(double x) { return std::exp(x); }

template <typename T>
T logistic(T x) {
  return 1 / (1 + fast_exp(-x));
}

#endif  // GLUON_ATTN_FAST_EXP_H_
