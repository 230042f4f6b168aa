// Sums of maps times numbers, and of pixels times numbers, for the CPU and float32 or float64.

#include "common.h"

namespace {

constexpr int64_t kPart = 4096;  // of what stays in the first cache while all maps go by

MXReturnValue takes_maps(const Attrs& attrs, int* in, int* out) {
  *in = 1 + std::stoi(attrs.at("maps"));
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue shape_of_maps(const Attrs&, Shapes* in, Shapes* out) {
  for (size_t i = 1; i < in->size(); ++i)
    if ((*in)[i].size()) (*out)[0] = (*in)[i];
  for (size_t i = 1; i < in->size(); ++i) (*in)[i] = (*out)[0];
  (*in)[0] = {static_cast<unsigned int>(in->size() - 1)};
  return MX_SUCCESS;
}

template <typename T>
void weighted(int64_t size, const T* weights, const std::vector<const T*>& maps, T* y) {
  const int64_t parts = (size + kPart - 1) / kPart;
#pragma omp parallel for schedule(static)
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = part * kPart, end = std::min(first + kPart, size);
    for (size_t i = 0; i < maps.size(); ++i) {
      const T *x = maps[i], weight = weights[i];
      if (i == 0) {
#pragma omp simd
        for (int64_t k = first; k < end; ++k) y[k] = weight * x[k];
      } else {
#pragma omp simd
        for (int64_t k = first; k < end; ++k) y[k] += weight * x[k];
      }
    }
  }
}

// Products of a part are summed in T, the parts in double: the same for any number of threads.
template <typename T>
void weighted_backward(int64_t size, const T* slope, const T* weights, const std::vector<const T*>& maps, T* dweights,
                       const std::vector<T*>& dmaps) {
  const int64_t parts = (size + kPart - 1) / kPart, count = maps.size();
  std::vector<double> products(parts * count);
#pragma omp parallel for schedule(static)
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = part * kPart, end = std::min(first + kPart, size);
    for (int64_t i = 0; i < count; ++i) {
      const T *x = maps[i], weight = weights[i];
      T *to = dmaps[i], sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t k = first; k < end; ++k) {
        to[k] = weight * slope[k];
        sum += slope[k] * x[k];
      }
      products[part * count + i] = sum;
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int64_t part = 0; part < parts; ++part) sum += products[part * count + i];
    dweights[i] = sum;
  }
}

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

template <typename P>
std::vector<P*> starts(Tensors& tensors, size_t first, size_t count) {
  std::vector<P*> found;
  for (size_t i = first; i < first + count; ++i) found.push_back(tensors[i].data<typename std::remove_const<P>::type>());
  return found;
}

MXReturnValue sum_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], weighted(o[0].size(), i[0].data<T>(), starts<const T>(i, 1, i.size() - 1), o[0].data<T>()));
}

// in: slope, weights, maps, y
MXReturnValue sum_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const size_t count = o.size() - 1;
  FOR_TYPE(i[0], weighted_backward(i[0].size(), i[0].data<T>(), i[1].data<T>(), starts<const T>(i, 2, count),
                                   o[0].data<T>(), starts<T>(o, 1, count)));
}

}  // namespace

REGISTER_OP(gluon_attn_weighted_sum)
    .setForward(sum_forward, "cpu")
    .setBackward(sum_back, "cpu")
    .setParseAttrs(takes_maps)
    .setInferType(same_type)
    .setInferShape(shape_of_maps);

REGISTER_OP(gluon_attn_whole_maps)
    .setForward(whole_forward, "cpu")
    .setBackward(whole_back, "cpu")
    .setParseAttrs(takes<2>)
    .setInferType(same_type)
    .setInferShape(shape_of_whole);
