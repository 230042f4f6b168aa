// SimAM as one operator, on the CPU in float32 or float64. Yang et al. 2021,
// https://proceedings.mlr.press/v139/yang21o.html; the formula is that of `attention/simam.py`.

#include "common.h"
#include "fast_exp.h"

namespace {

// Of a channel of one sample: y = x * logistic(scale d^2 + 1/2), d = x - mean.
template <typename T>
struct Energy {
  T mean, scale, freedom;
  Energy(const T* x, int64_t pixels, T lambda) : freedom(std::max<int64_t>(pixels - 1, 1)) {
    const Moments<T> moments(x, pixels);
    mean = moments.mean;
    scale = T(0.25) / (moments.squares / freedom + lambda);
  }
  T gate(T d) const { return logistic(scale * d * d + T(0.5)); }
};

template <typename T>
void simam(const View& v, T lambda, const T* x, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < v.outer; ++line) {
    const T* from = x + line * v.axis;
    T* to = y + line * v.axis;
    const Energy<T> energy(from, v.axis, lambda);
#pragma omp simd
    for (int64_t i = 0; i < v.axis; ++i) to[i] = from[i] * energy.gate(from[i] - energy.mean);
  }
}

// With h the gradient of scale d^2 + 1/2: through d, also by the mean, and through the scale, by the variance.
template <typename T>
void simam_backward(const View& v, T lambda, const T* grad_output, const T* x, T* grad_input) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < v.outer; ++line) {
    const T *from = x + line * v.axis, *grad = grad_output + line * v.axis;
    T* to = grad_input + line * v.axis;
    const Energy<T> energy(from, v.axis, lambda);
    const T mean = energy.mean, scale = energy.scale;
    T products = 0, squares = 0;  // sums of h d and of h d^2
#pragma omp simd reduction(+ : products, squares)
    for (int64_t i = 0; i < v.axis; ++i) {
      const T d = from[i] - mean, gate = energy.gate(d);
      const T h = grad[i] * from[i] * gate * (1 - gate);
      products += h * d;
      squares += h * d * d;
    }
    const T by_mean = products / v.axis, by_variance = 4 * scale * squares / energy.freedom;
#pragma omp simd
    for (int64_t i = 0; i < v.axis; ++i) {
      const T d = from[i] - mean, gate = energy.gate(d);
      const T h = grad[i] * from[i] * gate * (1 - gate);
      to[i] = grad[i] * gate + 2 * scale * (h * d - by_mean - by_variance * d);
    }
  }
}

MXReturnValue forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], simam<T>(lines(i[0]), std::stod(attrs.at("e_lambda")), i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, y
MXReturnValue backward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], simam_backward<T>(lines(i[0]), std::stod(attrs.at("e_lambda")), i[0].data<T>(), i[1].data<T>(),
                                    o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_simam)
    .setForward(forward, "cpu")
    .setBackward(backward, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
