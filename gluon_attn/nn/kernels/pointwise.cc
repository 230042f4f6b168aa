// Convolution by kernels of one pixel, for the CPU and float32 or float64. oneDNN's is as fast, but brings maps into a
// layout of its own, and the way back costs as much again.

#include "tiles.h"

namespace {

struct Pointwise {
  int64_t images, inside, outside, pixels;
  Pointwise(const std::vector<int64_t>& x, const std::vector<int64_t>& weight)
      : images(x.at(0)), inside(weight.at(1)), outside(weight.at(0)), pixels(size(x, 2, 4)) {}
};

// y (images, outside, pixels) = weight (outside, inside) x (images, inside, pixels) + bias.
template <typename T>
void product(const Pointwise& p, const T* weight, const T* bias, const T* x, T* y) {
  const int64_t parts = (p.pixels + kColumns - 1) / kColumns;
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < p.images * parts; ++task) {
    const int64_t image = task / parts, first = task % parts * kColumns;
    const Maps<T> maps{x + image * p.inside * p.pixels, p.inside, p.pixels};
    product_columns(weight, bias, maps, p.outside, p.pixels, first, std::min(first + kColumns, p.pixels),
                    y + image * p.outside * p.pixels);
  }
}

template <int64_t rows, typename T>
void weight_rows(const Pointwise& p, const T* slope, const T* x, int64_t row, T* dweight) {
  typedef Lanes<T> L;
  std::vector<typename L::V> total(rows * p.inside);
  for (int64_t image = 0; image < p.images; ++image)
    add_all_products<rows>(slope + (image * p.outside + row) * p.pixels, p.pixels,
                           Maps<T>{x + image * p.inside * p.pixels, p.inside, p.pixels}, total.data());
  for (int64_t i = 0; i < rows * p.inside; ++i) dweight[row * p.inside + i] = L::sum(total[i]);
}

template <typename T>
void weight_gradient(const Pointwise& p, const T* slope, const T* x, T* dweight) {
#pragma omp parallel for schedule(static)
  for (int64_t first = 0; first < p.outside; first += kTile)
    by_tiles(first, std::min(first + kTile, p.outside),
             [&](auto rows, int64_t row) ALWAYS_INLINE_BODY { weight_rows<rows>(p, slope, x, row, dweight); });
}

template <typename T>
void bias_gradient(const Pointwise& p, const T* slope, T* dbias) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < p.outside; ++row) {
    typename Lanes<T>::V total = {};
    for (int64_t image = 0; image < p.images; ++image) {
      const T* given = slope + (image * p.outside + row) * p.pixels;
      for (int64_t k = 0; k < p.pixels; k += Lanes<T>::count) total += Lanes<T>::load(given + k, p.pixels - k);
    }
    dbias[row] = Lanes<T>::sum(total);
  }
}

template <typename T>
void input_gradient(const Pointwise& p, const T* slope, const T* weight, T* dx) {
  const std::vector<T> turned = transposed(weight, p.outside, p.inside);
  Pointwise back(p);
  std::swap(back.inside, back.outside);
  product<T>(back, turned.data(), nullptr, slope, dx);
}

MXReturnValue takes_bias(const Attrs& attrs, int* in, int* out) {
  *in = 2 + std::stoi(attrs.at("bias"));
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue pointwise_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int outside = std::stoul(attrs.at("channels"));
  if ((*in)[0].size() != 4) return MX_FAIL;
  (*out)[0] = {(*in)[0][0], outside, (*in)[0][2], (*in)[0][3]};
  (*in)[1] = {outside, (*in)[0][1], 1, 1};
  if (in->size() > 2) (*in)[2] = {outside};
  return MX_SUCCESS;
}

MXReturnValue pointwise_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const Pointwise p(i[0].shape, i[1].shape);
  FOR_TYPE(i[0], product<T>(p, i[1].data<T>(), i.size() > 2 ? i[2].data<T>() : nullptr, i[0].data<T>(), o[0].data<T>()));
}

// in: slope, x, weight, perhaps a bias, y
MXReturnValue pointwise_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const Pointwise p(i[1].shape, i[2].shape);
  FOR_TYPE(
      i[0], const T* slope = i[0].data<T>(); input_gradient(p, slope, i[2].data<T>(), o[0].data<T>());
      if (!weight_gradients) return MX_SUCCESS; weight_gradient(p, slope, i[1].data<T>(), o[1].data<T>());
      if (o.size() > 2) bias_gradient(p, slope, o[2].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_pointwise)
    .setForward(pointwise_forward, "cpu")
    .setBackward(pointwise_back, "cpu")
    .setParseAttrs(takes_bias)
    .setInferType(same_type)
    .setInferShape(pointwise_shape);
