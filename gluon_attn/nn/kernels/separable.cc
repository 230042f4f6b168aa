// ReLU, depthwise and 1x1 convolution as one operator, on the CPU in float32 or float64. The feature map between the
// two convolutions, as large as the input, stays in the cache and is computed again in the backward pass.

#include "depthwise.h"
#include "gemm_tiles.h"

namespace {

constexpr int64_t kParts = 8;  // groups of samples to sum gradients in; fixed, so that threads do not change the sums

struct SeparableShape {
  DepthwiseShape d;
  int64_t out_channels, in_pixels, out_pixels;
  SeparableShape(const Attrs& attrs, const std::vector<int64_t>& x, const std::vector<int64_t>& depthwise,
                 const std::vector<int64_t>& pointwise)
      : d(attrs, x, depthwise.at(2)), out_channels(pointwise.at(0)), in_pixels(d.height * d.width),
        out_pixels(d.out_height * d.out_width) {}
};

// The depthwise convolution of relu(x) for one sample.
template <typename T>
class DepthwiseOutput {
 public:
  explicit DepthwiseOutput(const SeparableShape& s)
      : s_(s), stride_(s.out_pixels + Simd<T>::width), padded_(padded_input<T>(s.d)), values_(s.d.channels * stride_) {}

  // One channel of relu(x), padded.
  const PaddedMap<T>& input(const T* x, int64_t channel) {
    padded_.fill(x + channel * s_.in_pixels, s_.d.height, s_.d.width, s_.d.pad, 1,
                 [](T value) { return value > T(0) ? value : T(0); });
    return padded_;
  }

  template <int64_t kernel>
  void compute(const T* x, const T* weight) {
    for (int64_t c = 0; c < s_.d.channels; ++c)
      conv_channel<kernel>(input(x, c), weight + c * kernel * kernel, s_.d.dilate, s_.d.stride, s_.d.out_height,
                           s_.d.out_width, &values_[c * stride_]);
  }

  ChannelMatrix<T> matrix() const { return {values_.data(), s_.d.channels, stride_}; }

 private:
  const SeparableShape& s_;
  const int64_t stride_;
  PaddedMap<T> padded_;
  std::vector<T> values_;
};

template <typename T>
void pointwise_sample(const T* weight, const ChannelMatrix<T>& x, int64_t out_channels, int64_t pixels, T* y) {
  gemm_columns<T>(weight, nullptr, x, out_channels, pixels, 0, pixels, y);
}

template <int64_t kernel, typename T>
void forward(const SeparableShape& s, const T* x, const T* depthwise, const T* pointwise, T* y) {
#pragma omp parallel
  {
    DepthwiseOutput<T> between(s);
#pragma omp for schedule(static)
    for (int64_t sample = 0; sample < s.d.samples; ++sample) {
      between.template compute<kernel>(x + sample * s.d.channels * s.in_pixels, depthwise);
      pointwise_sample(pointwise, between.matrix(), s.out_channels, s.out_pixels,
                       y + sample * s.out_channels * s.out_pixels);
    }
  }
}

// Gradients of both weights from some of the samples, a vector of partial sums per weight.
template <typename T>
struct WeightGrads {
  typedef std::vector<typename Simd<T>::Vector> Sums;
  Sums depthwise, pointwise;
  WeightGrads(int64_t depthwise_size, int64_t pointwise_size) : depthwise(depthwise_size), pointwise(pointwise_size) {}

