// The sigmoid gate and the softmax, on the CPU in float32 or float64: operators that need an exponential per value.

#include <limits>

#include "common.h"
#include "fast_exp.h"

namespace {

// Zero for subnormal numbers: matrix products are fifty times slower with them.
template <typename T>
inline T flush_subnormal(T x) {
  return std::abs(x) < std::numeric_limits<T>::min() ? T(0) : x;
}

// y = x * sigmoid(logits)
template <typename T>
void sigmoid_gate(int64_t size, const T* x, const T* logits, T* y) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) y[i] = x[i] / (T(1) + fast_exp(-logits[i]));
}

template <typename T>
void sigmoid_gate_backward(int64_t size, const T* grad_output, const T* x, const T* logits, T* grad_input,
                           T* grad_logits) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) {
    const T gate = T(1) / (T(1) + fast_exp(-logits[i])), grad = grad_output[i] * gate;
    grad_logits[i] = grad * x[i] * (T(1) - gate);
    grad_input[i] = grad;
  }
}

template <typename T>
void softmax(int64_t rows, int64_t length, const T* x, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* from = x + row * length;
    T* to = y + row * length;
    T maximum = from[0], sum = 0;
#pragma omp simd reduction(max : maximum)
    for (int64_t i = 0; i < length; ++i) maximum = from[i] > maximum ? from[i] : maximum;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < length; ++i) {
      const T shifted = from[i] - maximum;
      to[i] = shifted < T(-87) ? T(0) : fast_exp(shifted);  // `fast_exp` is not valid below
      sum += to[i];
    }
    const T inv_sum = T(1) / sum;
#pragma omp simd
    for (int64_t i = 0; i < length; ++i) to[i] = flush_subnormal(to[i] * inv_sum);
  }
}

template <typename T>
void softmax_backward(int64_t rows, int64_t length, const T* grad_output, const T* y, T* grad_input) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T *grad = grad_output + row * length, *probability = y + row * length;
    T* to = grad_input + row * length;
    T mean_grad = 0;
#pragma omp simd reduction(+ : mean_grad)
    for (int64_t i = 0; i < length; ++i) mean_grad += grad[i] * probability[i];
#pragma omp simd
    for (int64_t i = 0; i < length; ++i) to[i] = flush_subnormal(probability[i] * (grad[i] - mean_grad));
  }
}

MXReturnValue sigmoid_gate_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], sigmoid_gate(i[0].size(), i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, logits, y
MXReturnValue sigmoid_gate_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], sigmoid_gate_backward(i[0].size(), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>(),
                                        o[1].data<T>()));
}

MXReturnValue softmax_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const int64_t length = i[0].shape.back();
  FOR_DTYPE(i[0], softmax(i[0].size() / length, length, i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, y
MXReturnValue softmax_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const int64_t length = i[0].shape.back();
  FOR_DTYPE(i[0], softmax_backward(i[0].size() / length, length, i[0].data<T>(), i[2].data<T>(), o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_sigmoid_gate)
    .setForward(sigmoid_gate_forward, "cpu")
    .setBackward(sigmoid_gate_back, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);

REGISTER_OP(gluon_attn_softmax)
    .setForward(softmax_forward, "cpu")
    .setBackward(softmax_back, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
