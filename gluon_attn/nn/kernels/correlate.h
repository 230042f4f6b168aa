// Sums over windows of maps with a border: what convolutions of a channel by itself are made of.

#ifndef GLUON_ATTN_CORRELATE_H_
#define GLUON_ATTN_CORRELATE_H_

#include "frames.h"

constexpr int64_t kRows = 8;  // of what comes out, at once

struct Depthwise {
  int64_t images, channels, height, width, kernel, stride, dilate, pad, rows, columns;
  Depthwise(const Attrs& attrs, const std::vector<int64_t>& shape, int64_t kernel) : kernel(kernel) {
    images = shape.at(0), channels = shape.at(1), height = shape.at(2), width = shape.at(3);
    stride = std::stol(attrs.at("stride")), dilate = std::stol(attrs.at("dilate"));
    pad = kernel / 2 * dilate;
    rows = (height - 1) / stride + 1, columns = (width - 1) / stride + 1;
  }
  int64_t reach() const { return (kernel - 1) * dilate; }
};

// kRows rows of sums over windows of stride 1, one vector of columns: a pixel is read once for each column of a window.
template <int64_t kernel, int64_t dilate, typename T>
void block_sums(const T* x, int64_t line, const T* weight, int64_t left, int64_t width, T* y) {
  typedef Lanes<T> L;
  typename L::V total[kRows] = {};
  for (int64_t b = 0; b < kernel; ++b)
    each<kRows + (kernel - 1) * dilate>([&](auto row) ALWAYS_INLINE_BODY {
      const typename L::V seen = L::load(x + row * line + b * dilate);
      each<kernel>([&](auto a) ALWAYS_INLINE_BODY {
        constexpr int64_t i = decltype(row)::value - decltype(a)::value * dilate;
        if constexpr (i >= 0 && i < kRows) total[i] += weight[a * kernel + b] * seen;
      });
    });
  each<kRows>([&](auto i) ALWAYS_INLINE_BODY { L::store(total[i], y + i * width, left); });
}

// What these rows add to the gradient of the weights, a vector of partial sums for each.
template <int64_t kernel, int64_t dilate, typename T>
void block_products(const T* x, int64_t line, const T* slope, int64_t left, int64_t width, typename Lanes<T>::V* total) {
  typedef Lanes<T> L;
  constexpr int64_t taps = kernel * kernel;
  typename L::V given[kRows], sum[taps];
  each<kRows>([&](auto i) ALWAYS_INLINE_BODY { given[i] = L::load(slope + i * width, left); });
  each<taps>([&](auto tap) ALWAYS_INLINE_BODY { sum[tap] = total[tap]; });
  each<kernel>([&](auto b) ALWAYS_INLINE_BODY {
    each<kRows + (kernel - 1) * dilate>([&](auto row) ALWAYS_INLINE_BODY {
      const typename L::V seen = L::load(x + row * line + b * dilate);
      each<kernel>([&](auto a) ALWAYS_INLINE_BODY {
        constexpr int64_t i = decltype(row)::value - decltype(a)::value * dilate;
        if constexpr (i >= 0 && i < kRows) sum[a * kernel + b] += given[i] * seen;
      });
    });
  });
  each<taps>([&](auto tap) ALWAYS_INLINE_BODY { total[tap] = sum[tap]; });
}

// One row of sums, of any stride.
template <int64_t kernel, typename T>
void row_sums(const Framed<T>& x, const T* weight, int64_t dilate, int64_t stride, int64_t row, int64_t first,
              int64_t width, T* y) {
  typedef Lanes<T> L;
  typename L::V total = {};
  for (int64_t b = 0; b < kernel; ++b) {
    const T* from = x.at(row * stride, b * dilate) + first;
    for (int64_t a = 0; a < kernel; ++a) total += weight[a * kernel + b] * L::load(from + a * dilate * x.line());
  }
  L::store(total, y, width - first);
}