  void clear() {
    for (Sums* sums : {&depthwise, &pointwise}) std::fill(sums->begin(), sums->end(), typename Simd<T>::Vector{});
  }
  // One number per weight, those of the depthwise convolution first.
  void write(T* to) const {
    for (const Sums* sums : {&depthwise, &pointwise})
      for (const auto& sum : *sums) *to++ = Simd<T>::sum(sum);
  }
};

// grad_between: a buffer for the gradient of the depthwise output. padded_grad: a buffer from `padded_grad_output`.
template <int64_t kernel, typename T>
void backward_sample(const SeparableShape& s, const T* grad_output, const T* x, const T* depthwise, const T* transposed,
                     DepthwiseOutput<T>* between, PaddedMap<T>* padded_grad, std::vector<T>* grad_between,
                     WeightGrads<T>* grads, T* grad_input) {
  constexpr int64_t weights = kernel * kernel;
  const DepthwiseShape& d = s.d;
  if (weight_gradients) {
    between->template compute<kernel>(x, depthwise);
    for_row_tiles(0, s.out_channels, [&](auto rows, int64_t row) ALWAYS_INLINE_BODY {
      add_grad_weight_rows<rows>(grad_output + row * s.out_pixels, s.out_pixels, between->matrix(),
                                 &grads->pointwise[row * d.channels]);
    });
  }
  pointwise_sample(transposed, ChannelMatrix<T>{grad_output, s.out_channels, s.out_pixels}, d.channels, s.out_pixels,
                   grad_between->data());
  for (int64_t c = 0; c < d.channels; ++c) {
    T* to = grad_input + c * s.in_pixels;
    channel_backward<kernel>(d, between->input(x, c), grad_between->data() + c * s.out_pixels, depthwise + c * weights,
                             padded_grad, &grads->depthwise[c * weights], to);
    const T* map = x + c * s.in_pixels;
    for (int64_t k = 0; k < s.in_pixels; ++k) to[k] = map[k] > T(0) ? to[k] : T(0);
  }
}

template <int64_t kernel, typename T>
void backward(const SeparableShape& s, const T* grad_output, const T* x, const T* depthwise, const T* pointwise,
              T* grad_input, T* grad_depthwise, T* grad_pointwise) {
  const DepthwiseShape& d = s.d;
  const std::vector<T> transposed = transpose(pointwise, s.out_channels, d.channels);
  const int64_t depthwise_size = d.channels * kernel * kernel, pointwise_size = s.out_channels * d.channels;
  const int64_t all = depthwise_size + pointwise_size, parts = std::min(kParts, d.samples);
  std::vector<T> sums(parts * all);
#pragma omp parallel
  {
    DepthwiseOutput<T> between(s);
    PaddedMap<T> padded_grad = padded_grad_output<T>(d);
    std::vector<T> grad_between(d.channels * s.out_pixels);
    WeightGrads<T> grads(depthwise_size, pointwise_size);
#pragma omp for schedule(static)
    for (int64_t part = 0; part < parts; ++part) {
      grads.clear();
      for (int64_t sample = part * d.samples / parts; sample < (part + 1) * d.samples / parts; ++sample)
        backward_sample<kernel>(s, grad_output + sample * s.out_channels * s.out_pixels,
                                x + sample * d.channels * s.in_pixels, depthwise, transposed.data(), &between,
                                &padded_grad, &grad_between, &grads, grad_input + sample * d.channels * s.in_pixels);
      grads.write(&sums[part * all]);
    }
  }
  for (int64_t i = 0; weight_gradients && i < all; ++i) {
    T total = 0;
    for (int64_t part = 0; part < parts; ++part) total += sums[part * all + i];
    (i < depthwise_size ? grad_depthwise[i] : grad_pointwise[i - depthwise_size]) = total;
  }
}

MXReturnValue separable_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int out_channels = std::stoul(attrs.at("channels"));
  if (depthwise_infer_shape(attrs, in, out) != MX_SUCCESS) return MX_FAIL;
  (*in)[2] = {out_channels, (*in)[0][1], 1, 1};
  (*out)[0][1] = out_channels;
  return MX_SUCCESS;
}

MXReturnValue separable_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const SeparableShape s(attrs, i[0].shape, i[1].shape, i[2].shape);
  FOR_DTYPE(i[0], FOR_KERNEL(s.d.kernel, forward)(s, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, depthwise weight, pointwise weight, y
MXReturnValue separable_backward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const SeparableShape s(attrs, i[1].shape, i[2].shape, i[3].shape);
  FOR_DTYPE(i[0], FOR_KERNEL(s.d.kernel, backward)(s, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), i[3].data<T>(),
                                                   o[0].data<T>(), o[1].data<T>(), o[2].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_separable)
    .setForward(separable_forward, "cpu")
    .setBackward(separable_backward, "cpu")
    .setParseAttrs(num_inputs<3>)
    .setInferType(infer_same_dtype)
    .setInferShape(separable_infer_shape);
