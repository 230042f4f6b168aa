// The end of a residual block, relu(x * gate + shortcut), in one pass each way, on the CPU in float32 or float64.

#include "simd.h"

namespace {

// x * gate + shortcut, or 0 where that is below; a NaN stays one.
template <typename N>
ALWAYS_INLINE N gated_sum(N x, N gate, N shortcut) {
  const N sum = x * gate + shortcut;
  return sum <= N{} ? N{} : sum;
}

template <typename T>
void gate_add_relu(const View& v, const T* x, const T* gate, const T* shortcut, T* y) {
  if (v.inner == 1) {
    typedef Simd<T> S;
    const bool stream = streamed(y, v.outer, v.axis);
    parallel_streams(v.outer, [&](int64_t a) {
      const typename S::Vector g = gate[a] - typename S::Vector{};
      for (int64_t i = a * v.axis, end = i + v.axis; i < end; i += S::width)
        S::put(gated_sum(S::load(x + i, end - i), g, S::load(shortcut + i, end - i)), y + i, end - i, stream);
    });
    return;
  }
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < v.outer * v.axis; ++line) {
    const int64_t at = line * v.inner;
    const T *g = gate + line / v.axis * v.inner, *from = x + at, *other = shortcut + at;
    T* to = y + at;
#pragma omp simd
    for (int64_t i = 0; i < v.inner; ++i) to[i] = gated_sum(from[i], g[i], other[i]);
  }
}

// Where y is 0 there is no gradient, nor where it is a NaN.
template <typename T>
void gate_add_relu_backward(const View& v, const T* grad_output, const T* x, const T* gate, const T* y, T* grad_input,
                            T* grad_gate, T* grad_shortcut) {
  if (v.inner == 1) {
    typedef Simd<T> S;
    typedef typename S::Vector Vector;
    const bool stream = streamed(grad_input, v.outer, v.axis) && streamed(grad_shortcut, v.outer, v.axis);
    parallel_streams(v.outer, [&](int64_t a) {
      const T g = gate[a];
      Vector sum = {};
      for (int64_t i = a * v.axis, end = i + v.axis; i < end; i += S::width) {
        const Vector given = S::load(grad_output + i, end - i);
        const Vector grad = S::load(y + i, end - i) > Vector{} ? given : Vector{};
        sum += grad * S::load(x + i, end - i);
        S::put(grad * g, grad_input + i, end - i, stream);
        S::put(grad, grad_shortcut + i, end - i, stream);
      }
      grad_gate[a] = S::sum(sum);
    });
    return;
  }
  parallel_columns(v, [&](int64_t a, int64_t first, int64_t end) {
    const T* g = gate + a * v.inner;
    T sums[kColumns] = {0};
    for (int64_t b = 0; b < v.axis; ++b) {
      const int64_t at = (a * v.axis + b) * v.inner;
#pragma omp simd
      for (int64_t i = first; i < end; ++i) {
        const T given = grad_output[at + i];  // read in any case, so that the loop is vectorized
        const T grad = y[at + i] > 0 ? given : T(0);
        sums[i - first] += grad * x[at + i];
        grad_input[at + i] = grad * g[i];
        grad_shortcut[at + i] = grad;
      }
    }
    std::copy(sums, sums + (end - first), grad_gate + a * v.inner + first);
  });
}

MXReturnValue gate_add_relu_infer_shape(const Attrs&, Shapes* in, Shapes* out) {
  (*out)[0] = (*in)[2] = (*in)[0];
  return MX_SUCCESS;
}

MXReturnValue gate_add_relu_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors& i = *in;
  FOR_DTYPE(i[0], gate_add_relu(broadcast_view(i[0].shape, i[1].shape), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                                (*out)[0].data<T>()));
}

// in: grad_output, x, gate, shortcut, y
MXReturnValue gate_add_relu_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], gate_add_relu_backward(broadcast_view(i[1].shape, i[2].shape), i[0].data<T>(), i[1].data<T>(),
                                         i[2].data<T>(), i[4].data<T>(), o[0].data<T>(), o[1].data<T>(),
                                         o[2].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_gate_add_relu)
    .setForward(gate_add_relu_forward, "cpu")
    .setBackward(gate_add_relu_back, "cpu")
    .setParseAttrs(num_inputs<3>)
    .setInferType(infer_same_dtype)
    .setInferShape(gate_add_relu_infer_shape);
