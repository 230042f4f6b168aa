// bfloat16, as it is stored: the upper half of a float. Nothing is computed in it.

#ifndef GLUON_ATTN_BFLOAT16_H_
#define GLUON_ATTN_BFLOAT16_H_

#include <cstdint>
#include <cstring>

struct bfloat16 {
  uint16_t bits;

  // To the nearest, ties to even; a NaN stays one. Without branches, and an assignment where a constructor would make a
  // temporary, so that loops are vectorized.
  bfloat16& operator=(float x) {
    uint32_t full;
    std::memcpy(&full, &x, sizeof(full));
    const uint32_t rounded = full + 0x7fff + ((full >> 16) & 1);
    bits = static_cast<uint16_t>((x == x ? rounded : full | 0x400000) >> 16);
    return *this;
  }
  operator float() const {  // NOLINT
    const uint32_t full = static_cast<uint32_t>(bits) << 16;
    float x;
    std::memcpy(&x, &full, sizeof(x));
    return x;
  }
};

// What sums, statistics and gates of maps of type T have.
template <typename T>
struct Wide {
  typedef T type;
};
template <>
struct Wide<bfloat16> {
  typedef float type;
};

#endif  // GLUON_ATTN_BFLOAT16_H_
