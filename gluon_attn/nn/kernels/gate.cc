// Broadcast gates x * gate and shifts x + shift in one pass, on the CPU in float32 or float64.

#include "simd.h"

namespace {

// add: x + gate; else x * gate.
template <bool add, typename T>
void gate(const View& v, const T* x, const T* gate, T* y) {
  if (v.inner == 1) {
    typedef Simd<T> S;
    const bool stream = streamed(y, v.outer, v.axis);
    parallel_streams(v.outer, [&](int64_t a) {
      const T g = gate[a];
      const T* from = x + a * v.axis;
      T* to = y + a * v.axis;
      for (int64_t i = 0; i < v.axis; i += S::width) {
        const typename S::Vector part = S::load(from + i, v.axis - i);
        S::put(add ? part + g : part * g, to + i, v.axis - i, stream);
      }
    });
    return;
  }
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < v.outer * v.axis; ++line) {
    const T* g = gate + line / v.axis * v.inner;
    const T* from = x + line * v.inner;
    T* to = y + line * v.inner;
#pragma omp simd
    for (int64_t i = 0; i < v.inner; ++i) to[i] = add ? from[i] + g[i] : from[i] * g[i];
  }
}

template <bool add, typename T>
void gate_backward(const View& v, const T* grad_output, const T* x, const T* gate, T* grad_input, T* grad_gate) {
  if (v.inner == 1) {
    typedef Simd<T> S;
    const bool stream = streamed(grad_input, v.outer, v.axis);
    parallel_streams(v.outer, [&](int64_t a) {
      const T g = gate[a];
      const T *grad = grad_output + a * v.axis, *from = x + a * v.axis;
      T* to = grad_input + a * v.axis;
      typename S::Vector sum = {};
      for (int64_t i = 0; i < v.axis; i += S::width) {
        const typename S::Vector part = S::load(grad + i, v.axis - i);
        sum += add ? part : part * S::load(from + i, v.axis - i);
        S::put(add ? part : part * g, to + i, v.axis - i, stream);
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
        sums[i - first] += add ? grad_output[at + i] : grad_output[at + i] * x[at + i];
        grad_input[at + i] = add ? grad_output[at + i] : grad_output[at + i] * g[i];
      }
    }
    std::copy(sums, sums + (end - first), grad_gate + a * v.inner + first);
  });
}

template <bool add>
MXReturnValue gate_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const View v = broadcast_view(i[0].shape, i[1].shape);
  if (v.outer * v.inner != i[1].size()) return MX_FAIL;  // one axis is between two that have length 1
  FOR_DTYPE(i[0], gate<add>(v, i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, gate, y
template <bool add>
MXReturnValue gate_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], gate_backward<add>(broadcast_view(i[1].shape, i[2].shape), i[0].data<T>(), i[1].data<T>(),
                                     i[2].data<T>(), o[0].data<T>(), o[1].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_gate)
    .setForward(gate_forward<false>, "cpu")
    .setBackward(gate_back<false>, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);

REGISTER_OP(gluon_attn_shift)
    .setForward(gate_forward<true>, "cpu")
    .setBackward(gate_back<true>, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
