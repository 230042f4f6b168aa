// The loops of a convolution of a map to many channels, padded to keep the size. With large kernels most taps of a small
// map fall outside of it: only those that meet it are computed, which oneDNN does not do.
//
// A vector holds a value for each of several channels, so that a tap is one multiply-add a pixel.

#ifndef GLUON_ATTN_ONE_TO_MANY_H_
#define GLUON_ATTN_ONE_TO_MANY_H_

#include "padded_map.h"

constexpr int64_t kPixels = 8;  // of a row, whose sums stay in registers together

struct Range {
  int64_t first, end;
};

template <typename T>
struct OneToManyShape {
  int64_t maps, channels, height, width, kernel, pad, pixels, taps, blocks;
  OneToManyShape(const std::vector<int64_t>& x, const std::vector<int64_t>& weight)
      : maps(x[0]), channels(weight[0]), height(x[2]), width(x[3]), kernel(weight[2]), pad(kernel / 2),
        pixels(height * width), taps(kernel * kernel), blocks((channels + Simd<T>::width - 1) / Simd<T>::width) {}

  int64_t channels_of(int64_t block) const { return std::min(channels - block * Simd<T>::width, Simd<T>::width); }
  PaddedMap<T> padded() const { return PaddedMap<T>(height + 2 * pad, width + 2 * pad, 1); }
};

// Of 0 ... end - 1 those that, added to one of first ... first + count - 1, give a pixel of an axis of `size` behind
// `pad` zeros: the taps of some pixels, or the pixels of some taps.
inline Range meeting(int64_t first, int64_t count, int64_t size, int64_t end, int64_t pad) {
  return {std::max<int64_t>(0, pad - (first + count - 1)), std::min(end, size + pad - first)};
}

// `channels` rows of `count` numbers, `stride` apart, to a vector for each column.
template <typename T>
void pack(const T* from, int64_t channels, int64_t stride, int64_t count, typename Simd<T>::Vector* to) {
  for (int64_t i = 0; i < count; ++i) {
    typename Simd<T>::Vector v = {};
    for (int64_t c = 0; c < channels; ++c) v[c] = from[c * stride + i];
    to[i] = v;
  }
}

// The weights, or with one tap the bias, as a vector for each block of channels and tap; zeros if there are none.
template <typename T>
std::vector<typename Simd<T>::Vector> packed(const OneToManyShape<T>& s, const T* weight, int64_t taps) {
  std::vector<typename Simd<T>::Vector> vectors(s.blocks * taps);
  for (int64_t b = 0; weight && b < s.blocks; ++b)
    pack(weight + b * Simd<T>::width * taps, s.channels_of(b), taps, taps, &vectors[b * taps]);
  return vectors;
}

// Some pixels of a row for the channels of a block.
template <typename T>
void forward_pixels(const OneToManyShape<T>& s, const PaddedMap<T>& x, const typename Simd<T>::Vector* weight,
                    typename Simd<T>::Vector bias, int64_t channels, int64_t row, int64_t column, T* y) {
  typename Simd<T>::Vector total[kPixels];
  unroll<kPixels>([&](auto i) ALWAYS_INLINE_BODY { total[i] = bias; });
  const Range rows = meeting(row, 1, s.height, s.kernel, s.pad);
  const Range columns = meeting(column, kPixels, s.width, s.kernel, s.pad);
  for (int64_t i = rows.first; i < rows.end; ++i) {
    const T* from = x.at(row + i, column);
    for (int64_t j = columns.first; j < columns.end; ++j) {
      const typename Simd<T>::Vector tap = weight[i * s.kernel + j];
      unroll<kPixels>([&](auto p) ALWAYS_INLINE_BODY { total[p] += from[j + p] * tap; });
    }
  }
  T lanes[kPixels][Simd<T>::width];
  std::memcpy(lanes, total, sizeof(total));
  const int64_t count = std::min(kPixels, s.width - column);
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t p = 0; p < count; ++p) y[c * s.pixels + row * s.width + column + p] = lanes[p][c];
}

// The gradient of the output of a map for the channels of a block: a vector a pixel, with zeros beside each row.
template <typename T>
class GradMap {
 public:
  typedef typename Simd<T>::Vector Vector;
  explicit GradMap(const OneToManyShape<T>& s)
      : pad_(s.pad), stride_(s.width + 2 * s.pad + kPixels), values_(s.height * stride_) {}

  void fill(const OneToManyShape<T>& s, const T* grad, int64_t channels) {
    for (int64_t row = 0; row < s.height; ++row)
      pack(grad + row * s.width, channels, s.pixels, s.width, &values_[row * stride_ + pad_]);
  }
  const Vector* at(int64_t row, int64_t column) const { return &values_[row * stride_ + pad_ + column]; }

 private:
  const int64_t pad_, stride_;
  std::vector<Vector> values_;
};

// Adds to some pixels of a row of the input's gradient what the channels of a block give.
template <typename T>
void input_pixels(const OneToManyShape<T>& s, const GradMap<T>& grad, const typename Simd<T>::Vector* weight,
                  int64_t row, int64_t column, T* grad_input) {
  typename Simd<T>::Vector total[kPixels] = {};
  const int64_t last_row = row + s.pad, last_column = column + s.pad;  // what the first tap meets
  const int64_t rows_end = std::min(s.kernel, last_row + 1), columns_end = std::min(s.kernel, last_column + kPixels);
  for (int64_t i = std::max<int64_t>(0, last_row - s.height + 1); i < rows_end; ++i)
    for (int64_t j = std::max<int64_t>(0, last_column - s.width + 1); j < columns_end; ++j) {
      const typename Simd<T>::Vector tap = weight[i * s.kernel + j], *from = grad.at(last_row - i, last_column - j);
      unroll<kPixels>([&](auto p) ALWAYS_INLINE_BODY { total[p] += from[p] * tap; });
    }
  const int64_t count = std::min(kPixels, s.width - column);
  for (int64_t p = 0; p < count; ++p) grad_input[row * s.width + column + p] += Simd<T>::sum(total[p]);
}

// Adds a map's part of the gradients of the weights of a block.
template <typename T>
void add_weights(const OneToManyShape<T>& s, const PaddedMap<T>& x, const GradMap<T>& grad,
                 typename Simd<T>::Vector* sums) {
  for (int64_t i = 0; i < s.kernel; ++i)
    for (int64_t j = 0; j < s.kernel; j += kPixels) {
      const Range rows = meeting(i, 1, s.height, s.height, s.pad);
      const Range columns = meeting(j, kPixels, s.width, s.width, s.pad);
      typename Simd<T>::Vector total[kPixels] = {};
      for (int64_t row = rows.first; row < rows.end; ++row)
        for (int64_t column = columns.first; column < columns.end; ++column) {
          const typename Simd<T>::Vector of_pixel = *grad.at(row, column);
          const T* from = x.at(row + i, column + j);
          unroll<kPixels>([&](auto p) ALWAYS_INLINE_BODY { total[p] += from[p] * of_pixel; });
        }
      for (int64_t p = 0; p < std::min(kPixels, s.kernel - j); ++p) sums[i * s.kernel + j + p] += total[p];
    }
}

#endif  // GLUON_ATTN_ONE_TO_MANY_H_
