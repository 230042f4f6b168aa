// The sigmoid gate, whose maps may be in bfloat16, and the softmax, in float32 or float64, on the CPU: operators that
// need an exponential per value.

#include "common.h"
#include "fast_exp.h"
#include "softmax.h"

namespace {

// y = x * sigmoid(logits); L: T, or float beside bfloat16
template <typename T, typename L>
void sigmoid_gate(int64_t size, const T* x, const L* logits, T* y) {
  typedef typename Wide<T>::type W;
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) y[i] = W(x[i]) / (W(1) + fast_exp(-W(logits[i])));
}

template <typename T, typename L>
void sigmoid_gate_backward(int64_t size, const T* grad_output, const T* x, const L* logits, T* grad_input,
                           L* grad_logits) {
  typedef typename Wide<T>::type W;
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) {
    const W gate = W(1) / (W(1) + fast_exp(-W(logits[i]))), grad = W(grad_output[i]) * gate;
    grad_logits[i] = grad * W(x[i]) * (W(1) - gate);
    grad_input[i] = grad;
  }
}

template <typename T>
void softmax(int64_t rows, int64_t length, const T* x, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) softmax_row(length, x + row * length, y + row * length);
}

template <typename T>
void softmax_backward(int64_t rows, int64_t length, const T* grad_output, const T* y, T* grad_input) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row)
    softmax_row_backward(length, grad_output + row * length, y + row * length, grad_input + row * length);
}

// Logits have the dtype of x, or are float32 beside bfloat16: a norm of them may have been computed in float32.
MXReturnValue sigmoid_gate_infer_dtype(const Attrs& attrs, std::vector<int>* in, std::vector<int>* out) {
  const bool mixed = (*in)[0] == kBfloat16 && (*in)[1] == kFloat32;
  return mixed ? infer_map_dtype<0b01, true>(attrs, in, out) : infer_map_dtype<0b11, true>(attrs, in, out);
}

// Runs a statement with T as the dtype of `x` and L as that of `logits`, then returns success.
#define FOR_GATE_DTYPES(x, logits, ...)   \
  if ((logits).dtype != (x).dtype) {      \
    typedef bfloat16 T;                   \
    typedef float L;                      \
    __VA_ARGS__;                          \
    return MX_SUCCESS;                    \
  }                                       \
  FOR_MAP_DTYPE(x, typedef T L; __VA_ARGS__)

MXReturnValue sigmoid_gate_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_GATE_DTYPES(i[0], i[1], sigmoid_gate(i[0].size(), i[0].data<T>(), i[1].data<L>(), o[0].data<T>()));
}

// in: grad_output, x, logits, y
MXReturnValue sigmoid_gate_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_GATE_DTYPES(i[1], i[2], sigmoid_gate_backward(i[0].size(), i[0].data<T>(), i[1].data<T>(), i[2].data<L>(),
                                                    o[0].data<T>(), o[1].data<L>()));
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
    .setInferType(sigmoid_gate_infer_dtype)
    .setInferShape(infer_shape_of_first);

REGISTER_OP(gluon_attn_softmax)
    .setForward(softmax_forward, "cpu")
    .setBackward(softmax_back, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
