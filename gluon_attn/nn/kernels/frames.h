// Maps with a border.

#ifndef GLUON_ATTN_FRAMES_H_
#define GLUON_ATTN_FRAMES_H_

#include "lanes.h"

// A map with zeros, or another border, around it and `spread` - 1 between its pixels; columns `phases` apart lie side
// by side, so that a convolution of that stride reads what is side by side.
template <typename T>
class Framed {
 public:
  Framed(int64_t height, int64_t width, int64_t phases, T border = 0)
      : phases_(phases), line_((width + phases - 1) / phases + Lanes<T>::count),
        values_(height * phases * line_, border) {}

  void fill(const T* map, int64_t height, int64_t width, int64_t before, int64_t spread = 1) {
    fill(map, height, width, before, spread, Same{});
  }

  template <typename Change>
  void fill(const T* map, int64_t height, int64_t width, int64_t before, int64_t spread, Change change) {
    for (int64_t row = 0; row < height; ++row, map += width) {
      T* to = &values_[(row * spread + before) * line()];
      if (phases_ > 1) {
        for (int64_t skipped = 0; skipped < std::min(phases_, width); ++skipped) {
          T* own = to + (before + skipped) % phases_ * line_ + (before + skipped) / phases_;
          for (int64_t j = skipped; j < width; j += phases_) *own++ = change(map[j]);
        }
      } else if (spread > 1) {
        for (int64_t j = 0; j < width; ++j) to[before + j * spread] = change(map[j]);
      } else {
        if constexpr (std::is_same<Change, Same>::value)
          std::copy(map, map + width, to + before);
        else
          std::transform(map, map + width, to + before, change);
      }
    }
  }

  int64_t line() const { return phases_ * line_; }
  // the pixels that columns 0, 1 ... of what comes out meet at offset `column`
  const T* at(int64_t row, int64_t column) const {
    return &values_[row * line() + column % phases_ * line_ + column / phases_];
  }

 private:
  struct Same {
    T operator()(T value) const { return value; }
  };

  int64_t phases_, line_;
  std::vector<T> values_;  // nothing but the interior is written twice
};

#endif  // GLUON_ATTN_FRAMES_H_
