// 1x1 convolution, on the CPU in float32 or float64. oneDNN's is as fast, but it converts feature maps to a layout of
// its own, and converting them back costs as much again.

#include "gemm_tiles.h"

namespace {

struct PointwiseShape {
  int64_t samples, in_channels, out_channels, pixels;
  PointwiseShape(const std::vector<int64_t>& x, const std::vector<int64_t>& weight)
      : samples(x.at(0)), in_channels(weight.at(1)), out_channels(weight.at(0)), pixels(size(x, 2, 4)) {}
};

// y (samples, out_channels, pixels) = weight (out_channels, in_channels) x (samples, in_channels, pixels) + bias.
template <typename T>
void pointwise(const PointwiseShape& p, const T* weight, const T* bias, const T* x, T* y) {
  const int64_t blocks = (p.pixels + kColumns - 1) / kColumns;
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < p.samples * blocks; ++task) {
    const int64_t sample = task / blocks, first = task % blocks * kColumns;
    const ChannelMatrix<T> input{x + sample * p.in_channels * p.pixels, p.in_channels, p.pixels};
    gemm_columns(weight, bias, input, p.out_channels, p.pixels, first, std::min(first + kColumns, p.pixels),
                 y + sample * p.out_channels * p.pixels);
  }
}

template <int64_t rows, typename T>
void grad_weight_rows(const PointwiseShape& p, const T* grad_output, const T* x, int64_t row, T* grad_weight) {
  typedef Simd<T> S;
  std::vector<typename S::Vector> total(rows * p.in_channels);
  for (int64_t sample = 0; sample < p.samples; ++sample)
    add_grad_weight_rows<rows>(grad_output + (sample * p.out_channels + row) * p.pixels, p.pixels,
                               ChannelMatrix<T>{x + sample * p.in_channels * p.pixels, p.in_channels, p.pixels},
                               total.data());
  for (int64_t i = 0; i < rows * p.in_channels; ++i) grad_weight[row * p.in_channels + i] = S::sum(total[i]);
}

template <typename T>
void weight_backward(const PointwiseShape& p, const T* grad_output, const T* x, T* grad_weight) {
#pragma omp parallel for schedule(static)
  for (int64_t first = 0; first < p.out_channels; first += kTile)
    for_row_tiles(first, std::min(first + kTile, p.out_channels), [&](auto rows, int64_t row) ALWAYS_INLINE_BODY {
      grad_weight_rows<rows>(p, grad_output, x, row, grad_weight);
    });
}

template <typename T>
void bias_backward(const PointwiseShape& p, const T* grad_output, T* grad_bias) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < p.out_channels; ++row) {
    typename Simd<T>::Vector total = {};
    for (int64_t sample = 0; sample < p.samples; ++sample) {
      const T* grad = grad_output + (sample * p.out_channels + row) * p.pixels;
      for (int64_t k = 0; k < p.pixels; k += Simd<T>::width) total += Simd<T>::load(grad + k, p.pixels - k);
    }
    grad_bias[row] = Simd<T>::sum(total);
  }
}

template <typename T>
void input_backward(const PointwiseShape& p, const T* grad_output, const T* weight, T* grad_input) {
  const std::vector<T> transposed = transpose(weight, p.out_channels, p.in_channels);
  PointwiseShape swapped(p);
  std::swap(swapped.in_channels, swapped.out_channels);
  pointwise<T>(swapped, transposed.data(), nullptr, grad_output, grad_input);
}

MXReturnValue pointwise_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int out_channels = std::stoul(attrs.at("channels"));
  if ((*in)[0].size() != 4) return MX_FAIL;
  (*out)[0] = {(*in)[0][0], out_channels, (*in)[0][2], (*in)[0][3]};
  (*in)[1] = {out_channels, (*in)[0][1], 1, 1};
  if (in->size() > 2) (*in)[2] = {out_channels};
  return MX_SUCCESS;
}

MXReturnValue pointwise_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const PointwiseShape p(i[0].shape, i[1].shape);
  FOR_DTYPE(i[0],
            pointwise<T>(p, i[1].data<T>(), i.size() > 2 ? i[2].data<T>() : nullptr, i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, weight, bias if there is one, y
MXReturnValue pointwise_backward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const PointwiseShape p(i[1].shape, i[2].shape);
  FOR_DTYPE(i[0], const T* grad_output = i[0].data<T>(); input_backward(p, grad_output, i[2].data<T>(), o[0].data<T>());
            if (!weight_gradients) return MX_SUCCESS; weight_backward(p, grad_output, i[1].data<T>(), o[1].data<T>());
            if (o.size() > 2) bias_backward(p, grad_output, o[2].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_pointwise)
    .setForward(pointwise_forward, "cpu")
    .setBackward(pointwise_backward, "cpu")
    .setParseAttrs(num_inputs_with_bias)
    .setInferType(infer_same_dtype)
    .setInferShape(pointwise_infer_shape);
