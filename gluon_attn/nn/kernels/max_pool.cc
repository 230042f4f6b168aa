// 3x3 max pooling with padding 1, on the CPU in float32 or float64.

#include <limits>

#include "padded_map.h"

namespace {

struct PoolShape {
  int64_t maps, height, width, stride, out_height, out_width;
  PoolShape(const Attrs& attrs, const std::vector<int64_t>& shape) {
    maps = shape.at(0) * shape.at(1), height = shape.at(2), width = shape.at(3);
    stride = std::stol(attrs.at("stride"));
    out_height = (height - 1) / stride + 1, out_width = (width - 1) / stride + 1;
  }
};

// First and end of the output columns for which the input column `shift` (-1, 0 or 1) from the window's center exists.
inline int64_t first_column(int64_t shift) { return shift < 0 ? 1 : 0; }
inline int64_t end_column(const PoolShape& p, int64_t shift) {
  const int64_t room = p.width - 1 - shift;  // below 0 for a width of 1
  return room < 0 ? 0 : std::min(p.out_width, room / p.stride + 1);
}

template <typename T>
void max_pool(const PoolShape& p, const T* x, T* y) {
#pragma omp parallel
  {
    std::vector<T> of_columns(p.width);  // maxima of the three rows
#pragma omp for schedule(static)
    for (int64_t line = 0; line < p.maps * p.out_height; ++line) {
      const int64_t center = line % p.out_height * p.stride;
      const T* map = x + line / p.out_height * p.height * p.width;
      T *maxima = of_columns.data(), *to = y + line * p.out_width;
      std::copy(map + center * p.width, map + (center + 1) * p.width, maxima);
      for (int64_t row : {center - 1, center + 1}) {
        if (row < 0 || row >= p.height) continue;
        const T* from = map + row * p.width;
#pragma omp simd
        for (int64_t i = 0; i < p.width; ++i) maxima[i] = from[i] > maxima[i] ? from[i] : maxima[i];
      }
      for (int64_t j = 0; j < p.out_width; ++j) to[j] = maxima[j * p.stride];
      for (int64_t shift : {-1, 1}) {
        const int64_t end = end_column(p, shift);
#pragma omp simd
        for (int64_t j = first_column(shift); j < end; ++j) {
          const T neighbor = maxima[j * p.stride + shift];
          to[j] = neighbor > to[j] ? neighbor : to[j];
        }
      }
    }
  }
}

// The position of each window's maximum, 0 to 8 in row-major order; of equal ones the first.
template <typename T>
void find_argmax(const PoolShape& p, const PaddedMap<T>& x, const T* y, T* argmax) {
  typedef Simd<T> S;
  for (int64_t row = 0; row < p.out_height; ++row)
    for (int64_t first = 0; first < p.out_width; first += S::width) {
      const int64_t at = row * p.out_width + first, remaining = p.out_width - first;
      const typename S::Vector maxima = S::load(y + at, remaining);
      typename S::Vector found = {};
      unroll<9>([&](auto i) ALWAYS_INLINE_BODY {
        constexpr int64_t k = 8 - i;
        const auto is_max = S::load(x.at(row * p.stride + k / 3, k % 3) + first) == maxima;
        found = is_max ? T(k) + typename S::Vector{} : found;
      });
      S::store(found, argmax + at, remaining);
    }
}

// Each input pixel sums the gradients of the windows that have their maximum there.
template <typename T>
void gather_grads(const PoolShape& p, const PaddedMap<T>& argmax, const PaddedMap<T>& grad_output, T* grad_input) {
  typedef Simd<T> S;
  for (int64_t row = 0; row < p.height; ++row)
    for (int64_t first = 0; first < p.width; first += S::width) {
      typename S::Vector total = {};
      unroll<9>([&](auto k) ALWAYS_INLINE_BODY {
        const auto is_max = S::load(argmax.at(row + k / 3, k % 3) + first) == T(8 - k);
        total += is_max ? S::load(grad_output.at(row + k / 3, k % 3) + first) : typename S::Vector{};
      });
      S::store(total, grad_input + row * p.width + first, p.width - first);
    }
}

template <typename T>
void max_pool_backward(const PoolShape& p, const T* grad_output, const T* x, const T* y, T* grad_input) {
  const int64_t in_pixels = p.height * p.width, out_pixels = p.out_height * p.out_width;
#pragma omp parallel
  {
    const T nan = std::numeric_limits<T>::quiet_NaN();  // equals no maximum
    PaddedMap<T> padded_x(p.height + 2, p.width + 2, p.stride, nan);
    PaddedMap<T> padded_argmax(p.height + 2, p.width + 2, 1, T(-1)), padded_grad(p.height + 2, p.width + 2, 1);
    std::vector<T> argmax(out_pixels);
#pragma omp for schedule(static)
    for (int64_t map = 0; map < p.maps; ++map) {
      padded_x.fill(x + map * in_pixels, p.height, p.width, 1);
      find_argmax(p, padded_x, y + map * out_pixels, argmax.data());
      padded_argmax.fill(argmax.data(), p.out_height, p.out_width, 1, p.stride);
      padded_grad.fill(grad_output + map * out_pixels, p.out_height, p.out_width, 1, p.stride);
      gather_grads(p, padded_argmax, padded_grad, grad_input + map * in_pixels);
    }
  }
}

MXReturnValue max_pool_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int stride = std::stoul(attrs.at("stride"));
  if ((*in)[0].size() != 4 || (stride != 1 && stride != 2)) return MX_FAIL;
  (*out)[0] = (*in)[0];
  for (size_t axis : {2, 3})
    if ((*in)[0][axis]) (*out)[0][axis] = ((*in)[0][axis] - 1) / stride + 1;
  return MX_SUCCESS;
}

MXReturnValue max_pool_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], max_pool(PoolShape(attrs, i[0].shape), i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, y
MXReturnValue max_pool_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const PoolShape p(attrs, i[1].shape);
  FOR_DTYPE(i[0], max_pool_backward(p, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_max_pool)
    .setForward(max_pool_forward, "cpu")
    .setBackward(max_pool_back, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(max_pool_infer_shape);
