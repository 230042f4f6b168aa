// 3x3 average pooling with padding 1, the padding not counted, on the CPU in float32 or float64. oneDNN's takes half as
// long again for maps in plain memory, and in training MXNet prints a line about it.

#include "depthwise.h"

namespace {

constexpr int64_t kWindow = 3;

// One over the number of pixels in each window.
template <typename T>
std::vector<T> inverse_counts(const DepthwiseShape& d) {
  const auto count = [&](int64_t i, int64_t size) {
    return std::min(i * d.stride + 2, size) - std::max(i * d.stride - 1, int64_t(0));
  };
  std::vector<T> inverse;
  for (int64_t row = 0; row < d.out_height; ++row)
    for (int64_t column = 0; column < d.out_width; ++column)
      inverse.push_back(T(1) / (count(row, d.height) * count(column, d.width)));
  return inverse;
}

template <typename T>
void avg_pool(const DepthwiseShape& d, const T* x, T* y) {
  const std::vector<T> inverse = inverse_counts<T>(d), ones(kWindow * kWindow, T(1));
  const int64_t in_pixels = d.height * d.width, out_pixels = inverse.size();
#pragma omp parallel
  {
    PaddedMap<T> padded = padded_input<T>(d, d.pad);
#pragma omp for schedule(static)
    for (int64_t map = 0; map < d.samples * d.channels; ++map) {
      T* to = y + map * out_pixels;
      padded.fill(x + map * in_pixels, d.height, d.width, d.pad);
      conv_channel<kWindow>(padded.view(), ones.data(), 1, d.stride, d.out_height, d.out_width, false, to);
      for (int64_t k = 0; k < out_pixels; ++k) to[k] *= inverse[k];
    }
  }
}

template <typename T>
void avg_pool_backward(const DepthwiseShape& d, const T* grad_output, T* grad_input) {
  const std::vector<T> inverse = inverse_counts<T>(d), ones(kWindow * kWindow, T(1));
  const int64_t in_pixels = d.height * d.width, out_pixels = inverse.size();
#pragma omp parallel
  {
    PaddedMap<T> padded = padded_grad_output<T>(d);
    std::vector<T> shares(out_pixels);
#pragma omp for schedule(static)
    for (int64_t map = 0; map < d.samples * d.channels; ++map) {
      for (int64_t k = 0; k < out_pixels; ++k) shares[k] = grad_output[map * out_pixels + k] * inverse[k];
      padded.fill(shares.data(), d.out_height, d.out_width, d.extent() - d.pad, d.stride);
      conv_channel<kWindow>(padded.view(), ones.data(), 1, 1, d.height, d.width, false, grad_input + map * in_pixels);
    }
  }
}

DepthwiseShape pool_shape(const Attrs& attrs, const MXTensor& x) {
  return DepthwiseShape(x.shape, kWindow, std::stol(attrs.at("stride")), 1);
}

MXReturnValue avg_pool_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  Shapes map_and_weight{(*in)[0], {}};
  return depthwise_infer_shape({{"kernel", "3"}, {"stride", attrs.at("stride")}}, &map_and_weight, out);
}

MXReturnValue avg_pool_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], avg_pool(pool_shape(attrs, i[0]), i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, y
MXReturnValue avg_pool_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], avg_pool_backward(pool_shape(attrs, i[1]), i[0].data<T>(), o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_avg_pool)
    .setForward(avg_pool_forward, "cpu")
    .setBackward(avg_pool_back, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(avg_pool_infer_shape);
