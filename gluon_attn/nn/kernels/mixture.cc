// Sums of maps times numbers, for the CPU and float32 or float64. Maps may be normalised on the way, by statistics that
// are known: what lies between the two is never written.

#include "batch.h"

namespace {

constexpr int64_t kPart = 4096;  // pixels that stay in the first cache while all maps go by

// The inputs are the weights, then the maps; a normalised one has these behind it. NORMAL is of no use here.
enum { MAP, MOMENTS, NORMAL, MEAN, SCALE, RUNNING_MEAN, RUNNING_VAR, OF_NORM };

struct Place {
  size_t first;  // input
  bool normed;
};

// Attribute "normed" has a digit for each map, 1 for those that are normalised.
std::vector<Place> places(const Attrs& attrs) {
  std::vector<Place> found;
  size_t first = 1;
  for (char digit : attrs.at("normed")) {
    found.push_back({first, digit == '1'});
    first += digit == '1' ? OF_NORM : 1;
  }
  return found;
}

template <typename T>
struct Part {
  T weight;
  const T *x, *mean, *scale;  // null without a norm
  Part(Tensors& in, size_t shift, const Place& place, T weight)
      : weight(weight), x(in[shift + place.first].data<T>()), mean(nullptr), scale(nullptr) {
    if (!place.normed) return;
    mean = in[shift + place.first + MEAN].data<T>();
    scale = in[shift + place.first + SCALE].data<T>();
  }
  T middle(int64_t channel) const { return mean ? mean[channel] : T(0); }
  T factor(int64_t channel) const { return scale ? scale[channel] : T(1); }
};

template <typename T>
std::vector<Part<T>> parts(const Attrs& attrs, Tensors& in, size_t shift) {
  std::vector<Part<T>> found;
  for (const Place& place : places(attrs)) found.emplace_back(in, shift, place, in[shift].data<T>()[found.size()]);
  return found;
}

template <typename T>
void mix(const Batch& b, const std::vector<Part<T>>& parts, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t map = 0; map < b.images * b.channels; ++map)
    for (int64_t first = 0; first < b.pixels; first += kPart) {
      const int64_t count = std::min(kPart, b.pixels - first), channel = map % b.channels;
      T* to = y + map * b.pixels + first;
      for (const Part<T>& part : parts) {
        const T *x = part.x + map * b.pixels + first, middle = part.middle(channel);
        const T factor = part.weight * part.factor(channel);
        if (&part == &parts.front()) {
#pragma omp simd
          for (int64_t k = 0; k < count; ++k) to[k] = (x[k] - middle) * factor;
        } else {
#pragma omp simd
          for (int64_t k = 0; k < count; ++k) to[k] += (x[k] - middle) * factor;
        }
      }
    }
}

// level, turn: means of the slope and of its products with the normalised map.
template <typename T>
void spread(const Batch& b, int64_t channel, const T* slope, const Part<T>& part, T level, T turn, T* dx) {
  const T middle = part.middle(channel), tilt = turn * part.factor(channel), factor = part.weight * part.factor(channel);
  for (int64_t image = 0; image < b.images; ++image) {
    const T *given = slope + b.at(image, channel), *x = part.x + b.at(image, channel);
    T* to = dx + b.at(image, channel);
#pragma omp simd
    for (int64_t k = 0; k < b.pixels; ++k) to[k] = factor * (given[k] - level - (x[k] - middle) * tilt);
  }
}

template <typename T>
void mix_backward(const Batch& b, const T* slope, const std::vector<Part<T>>& parts, const std::vector<T*>& dx,
                  T* dweights) {
  std::vector<double> products(b.channels * parts.size());
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < b.channels; ++channel) {
    const double level = channel_sum<T>(b, channel, [=](int64_t k) { return slope[k]; });
    for (size_t i = 0; i < parts.size(); ++i) {
      const T *x = parts[i].x, middle = parts[i].middle(channel);
      const double product = channel_sum<T>(b, channel, [=](int64_t k) { return slope[k] * (x[k] - middle); });
      const double turn = product * parts[i].factor(channel);
      products[channel * parts.size() + i] = turn;
      const double share = parts[i].mean ? 1 / b.count() : 0;
      spread<T>(b, channel, slope, parts[i], level * share, turn * share, dx[i]);
    }
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    double sum = 0;
    for (int64_t channel = 0; channel < b.channels; ++channel) sum += products[channel * parts.size() + i];
    dweights[i] = sum;
  }
}

MXReturnValue takes_maps(const Attrs& attrs, int* in, int* out) {
  const Place last = places(attrs).back();
  *in = last.first + (last.normed ? OF_NORM : 1);
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue mixture_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const std::vector<Place> all = places(attrs);
  for (const Place& place : all)
    if ((*in)[place.first].size()) (*out)[0] = (*in)[place.first];
  if ((*out)[0].size() < 2) return MX_FAIL;
  const unsigned int channels = (*out)[0][1];
  (*in)[0] = {static_cast<unsigned int>(all.size())};
  for (const Place& place : all) {
    (*in)[place.first] = (*out)[0];
    for (size_t i = MOMENTS; place.normed && i < OF_NORM; ++i) {
      (*in)[place.first + i] = {channels};
      if (i < MEAN) (*in)[place.first + i] = {2, channels, 1, 1};
    }
  }
  return MX_SUCCESS;
}

MXReturnValue mixture_mutates(const Attrs& attrs, std::vector<int>* mutated) {
  for (const Place& place : places(attrs))
    for (int i : {RUNNING_MEAN, RUNNING_VAR})
      if (place.normed) mutated->push_back(place.first + i);
  return MX_SUCCESS;
}

template <typename T>
void keep_all(const Attrs& attrs, Tensors& in, int64_t channels) {
  const double momentum = std::stod(attrs.at("momentum")), eps = std::stod(attrs.at("eps"));
  for (const Place& place : places(attrs)) {
    const auto at = [&](size_t i) { return in[place.first + i].data<T>(); };
    if (place.normed)
      keep<T>(channels, momentum, eps, at(MOMENTS), at(MEAN), at(SCALE), at(RUNNING_MEAN), at(RUNNING_VAR));
  }
}

MXReturnValue mixture_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const Batch b(o[0].shape);
  FOR_TYPE(o[0], keep_all<T>(attrs, i, b.channels); mix(b, parts<T>(attrs, i, 0), o[0].data<T>()));
}

// in: the slope, then the inputs. The statistics are of the maps, whose gradients hold what they pass on.
MXReturnValue mixture_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], std::vector<T*> dx; for (const Place& place : places(attrs)) {
    dx.push_back(o[place.first].data<T>());
    for (size_t k = MOMENTS; place.normed && k < OF_NORM; ++k)
      std::fill_n(o[place.first + k].data<T>(), o[place.first + k].size(), T(0));
  } mix_backward(Batch(i[0].shape), i[0].data<T>(), parts<T>(attrs, i, 1), dx, o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_weighted_sum)
    .setForward(mixture_forward, "cpu")
    .setBackward(mixture_back, "cpu")
    .setParseAttrs(takes_maps)
    .setMutateInputs(mixture_mutates)
    .setInferType(same_type)
    .setInferShape(mixture_shape);
