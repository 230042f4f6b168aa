// 3x3 convolution of stride 1, on the CPU in float32 or float64, for channels that are whole vectors: Winograd's method.
// oneDNN's direct convolution takes 2.25 times the products.

#include <omp.h>

#include "channel_stats.h"
#include "part_sums.h"
#include "winograd_products.h"

namespace {

struct WinogradShape {
  int64_t samples, in, out, height, width;
  WinogradShape(const std::vector<int64_t>& x, int64_t out)
      : samples(x.at(0)), in(x.at(1)), out(out), height(x.at(2)), width(x.at(3)) {}
  int64_t across() const { return (width + 1) / 2; }  // tiles side by side
  int64_t down() const { return (height + 1) / 2; }
  // Rows of tiles that are multiplied at a time: their transforms stay in a core's cache.
  template <typename T>
  int64_t rows_at_once() const {
    constexpr int64_t kBytes = 256 << 10;
    const int64_t tiles = kBytes / (kPlaces * static_cast<int64_t>(sizeof(T)) * (in + out));
    return std::max<int64_t>(1, std::max(tiles, 4 * kRows) / across());
  }
  template <typename T>
  ChannelMaps<const T> maps(const T* data, int64_t channels, int64_t first, int64_t count) const {
    return {data, samples, channels, height, width, first, count};
  }
};

// y (samples, out, height, width) of x (samples, in, height, width). turned: see `transform_weight`. bias: null for none.
template <typename T>
void convolve(const WinogradShape& s, const T* x, const T* weight, bool turned, const T* bias, T* y) {
  PlaceMatrices<T> weights = transform_weight(weight, s.in, s.out, turned);
  const int64_t across = s.across(), down = s.down(), rows = s.samples * down, step = s.rows_at_once<T>();
  const ChannelMaps<T> to{y, s.samples, s.out, s.height, s.width, 0, s.out};
#pragma omp parallel
  {
    FourLines<T> lines(s.maps(x, s.in, 0, s.in), 1, 2 * across + 2);
    Tiles<T> v(step * across, s.in), products(step * across, s.out);
    Aligned<T> two_lines(4 * across * s.out);
#pragma omp for schedule(static)
    for (int64_t first = 0; first < rows; first += step) {
      const int64_t end = std::min(first + step, rows);
      for (int64_t row = first; row < end; ++row) {
        const int64_t y_above = row % down * 2 - 1;
        lines.read(row / down, y_above);
        transform_input(lines, y_above, across, (row - first) * across, &v);
      }
      multiply(&v, &weights, (end - first) * across, &products);
      for (int64_t row = first; row < end; ++row) {
        transform_output(&products, (row - first) * across, across, bias, two_lines.data());
        for (int64_t i = 0; i < 2 && row % down * 2 + i < s.height; ++i)
          write_line(to, row / down, row % down * 2 + i, two_lines.data() + i * 2 * across * s.out);
      }
    }
  }
}

// Sums of samples first ... end - 1, for output channels k ... k + count - 1.
template <typename T>
void sum_products(const WinogradShape& s, const T* grad_output, const T* x, int64_t first, int64_t end, int64_t k,
                  int64_t count, PlaceMatrices<T>* sums) {
  const int64_t across = s.across(), down = s.down(), step = s.rows_at_once<T>();
  FourLines<T> lines(s.maps(x, s.in, 0, s.in), 1, 2 * across + 2);
  FourLines<T> grad_lines(s.maps(grad_output, s.out, k, count), 0, 2 * across);
  Tiles<T> v(step * across, s.in), grads(step * across, count);
  for (int64_t from = first * down; from < end * down; from += step) {
    const int64_t to = std::min(from + step, end * down);
    for (int64_t row = from; row < to; ++row) {
      const int64_t y = row % down * 2, tile = (row - from) * across;
      lines.read(row / down, y - 1);
      transform_input(lines, y - 1, across, tile, &v);
      grad_lines.read(row / down, y);
      transform_grad(grad_lines, y, across, tile, &grads);
    }
    add_products(&grads, &v, (to - from) * across, k, sums);
  }
}

template <typename T>
void weight_backward(const WinogradShape& s, const T* grad_output, const T* x, T* grad_weight) {
  // few weights: samples side by side, in parts that do not depend on the number of threads; many: output channels
  constexpr int64_t kFew = 1 << 20, width = Simd<T>::width;
  const int64_t bytes = kPlaces * s.in * s.out * static_cast<int64_t>(sizeof(T)), parts = bytes <= kFew ? kParts : 1;
  const int64_t blocks = s.out / width;
  const int64_t groups = parts > 1 ? 1 : std::min<int64_t>(omp_get_max_threads(), blocks);
  std::vector<PlaceMatrices<T>> sums(parts, PlaceMatrices<T>(s.out, s.in));
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < parts * groups; ++task) {
    const int64_t part = task / groups, group = task % groups;
    const int64_t k = group * blocks / groups * width, end = (group + 1) * blocks / groups * width;
    sum_products(s, grad_output, x, part * s.samples / parts, (part + 1) * s.samples / parts, k, end - k, &sums[part]);
  }
#pragma omp parallel for schedule(static)
  for (int64_t k = 0; k < s.out; ++k) gather_grad_weight(sums, k, grad_weight);
}

// Attributes "channels" of the output and "bias".
MXReturnValue winograd_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int channels = std::stoul(attrs.at("channels"));
  const auto& x = (*in)[0];
  if (x.size() != 4 || x[1] % 16 || channels % 16) return MX_FAIL;
  (*in)[1] = {channels, x[1], 3, 3};
  if (in->size() > 2) (*in)[2] = {channels};
  (*out)[0] = {x[0], channels, x[2], x[3]};
  return MX_SUCCESS;
}

MXReturnValue winograd_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const WinogradShape s(i[0].shape, i[1].shape.at(0));
  FOR_DTYPE(i[0], const T* bias = i.size() > 2 ? i[2].data<T>() : nullptr;
            convolve<T>(s, i[0].data<T>(), i[1].data<T>(), false, bias, o[0].data<T>()));
}

// in: grad_output, x, weight, bias if there is one, y
MXReturnValue winograd_backward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const WinogradShape s(i[1].shape, i[2].shape.at(0));
  const WinogradShape back(i[0].shape, s.in);
  FOR_DTYPE(i[0], const T* grad_output = i[0].data<T>();
            convolve<T>(back, grad_output, i[2].data<T>(), true, nullptr, o[0].data<T>());
            if (!weight_gradients) return MX_SUCCESS; weight_backward<T>(s, grad_output, i[1].data<T>(), o[1].data<T>());
            if (o.size() > 2) channel_bias_backward(BatchShape(i[0].shape), grad_output, o[2].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_winograd)
    .setForward(winograd_forward, "cpu")
    .setBackward(winograd_backward, "cpu")
    .setParseAttrs(num_inputs_with_bias)
    .setInferType(infer_same_dtype)
    .setInferShape(winograd_infer_shape);
