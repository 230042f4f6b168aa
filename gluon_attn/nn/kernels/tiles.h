// Products of small matrices whose rows are maps, in registers.

#ifndef GLUON_ATTN_TILES_H_
#define GLUON_ATTN_TILES_H_

#include "lanes.h"

constexpr int64_t kTile = 4;  // rows and columns of a product of matrices that stay in registers

// body(how many rows as a constant, the first of them), for the rows of [first, end): tiles of kTile, then one by one.
template <typename Body>
ALWAYS_INLINE void by_tiles(int64_t first, int64_t end, Body body) {
  for (; first + kTile <= end; first += kTile) body(std::integral_constant<int64_t, kTile>{}, first);
  for (; first < end; ++first) body(std::integral_constant<int64_t, 1>{}, first);
}

// Maps one behind the other, `line` numbers apart. Own ones are best not a power of 2 apart, which caches dislike.
template <typename T>
struct Maps {
  const T* at;
  int64_t count, line;
};

// rows x vectors of y = weight x + bias; weight: rows of x.count, y: rows of `pixels`. `left`: pixels from here on.
template <int64_t rows, int64_t vectors, bool whole, typename T>
inline void tile(const T* weight, const T* bias, const Maps<T>& x, int64_t pixels, int64_t left, T* y) {
  typedef Lanes<T> L;
  typename L::V total[rows][vectors];
  each<rows>([&](auto i) ALWAYS_INLINE_BODY {
    each<vectors>([&](auto j) ALWAYS_INLINE_BODY { total[i][j] = (bias ? bias[i] : T(0)) + typename L::V{}; });
  });
  const T* from = x.at;
  for (int64_t c = 0; c < x.count; ++c, from += x.line) {
    typename L::V seen[vectors];
    each<vectors>([&](auto j) ALWAYS_INLINE_BODY {
      seen[j] = whole ? L::load(from + j * L::count) : L::load(from + j * L::count, left - j * L::count);
    });
    each<rows>([&](auto i) ALWAYS_INLINE_BODY {
      each<vectors>([&](auto j) ALWAYS_INLINE_BODY { total[i][j] += weight[i * x.count + c] * seen[j]; });
    });
  }
  each<rows>([&](auto i) ALWAYS_INLINE_BODY {
    each<vectors>([&](auto j) ALWAYS_INLINE_BODY {
      L::store(total[i][j], y + i * pixels + j * L::count, left - j * L::count);
    });
  });
}

// These vectors of all rows of y (outside, pixels) = weight (outside, x.count) x + bias.
template <int64_t vectors, bool whole, typename T>
inline void tower(const T* weight, const T* bias, const Maps<T>& x, int64_t outside, int64_t pixels, int64_t left,
                  T* y) {
  by_tiles(0, outside, [&](auto rows, int64_t row) ALWAYS_INLINE_BODY {
    tile<rows, vectors, whole>(weight + row * x.count, bias ? bias + row : bias, x, pixels, left, y + row * pixels);
  });
}

// Pixels `first` to `end` of the same.
template <typename T>
void product_columns(const T* weight, const T* bias, const Maps<T>& x, int64_t outside, int64_t pixels, int64_t first,
                     int64_t end, T* y) {
  constexpr int64_t one = Lanes<T>::count, many = kTile * one;
  int64_t k = first;
  const auto from = [&] { return Maps<T>{x.at + k, x.count, x.line}; };
  for (; k + many <= end; k += many) tower<kTile, true>(weight, bias, from(), outside, pixels, many, y + k);
  for (; k + one <= end; k += one) tower<1, true>(weight, bias, from(), outside, pixels, one, y + k);
  if (k < end) tower<1, false>(weight, bias, from(), outside, pixels, end - k, y + k);
}

// One vector of pixels' products of `rows` maps of the slope with `columns` maps of x.
template <int64_t rows, int64_t columns, bool whole, typename T>
ALWAYS_INLINE void multiply(const T* slope, int64_t pixels, const T* x, int64_t line, int64_t left,
                            typename Lanes<T>::V (&sum)[rows][columns]) {
  typedef Lanes<T> L;
  typename L::V seen[columns];
  each<columns>([&](auto j) ALWAYS_INLINE_BODY {
    seen[j] = whole ? L::load(x + j * line) : L::load(x + j * line, left);
  });
  each<rows>([&](auto i) ALWAYS_INLINE_BODY {
    const typename L::V given = whole ? L::load(slope + i * pixels) : L::load(slope + i * pixels, left);
    each<columns>([&](auto j) ALWAYS_INLINE_BODY { sum[i][j] += given * seen[j]; });
  });
}

// Adds an image's, a vector of partial sums for each pair of maps.
template <int64_t rows, int64_t columns, typename T>
inline void add_products(const T* slope, int64_t pixels, const T* x, int64_t line, typename Lanes<T>::V* total,
                         int64_t stride) {
  typedef Lanes<T> L;
  typename L::V sum[rows][columns];
  each<rows>([&](auto i) ALWAYS_INLINE_BODY {
    each<columns>([&](auto j) ALWAYS_INLINE_BODY { sum[i][j] = total[i * stride + j]; });
  });
  int64_t k = 0;
  for (; k + L::count <= pixels; k += L::count)
    multiply<rows, columns, true>(slope + k, pixels, x + k, line, L::count, sum);
  if (k < pixels) multiply<rows, columns, false>(slope + k, pixels, x + k, line, pixels - k, sum);
  each<rows>([&](auto i) ALWAYS_INLINE_BODY {
    each<columns>([&](auto j) ALWAYS_INLINE_BODY { total[i * stride + j] = sum[i][j]; });
  });
}

// The same for `rows` maps of the slope and all of x: total (rows, x.count).
template <int64_t rows, typename T>
void add_all_products(const T* slope, int64_t pixels, const Maps<T>& x, typename Lanes<T>::V* total) {
  by_tiles(0, x.count, [&](auto columns, int64_t c) ALWAYS_INLINE_BODY {
    add_products<rows, columns>(slope, pixels, x.at + c * x.line, x.line, total + c, x.count);
  });
}

template <typename T>
std::vector<T> transposed(const T* matrix, int64_t rows, int64_t columns) {
  std::vector<T> turned(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) turned[j * rows + i] = matrix[i * columns + j];
  return turned;
}

#endif  // GLUON_ATTN_TILES_H_
