// Statistics per channel over a batch, and the running statistics.

#ifndef GLUON_ATTN_CHANNEL_STATS_H_
#define GLUON_ATTN_CHANNEL_STATS_H_

#include <cmath>

#include "common.h"

struct BatchShape {
  int64_t samples, channels, pixels;
  explicit BatchShape(const std::vector<int64_t>& shape)
      : samples(shape.at(0)), channels(shape.at(1)), pixels(size(shape, 2, shape.size())) {}
  int64_t offset(int64_t sample, int64_t channel) const { return (sample * channels + channel) * pixels; }
  double count() const { return static_cast<double>(samples * pixels); }  // values per channel
};

// The sum of term(offset of a pixel) over a channel of all samples: in T within a sample, in double across samples.
template <typename T, typename Term>
double channel_sum(const BatchShape& b, int64_t channel, Term term) {
  double total = 0;
  for (int64_t sample = 0; sample < b.samples; ++sample) {
    const int64_t first = b.offset(sample, channel), end = first + b.pixels;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = first; k < end; ++k) sum += term(k);
    total += sum;
  }
  return total;
}

// The gradient of a bias: grad_output added up for each channel.
template <typename T>
void channel_bias_backward(const BatchShape& b, const T* grad_output, T* grad_bias) {
#pragma omp parallel for schedule(static)
  for (int64_t c = 0; c < b.channels; ++c)
    grad_bias[c] = channel_sum<T>(b, c, [=](int64_t k) { return grad_output[k]; });
}

// Updates the running statistics when the norm used those of the batch, and leaves them alone when it used them itself.
// stats: mean - std per channel, then mean + std per channel. used_mean, used_inv_std: what the norm used.
template <typename T>
void update_running_stats(int64_t channels, T momentum, T eps, const T* stats, const T* used_mean,
                          const T* used_inv_std, T* running_mean, T* running_var) {
  bool used_running = true;
  for (int64_t c = 0; c < channels && used_running; ++c)
    used_running =
        used_mean[c] == running_mean[c] && std::abs(used_inv_std[c] * std::sqrt(running_var[c] + eps) - 1) < T(1e-5);
  if (used_running) return;
  for (int64_t c = 0; c < channels; ++c) {
    const T std_dev = (stats[channels + c] - stats[c]) / 2;
    running_mean[c] = momentum * running_mean[c] + (1 - momentum) * used_mean[c];
    running_var[c] = momentum * running_var[c] + (1 - momentum) * std_dev * std_dev;
  }
}

#endif  // GLUON_ATTN_CHANNEL_STATS_H_
