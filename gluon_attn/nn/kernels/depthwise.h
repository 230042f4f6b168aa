// The loops of depthwise convolutions and of their gradients, on padded maps.

#ifndef GLUON_ATTN_DEPTHWISE_H_
#define GLUON_ATTN_DEPTHWISE_H_

#include "padded_map.h"

constexpr int64_t kRows = 8;  // output rows per block

struct DepthwiseShape {
  int64_t samples, channels, height, width, kernel, stride, dilate, pad, out_height, out_width;
  DepthwiseShape(const std::vector<int64_t>& shape, int64_t kernel, int64_t stride, int64_t dilate)
      : kernel(kernel), stride(stride), dilate(dilate) {
    samples = shape.at(0), channels = shape.at(1), height = shape.at(2), width = shape.at(3);
    pad = kernel / 2 * dilate;
    out_height = (height - 1) / stride + 1, out_width = (width - 1) / stride + 1;
  }
  int64_t extent() const { return (kernel - 1) * dilate; }  // of the dilated kernel, less 1
};

// kRows output rows of stride 1, one vector of columns: each input vector is read once per kernel column.
// add: to what is in y.
template <int64_t kernel, int64_t dilate, typename T>
void conv_block(const T* x, int64_t row_stride, const T* weight, int64_t remaining, int64_t out_width, bool add, T* y) {
  typedef Simd<T> S;
  typename S::Vector total[kRows] = {};
  if (add) unroll<kRows>([&](auto i) ALWAYS_INLINE_BODY { total[i] = S::load(y + i * out_width, remaining); });
  for (int64_t b = 0; b < kernel; ++b)
    unroll<kRows + (kernel - 1) * dilate>([&](auto row) ALWAYS_INLINE_BODY {
      const typename S::Vector input = S::load(x + row * row_stride + b * dilate);
      unroll<kernel>([&](auto a) ALWAYS_INLINE_BODY {
        constexpr int64_t i = decltype(row)::value - decltype(a)::value * dilate;
        if constexpr (i >= 0 && i < kRows) total[i] += weight[a * kernel + b] * input;
      });
    });
  unroll<kRows>([&](auto i) ALWAYS_INLINE_BODY { S::store(total[i], y + i * out_width, remaining); });
}

// Adds the share of these rows to grad_weight, a vector of partial sums per weight.
template <int64_t kernel, int64_t dilate, typename T>
void grad_weight_block(const T* x, int64_t row_stride, const T* grad_output, int64_t remaining, int64_t out_width,
                       typename Simd<T>::Vector* grad_weight) {
  typedef Simd<T> S;
  constexpr int64_t weights = kernel * kernel;
  typename S::Vector grad[kRows], sum[weights];
  unroll<kRows>([&](auto i) ALWAYS_INLINE_BODY { grad[i] = S::load(grad_output + i * out_width, remaining); });
  unroll<weights>([&](auto k) ALWAYS_INLINE_BODY { sum[k] = grad_weight[k]; });
  unroll<kernel>([&](auto b) ALWAYS_INLINE_BODY {
    unroll<kRows + (kernel - 1) * dilate>([&](auto row) ALWAYS_INLINE_BODY {
      const typename S::Vector input = S::load(x + row * row_stride + b * dilate);
      unroll<kernel>([&](auto a) ALWAYS_INLINE_BODY {
        constexpr int64_t i = decltype(row)::value - decltype(a)::value * dilate;
        if constexpr (i >= 0 && i < kRows) sum[a * kernel + b] += grad[i] * input;
      });
    });
  });
  unroll<weights>([&](auto k) ALWAYS_INLINE_BODY { grad_weight[k] = sum[k]; });
}

// One output row, for any stride.
template <int64_t kernel, typename T>
void conv_row(const typename PaddedMap<T>::View& x, const T* weight, int64_t dilate, int64_t stride, int64_t row,
              int64_t first, int64_t out_width, bool add, T* y) {
  typedef Simd<T> S;
  typename S::Vector total = {};
  if (add) total = S::load(y, out_width - first);
  for (int64_t b = 0; b < kernel; ++b) {
    const T* from = x.at(row * stride, b * dilate) + first;
    for (int64_t a = 0; a < kernel; ++a) total += weight[a * kernel + b] * S::load(from + a * dilate * x.row_stride());
  }
  S::store(total, y, out_width - first);
}

