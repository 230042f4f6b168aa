// Shuffle attention as one operator, on the CPU in float32 or float64: one pass over the map in each direction.
// Zhang and Yang 2021, https://arxiv.org/abs/2102.00039; the names are those of `attention/shuffle.py`.

#include <cmath>

#include "common.h"
#include "fast_exp.h"

namespace {

struct HalvesShape {
  int64_t samples, channels, half, pixels;  // half: channels of half a group
  HalvesShape(const MXTensor& x, const MXTensor& weights)
      : samples(x.shape[0]), channels(x.shape[1]), half(size(weights.shape, 0, weights.shape.size())),
        pixels(x.shape[2] * x.shape[3]) {}
  bool is_first(int64_t channel) const { return channel % (2 * half) < half; }
  // Where the channels of both halves of C go, alternating.
  int64_t shuffled(int64_t channel) const {
    const int64_t later = channel >= channels / 2;
    return later ? 2 * channel - channels + 1 : 2 * channel;
  }
};

template <typename T>
struct Weights {
  const T *w1, *b1, *w2, *b2;  // of the means, and of the normalized values; `half` each
};

template <typename T>
T inv_std(const Moments<T>& moments, int64_t pixels) {
  return 1 / std::sqrt(moments.squares / pixels + T(1e-5));
}

template <typename T>
void shuffle(const HalvesShape& s, const T* x, const Weights<T>& w, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < s.samples * s.channels; ++line) {
    const int64_t channel = line % s.channels, k = channel % s.half;
    const T* from = x + line * s.pixels;
    T* to = y + (line - channel + s.shuffled(channel)) * s.pixels;
    const Moments<T> moments(from, s.pixels);
    if (s.is_first(channel)) {
      const T gate = logistic(w.w1[k] * moments.mean + w.b1[k]);
#pragma omp simd
      for (int64_t i = 0; i < s.pixels; ++i) to[i] = from[i] * gate;
      continue;
    }
    const T scale = w.w2[k] * inv_std(moments, s.pixels), mean = moments.mean, shift = w.b2[k];
#pragma omp simd
    for (int64_t i = 0; i < s.pixels; ++i) to[i] = from[i] * logistic((from[i] - mean) * scale + shift);
  }
}

// weight_part, bias_part: this channel's part of the gradients of its weight and bias.
template <typename T>
void channel_backward(bool is_first, int64_t pixels, const T* grad, const T* x, T weight, T bias, T* grad_input,
                      T* weight_part, T* bias_part) {
  const Moments<T> moments(x, pixels);
  const T mean = moments.mean, inverse = inv_std(moments, pixels);
  if (is_first) {
    const T gate = logistic(weight * mean + bias);
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < pixels; ++i) sum += grad[i] * x[i];
    *bias_part = sum * gate * (1 - gate);
    *weight_part = *bias_part * mean;
    const T through_mean = *bias_part * weight / pixels;
#pragma omp simd
    for (int64_t i = 0; i < pixels; ++i) grad_input[i] = grad[i] * gate + through_mean;
    return;
  }
  T sum = 0, products = 0;  // of the gradients of the logits; of these times the normalized values
#pragma omp simd reduction(+ : sum, products)
  for (int64_t i = 0; i < pixels; ++i) {
    const T normal = (x[i] - mean) * inverse, gate = logistic(normal * weight + bias);
    const T of_logit = grad[i] * x[i] * gate * (1 - gate);
    sum += of_logit;
    products += of_logit * normal;
  }
  *bias_part = sum;
  *weight_part = products;
  const T scale = weight * inverse, average = sum / pixels, product = products / pixels;
#pragma omp simd
  for (int64_t i = 0; i < pixels; ++i) {
    const T normal = (x[i] - mean) * inverse, gate = logistic(normal * weight + bias);
    const T of_logit = grad[i] * x[i] * gate * (1 - gate);
    grad_input[i] = grad[i] * gate + scale * (of_logit - average - normal * product);
  }
}

template <typename T>
void shuffle_backward(const HalvesShape& s, const T* grad_output, const T* x, const Weights<T>& w, T* grad_input,
                      T* grad_w1, T* grad_b1, T* grad_w2, T* grad_b2) {
  const int64_t lines = s.samples * s.channels;
  // summed at the end, so that the number of threads changes no rounding
  std::vector<T> weight_parts(lines), bias_parts(lines);
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < lines; ++line) {
    const int64_t channel = line % s.channels, k = channel % s.half, at = line * s.pixels;
    const bool is_first = s.is_first(channel);
    channel_backward(is_first, s.pixels, grad_output + (line - channel + s.shuffled(channel)) * s.pixels, x + at,
                     (is_first ? w.w1 : w.w2)[k], (is_first ? w.b1 : w.b2)[k], grad_input + at, &weight_parts[line],
                     &bias_parts[line]);
  }
  for (T* sums : {grad_w1, grad_b1, grad_w2, grad_b2}) std::fill(sums, sums + s.half, T(0));
  for (int64_t line = 0; line < lines; ++line) {
    const bool is_first = s.is_first(line % s.channels);
    T *weight = is_first ? grad_w1 : grad_w2, *bias = is_first ? grad_b1 : grad_b2;
    weight[line % s.half] += weight_parts[line];
    bias[line % s.half] += bias_parts[line];
  }
}

// The weights begin at input `first`.
template <typename T>
Weights<T> weights(Tensors& in, size_t first) {
  return {in[first].data<T>(), in[first + 1].data<T>(), in[first + 2].data<T>(), in[first + 3].data<T>()};
}

MXReturnValue shuffle_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], shuffle(HalvesShape(i[0], i[1]), i[0].data<T>(), weights<T>(i, 1), o[0].data<T>()));
}

// in: grad_output, x, w1, b1, w2, b2, y
MXReturnValue shuffle_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], shuffle_backward(HalvesShape(i[1], i[2]), i[0].data<T>(), i[1].data<T>(), weights<T>(i, 2),
                                   o[0].data<T>(), o[1].data<T>(), o[2].data<T>(), o[3].data<T>(), o[4].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_shuffle)
    .setForward(shuffle_forward, "cpu")
    .setBackward(shuffle_back, "cpu")
    .setParseAttrs(num_inputs<5>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
