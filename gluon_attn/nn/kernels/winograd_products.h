// Products of transformed tiles with weights, and with each other for the gradients of weights, in register tiles.

#ifndef GLUON_ATTN_WINOGRAD_PRODUCTS_H_
#define GLUON_ATTN_WINOGRAD_PRODUCTS_H_

#include "winograd.h"

// Products of `rows` tiles with a block of weights, `vectors` wide.
template <int64_t rows, int64_t vectors, typename T>
ALWAYS_INLINE void multiply_tile(const T* v, int64_t channels, const T* weight, T* product, int64_t product_stride) {
  typedef Simd<T> S;
  typename S::Vector sum[rows][vectors] = {};
  for (int64_t c = 0; c < channels; ++c, weight += vectors * S::width)
    unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY {
      const typename S::Vector column = S::load(weight + j * S::width);
      unroll<rows>([&](auto i) ALWAYS_INLINE_BODY { sum[i][j] += v[i * channels + c] * column; });
    });
  unroll<rows>([&](auto i) ALWAYS_INLINE_BODY {
    unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY {
      S::store(sum[i][j], product + i * product_stride + j * S::width);
    });
  });
}

template <int64_t vectors, typename T>
void multiply_block(Tiles<T>* v, PlaceMatrices<T>* weight, int64_t place, int64_t k, int64_t tiles,
                    Tiles<T>* products) {
  int64_t t = 0;
  const auto next = [&](auto rows) ALWAYS_INLINE_BODY {
    multiply_tile<rows, vectors>(v->at(place, t), v->channels, weight->at(place, 0, k), products->at(place, t) + k,
                                 products->channels);
    t += rows;
  };
  while (t + kRows <= tiles) next(std::integral_constant<int64_t, kRows>{});
  if (t + 4 <= tiles) next(std::integral_constant<int64_t, 4>{});
  if (t + 2 <= tiles) next(std::integral_constant<int64_t, 2>{});
  if (t < tiles) next(std::integral_constant<int64_t, 1>{});
}

template <typename T>
void multiply(Tiles<T>* v, PlaceMatrices<T>* weight, int64_t tiles, Tiles<T>* products) {
  for (int64_t place = 0; place < kPlaces; ++place)
    for (int64_t k = 0; k < weight->columns; k += weight->block) {
      if (weight->block == Simd<T>::width)
        multiply_block<1>(v, weight, place, k, tiles, products);
      else
        multiply_block<2>(v, weight, place, k, tiles, products);
    }
}

// sums[row][column] += grads of the row's channel times tiles of the column's, for kRows rows and a block of columns.
template <int64_t vectors, typename T>
ALWAYS_INLINE void add_products(const T* grad, int64_t grad_stride, const T* v, int64_t v_stride, int64_t tiles,
                                T* sums) {
  typedef Simd<T> S;
  constexpr int64_t block = vectors * S::width;
  typename S::Vector sum[kRows][vectors];
  unroll<kRows>([&](auto i) ALWAYS_INLINE_BODY {
    unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY { sum[i][j] = S::load(sums + i * block + j * S::width); });
  });
  for (int64_t t = 0; t < tiles; ++t, grad += grad_stride, v += v_stride)
    unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY {
      const typename S::Vector column = S::load(v + j * S::width);
      unroll<kRows>([&](auto i) ALWAYS_INLINE_BODY { sum[i][j] += grad[i] * column; });
    });
  unroll<kRows>([&](auto i) ALWAYS_INLINE_BODY {
    unroll<vectors>([&](auto j) ALWAYS_INLINE_BODY { S::store(sum[i][j], sums + i * block + j * S::width); });
  });
}

template <typename T>
void add_products(Tiles<T>* grads, Tiles<T>* v, int64_t tiles, int64_t first_row, PlaceMatrices<T>* sums) {
  for (int64_t place = 0; place < kPlaces; ++place)
    for (int64_t c = 0; c < sums->columns; c += sums->block)
      for (int64_t k = 0; k < grads->channels; k += kRows) {
        const T *grad = grads->at(place, 0) + k, *tile = v->at(place, 0) + c;
        T* to = sums->at(place, first_row + k, c);
        if (sums->block == Simd<T>::width)
          add_products<1>(grad, grads->channels, tile, v->channels, tiles, to);
        else
          add_products<2>(grad, grads->channels, tile, v->channels, tiles, to);
      }
}

#endif  // GLUON_ATTN_WINOGRAD_PRODUCTS_H_
