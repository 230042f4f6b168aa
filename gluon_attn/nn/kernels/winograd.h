// Winograd's method for 3x3 convolutions: tiles of 4x4 pixels, transformed, give 2x2 results by 16 products for each pair
// of channels, one at each place of a tile, in place of 36. Lavin and Gray 2015, https://arxiv.org/abs/1509.09308

#ifndef GLUON_ATTN_WINOGRAD_H_
#define GLUON_ATTN_WINOGRAD_H_

#include "channel_lines.h"

constexpr int64_t kPlaces = 16;
constexpr int64_t kRows = 8;  // of a register tile

// Transformed tiles, (place, tile, channel). Places are not a power of 2 apart, which would collide in caches.
template <typename T>
class Tiles {
 public:
  Tiles(int64_t tiles, int64_t channels)
      : channels(channels), stride(tiles * channels + Simd<T>::width), numbers_(kPlaces * stride) {}
  T* at(int64_t place, int64_t tile) { return numbers_.data() + place * stride + tile * channels; }
  const int64_t channels, stride;

 private:
  Aligned<T> numbers_;
};

// Weights, or sums for their gradients: (place, block of columns, row, column in the block).
template <typename T>
class PlaceMatrices {
 public:
  PlaceMatrices(int64_t rows, int64_t columns)
      : rows(rows), columns(columns), block(columns % (2 * Simd<T>::width) ? Simd<T>::width : 2 * Simd<T>::width),
        numbers_(kPlaces * rows * columns) {}
  T* at(int64_t place, int64_t row, int64_t column) {
    return numbers_.data() + place * rows * columns + (column / block * rows + row) * block + column % block;
  }
  const int64_t rows, columns, block;

 private:
  Aligned<T> numbers_;
};

// A row of tiles of the input, which overlap by two pixels. lines: four, with a border of one pixel.
template <typename T>
inline void transform_input(FourLines<T>& lines, int64_t y, int64_t count, int64_t tile, Tiles<T>* tiles) {
  typedef Simd<T> S;
  typedef typename S::Vector Vector;
  const T* line[4];
  for (int64_t i = 0; i < 4; ++i) line[i] = lines.line(y + i);
  for (int64_t t = 0; t < count; ++t)
    for (int64_t c = 0; c < tiles->channels; c += S::width) {
      T* to = tiles->at(0, tile + t) + c;
      Vector half[4][4];
      unroll<4>([&](auto j) ALWAYS_INLINE_BODY {
        Vector d[4];
        unroll<4>([&](auto i) ALWAYS_INLINE_BODY { d[i] = S::load(line[i] + (2 * t + j) * tiles->channels + c); });
        half[0][j] = d[0] - d[2], half[1][j] = d[1] + d[2], half[2][j] = d[2] - d[1], half[3][j] = d[1] - d[3];
      });
      unroll<4>([&](auto i) ALWAYS_INLINE_BODY {
        const Vector *d = half[i], row[] = {d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]};
        unroll<4>([&](auto j) ALWAYS_INLINE_BODY { S::store(row[j], to + (4 * i + j) * tiles->stride); });
      });
    }
}

// A row of tiles of grad_output, 2x2 pixels each.
template <typename T>
inline void transform_grad(FourLines<T>& lines, int64_t y, int64_t count, int64_t tile, Tiles<T>* tiles) {
  typedef Simd<T> S;
  typedef typename S::Vector Vector;
  const T* line[2] = {lines.line(y), lines.line(y + 1)};
  for (int64_t t = 0; t < count; ++t)
    for (int64_t c = 0; c < tiles->channels; c += S::width) {
      T* to = tiles->at(0, tile + t) + c;
      Vector half[4][2];
      unroll<2>([&](auto j) ALWAYS_INLINE_BODY {
        const int64_t at = (2 * t + j) * tiles->channels + c;
        const Vector top = S::load(line[0] + at), bottom = S::load(line[1] + at);
        half[0][j] = top, half[1][j] = top + bottom, half[2][j] = top - bottom, half[3][j] = -bottom;
      });
      unroll<4>([&](auto i) ALWAYS_INLINE_BODY {
        const Vector left = half[i][0], right = half[i][1], row[] = {left, left + right, left - right, -right};
        unroll<4>([&](auto j) ALWAYS_INLINE_BODY { S::store(row[j], to + (4 * i + j) * tiles->stride); });
      });
    }
}

