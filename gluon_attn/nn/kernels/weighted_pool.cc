// Sums over the pixels of x * weights in one pass, on the CPU in float32 or float64.

#include "common.h"

namespace {

// Attribute "constant": 1 for weights that all samples share and that have no gradient, else 0.
bool is_constant(const Attrs& attrs) { return attrs.at("constant") == "1"; }

// x is samples x groups x members x pixels; the weights are 1 x groups x pixels or samples x groups x pixels.
struct PoolShape {
  int64_t samples, groups, members, pixels;
  bool shared;  // by all samples
  PoolShape(const MXTensor& x, const MXTensor& weights)
      : samples(x.shape[0]), groups(weights.shape[1]), members(x.shape[1] / weights.shape[1]),
        pixels(x.shape[2] * x.shape[3]), shared(weights.shape[0] == 1) {}
  int64_t channels() const { return groups * members; }
  // The row of weights for channel `line` of samples x channels.
  int64_t row(int64_t line) const {
    const int64_t group = line % channels() / members;
    return shared ? group : line / channels() * groups + group;
  }
};

template <typename T>
void pool(const PoolShape& s, const T* x, const T* weights, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < s.samples * s.channels(); ++line) {
    const T *from = x + line * s.pixels, *w = weights + s.row(line) * s.pixels;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < s.pixels; ++i) sum += from[i] * w[i];
    y[line] = sum;
  }
}

template <typename T>
void pool_backward(const PoolShape& s, const T* grad_output, const T* weights, T* grad_input) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < s.samples * s.channels(); ++line) {
    const T grad = grad_output[line], *w = weights + s.row(line) * s.pixels;
    T* to = grad_input + line * s.pixels;
#pragma omp simd
    for (int64_t i = 0; i < s.pixels; ++i) to[i] = grad * w[i];
  }
}

// For weights of each sample.
template <typename T>
void weights_backward(const PoolShape& s, const T* grad_output, const T* x, T* grad_weights) {
  parallel_columns({s.samples * s.groups, 1, s.pixels}, [&](int64_t row, int64_t first, int64_t end) {
    T* to = grad_weights + row * s.pixels;
    std::fill(to + first, to + end, T(0));
    for (int64_t line = row * s.members; line < (row + 1) * s.members; ++line) {
      const T grad = grad_output[line], *from = x + line * s.pixels;
#pragma omp simd
      for (int64_t i = first; i < end; ++i) to[i] += grad * from[i];
    }
  });
}

MXReturnValue forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], pool(PoolShape(i[0], i[1]), i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

template <typename T>
void backward_of(const PoolShape& s, bool constant, Tensors& in, Tensors& out) {
  pool_backward(s, in[0].data<T>(), in[2].data<T>(), out[0].data<T>());
  T* grad_weights = out[1].data<T>();
  if (constant)
    std::fill(grad_weights, grad_weights + s.groups * s.pixels, T(0));
  else
    weights_backward(s, in[0].data<T>(), in[1].data<T>(), grad_weights);
}

// in: grad_output, x, weights, y
MXReturnValue backward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  FOR_DTYPE((*in)[0], backward_of<T>(PoolShape((*in)[1], (*in)[2]), is_constant(attrs), *in, *out));
}

MXReturnValue infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const auto &x = (*in)[0], &weights = (*in)[1];
  (*out)[0] = {x.at(0), x.at(1), 1, 1};
  if (weights.empty()) return MX_SUCCESS;
  const bool fits = weights.size() == 3 && weights[0] == (is_constant(attrs) ? 1 : x[0]) && weights[1] != 0 &&
                    x[1] % weights[1] == 0 && weights[2] == x.at(2) * x.at(3);
  return fits ? MX_SUCCESS : MX_FAIL;
}

}  // namespace

REGISTER_OP(gluon_attn_weighted_pool)
    .setForward(forward, "cpu")
    .setBackward(backward, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape);
