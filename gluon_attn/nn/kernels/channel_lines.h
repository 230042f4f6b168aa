// Lines of feature maps with channels innermost, for operators whose vectors are channels.

#ifndef GLUON_ATTN_CHANNEL_LINES_H_
#define GLUON_ATTN_CHANNEL_LINES_H_

#include "simd.h"

// Numbers that begin at a vector's boundary, zeros at first.
template <typename T>
class Aligned {
 public:
  explicit Aligned(int64_t count) : vectors_((count + Simd<T>::width - 1) / Simd<T>::width) {}
  T* data() { return reinterpret_cast<T*>(vectors_.data()); }

 private:
  std::vector<typename Simd<T>::Vector> vectors_;
};

#ifdef __AVX512F__
// Transposes 16 rows of 16 numbers.
ALWAYS_INLINE void transpose_registers(__m512 (&a)[16]) {
  __m512 b[16];
  unroll<8>([&](auto i) ALWAYS_INLINE_BODY {
    b[2 * i] = _mm512_unpacklo_ps(a[2 * i], a[2 * i + 1]);
    b[2 * i + 1] = _mm512_unpackhi_ps(a[2 * i], a[2 * i + 1]);
  });
  unroll<4>([&](auto i) ALWAYS_INLINE_BODY {
    unroll<2>([&](auto j) ALWAYS_INLINE_BODY {
      const __m512d low = _mm512_castps_pd(b[4 * i + j]), high = _mm512_castps_pd(b[4 * i + 2 + j]);
      a[4 * i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      a[4 * i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    });
  });
  // a[4 i + j] has rows 4 i ... 4 i + 3 of columns j, 4 + j, 8 + j and 12 + j
  unroll<4>([&](auto j) ALWAYS_INLINE_BODY {
    unroll<2>([&](auto i) ALWAYS_INLINE_BODY {
      b[8 * i + j] = _mm512_shuffle_f32x4(a[8 * i + j], a[8 * i + 4 + j], 0x88);
      b[8 * i + 4 + j] = _mm512_shuffle_f32x4(a[8 * i + j], a[8 * i + 4 + j], 0xdd);
    });
  });
  unroll<8>([&](auto j) ALWAYS_INLINE_BODY {
    a[j] = _mm512_shuffle_f32x4(b[j], b[8 + j], 0x88);
    a[8 + j] = _mm512_shuffle_f32x4(b[j], b[8 + j], 0xdd);
  });
}
#endif

// to[j][i] = from[i][j] for i < rows and j < columns, both at most a vector's width; the rows of `from` are `stride`
// numbers apart, those of `to` `to_stride`.
template <typename T>
ALWAYS_INLINE void transpose_block(const T* from, int64_t stride, int64_t rows, int64_t columns, T* to,
                                   int64_t to_stride) {
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) {
    __m512 a[16];
    unroll<16>([&](auto i) ALWAYS_INLINE_BODY {
      a[i] = i < rows ? reinterpret_cast<__m512>(Simd<T>::load(from + i * stride, columns)) : __m512{};
    });
    transpose_registers(a);
    unroll<16>([&](auto j) ALWAYS_INLINE_BODY {
      if (j < columns) Simd<T>::store(reinterpret_cast<typename Simd<T>::Vector>(a[j]), to + j * to_stride, rows);
    });
    return;
  }
#endif
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i) to[j * to_stride + i] = from[i * stride + j];
}

// Maps of (samples, channels, height, width); of channels first ... first + count - 1 lines are read or written, count
// a multiple of a vector's width.
template <typename T>
struct ChannelMaps {
  T* data;
  int64_t samples, channels, height, width, first, count;
  // Line y of a sample's channel number c of those.
  T* line(int64_t sample, int64_t c, int64_t y) const {
    return data + ((sample * channels + first + c) * height + y) * width;
  }
  int64_t pixels() const { return height * width; }
};

// Line y of a sample with channels innermost; `to`: (width, count).
template <typename T>
inline void read_line(const ChannelMaps<const T>& maps, int64_t sample, int64_t y, T* to) {
  constexpr int64_t width = Simd<T>::width;
  for (int64_t c = 0; c < maps.count; c += width)
    for (int64_t k = 0; k < maps.width; k += width)
      transpose_block(maps.line(sample, c, y) + k, maps.pixels(), width, std::min(width, maps.width - k),
                      to + k * maps.count + c, maps.count);
}

// The other way.
template <typename T>
inline void write_line(const ChannelMaps<T>& maps, int64_t sample, int64_t y, const T* from) {
  constexpr int64_t width = Simd<T>::width;
  for (int64_t c = 0; c < maps.count; c += width)
    for (int64_t k = 0; k < maps.width; k += width)
      transpose_block(from + k * maps.count + c, maps.count, std::min(width, maps.width - k), width,
                      maps.line(sample, c, y) + k, maps.pixels());
}

// The last four lines that were read, with a border of zeros around the map.
template <typename T>
class FourLines {
 public:
  // length: of a line with its borders.
  FourLines(const ChannelMaps<const T>& maps, int64_t border, int64_t length)
      : maps_(maps), border_(border), stride_(length * maps.count), lines_(4 * stride_) {}

  // Lines y ... y + 3 of a sample can be read then; the next call is for the same or a later one, or another sample.
  void read(int64_t sample, int64_t y) {
    const int64_t known = sample == sample_ ? end_ : y;
    for (int64_t next = std::max(known, y); next < y + 4; ++next) {
      if (next >= 0 && next < maps_.height)
        read_line(maps_, sample, next, line(next) + border_ * maps_.count);
      else
        std::fill_n(line(next), stride_, T(0));
    }
    sample_ = sample, end_ = y + 4;
  }
  T* line(int64_t y) { return lines_.data() + (y & 3) * stride_; }

 private:
  const ChannelMaps<const T> maps_;
  const int64_t border_, stride_;
  Aligned<T> lines_;
  int64_t sample_ = -1, end_ = 0;
};

#endif  // GLUON_ATTN_CHANNEL_LINES_H_
