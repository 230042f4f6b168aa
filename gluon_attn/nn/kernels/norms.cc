// Normalisation by the statistics of a batch, for the CPU and float32 or float64. oneDNN's is not vectorised on maps that
// lie one behind the other, as all operators but its own give them.

#include "batch.h"

namespace {

// Two numbers a channel whose mean and variance are those of its pixels.
template <typename T>
void moments(const Batch& b, const T* x, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < b.channels; ++channel) {
    const T mean = channel_sum<T>(b, channel, [=](int64_t k) { return x[k]; }) / b.count();
    const double squares = channel_sum<T>(b, channel, [=](int64_t k) { return (x[k] - mean) * (x[k] - mean); });
    const T deviation = std::sqrt(squares / b.count());
    y[channel] = mean - deviation;
    y[b.channels + channel] = mean + deviation;
  }
}

// gamma: null for 1. scale: 1 / deviation.
template <typename T>
void normalise(const Batch& b, const T* x, const T* mean, const T* scale, const T* gamma, const T* beta, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < b.images * b.channels; ++task) {
    const int64_t channel = task % b.channels;
    const T middle = mean[channel], factor = gamma ? scale[channel] * gamma[channel] : scale[channel];
    const T shift = beta[channel], *map = x + task * b.pixels;
    T* to = y + task * b.pixels;
#pragma omp simd
    for (int64_t k = 0; k < b.pixels; ++k) to[k] = (map[k] - middle) * factor + shift;
  }
}

template <typename T>
void normalise_backward(const Batch& b, const T* slope, const T* x, const T* mean, const T* scale, const T* gamma,
                        T* dx, T* dgamma, T* dbeta) {
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < b.channels; ++channel) {
    const T middle = mean[channel], per = scale[channel];
    double level = 0, turn = 0;
    for (int64_t image = 0; image < b.images; ++image) {
      const T *given = slope + b.at(image, channel), *map = x + b.at(image, channel);
      T sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
      for (int64_t k = 0; k < b.pixels; ++k) {
        sum += given[k];
        product += given[k] * (map[k] - middle);
      }
      level += sum;
      turn += product;
    }
    turn *= per;
    dgamma[channel] = gamma ? T(turn) : T(0);
    dbeta[channel] = level;
    const T factor = gamma ? per * gamma[channel] : per, flat = level / b.count(), tilt = turn / b.count() * per;
    for (int64_t image = 0; image < b.images; ++image) {
      const T *given = slope + b.at(image, channel), *map = x + b.at(image, channel);
      T* to = dx + b.at(image, channel);
#pragma omp simd
      for (int64_t k = 0; k < b.pixels; ++k) to[k] = factor * (given[k] - flat - (map[k] - middle) * tilt);
    }
  }
}

MXReturnValue moments_shape(const Attrs&, Shapes* in, Shapes* out) {
  if ((*in)[0].size() < 2) return MX_FAIL;
  (*out)[0] = {2, (*in)[0][1], 1, 1};
  return MX_SUCCESS;
}

MXReturnValue moments_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], moments(Batch(i[0].shape), i[0].data<T>(), o[0].data<T>()));
}

// Places among the inputs. NORMAL is what MXNet's norm makes of the moments, of no use here.
enum { X, MOMENTS, NORMAL, MEAN, SCALE, GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR, INPUTS };

MXReturnValue norm_shape(const Attrs&, Shapes* in, Shapes* out) {
  if ((*in)[X].size() < 2) return MX_FAIL;
  const unsigned int channels = (*in)[X][1];
  (*in)[MOMENTS] = (*in)[NORMAL] = {2, channels, 1, 1};
  for (size_t i = MEAN; i < INPUTS; ++i) (*in)[i] = {channels};
  (*out)[0] = (*in)[X];
  return MX_SUCCESS;
}

MXReturnValue norm_mutates(const Attrs&, std::vector<int>* places) {
  *places = {RUNNING_MEAN, RUNNING_VAR};
  return MX_SUCCESS;
}

template <typename T>
const T* gamma_of(const Attrs& attrs, MXTensor& gamma) {
  return attrs.at("scaled") == "1" ? gamma.data<T>() : nullptr;
}

MXReturnValue norm_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors& i = *in;
  const Batch b(i[X].shape);
  const double momentum = std::stod(attrs.at("momentum")), eps = std::stod(attrs.at("eps"));
  FOR_TYPE(i[X], keep<T>(b.channels, momentum, eps, i[MOMENTS].data<T>(), i[MEAN].data<T>(), i[SCALE].data<T>(),
                         i[RUNNING_MEAN].data<T>(), i[RUNNING_VAR].data<T>());
           normalise(b, i[X].data<T>(), i[MEAN].data<T>(), i[SCALE].data<T>(), gamma_of<T>(attrs, i[GAMMA]),
                     i[BETA].data<T>(), (*out)[0].data<T>()));
}

// in: the slope, then the inputs. The statistics are of x, so that its gradient holds what they pass on.
MXReturnValue norm_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &o = *out, i(in->begin() + 1, in->end());
  FOR_TYPE(i[X], for (size_t k = MOMENTS; k < INPUTS; ++k) std::fill_n(o[k].data<T>(), o[k].size(), T(0));
           normalise_backward(Batch(i[X].shape), (*in)[0].data<T>(), i[X].data<T>(), i[MEAN].data<T>(),
                              i[SCALE].data<T>(), gamma_of<T>(attrs, i[GAMMA]), o[X].data<T>(), o[GAMMA].data<T>(),
                              o[BETA].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_moments)
    .setForward(moments_forward, "cpu")
    .setParseAttrs(takes<1>)
    .setInferType(same_type)
    .setInferShape(moments_shape);

REGISTER_OP(gluon_attn_norm)
    .setForward(norm_forward, "cpu")
    .setBackward(norm_back, "cpu")
    .setParseAttrs(takes<INPUTS>)
    .setMutateInputs(norm_mutates)
    .setInferType(same_type)
    .setInferShape(norm_shape);
