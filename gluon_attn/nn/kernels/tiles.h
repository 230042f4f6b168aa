// Products of small matrices whose rows are maps, in registers.

#ifndef GLUON_ATTN_TILES_H_
#define GLUON_ATTN_TILES_H_

#include "lanes.h"

constexpr int64_t kTile = 4;  // rows and columns of a product of matrices that stay in registers

// rows x vectors of y = weight x + bias; weight: rows of `inside`, x and y: rows of `pixels`. `left`: pixels from here on.
template <int64_t rows, int64_t vectors, bool whole, typename T>
inline void tile(const T* weight, const T* bias, const T* x, int64_t inside, int64_t pixels, int64_t left, T* y) {
  typedef Lanes<T> L;
  typename L::V total[rows][vectors];
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < vectors; ++j) total[i][j] = (bias ? bias[i] : T(0)) + typename L::V{};
  for (int64_t c = 0; c < inside; ++c, x += pixels) {
    typename L::V seen[vectors];
    for (int64_t j = 0; j < vectors; ++j)
      seen[j] = whole ? L::load(x + j * L::count) : L::load(x + j * L::count, left - j * L::count);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < vectors; ++j) total[i][j] += weight[i * inside + c] * seen[j];
  }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < vectors; ++j) L::store(total[i][j], y + i * pixels + j * L::count, left - j * L::count);
}

template <int64_t rows, typename T>
inline void strip(const T* weight, const T* bias, const T* x, int64_t inside, int64_t pixels, T* y) {
  constexpr int64_t one = Lanes<T>::count, many = kTile * one;
  int64_t k = 0;
  for (; k + many <= pixels; k += many)
    tile<rows, kTile, true>(weight, bias, x + k, inside, pixels, pixels - k, y + k);
  for (; k + one <= pixels; k += one) tile<rows, 1, true>(weight, bias, x + k, inside, pixels, pixels - k, y + k);
  if (k < pixels) tile<rows, 1, false>(weight, bias, x + k, inside, pixels, pixels - k, y + k);
}

// Rows `row` on, at most kTile, of y (outside, pixels) = weight (outside, inside) x (inside, pixels) + bias.
template <typename T>
void product_rows(const T* weight, const T* bias, const T* x, int64_t inside, int64_t outside, int64_t pixels,
                  int64_t row, T* y) {
  const T *own = weight + row * inside, *add = bias ? bias + row : bias;
  T* to = y + row * pixels;
  if (row + kTile <= outside) return strip<kTile>(own, add, x, inside, pixels, to);
  for (int64_t i = 0; i < outside - row; ++i)
    strip<1>(own + i * inside, add ? add + i : add, x, inside, pixels, to + i * pixels);
}

// One vector of pixels' products of `rows` maps of the slope with `columns` maps of x.
template <int64_t rows, int64_t columns, bool whole, typename T>
inline void multiply(const T* slope, const T* x, int64_t pixels, int64_t left, typename Lanes<T>::V (*sum)[columns]) {
  typedef Lanes<T> L;
  typename L::V seen[columns];
  for (int64_t j = 0; j < columns; ++j) seen[j] = whole ? L::load(x + j * pixels) : L::load(x + j * pixels, left);
  for (int64_t i = 0; i < rows; ++i) {
    const typename L::V given = whole ? L::load(slope + i * pixels) : L::load(slope + i * pixels, left);
    for (int64_t j = 0; j < columns; ++j) sum[i][j] += given * seen[j];
  }
}

// Adds an image's, a vector of partial sums for each pair of maps.
template <int64_t rows, int64_t columns, typename T>
inline void add_products(const T* slope, const T* x, int64_t pixels, typename Lanes<T>::V* total, int64_t stride) {
  typedef Lanes<T> L;
  typename L::V sum[rows][columns];
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) sum[i][j] = total[i * stride + j];
  int64_t k = 0;
  for (; k + L::count <= pixels; k += L::count) multiply<rows, columns, true>(slope + k, x + k, pixels, 0, sum);
  if (k < pixels) multiply<rows, columns, false>(slope + k, x + k, pixels, pixels - k, sum);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) total[i * stride + j] = sum[i][j];
}

// The same for `rows` maps of the slope and all of x: total (rows, inside).
template <int64_t rows, typename T>
void add_all_products(const T* slope, const T* x, int64_t inside, int64_t pixels, typename Lanes<T>::V* total) {
  int64_t c = 0;
  for (; c + kTile <= inside; c += kTile)
    add_products<rows, kTile>(slope, x + c * pixels, pixels, total + c, inside);
  for (; c < inside; ++c) add_products<rows, 1>(slope, x + c * pixels, pixels, total + c, inside);
}

template <typename T>
std::vector<T> transposed(const T* matrix, int64_t rows, int64_t columns) {
  std::vector<T> turned(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) turned[j * rows + i] = matrix[i * columns + j];
  return turned;
}

#endif  // GLUON_ATTN_TILES_H_
