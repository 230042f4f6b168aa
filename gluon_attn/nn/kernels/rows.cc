// Elementwise gates and softmax: what takes an exponential of every value.

#include <cmath>
#include <limits>

#include "common.h"

namespace {

// Cody and Waite's reduction with the polynomial of Cephes: within 2 units of the last place, and a loop of it is
// turned into vector instructions, which one of std::exp is not. NaN stays NaN.
inline float exponential(float x) {
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
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float power;
  __builtin_memcpy(&power, &bits, sizeof(power));
  return p * power;
}

inline double exponential(double x) { return std::exp(x); }

// Zero for what has fewer digits than a number should: matrix products take fifty times as long over such.
template <typename T>
inline T whole(T x) {
  return std::abs(x) < std::numeric_limits<T>::min() ? T(0) : x;
}

template <typename T>
void gate(int64_t size, const T* x, const T* logits, T* y) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) y[i] = x[i] / (T(1) + exponential(-logits[i]));
}

template <typename T>
void gate_backward(int64_t size, const T* dy, const T* x, const T* logits, T* dx, T* dlogits) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) {
    const T share = T(1) / (T(1) + exponential(-logits[i])), slope = dy[i] * share;
    dlogits[i] = slope * x[i] * (T(1) - share);
    dx[i] = slope;
  }
}

template <typename T>
void softmax(int64_t rows, int64_t length, const T* x, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* from = x + row * length;
    T* to = y + row * length;
    T top = from[0], sum = 0;
#pragma omp simd reduction(max : top)
    for (int64_t i = 0; i < length; ++i) top = from[i] > top ? from[i] : top;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < length; ++i) {
      const T below = from[i] - top;
      to[i] = below < T(-87) ? T(0) : exponential(below);  // beyond, `exponential` is no longer right
      sum += to[i];
    }
    const T share = T(1) / sum;
#pragma omp simd
    for (int64_t i = 0; i < length; ++i) to[i] = whole(to[i] * share);
  }
}

template <typename T>
void softmax_backward(int64_t rows, int64_t length, const T* dy, const T* y, T* dx) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T *slope = dy + row * length, *share = y + row * length;
    T* to = dx + row * length;
    T mean = 0;
#pragma omp simd reduction(+ : mean)
    for (int64_t i = 0; i < length; ++i) mean += slope[i] * share[i];
#pragma omp simd
    for (int64_t i = 0; i < length; ++i) to[i] = whole(share[i] * (slope[i] - mean));
  }
}

MXReturnValue gate_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], gate(i[0].size(), i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: slope, x, logits, y
MXReturnValue gate_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], gate_backward(i[0].size(), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>(),
                               o[1].data<T>()));
}

MXReturnValue softmax_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const int64_t length = i[0].shape.back();
  FOR_TYPE(i[0], softmax(i[0].size() / length, length, i[0].data<T>(), o[0].data<T>()));
}

// in: slope, x, y
MXReturnValue softmax_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const int64_t length = i[0].shape.back();
  FOR_TYPE(i[0], softmax_backward(i[0].size() / length, length, i[0].data<T>(), i[2].data<T>(), o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_logistic_gate)
    .setForward(gate_forward, "cpu")
    .setBackward(gate_back, "cpu")
    .setParseAttrs(takes<2>)
    .setInferType(same_type)
    .setInferShape(shape_of_first);

REGISTER_OP(gluon_attn_softmax)
    .setForward(softmax_forward, "cpu")
    .setBackward(softmax_back, "cpu")
    .setParseAttrs(takes<1>)
    .setInferType(same_type)
    .setInferShape(shape_of_first);
