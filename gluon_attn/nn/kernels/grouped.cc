// Convolution in groups of few channels, with stride and dilation, on the CPU in float32 or float64; of one channel per
// group it is a depthwise one. oneDNN computes most of them as matrix products of few rows, over a copy of the map for
// each tap.

#include "channel_stats.h"
#include "depthwise.h"
#include "part_sums.h"

namespace {

struct GroupedShape {
  DepthwiseShape d;
  int64_t groups, in, out;  // channels of a group: of the input, of the output
  GroupedShape(const Attrs& attrs, const MXTensor& x, const MXTensor& weight)
      : d(x.shape, weight.shape.at(2), std::stol(attrs.at("stride")), std::stol(attrs.at("dilate"))),
        groups(d.channels / weight.shape.at(1)), in(weight.shape[1]), out(weight.shape[0] / groups) {}
  int64_t in_pixels() const { return d.height * d.width; }
  int64_t out_pixels() const { return d.out_height * d.out_width; }
  int64_t pairs() const { return in * out; }  // of channels of a group
};

template <int64_t kernel, typename T>
void forward(const GroupedShape& s, const T* x, const T* weight, const T* bias, T* y) {
  const DepthwiseShape& d = s.d;
#pragma omp parallel
  {
    PaddedMap<T> padded = padded_input<T>(d, d.pad);
#pragma omp for schedule(static)
    for (int64_t task = 0; task < d.samples * s.groups; ++task) {
      const int64_t group = task % s.groups;
      const T* of_group = weight + group * s.pairs() * kernel * kernel;
      for (int64_t o = 0; bias && o < s.out; ++o)
        std::fill_n(y + (task * s.out + o) * s.out_pixels(), s.out_pixels(), bias[group * s.out + o]);
      for (int64_t i = 0; i < s.in; ++i) {
        padded.fill(x + (task * s.in + i) * s.in_pixels(), d.height, d.width, d.pad);
        for (int64_t o = 0; o < s.out; ++o)
          conv_channel<kernel>(padded.view(), of_group + (o * s.in + i) * kernel * kernel, d.dilate, d.stride,
                               d.out_height, d.out_width, bias || i > 0, y + (task * s.out + o) * s.out_pixels());
      }
    }
  }
}

// The buffers of a thread for the backward pass of a group.
template <int64_t kernel, typename T>
struct GroupBackward {
  const GroupedShape& s;
  PaddedMap<T> padded;
  std::vector<PaddedMap<T>> padded_grads;
  std::vector<typename Simd<T>::Vector> sums;  // of the weights

  explicit GroupBackward(const GroupedShape& s)
      : s(s), padded(padded_input<T>(s.d, s.d.pad)), padded_grads(s.out, padded_grad_output<T>(s.d)),
        sums(s.pairs() * kernel * kernel) {}

  // Of one sample; adds to `sums`.
  void sample(const T* grad_output, const T* x, const T* weight, T* grad_input) {
    const DepthwiseShape& d = s.d;
    for (int64_t o = 0; o < s.out; ++o) fill_grad(d, grad_output + o * s.out_pixels(), &padded_grads[o]);
    for (int64_t i = 0; i < s.in; ++i) {
      if (weight_gradients) padded.fill(x + i * s.in_pixels(), d.height, d.width, d.pad);
      for (int64_t o = 0; o < s.out; ++o) {
        const int64_t first = (o * s.in + i) * kernel * kernel;
        channel_backward<kernel>(d, padded.view(), grad_output + o * s.out_pixels(), weight + first, padded_grads[o],
                                 &sums[first], o > 0, grad_input + i * s.in_pixels());
      }
    }
  }
};

template <int64_t kernel, typename T>
void backward(const GroupedShape& s, const T* grad_output, const T* x, const T* weight, T* grad_input,
              T* grad_weight) {
  const int64_t weights = s.pairs() * kernel * kernel;  // of a group
  PartSums<T> sums(s.groups * weights);
#pragma omp parallel
  {
    GroupBackward<kernel, T> of_group(s);
#pragma omp for schedule(static)
    for (int64_t task = 0; task < kParts * s.groups; ++task) {
      const int64_t part = task / s.groups, group = task % s.groups;
      std::fill(of_group.sums.begin(), of_group.sums.end(), typename Simd<T>::Vector{});
      for (int64_t n = first_sample(part, s.d.samples); n < first_sample(part + 1, s.d.samples); ++n) {
        const int64_t at = n * s.groups + group;
        of_group.sample(grad_output + at * s.out * s.out_pixels(), x + at * s.in * s.in_pixels(),
                        weight + group * weights, grad_input + at * s.in * s.in_pixels());
      }
      sums.set(part, group * weights, of_group.sums);
    }
  }
  if (weight_gradients) sums.total(0, s.groups * weights, grad_weight);
}

// Attributes "channels" of the output, "groups", "kernel", "stride", "dilate" and "bias".
MXReturnValue grouped_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int channels = std::stoul(attrs.at("channels")), groups = std::stoul(attrs.at("groups"));
  const unsigned int kernel = std::stoul(attrs.at("kernel")), stride = std::stoul(attrs.at("stride"));
  const auto& x = (*in)[0];
  const bool known = x.size() == 4 && x[1] % groups == 0 && channels % groups == 0 && stride >= 1;
  if (!known || kernel % 2 == 0 || kernel < 3 || kernel > 9) return MX_FAIL;
  (*in)[1] = {channels, x[1] / groups, kernel, kernel};
  if (in->size() > 2) (*in)[2] = {channels};
  (*out)[0] = {x[0], channels, x[2], x[3]};
  for (size_t axis : {2, 3})
    if (x[axis]) (*out)[0][axis] = (x[axis] - 1) / stride + 1;
  return MX_SUCCESS;
}

#define FOR_GROUPED_KERNEL(size, function) ((size) == 9 ? function<9, T> : FOR_KERNEL(size, function))

MXReturnValue grouped_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const GroupedShape s(attrs, i[0], i[1]);
  FOR_DTYPE(i[0], FOR_GROUPED_KERNEL(s.d.kernel, forward)(s, i[0].data<T>(), i[1].data<T>(),
                                                          i.size() > 2 ? i[2].data<T>() : nullptr, o[0].data<T>()));
}

// in: grad_output, x, weight, bias if there is one, y
MXReturnValue grouped_backward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const GroupedShape s(attrs, i[1], i[2]);
  FOR_DTYPE(i[0], FOR_GROUPED_KERNEL(s.d.kernel, backward)(s, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                                                           o[0].data<T>(), o[1].data<T>());
            if (o.size() > 2) channel_bias_backward(BatchShape(i[0].shape), i[0].data<T>(), o[2].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_grouped)
    .setForward(grouped_forward, "cpu")
    .setBackward(grouped_backward, "cpu")
    .setParseAttrs(num_inputs_with_bias)
    .setInferType(infer_same_dtype)
    .setInferShape(grouped_infer_shape);
