// Depthwise convolution with stride and dilation, on the CPU in float32 or float64. oneDNN computes its gradients as
// one matrix product per channel when the kernel is dilated or larger than 3x3.

#include "depthwise.h"

namespace {

template <int64_t kernel, typename T>
void forward(const DepthwiseShape& d, const T* x, const T* weight, T* y) {
#pragma omp parallel
  {
    PaddedMap<T> padded = padded_input<T>(d, d.pad);
#pragma omp for schedule(static)
    for (int64_t map = 0; map < d.samples * d.channels; ++map) {
      padded.fill(x + map * d.height * d.width, d.height, d.width, d.pad);
      const T* channel_weight = weight + map % d.channels * kernel * kernel;
      conv_channel<kernel>(padded.view(), channel_weight, d.dilate, d.stride, d.out_height, d.out_width, false,
                           y + map * d.out_height * d.out_width);
    }
  }
}

template <int64_t kernel, typename T>
void backward(const DepthwiseShape& d, const T* grad_output, const T* x, const T* weight, T* grad_input,
              T* grad_weight) {
  typedef Simd<T> S;
  constexpr int64_t weights = kernel * kernel;
  const int64_t in_pixels = d.height * d.width, out_pixels = d.out_height * d.out_width;
#pragma omp parallel
  {
    PaddedMap<T> padded = padded_input<T>(d, d.pad), padded_grad = padded_grad_output<T>(d);
#pragma omp for schedule(static)
    for (int64_t channel = 0; channel < d.channels; ++channel) {
      typename S::Vector total[weights] = {};
      for (int64_t sample = 0; sample < d.samples; ++sample) {
        const int64_t map = sample * d.channels + channel;
        if (weight_gradients) padded.fill(x + map * in_pixels, d.height, d.width, d.pad);
        channel_backward<kernel>(d, padded.view(), grad_output + map * out_pixels, weight + channel * weights,
                                 &padded_grad, total, false, grad_input + map * in_pixels);
      }
      for (int64_t k = 0; weight_gradients && k < weights; ++k) grad_weight[channel * weights + k] = S::sum(total[k]);
    }
  }
}

DepthwiseShape depthwise_shape(const Attrs& attrs, const MXTensor& x, const MXTensor& weight) {
  return DepthwiseShape(x.shape, weight.shape.at(2), std::stol(attrs.at("stride")), std::stol(attrs.at("dilate")));
}

MXReturnValue depthwise_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const DepthwiseShape d = depthwise_shape(attrs, i[0], i[1]);
  FOR_DTYPE(i[0], FOR_KERNEL(d.kernel, forward)(d, i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, weight, y
MXReturnValue depthwise_backward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const DepthwiseShape d = depthwise_shape(attrs, i[1], i[2]);
  FOR_DTYPE(i[0], FOR_KERNEL(d.kernel, backward)(d, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>(),
                                                 o[1].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_depthwise)
    .setForward(depthwise_forward, "cpu")
    .setBackward(depthwise_backward, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(depthwise_infer_shape);
