// Spatial Group-wise Enhance as one operator, on the CPU in float32 or float64.
// Li et al. 2019, https://arxiv.org/abs/1905.09646; the names are those of `attention/sge.py`.

#include <cmath>

#include "common.h"

namespace {

// The gate of one group of channels of one sample, and what the backward pass needs.
template <typename T>
struct Group {
  std::vector<T> mean, centered, gate;  // per channel; per pixel: s - avg(s); per pixel
  T inv_std = 0, std_dev = 0;

  void compute(const T* x, int64_t channels, int64_t pixels, T weight, T bias, int64_t count) {
    mean.assign(channels, 0), centered.assign(pixels, 0), gate.resize(pixels);
    for (int64_t b = 0; b < channels; ++b) {
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < pixels; ++i) sum += x[b * pixels + i];
      mean[b] = sum / pixels;
#pragma omp simd
      for (int64_t i = 0; i < pixels; ++i) centered[i] += mean[b] * x[b * pixels + i];
    }
    T average = 0, squares = 0;
#pragma omp simd reduction(+ : average)
    for (int64_t i = 0; i < pixels; ++i) average += centered[i];
    average /= pixels;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < pixels; ++i) {
      centered[i] -= average;
      squares += centered[i] * centered[i];
    }
    std_dev = std::sqrt(squares / count + T(1e-20));  // the gradient of the root is infinite at 0
    inv_std = 1 / (std_dev + T(1e-5));
    for (int64_t i = 0; i < pixels; ++i) gate[i] = 1 / (1 + std::exp(-(centered[i] * inv_std * weight + bias)));
  }
};

struct GroupShape {
  int64_t parts, groups, channels, pixels, count;  // parts: groups of all samples; count: divides the squares
  GroupShape(const Attrs& attrs, const MXTensor& x) {
    groups = std::stol(attrs.at("groups"));
    parts = x.shape[0] * groups;
    channels = x.shape[1] / groups;
    pixels = x.shape[2] * x.shape[3];
    count = std::max<int64_t>(1, pixels - std::stol(attrs.at("unbiased")));
  }
};

template <typename T>
void sge(const GroupShape& s, const T* x, const T* weight, const T* bias, T* y) {
#pragma omp parallel
  {
    Group<T> group;
#pragma omp for schedule(static)
    for (int64_t part = 0; part < s.parts; ++part) {
      const int64_t at = part * s.channels * s.pixels;
      group.compute(x + at, s.channels, s.pixels, weight[part % s.groups], bias[part % s.groups], s.count);
      for (int64_t b = 0; b < s.channels; ++b)
#pragma omp simd
        for (int64_t i = 0; i < s.pixels; ++i) y[at + b * s.pixels + i] = x[at + b * s.pixels + i] * group.gate[i];
    }
  }
}

template <typename T>
void sge_backward(const GroupShape& s, const T* grad_output, const T* x, const T* weight, const T* bias, T* grad_input,
                  T* grad_weight, T* grad_bias) {
  // summed at the end, so that the number of threads changes no rounding
  std::vector<T> weight_parts(s.parts), bias_parts(s.parts);
#pragma omp parallel
  {
    Group<T> group;
    std::vector<T> grad(s.pixels);  // of the gate, then of the logits, then of s
#pragma omp for schedule(static)
    for (int64_t part = 0; part < s.parts; ++part) {
      const T w = weight[part % s.groups];
      const int64_t at = part * s.channels * s.pixels;
      group.compute(x + at, s.channels, s.pixels, w, bias[part % s.groups], s.count);
      std::fill(grad.begin(), grad.end(), T(0));
      for (int64_t b = 0; b < s.channels; ++b)
#pragma omp simd
        for (int64_t i = 0; i < s.pixels; ++i) grad[i] += grad_output[at + b * s.pixels + i] * x[at + b * s.pixels + i];
      T grad_sum = 0, product_sum = 0;
#pragma omp simd reduction(+ : grad_sum, product_sum)
      for (int64_t i = 0; i < s.pixels; ++i) {
        grad[i] *= group.gate[i] * (1 - group.gate[i]);
        grad_sum += grad[i];
        product_sum += grad[i] * group.centered[i];
      }
      bias_parts[part] = grad_sum;
      weight_parts[part] = product_sum * group.inv_std;
      const T through_std = w * product_sum * group.inv_std * group.inv_std / (group.std_dev * s.count);
      const T through_mean = w * group.inv_std * grad_sum / s.pixels;
#pragma omp simd
      for (int64_t i = 0; i < s.pixels; ++i)
        grad[i] = grad[i] * w * group.inv_std - through_std * group.centered[i] - through_mean;
      for (int64_t b = 0; b < s.channels; ++b) {
        const int64_t first = at + b * s.pixels;
        T grad_mean = 0;  // of this channel's mean, per pixel
#pragma omp simd reduction(+ : grad_mean)
        for (int64_t i = 0; i < s.pixels; ++i) grad_mean += grad[i] * x[first + i];
        grad_mean /= s.pixels;
#pragma omp simd
        for (int64_t i = 0; i < s.pixels; ++i)
          grad_input[first + i] = grad_output[first + i] * group.gate[i] + grad[i] * group.mean[b] + grad_mean;
      }
    }
  }
  for (int64_t g = 0; g < s.groups; ++g) {
    grad_weight[g] = grad_bias[g] = 0;
    for (int64_t part = g; part < s.parts; part += s.groups) {
      grad_weight[g] += weight_parts[part];
      grad_bias[g] += bias_parts[part];
    }
  }
}

MXReturnValue sge_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], sge(GroupShape(attrs, i[0]), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, weight, bias, y
MXReturnValue sge_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], sge_backward(GroupShape(attrs, i[1]), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), i[3].data<T>(),
                               o[0].data<T>(), o[1].data<T>(), o[2].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_sge)
    .setForward(sge_forward, "cpu")
    .setBackward(sge_back, "cpu")
    .setParseAttrs(num_inputs<3>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