// A row of tiles of products to two lines with channels innermost, 2 * count pixels each. bias: null for none.
template <typename T>
inline void transform_output(Tiles<T>* tiles, int64_t tile, int64_t count, const T* bias, T* lines) {
  typedef Simd<T> S;
  typedef typename S::Vector Vector;
  const int64_t channels = tiles->channels;
  for (int64_t t = 0; t < count; ++t)
    for (int64_t c = 0; c < channels; c += S::width) {
      const T* from = tiles->at(0, tile + t) + c;
      Vector half[2][4];
      unroll<4>([&](auto j) ALWAYS_INLINE_BODY {
        Vector p[4];
        unroll<4>([&](auto i) ALWAYS_INLINE_BODY { p[i] = S::load(from + (4 * i + j) * tiles->stride); });
        half[0][j] = p[0] + p[1] + p[2], half[1][j] = p[1] - p[2] - p[3];
      });
      const Vector shift = bias ? S::load(bias + c) : Vector{};
      unroll<2>([&](auto i) ALWAYS_INLINE_BODY {
        const Vector* p = half[i];
        T* to = lines + 2 * (i * count + t) * channels + c;
        S::store(p[0] + p[1] + p[2] + shift, to), S::store(p[1] - p[2] - p[3] + shift, to + channels);
      });
    }
}

// weight: (columns, rows, 3, 3), or with `turned` (rows, columns, 3, 3), each kernel turned by 180 degrees.
template <typename T>
PlaceMatrices<T> transform_weight(const T* weight, int64_t rows, int64_t columns, bool turned) {
  typedef Simd<T> S;
  typedef typename S::Vector Vector;
  PlaceMatrices<T> all(rows, columns);
#pragma omp parallel for schedule(static)
  for (int64_t k = 0; k < columns; k += S::width)
    for (int64_t c = 0; c < rows; ++c) {
      Vector g[9], half[4][3];
      transpose_block(weight + (turned ? c * columns + k : k * rows + c) * 9, turned ? 9 : 9 * rows, S::width, 9,
                      reinterpret_cast<T*>(g), S::width);
      unroll<3>([&](auto j) ALWAYS_INLINE_BODY {
        const Vector top = g[turned ? 8 - j : j], middle = g[turned ? 5 - j : 3 + j], bottom = g[turned ? 2 - j : 6 + j];
        const Vector sum = top + bottom;
        half[0][j] = top, half[1][j] = (sum + middle) / T(2), half[2][j] = (sum - middle) / T(2), half[3][j] = bottom;
      });
      unroll<4>([&](auto i) ALWAYS_INLINE_BODY {
        const Vector *h = half[i], sum = h[0] + h[2];
        const Vector row[] = {h[0], (sum + h[1]) / T(2), (sum - h[1]) / T(2), h[2]};
        unroll<4>([&](auto j) ALWAYS_INLINE_BODY { S::store(row[j], all.at(4 * i + j, c, k)); });
      });
    }
  return all;
}

// grad_weight (row, column, 3, 3) of one row, from the sums of `parts` parts.
template <typename T>
void gather_grad_weight(std::vector<PlaceMatrices<T>>& parts, int64_t row, T* grad_weight) {
  typedef Simd<T> S;
  typedef typename S::Vector Vector;
  const int64_t columns = parts[0].columns;
  for (int64_t c = 0; c < columns; c += S::width) {
    Vector p[kPlaces] = {}, half[3][4], g[9];
    for (auto& part : parts)
      unroll<kPlaces>([&](auto place) ALWAYS_INLINE_BODY { p[place] += S::load(part.at(place, row, c)); });
    unroll<4>([&](auto j) ALWAYS_INLINE_BODY {
      const Vector sum = (p[4 + j] + p[8 + j]) / T(2);
      half[0][j] = p[j] + sum, half[1][j] = (p[4 + j] - p[8 + j]) / T(2), half[2][j] = sum + p[12 + j];
    });
    unroll<3>([&](auto i) ALWAYS_INLINE_BODY {
      const Vector *h = half[i], sum = (h[1] + h[2]) / T(2);
      g[3 * i] = h[0] + sum, g[3 * i + 1] = (h[1] - h[2]) / T(2), g[3 * i + 2] = sum + h[3];
    });
    transpose_block(reinterpret_cast<const T*>(g), S::width, 9, S::width, grad_weight + (row * columns + c) * 9, 9);
  }
}

#endif  // GLUON_ATTN_WINOGRAD_H_
