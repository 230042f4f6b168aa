// L2 norms of the channels, sqrt(sum of x^2 over the pixels + epsilon), in one pass, on the CPU in float32 or float64.

#include <cmath>

#include "common.h"

namespace {

template <typename T>
void l2_norm(const View& v, T epsilon, const T* x, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < v.outer; ++line) {
    const T* from = x + line * v.axis;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < v.axis; ++i) sum += from[i] * from[i];
    y[line] = std::sqrt(sum + epsilon);
  }
}

template <typename T>
void l2_norm_backward(const View& v, const T* grad_output, const T* x, const T* y, T* grad_input) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < v.outer; ++line) {
    const T factor = grad_output[line] / y[line], *from = x + line * v.axis;
    T* to = grad_input + line * v.axis;
#pragma omp simd
    for (int64_t i = 0; i < v.axis; ++i) to[i] = factor * from[i];
  }
}

MXReturnValue forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], l2_norm<T>(lines(i[0]), std::stod(attrs.at("epsilon")), i[0].data<T>(),
                             o[0].data<T>()));
}

// in: grad_output, x, y
MXReturnValue backward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], l2_norm_backward(lines(i[1]), i[0].data<T>(), i[1].data<T>(),
                                   i[2].data<T>(), o[0].data<T>()));
}

MXReturnValue infer_shape(const Attrs&, Shapes* in, Shapes* out) {
  (*out)[0] = {(*in)[0].at(0), (*in)[0].at(1), 1, 1};
  return MX_SUCCESS;
}

}  // namespace

REGISTER_OP(gluon_attn_l2_norm)
    .setForward(forward, "cpu")
    .setBackward(backward, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape);
