// A feature map of one channel with padding.

#ifndef GLUON_ATTN_PADDED_MAP_H_
#define GLUON_ATTN_PADDED_MAP_H_

#include "simd.h"

// One channel with a border around it, zeros by default, and optionally `spacing` - 1 border values between its pixels
// (for transposed convolutions). Columns `phases` apart lie side by side in memory, so that a convolution of that
// stride reads contiguous values.
template <typename T>
class PaddedMap {
 public:
  // The map as a convolution reads it whose padding is `skip` pixels less than that of the map.
  class View {
   public:
    View(const PaddedMap& map, int64_t skip) : map_(map), skip_(skip) {}
    const T* at(int64_t row, int64_t column) const { return map_.at(row + skip_, column + skip_); }
    int64_t row_stride() const { return map_.row_stride(); }

   private:
    const PaddedMap& map_;
    const int64_t skip_;
  };

  PaddedMap(int64_t height, int64_t width, int64_t phases, T border = 0)
      : phases_(phases), phase_width_((width + phases - 1) / phases + Simd<T>::width),
        values_(height * phases * phase_width_, border) {}

  void fill(const T* map, int64_t height, int64_t width, int64_t padding, int64_t spacing = 1) {
    fill(map, height, width, padding, spacing, Identity{});
  }

  // The same with each value passed through `activation`.
  template <typename Activation>
  void fill(const T* map, int64_t height, int64_t width, int64_t padding, int64_t spacing, Activation activation) {
    for (int64_t row = 0; row < height; ++row, map += width) {
      T* to = &values_[(row * spacing + padding) * row_stride()];
      if (phases_ > 1) {
        for (int64_t phase = 0; phase < std::min(phases_, width); ++phase) {
          T* of_phase = to + (padding + phase) % phases_ * phase_width_ + (padding + phase) / phases_;
          for (int64_t j = phase; j < width; j += phases_) *of_phase++ = activation(map[j]);
        }
      } else if (spacing > 1) {
        for (int64_t j = 0; j < width; ++j) to[padding + j * spacing] = activation(map[j]);
      } else {
        if constexpr (std::is_same<Activation, Identity>::value)
          std::copy(map, map + width, to + padding);
        else
          std::transform(map, map + width, to + padding, activation);
      }
    }
  }

  View view(int64_t skip = 0) const { return View(*this, skip); }
  int64_t row_stride() const { return phases_ * phase_width_; }
  // The values that output columns 0, 1, ... of a convolution read at kernel offset `column`.
  const T* at(int64_t row, int64_t column) const {
    return &values_[row * row_stride() + column % phases_ * phase_width_ + column / phases_];
  }

 private:
  struct Identity {
    T operator()(T value) const { return value; }
  };

  int64_t phases_, phase_width_;
  std::vector<T> values_;  // `fill` overwrites the interior only, so the border stays
};

#endif  // GLUON_ATTN_PADDED_MAP_H_
