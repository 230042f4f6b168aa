// Broadcast gates x * gate and shifts x + shift in one pass, on the CPU in float32 or float64; gates also together with
// the end of a residual block, relu(x * gate + shortcut).

#include "simd.h"

namespace {

enum class Kind { kScale, kShift, kScaleAddRelu };

// shortcut: for kScaleAddRelu.
template <Kind kind, typename N, typename G>
ALWAYS_INLINE N gated(N x, G gate, N shortcut) {
  if constexpr (kind == Kind::kShift) return x + gate;
  if constexpr (kind == Kind::kScale) return x * gate;
  const N sum = x * gate + shortcut;
  return sum <= N{} ? N{} : sum;  // a NaN stays one
}

// shortcut: x where there is none.
template <Kind kind, typename T>
void gate(const View& v, const T* x, const T* gate, const T* shortcut, T* y) {
  if (v.inner == 1) {
    typedef Simd<T> S;
    const bool stream = streamed(y, v.outer, v.axis);
    parallel_streams(v.outer, [&](int64_t a) {
      const T g = gate[a];
      for (int64_t i = a * v.axis, end = i + v.axis; i < end; i += S::width)
        S::put(gated<kind>(S::load(x + i, end - i), g, S::load(shortcut + i, end - i)), y + i, end - i, stream);
    });
    return;
  }
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < v.outer * v.axis; ++line) {
    const int64_t at = line * v.inner;
    const T *g = gate + line / v.axis * v.inner, *from = x + at, *other = shortcut + at;
    T* to = y + at;
#pragma omp simd
    for (int64_t i = 0; i < v.inner; ++i) to[i] = gated<kind>(from[i], g[i], other[i]);
  }
}

// y, grad_shortcut: for kScaleAddRelu. Where its y is 0 there is no gradient, nor where it is a NaN.
template <Kind kind, typename T>
void gate_backward(const View& v, const T* grad_output, const T* x, const T* gate, const T* y, T* grad_input,
                   T* grad_gate, T* grad_shortcut) {
  constexpr bool adds = kind == Kind::kShift, has_shortcut = kind == Kind::kScaleAddRelu;
  if (v.inner == 1) {
    typedef Simd<T> S;
    typedef typename S::Vector Vector;
    const bool stream =
        streamed(grad_input, v.outer, v.axis) && (!has_shortcut || streamed(grad_shortcut, v.outer, v.axis));
    parallel_streams(v.outer, [&](int64_t a) {
      const T g = gate[a];
      Vector sum = {};
      for (int64_t i = a * v.axis, end = i + v.axis; i < end; i += S::width) {
        Vector grad = S::load(grad_output + i, end - i);
        if constexpr (has_shortcut) {
          grad = S::load(y + i, end - i) > Vector{} ? grad : Vector{};
          S::put(grad, grad_shortcut + i, end - i, stream);
        }
        sum += adds ? grad : grad * S::load(x + i, end - i);
        S::put(adds ? grad : grad * g, grad_input + i, end - i, stream);
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
        const T grad = !has_shortcut || y[at + i] > 0 ? given : T(0);
        if constexpr (has_shortcut) grad_shortcut[at + i] = grad;
        sums[i - first] += adds ? grad : grad * x[at + i];
        grad_input[at + i] = adds ? grad : grad * g[i];
      }
    }
    std::copy(sums, sums + (end - first), grad_gate + a * v.inner + first);
  });
}

MXReturnValue gate_add_relu_infer_shape(const Attrs&, Shapes* in, Shapes* out) {
  (*out)[0] = (*in)[2] = (*in)[0];
  return MX_SUCCESS;
}

// in: x, gate, shortcut if there is one
template <Kind kind>
MXReturnValue gate_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  MXTensor& shortcut = i[kind == Kind::kScaleAddRelu ? 2 : 0];
  const View v = broadcast_view(i[0].shape, i[1].shape);
  if (v.outer * v.inner != i[1].size()) return MX_FAIL;  // one axis is between two that have length 1
  FOR_DTYPE(i[0], gate<kind>(v, i[0].data<T>(), i[1].data<T>(), shortcut.data<T>(), o[0].data<T>()));
}

// in: grad_output, x, gate, shortcut if there is one, y
template <Kind kind>
MXReturnValue gate_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], gate_backward<kind>(broadcast_view(i[1].shape, i[2].shape), i[0].data<T>(), i[1].data<T>(),
                                      i[2].data<T>(), i.back().data<T>(), o[0].data<T>(), o[1].data<T>(),
                                      o.back().data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_gate)
    .setForward(gate_forward<Kind::kScale>, "cpu")
    .setBackward(gate_back<Kind::kScale>, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);

REGISTER_OP(gluon_attn_shift)
    .setForward(gate_forward<Kind::kShift>, "cpu")
    .setBackward(gate_back<Kind::kShift>, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);

REGISTER_OP(gluon_attn_gate_add_relu)
    .setForward(gate_forward<Kind::kScaleAddRelu>, "cpu")
    .setBackward(gate_back<Kind::kScaleAddRelu>, "cpu")
    .setParseAttrs(num_inputs<3>)
    .setInferType(infer_same_dtype)
    .setInferShape(gate_add_relu_infer_shape);
