// Statistics of the channels of a batch, and the running ones that follow them.

#ifndef GLUON_ATTN_BATCH_H_
#define GLUON_ATTN_BATCH_H_

#include <cmath>

#include "common.h"

struct Batch {
  int64_t images, channels, pixels;
  explicit Batch(const std::vector<int64_t>& shape)
      : images(shape.at(0)), channels(shape.at(1)), pixels(size(shape, 2, shape.size())) {}
  int64_t at(int64_t image, int64_t channel) const { return (image * channels + channel) * pixels; }
  double count() const { return static_cast<double>(images * pixels); }
};

// The sum of term(place of a pixel) over a channel of all images: in T over a map, in double over these.
template <typename T, typename Term>
double channel_sum(const Batch& b, int64_t channel, Term term) {
  double total = 0;
  for (int64_t image = 0; image < b.images; ++image) {
    const int64_t first = b.at(image, channel), end = first + b.pixels;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = first; k < end; ++k) sum += term(k);
    total += sum;
  }
  return total;
}

// Moves the running statistics towards the batch's, if these are what is in use; else the running ones are, and stay.
// moments: mean - deviation of each channel, then mean + deviation. used, scale: the mean and 1 / deviation in use.
template <typename T>
void keep(int64_t channels, T momentum, T eps, const T* moments, const T* used, const T* scale, T* mean, T* var) {
  bool running = true;
  for (int64_t c = 0; c < channels && running; ++c)
    running = used[c] == mean[c] && std::abs(scale[c] * std::sqrt(var[c] + eps) - 1) < T(1e-5);
  if (running) return;
  for (int64_t c = 0; c < channels; ++c) {
    const T deviation = (moments[channels + c] - moments[c]) / 2;
    mean[c] = momentum * mean[c] + (1 - momentum) * used[c];
    var[c] = momentum * var[c] + (1 - momentum) * deviation * deviation;
  }
}

#endif  // GLUON_ATTN_BATCH_H_
