// The activations x * sigmoid(x) and x * min(max(x / 6 + 1 / 2, 0), 1), on the CPU in float32 or float64: one pass in
// each direction. MXNet's own operators take two forward and four backward.

#include "common.h"
#include "fast_exp.h"

namespace {

struct Swish {
  template <typename T>
  static T value(T x) {
    return x / (T(1) + fast_exp(-x));
  }
  template <typename T>
  static T slope(T x) {
    const T gate = T(1) / (T(1) + fast_exp(-x));
    return gate * (T(1) + x * (T(1) - gate));
  }
};

struct HardSwish {
  static constexpr float kSlope = 1.0f / 6;  // a float in every type, as MXNet's hard_sigmoid has it
  template <typename T>
  static T gate(T x) {
    return std::min(std::max(x * T(kSlope) + T(0.5), T(0)), T(1));
  }
  template <typename T>
  static T value(T x) {
    return x * gate(x);
  }
  template <typename T>
  static T slope(T x) {  // of the gate: kSlope where it is not cut off
    const T at = gate(x);
    return at + (at > T(0) && at < T(1) ? x * T(kSlope) : T(0));
  }
};

template <typename Function, typename T>
void activation(int64_t size, const T* x, T* y) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) y[i] = Function::value(x[i]);
}

template <typename Function, typename T>
void activation_backward(int64_t size, const T* grad_output, const T* x, T* grad_input) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) grad_input[i] = grad_output[i] * Function::slope(x[i]);
}

template <typename Function>
MXReturnValue forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], activation<Function>(i[0].size(), i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, y
template <typename Function>
MXReturnValue backward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], activation_backward<Function>(i[0].size(), i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_swish)
    .setForward(forward<Swish>, "cpu")
    .setBackward(backward<Swish>, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);

REGISTER_OP(gluon_attn_hard_swish)
    .setForward(forward<HardSwish>, "cpu")
    .setBackward(backward<HardSwish>, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
