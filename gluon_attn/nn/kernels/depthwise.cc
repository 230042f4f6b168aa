// Depthwise convolution with dilation, for the CPU and float32 or float64. oneDNN's gradients of it are products of
// matrices, a channel at a time, wherever the kernel is dilated or larger than 3x3.

#include "correlate.h"

namespace {

template <int64_t kernel, typename T>
void forward(const Depthwise& d, const T* x, const T* weight, T* y) {
#pragma omp parallel
  {
    Framed<T> framed = for_maps<T>(d);
#pragma omp for schedule(static)
    for (int64_t map = 0; map < d.images * d.channels; ++map) {
      framed.fill(x + map * d.height * d.width, d.height, d.width, d.pad);
      const T* own = weight + map % d.channels * kernel * kernel;
      correlate<kernel>(framed, own, d.dilate, d.stride, d.rows, d.columns, y + map * d.rows * d.columns);
    }
  }
}

template <int64_t kernel, typename T>
void backward(const Depthwise& d, const T* slope, const T* x, const T* weight, T* dx, T* dweight) {
  typedef Lanes<T> L;
  constexpr int64_t taps = kernel * kernel;
  const int64_t in = d.height * d.width, out = d.rows * d.columns;
#pragma omp parallel
  {
    Framed<T> seen = for_maps<T>(d), spread = for_slopes<T>(d);
#pragma omp for schedule(static)
    for (int64_t channel = 0; channel < d.channels; ++channel) {
      typename L::V total[taps] = {};
      for (int64_t image = 0; image < d.images; ++image) {
        const int64_t map = image * d.channels + channel;
        if (weight_gradients) seen.fill(x + map * in, d.height, d.width, d.pad);
        channel_gradients<kernel>(d, seen, slope + map * out, weight + channel * taps, &spread, total, dx + map * in);
      }
      for (int64_t tap = 0; weight_gradients && tap < taps; ++tap) dweight[channel * taps + tap] = L::sum(total[tap]);
    }
  }
}

MXReturnValue depthwise_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const Depthwise d(attrs, i[0].shape, i[1].shape.at(2));
  FOR_TYPE(i[0], BY_KERNEL(d.kernel, forward)(d, i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: slope, x, weight, y
MXReturnValue depthwise_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const Depthwise d(attrs, i[1].shape, i[2].shape.at(2));
  FOR_TYPE(i[0], BY_KERNEL(d.kernel, backward)(d, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>(),
                                               o[1].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_depthwise)
    .setForward(depthwise_forward, "cpu")
    .setBackward(depthwise_back, "cpu")
    .setParseAttrs(takes<2>)
    .setInferType(same_type)
    .setInferShape(windows_shape);
