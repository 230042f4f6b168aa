// Depthwise convolution with kernels as large as the feature map, on the CPU in float32 or float64.

#include "common.h"

namespace {

// y: per sample and channel the sum of pixels times weights.
template <typename T>
void global_depthwise(int64_t samples, int64_t channels, int64_t pixels, const T* x, const T* weight, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t map = 0; map < samples * channels; ++map) {
    const T *input = x + map * pixels, *kernel = weight + map % channels * pixels;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < pixels; ++k) sum += input[k] * kernel[k];
    y[map] = sum;
  }
}

template <typename T>
void global_depthwise_backward(int64_t samples, int64_t channels, int64_t pixels, const T* grad_output, const T* x,
                               const T* weight, T* grad_input, T* grad_weight) {
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < channels; ++channel) {
    const T* kernel = weight + channel * pixels;
    T* total = grad_weight + channel * pixels;
    std::fill(total, total + pixels, T(0));
    for (int64_t sample = 0; sample < samples; ++sample) {
      const int64_t map = sample * channels + channel;
      const T grad = grad_output[map], *input = x + map * pixels;
      T* to = grad_input + map * pixels;
#pragma omp simd
      for (int64_t k = 0; k < pixels; ++k) {
        to[k] = grad * kernel[k];
        total[k] += grad * input[k];
      }
    }
  }
}

MXReturnValue global_depthwise_infer_shape(const Attrs&, Shapes* in, Shapes* out) {
  const auto& x = (*in)[0];
  if (x.size() != 4) return MX_FAIL;
  (*in)[1] = {x[1], 1, x[2], x[3]};
  (*out)[0] = {x[0], x[1], 1, 1};
  return MX_SUCCESS;
}

MXReturnValue global_depthwise_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const auto& s = i[0].shape;
  FOR_DTYPE(i[0], global_depthwise(s[0], s[1], s[2] * s[3], i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, weight, y
MXReturnValue global_depthwise_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const auto& s = i[1].shape;
  FOR_DTYPE(i[0], global_depthwise_backward(s[0], s[1], s[2] * s[3], i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                                            o[0].data<T>(), o[1].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_global_depthwise)
    .setForward(global_depthwise_forward, "cpu")
    .setBackward(global_depthwise_back, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(global_depthwise_infer_shape);
