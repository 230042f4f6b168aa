// Maxima of windows of 3x3 pixels with a border of one, for the CPU and float32 or float64.

#include <limits>

#include "frames.h"

namespace {

struct Windows {
  int64_t maps, height, width, stride, rows, columns;  // rows and columns: of what comes out
  Windows(const Attrs& attrs, const std::vector<int64_t>& shape) {
    maps = shape.at(0) * shape.at(1), height = shape.at(2), width = shape.at(3);
    stride = std::stol(attrs.at("stride"));
    rows = (height - 1) / stride + 1, columns = (width - 1) / stride + 1;
  }
};

// First and end of the output columns whose window has column `shift` (-1, 0 or 1) beside its middle on the map.
inline int64_t first_column(int64_t shift) { return shift < 0 ? 1 : 0; }
inline int64_t end_column(const Windows& w, int64_t shift) {
  const int64_t room = w.width - 1 - shift;  // below 0 on a map of one column
  return room < 0 ? 0 : std::min(w.columns, room / w.stride + 1);
}

template <typename T>
void maxima(const Windows& w, const T* x, T* y) {
#pragma omp parallel
  {
    std::vector<T> tall(w.width);
#pragma omp for schedule(static)
    for (int64_t line = 0; line < w.maps * w.rows; ++line) {
      const int64_t middle = line % w.rows * w.stride;
      const T* map = x + line / w.rows * w.height * w.width;
      T *top = tall.data(), *to = y + line * w.columns;
      std::copy(map + middle * w.width, map + (middle + 1) * w.width, top);
      for (int64_t row : {middle - 1, middle + 1}) {
        if (row < 0 || row >= w.height) continue;
        const T* from = map + row * w.width;
#pragma omp simd
        for (int64_t i = 0; i < w.width; ++i) top[i] = from[i] > top[i] ? from[i] : top[i];
      }
      for (int64_t j = 0; j < w.columns; ++j) to[j] = top[j * w.stride];
      for (int64_t shift : {-1, 1}) {
        const int64_t end = end_column(w, shift);
#pragma omp simd
        for (int64_t j = first_column(shift); j < end; ++j) {
          const T beside = top[j * w.stride + shift];
          to[j] = beside > to[j] ? beside : to[j];
        }
      }
    }
  }
}

// For each window the place of its maximum, 0 to 8 by rows; of equal ones the first.
template <typename T>
void find(const Windows& w, const Framed<T>& x, const T* y, T* place) {
  typedef Lanes<T> L;
  for (int64_t row = 0; row < w.rows; ++row)
    for (int64_t first = 0; first < w.columns; first += L::count) {
      const int64_t at = row * w.columns + first, left = w.columns - first;
      const typename L::V top = L::load(y + at, left);
      typename L::V found = {};
      each<9>([&](auto i) ALWAYS_INLINE_BODY {
        constexpr int64_t k = 8 - i;
        const auto here = L::load(x.at(row * w.stride + k / 3, k % 3) + first) == top;
        found = here ? T(k) + typename L::V{} : found;
      });
      L::store(found, place + at, left);
    }
}

// Each pixel takes the slopes of the windows around it that have their maximum there.
template <typename T>
void gather(const Windows& w, const Framed<T>& place, const Framed<T>& slope, T* dx) {
  typedef Lanes<T> L;
  for (int64_t row = 0; row < w.height; ++row)
    for (int64_t first = 0; first < w.width; first += L::count) {
      typename L::V total = {};
      each<9>([&](auto k) ALWAYS_INLINE_BODY {
        const auto here = L::load(place.at(row + k / 3, k % 3) + first) == T(8 - k);
        total += here ? L::load(slope.at(row + k / 3, k % 3) + first) : typename L::V{};
      });
      L::store(total, dx + row * w.width + first, w.width - first);
    }
}

template <typename T>
void maxima_backward(const Windows& w, const T* slope, const T* x, const T* y, T* dx) {
  const int64_t in = w.height * w.width, out = w.rows * w.columns;
#pragma omp parallel
  {
    const T nothing = std::numeric_limits<T>::quiet_NaN();  // equals no maximum
    Framed<T> seen(w.height + 2, w.width + 2, w.stride, nothing);
    Framed<T> place(w.height + 2, w.width + 2, 1, T(-1)), given(w.height + 2, w.width + 2, 1);
    std::vector<T> found(out);
#pragma omp for schedule(static)
    for (int64_t map = 0; map < w.maps; ++map) {
      seen.fill(x + map * in, w.height, w.width, 1);
      find(w, seen, y + map * out, found.data());
      place.fill(found.data(), w.rows, w.columns, 1, w.stride);
      given.fill(slope + map * out, w.rows, w.columns, 1, w.stride);
      gather(w, place, given, dx + map * in);
    }
  }
}

MXReturnValue shape_of_windows(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int stride = std::stoul(attrs.at("stride"));
  if ((*in)[0].size() != 4 || (stride != 1 && stride != 2)) return MX_FAIL;
  (*out)[0] = (*in)[0];
  for (size_t axis : {2, 3})
    if ((*in)[0][axis]) (*out)[0][axis] = ((*in)[0][axis] - 1) / stride + 1;
  return MX_SUCCESS;
}

MXReturnValue windows_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], maxima(Windows(attrs, i[0].shape), i[0].data<T>(), o[0].data<T>()));
}

// in: slope, x, y
MXReturnValue windows_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const Windows w(attrs, i[1].shape);
  FOR_TYPE(i[0], maxima_backward(w, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_max_pool)
    .setForward(windows_forward, "cpu")
    .setBackward(windows_back, "cpu")
    .setParseAttrs(takes<1>)
    .setInferType(same_type)
    .setInferShape(shape_of_windows);
