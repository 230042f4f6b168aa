// Small matrix products in register tiles, for matrices whose rows are channels.

#ifndef GLUON_ATTN_GEMM_TILES_H_
#define GLUON_ATTN_GEMM_TILES_H_

#include "simd.h"

constexpr int64_t kTile = 4;  // rows, and vectors of columns, of a register tile

// Calls body(number of rows as a constant, first row) for rows first ... end - 1: tiles of kTile rows, then single
// rows.
template <typename Body>
ALWAYS_INLINE void for_row_tiles(int64_t first, int64_t end, Body body) {
  for (; first + kTile <= end; first += kTile) body(std::integral_constant<int64_t, kTile>{}, first);
  for (; first < end; ++first) body(std::integral_constant<int64_t, 1>{}, first);
}

// A matrix with a row per channel, `stride` numbers apart. Avoid powers of 2 as stride: they collide in caches.
template <typename T>
struct ChannelMatrix {
  const T* data;
  int64_t channels, stride;
};

// A tile of rows x vectors of y = weight x + bias. weight: rows of x.channels numbers; y: rows of `pixels` numbers.
// remaining: pixels from the tile's first on. full: no vector reaches beyond them.
template <int64_t rows, int64_t vectors, bool full, typename T>
inline void gemm_tile(const T* weight, const T* bias, const ChannelMatrix<T>& x, int64_t pixels, int64_t remaining,
                      T* y) {
  typedef Simd<T> S;
  typename S::Vector total[rows][vectors];
  unroll<rows>([&](auto i) ALWAYS_INLINE_BODY {
    unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY { total[i][j] = (bias ? bias[i] : T(0)) + typename S::Vector{}; });
  });
  const T* from = x.data;
  for (int64_t c = 0; c < x.channels; ++c, from += x.stride) {
    typename S::Vector input[vectors];
    unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY {
      input[j] = full ? S::load(from + j * S::width) : S::load(from + j * S::width, remaining - j * S::width);
    });
    unroll<rows>([&](auto i) ALWAYS_INLINE_BODY {
      unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY { total[i][j] += weight[i * x.channels + c] * input[j]; });
    });
  }
  unroll<rows>([&](auto i) ALWAYS_INLINE_BODY {
    unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY {
      S::store(total[i][j], y + i * pixels + j * S::width, remaining - j * S::width);
    });
  });
}

// Some vectors of columns of all rows of y (out_channels, pixels) = weight (out_channels, x.channels) x + bias.
template <int64_t vectors, bool full, typename T>
inline void gemm_column_tile(const T* weight, const T* bias, const ChannelMatrix<T>& x, int64_t out_channels,
                             int64_t pixels, int64_t remaining, T* y) {
  for_row_tiles(0, out_channels, [&](auto rows, int64_t row) ALWAYS_INLINE_BODY {
    gemm_tile<rows, vectors, full>(weight + row * x.channels, bias ? bias + row : bias, x, pixels, remaining,
                                   y + row * pixels);
  });
}

// Columns first ... end - 1 of the same product.
template <typename T>
void gemm_columns(const T* weight, const T* bias, const ChannelMatrix<T>& x, int64_t out_channels, int64_t pixels,
                  int64_t first, int64_t end, T* y) {
  constexpr int64_t one = Simd<T>::width, many = kTile * one;
  int64_t k = first;
  const auto from = [&] { return ChannelMatrix<T>{x.data + k, x.channels, x.stride}; };
  for (; k + many <= end; k += many)
    gemm_column_tile<kTile, true>(weight, bias, from(), out_channels, pixels, many, y + k);
  for (; k + one <= end; k += one) gemm_column_tile<1, true>(weight, bias, from(), out_channels, pixels, one, y + k);
  if (k < end) gemm_column_tile<1, false>(weight, bias, from(), out_channels, pixels, end - k, y + k);
}

// sum[i][j] += channel i of grad_output times channel j of x, for one vector of pixels.
template <int64_t rows, int64_t columns, bool full, typename T>
ALWAYS_INLINE void add_products_of_vector(const T* grad_output, int64_t pixels, const T* x, int64_t x_stride,
                                          int64_t remaining, typename Simd<T>::Vector (&sum)[rows][columns]) {
  typedef Simd<T> S;
  typename S::Vector input[columns];
  unroll<columns>([&](auto j) ALWAYS_INLINE_BODY {
    input[j] = full ? S::load(x + j * x_stride) : S::load(x + j * x_stride, remaining);
  });
  unroll<rows>([&](auto i) ALWAYS_INLINE_BODY {
    const typename S::Vector grad =
        full ? S::load(grad_output + i * pixels) : S::load(grad_output + i * pixels, remaining);
    unroll<columns>([&](auto j) ALWAYS_INLINE_BODY { sum[i][j] += grad * input[j]; });
  });
}

// The same for all pixels of a sample. total: a vector of partial sums per pair of channels, rows `total_stride` apart.
template <int64_t rows, int64_t columns, typename T>
inline void add_grad_weight_tile(const T* grad_output, int64_t pixels, const T* x, int64_t x_stride,
                                 typename Simd<T>::Vector* total, int64_t total_stride) {
  typedef Simd<T> S;
  typename S::Vector sum[rows][columns];
  unroll<rows>([&](auto i) ALWAYS_INLINE_BODY {
    unroll<columns>([&](auto j) ALWAYS_INLINE_BODY { sum[i][j] = total[i * total_stride + j]; });
  });
  int64_t k = 0;
  for (; k + S::width <= pixels; k += S::width)
    add_products_of_vector<rows, columns, true>(grad_output + k, pixels, x + k, x_stride, S::width, sum);
  if (k < pixels)
    add_products_of_vector<rows, columns, false>(grad_output + k, pixels, x + k, x_stride, pixels - k, sum);
  unroll<rows>([&](auto i) ALWAYS_INLINE_BODY {
    unroll<columns>([&](auto j) ALWAYS_INLINE_BODY { total[i * total_stride + j] = sum[i][j]; });
  });
}

// The same for `rows` channels of grad_output and all channels of x: total has rows x x.channels vectors.
template <int64_t rows, typename T>
void add_grad_weight_rows(const T* grad_output, int64_t pixels, const ChannelMatrix<T>& x,
                          typename Simd<T>::Vector* total) {
  for_row_tiles(0, x.channels, [&](auto columns, int64_t c) ALWAYS_INLINE_BODY {
    add_grad_weight_tile<rows, columns>(grad_output, pixels, x.data + c * x.stride, x.stride, total + c, x.channels);
  });
}

// The same for all channels of grad_output.
template <typename T>
void add_grad_weight(const T* grad_output, int64_t channels, int64_t pixels, const ChannelMatrix<T>& x,
                     typename Simd<T>::Vector* total) {
  for_row_tiles(0, channels, [&](auto rows, int64_t row) ALWAYS_INLINE_BODY {
    add_grad_weight_rows<rows>(grad_output + row * pixels, pixels, x, total + row * x.channels);
  });
}

template <typename T>
std::vector<T> transpose(const T* matrix, int64_t rows, int64_t columns) {
  std::vector<T> transposed(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) transposed[j * rows + i] = matrix[i * columns + j];
  return transposed;
}

#endif  // GLUON_ATTN_GEMM_TILES_H_
