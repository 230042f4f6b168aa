// The sigmoid gate and the softmax, on the CPU in float32 or float64: operators that need an exponential per value.

#include "common.h"
#include "fast_exp.h"
#include "softmax.h"

namespace {

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
  for (int64_t row = 0; row < rows; ++row) softmax_row(length, x + row * length, y + row * length);
}

template <typename T>
void softmax_backward(int64_t rows, int64_t length, const T* grad_output, const T* y, T* grad_input) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row)
    softmax_row_backward(length, grad_output + row * length, y + row * length, grad_input + row * length);
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
