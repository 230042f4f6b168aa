// Batch normalization, on the CPU; maps may be in bfloat16. oneDNN's is not vectorized for the plain NCHW layout, which
// all operators but its own use.

#include "channel_stats.h"

namespace {

// Two numbers per channel, mean - std and mean + std: their mean and variance are those of the channel.
template <typename T, typename W>
void batch_stats(const BatchShape& b, const T* x, W* stats) {
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < b.channels; ++channel) {
    const W mean = channel_sum<W>(b, channel, [=](int64_t k) { return W(x[k]); }) / b.count();
    const double squares = channel_sum<W>(b, channel, [=](int64_t k) { return (W(x[k]) - mean) * (W(x[k]) - mean); });
    const W std_dev = std::sqrt(squares / b.count());
    stats[channel] = mean - std_dev;
    stats[b.channels + channel] = mean + std_dev;
  }
}

// What a norm of a map does after it: nothing, a ReLU, or a ReLU of the sum with a shortcut.
enum class Then { kNothing, kRelu, kAddRelu };

// How a channel is normalized. gamma: null stands for 1.
template <typename W>
struct ChannelNorm {
  W mean, scale, shift;
  ChannelNorm(const W* means, const W* inv_stds, const W* gamma, const W* beta, int64_t channel)
      : mean(means[channel]), scale(gamma ? inv_stds[channel] * gamma[channel] : inv_stds[channel]),
        shift(beta[channel]) {}
  W operator()(W x) const { return (x - mean) * scale + shift; }
};

// shortcut: for kAddRelu.
template <Then then, typename T, typename W>
void batch_norm(const BatchShape& b, const T* x, const W* means, const W* inv_stds, const W* gamma, const W* beta,
                const T* shortcut, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < b.samples * b.channels; ++task) {
    const ChannelNorm<W> norm(means, inv_stds, gamma, beta, task % b.channels);
    const T *map = x + task * b.pixels, *other = shortcut + task * b.pixels;
    T* to = y + task * b.pixels;
#pragma omp simd
    for (int64_t k = 0; k < b.pixels; ++k) {
      W value = norm(W(map[k]));
      if (then == Then::kAddRelu) value += W(other[k]);
      to[k] = then != Then::kNothing && value <= 0 ? W(0) : value;  // a NaN stays one
    }
  }
}

// y, grad_shortcut: for kAddRelu. Where a ReLU gave 0 there is no gradient: y says so, or what is normalized, which is
// read anyway.
template <Then then, typename T, typename W>
void batch_norm_backward(const BatchShape& b, const T* grad_output, const T* x, const W* means, const W* inv_stds,
                         const W* gamma, const W* beta, const T* y, T* grad_input, W* grad_gamma, W* grad_beta,
                         T* grad_shortcut) {
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < b.channels; ++channel) {
    const ChannelNorm<W> norm(means, inv_stds, gamma, beta, channel);
    const W inv_std = inv_stds[channel];
    double grad_sum = 0, product_sum = 0;  // of the norm's grad_output, and of its products with the normalized x
    for (int64_t sample = 0; sample < b.samples; ++sample) {
      const int64_t first = b.offset(sample, channel);
      W sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
      for (int64_t k = first; k < first + b.pixels; ++k) {
        const bool passes = then == Then::kNothing || (then == Then::kRelu ? norm(W(x[k])) : W(y[k])) > 0;
        const W grad = passes ? W(grad_output[k]) : W(0);
        if (then == Then::kAddRelu) grad_shortcut[k] = grad;
        sum += grad;
        product += grad * (W(x[k]) - norm.mean);
      }
      grad_sum += sum;
      product_sum += product;
    }
    product_sum *= inv_std;
    grad_gamma[channel] = gamma ? W(product_sum) : W(0);
    grad_beta[channel] = grad_sum;
    const W grad_mean = grad_sum / b.count(), correction = product_sum / b.count() * inv_std;
    const T* passed = then == Then::kAddRelu ? grad_shortcut : grad_output;
    for (int64_t sample = 0; sample < b.samples; ++sample) {
      const int64_t first = b.offset(sample, channel);
#pragma omp simd
      for (int64_t k = first; k < first + b.pixels; ++k) {
        const W grad = then != Then::kRelu || norm(W(x[k])) > 0 ? W(passed[k]) : W(0);
        grad_input[k] = norm.scale * (grad - grad_mean - (W(x[k]) - norm.mean) * correction);
      }
    }
  }
}

MXReturnValue batch_stats_infer_shape(const Attrs&, Shapes* in, Shapes* out) {
  if ((*in)[0].size() < 2) return MX_FAIL;
  (*out)[0] = {2, (*in)[0][1], 1, 1};
  return MX_SUCCESS;
}