// y (out_height, out_width): the convolution of one padded channel, added to what is there if `add`.
template <int64_t kernel, typename T>
void conv_channel(const typename PaddedMap<T>::View& x, const T* weight, int64_t dilate, int64_t stride,
                  int64_t out_height, int64_t out_width, bool add, T* y) {
  const auto block = dilate == 1 ? conv_block<kernel, 1, T> : conv_block<kernel, 2, T>;
  const int64_t in_blocks = stride == 1 && dilate <= 2 ? out_height / kRows * kRows : 0;
  for (int64_t first = 0; first < out_width; first += Simd<T>::width) {
    for (int64_t row = 0; row < in_blocks; row += kRows)
      block(x.at(row, 0) + first, x.row_stride(), weight, out_width - first, out_width, add,
            y + row * out_width + first);
    for (int64_t row = in_blocks; row < out_height; ++row)
      conv_row<kernel>(x, weight, dilate, stride, row, first, out_width, add, y + row * out_width + first);
  }
}

// Adds the share of one channel of a sample to grad_weight, a vector of partial sums per weight.
template <int64_t kernel, typename T>
void add_grad_weight(const DepthwiseShape& d, const typename PaddedMap<T>::View& x, const T* grad_output,
                     typename Simd<T>::Vector* grad_weight) {
  typedef Simd<T> S;
  const auto block = d.dilate == 1 ? grad_weight_block<kernel, 1, T> : grad_weight_block<kernel, 2, T>;
  const int64_t in_blocks = d.stride == 1 && d.dilate <= 2 ? d.out_height / kRows * kRows : 0;
  for (int64_t first = 0; first < d.out_width; first += S::width) {
    for (int64_t row = 0; row < in_blocks; row += kRows)
      block(x.at(row, 0) + first, x.row_stride(), grad_output + row * d.out_width + first, d.out_width - first,
            d.out_width, grad_weight);
    for (int64_t row = in_blocks; row < d.out_height; ++row) {
      const typename S::Vector grad = S::load(grad_output + row * d.out_width + first, d.out_width - first);
      for (int64_t b = 0; b < kernel; ++b) {
        const T* from = x.at(row * d.stride, b * d.dilate) + first;
        for (int64_t a = 0; a < kernel; ++a)
          grad_weight[a * kernel + b] += grad * S::load(from + a * d.dilate * x.row_stride());
      }
    }
  }
}

// Fills a buffer from `padded_grad_output` for `channel_backward`.
template <typename T>
void fill_grad(const DepthwiseShape& d, const T* grad_output, PaddedMap<T>* padded_grad) {
  padded_grad->fill(grad_output, d.out_height, d.out_width, d.extent() - d.pad, d.stride);
}

// The backward pass of one channel of a sample: writes grad_input, or adds to it if `add`, and adds to grad_weight.
template <int64_t kernel, typename T>
void channel_backward(const DepthwiseShape& d, const typename PaddedMap<T>::View& x, const T* grad_output,
                      const T* weight, const PaddedMap<T>& padded_grad, typename Simd<T>::Vector* grad_weight,
                      bool add, T* grad_input) {
  T flipped[kernel * kernel];
  std::reverse_copy(weight, weight + kernel * kernel, flipped);
  if (weight_gradients) add_grad_weight<kernel>(d, x, grad_output, grad_weight);
  conv_channel<kernel>(padded_grad.view(), flipped, d.dilate, 1, d.height, d.width, add, grad_input);
}

// For convolutions with paddings up to `pad`.
template <typename T>
PaddedMap<T> padded_input(const DepthwiseShape& d, int64_t pad) {
  return PaddedMap<T>(d.height + 2 * pad, d.width + 2 * pad, d.stride);
}

template <typename T>
PaddedMap<T> padded_grad_output(const DepthwiseShape& d) {
  return PaddedMap<T>(d.height + d.extent() + d.stride, d.width + d.extent() + d.stride, 1);
}

#define FOR_KERNEL(size, function) ((size) == 3 ? function<3, T> : (size) == 5 ? function<5, T> : function<7, T>)

inline MXReturnValue depthwise_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int kernel = std::stoul(attrs.at("kernel")), stride = std::stoul(attrs.at("stride"));
  if ((*in)[0].size() != 4 || stride < 1 || (kernel != 3 && kernel != 5 && kernel != 7)) return MX_FAIL;
  (*in)[1] = {(*in)[0][1], 1, kernel, kernel};
  (*out)[0] = (*in)[0];
  for (size_t axis : {2, 3})
    if ((*in)[0][axis]) (*out)[0][axis] = ((*in)[0][axis] - 1) / stride + 1;
  return MX_SUCCESS;
}

#endif  // GLUON_ATTN_DEPTHWISE_H_
