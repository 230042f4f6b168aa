// Convolution of each channel by a kernel as large as its map, for the CPU and float32 or float64.

#include "common.h"

namespace {

// y: for each image and channel the sum over a map of pixels times the channel's weights.
template <typename T>
void whole_maps(int64_t images, int64_t channels, int64_t pixels, const T* x, const T* weight, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t map = 0; map < images * channels; ++map) {
    const T *seen = x + map * pixels, *own = weight + map % channels * pixels;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < pixels; ++k) sum += seen[k] * own[k];
    y[map] = sum;
  }
}

template <typename T>
void whole_maps_backward(int64_t images, int64_t channels, int64_t pixels, const T* slope, const T* x, const T* weight,
                         T* dx, T* dweight) {
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < channels; ++channel) {
    const T* own = weight + channel * pixels;
    T* total = dweight + channel * pixels;
    std::fill(total, total + pixels, T(0));
    for (int64_t image = 0; image < images; ++image) {
      const int64_t map = image * channels + channel;
      const T given = slope[map], *seen = x + map * pixels;
      T* to = dx + map * pixels;
#pragma omp simd
      for (int64_t k = 0; k < pixels; ++k) {
        to[k] = given * own[k];
        total[k] += given * seen[k];
      }
    }
  }
}

MXReturnValue shape_of_whole(const Attrs&, Shapes* in, Shapes* out) {
  const auto& x = (*in)[0];
  if (x.size() != 4) return MX_FAIL;
  (*in)[1] = {x[1], 1, x[2], x[3]};
  (*out)[0] = {x[0], x[1], 1, 1};
  return MX_SUCCESS;
}

MXReturnValue whole_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const auto& s = i[0].shape;
  FOR_TYPE(i[0], whole_maps(s[0], s[1], s[2] * s[3], i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: slope, x, weight, y
MXReturnValue whole_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const auto& s = i[1].shape;
  FOR_TYPE(i[0], whole_maps_backward(s[0], s[1], s[2] * s[3], i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                                     o[0].data<T>(), o[1].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_whole_maps)
    .setForward(whole_forward, "cpu")
    .setBackward(whole_back, "cpu")
    .setParseAttrs(takes<2>)
    .setInferType(same_type)
    .setInferShape(shape_of_whole);