MXReturnValue batch_stats_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_MAP_DTYPE(i[0], batch_stats(BatchShape(i[0].shape), i[0].data<T>(), o[0].data<W>()));
}

// The inputs. NORMALIZED is what MXNet's norm makes of the statistics; it is not used here.
enum { X, STATS, NORMALIZED, MEAN, INV_STD, GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR, SHORTCUT };

// Runs a statement with `then` as what the attribute of that name says.
#define FOR_THEN(attrs, ...)                    \
  const std::string& name = (attrs).at("then"); \
  if (name == "add_relu") {                     \
    constexpr Then then = Then::kAddRelu;       \
    __VA_ARGS__;                                \
  } else if (name == "relu") {                  \
    constexpr Then then = Then::kRelu;          \
    __VA_ARGS__;                                \
  } else {                                      \
    constexpr Then then = Then::kNothing;       \
    __VA_ARGS__;                                \
  }

MXReturnValue batch_norm_inputs(const Attrs& attrs, int* in, int* out) {
  *in = SHORTCUT + (attrs.at("then") == "add_relu");
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue batch_norm_infer_shape(const Attrs&, Shapes* in, Shapes* out) {
  if ((*in)[X].size() < 2) return MX_FAIL;
  const unsigned int channels = (*in)[X][1];
  (*in)[STATS] = (*in)[NORMALIZED] = {2, channels, 1, 1};
  for (size_t i = MEAN; i < SHORTCUT; ++i) (*in)[i] = {channels};
  if (in->size() > SHORTCUT) (*in)[SHORTCUT] = (*in)[X];
  (*out)[0] = (*in)[X];
  return MX_SUCCESS;
}

MXReturnValue batch_norm_mutates(const Attrs&, std::vector<int>* mutated) {
  *mutated = {RUNNING_MEAN, RUNNING_VAR};
  return MX_SUCCESS;
}

template <typename T>
const T* gamma_or_null(const Attrs& attrs, MXTensor& gamma) {
  return attrs.at("fix_gamma") == "1" ? nullptr : gamma.data<T>();
}

MXReturnValue batch_norm_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors& i = *in;
  const BatchShape b(i[X].shape);
  const double momentum = std::stod(attrs.at("momentum")), eps = std::stod(attrs.at("eps"));
  FOR_MAP_DTYPE(
      i[X],
      update_running_stats<W>(b.channels, momentum, eps, i[STATS].data<W>(), i[MEAN].data<W>(), i[INV_STD].data<W>(),
                              i[RUNNING_MEAN].data<W>(), i[RUNNING_VAR].data<W>());
      FOR_THEN(attrs, batch_norm<then>(b, i[X].data<T>(), i[MEAN].data<W>(), i[INV_STD].data<W>(),
                                       gamma_or_null<W>(attrs, i[GAMMA]), i[BETA].data<W>(),
                                       then == Then::kAddRelu ? i[SHORTCUT].data<T>() : i[X].data<T>(),
                                       (*out)[0].data<T>())));
}

// in: grad_output, then the inputs, y. The statistics are functions of x: its gradient contains what passes through
// them, and their own gradients are 0.
MXReturnValue batch_norm_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &o = *out, i(in->begin() + 1, in->end());  // the last ones are y, and what only kAddRelu has
  FOR_MAP_DTYPE(i[X], for (size_t k = STATS; k < SHORTCUT; ++k) std::fill_n(o[k].data<W>(), o[k].size(), W(0));
                FOR_THEN(attrs, batch_norm_backward<then>(
                                    BatchShape(i[X].shape), (*in)[0].data<T>(), i[X].data<T>(), i[MEAN].data<W>(),
                                    i[INV_STD].data<W>(), gamma_or_null<W>(attrs, i[GAMMA]), i[BETA].data<W>(),
                                    i.back().data<T>(), o[X].data<T>(), o[GAMMA].data<W>(), o[BETA].data<W>(),
                                    o.back().data<T>())));
}

}  // namespace

REGISTER_OP(gluon_attn_batch_stats)
    .setForward(batch_stats_forward, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_map_dtype<0b1, false>)
    .setInferShape(batch_stats_infer_shape);

REGISTER_OP(gluon_attn_batch_norm)
    .setForward(batch_norm_forward, "cpu")
    .setBackward(batch_norm_back, "cpu")
    .setParseAttrs(batch_norm_inputs)
    .setMutateInputs(batch_norm_mutates)
    .setInferType(infer_map_dtype<1 << X | 1 << SHORTCUT, true>)
    .setInferShape(batch_norm_infer_shape);