// y (height, width): sums over windows of a framed map.
template <int64_t kernel, typename T>
void correlate(const Framed<T>& x, const T* weight, int64_t dilate, int64_t stride, int64_t height, int64_t width,
               T* y) {
  const auto block = dilate == 1 ? block_sums<kernel, 1, T> : block_sums<kernel, 2, T>;
  const int64_t whole = stride == 1 && dilate <= 2 ? height / kRows * kRows : 0;
  for (int64_t first = 0; first < width; first += Lanes<T>::count) {
    for (int64_t row = 0; row < whole; row += kRows)
      block(x.at(row, 0) + first, x.line(), weight, width - first, width, y + row * width + first);
    for (int64_t row = whole; row < height; ++row)
      row_sums<kernel>(x, weight, dilate, stride, row, first, width, y + row * width + first);
  }
}

// Adds a map's share to the gradient of its weights, a vector of partial sums for each.
template <int64_t kernel, typename T>
void add_window_products(const Depthwise& d, const Framed<T>& x, const T* slope, typename Lanes<T>::V* total) {
  typedef Lanes<T> L;
  const auto block = d.dilate == 1 ? block_products<kernel, 1, T> : block_products<kernel, 2, T>;
  const int64_t whole = d.stride == 1 && d.dilate <= 2 ? d.rows / kRows * kRows : 0;
  for (int64_t first = 0; first < d.columns; first += L::count) {
    for (int64_t row = 0; row < whole; row += kRows)
      block(x.at(row, 0) + first, x.line(), slope + row * d.columns + first, d.columns - first, d.columns, total);
    for (int64_t row = whole; row < d.rows; ++row) {
      const typename L::V given = L::load(slope + row * d.columns + first, d.columns - first);
      for (int64_t b = 0; b < kernel; ++b) {
        const T* from = x.at(row * d.stride, b * d.dilate) + first;
        for (int64_t a = 0; a < kernel; ++a)
          total[a * kernel + b] += given * L::load(from + a * d.dilate * x.line());
      }
    }
  }
}

// One channel of an image on the way back: dx, and what it adds to `total`. spread: a frame for slopes, as `for_slopes`.
template <int64_t kernel, typename T>
void channel_gradients(const Depthwise& d, const Framed<T>& seen, const T* slope, const T* weight, Framed<T>* spread,
                       typename Lanes<T>::V* total, T* dx) {
  T turned[kernel * kernel];
  std::reverse_copy(weight, weight + kernel * kernel, turned);
  if (weight_gradients) add_window_products<kernel>(d, seen, slope, total);
  spread->fill(slope, d.rows, d.columns, d.reach() - d.pad, d.stride);
  correlate<kernel>(*spread, turned, d.dilate, 1, d.height, d.width, dx);
}

template <typename T>
Framed<T> for_maps(const Depthwise& d) {
  return Framed<T>(d.height + 2 * d.pad, d.width + 2 * d.pad, d.stride);
}

template <typename T>
Framed<T> for_slopes(const Depthwise& d) {
  return Framed<T>(d.height + d.reach() + d.stride, d.width + d.reach() + d.stride, 1);
}

#define BY_KERNEL(size, function) ((size) == 3 ? function<3, T> : (size) == 5 ? function<5, T> : function<7, T>)

inline MXReturnValue windows_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int kernel = std::stoul(attrs.at("kernel")), stride = std::stoul(attrs.at("stride"));
  if ((*in)[0].size() != 4 || stride < 1 || (kernel != 3 && kernel != 5 && kernel != 7)) return MX_FAIL;
  (*in)[1] = {(*in)[0][1], 1, kernel, kernel};
  (*out)[0] = (*in)[0];
  for (size_t axis : {2, 3})
    if ((*in)[0][axis]) (*out)[0][axis] = ((*in)[0][axis] - 1) / stride + 1;
  return MX_SUCCESS;
}

#endif  // GLUON_ATTN_CORRELATE_H_
