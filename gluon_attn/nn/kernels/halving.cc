// ReLU and two 1x1 convolutions of stride 2 side by side, the second one pixel further down and right, on the CPU in
// float32 or float64: the factorized reduction of searched cells. oneDNN changes the layout of the map for them.

#include "gemm_tiles.h"
#include "part_sums.h"

namespace {

struct HalvingShape {
  int64_t samples, in_channels, half_channels, height, width, out_height, out_width;
  HalvingShape(const std::vector<int64_t>& x, const std::vector<int64_t>& weight)
      : samples(x.at(0)), in_channels(x.at(1)), half_channels(weight.at(0)), height(x.at(2)), width(x.at(3)),
        out_height((height + 1) / 2), out_width((width + 1) / 2) {}
  int64_t in_size() const { return in_channels * height * width; }
  int64_t out_pixels() const { return out_height * out_width; }
  int64_t weights() const { return half_channels * in_channels; }
};

// Calls body(pixel of a map, pixel of the halved one) for each pixel that the convolution number `half` reads.
template <typename Body>
ALWAYS_INLINE void for_pixels(const HalvingShape& h, int64_t half, Body body) {
  for (int64_t row = half; row < h.height; row += 2)
    for (int64_t column = half; column < h.width; column += 2)
      body(row * h.width + column, row / 2 * h.out_width + column / 2);
}

// What the convolutions read of a sample, and its gradient: a row of pixels per channel, zeros beyond an odd edge.
template <typename T>
class Pixels {
 public:
  explicit Pixels(const HalvingShape& h)
      : h_(h), stride_(h.out_pixels() + Simd<T>::width), values_(h.in_channels * stride_) {}

  ChannelMatrix<T> read(const T* x, int64_t half) {
    std::fill(values_.begin(), values_.end(), T(0));
    for (int64_t c = 0; c < h_.in_channels; ++c) {
      const T* map = x + c * h_.height * h_.width;
      T* to = &values_[c * stride_];
      for_pixels(h_, half, [=](int64_t from, int64_t k) { to[k] = map[from] > T(0) ? map[from] : T(0); });
    }
    return {values_.data(), h_.in_channels, stride_};
  }

 private:
  const HalvingShape& h_;
  const int64_t stride_;
  std::vector<T> values_;
};

template <typename T>
void forward(const HalvingShape& h, const T* x, const T* const weights[2], T* y) {
#pragma omp parallel
  {
    Pixels<T> pixels(h);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < h.samples; ++i)
      for (int64_t half : {0, 1})
        gemm_columns<T>(weights[half], nullptr, pixels.read(x + i * h.in_size(), half), h.half_channels, h.out_pixels(),
                        0, h.out_pixels(), y + (2 * i + half) * h.half_channels * h.out_pixels());
  }
}

// Writes grad_input of one sample. transposed: the weights. between: a buffer for the gradient of what was read.
template <typename T>
void input_backward(const HalvingShape& h, const T* grad_output, const T* x, const std::vector<T> transposed[2],
                    std::vector<T>* between, T* grad_input) {
  std::fill_n(grad_input, h.in_size(), T(0));
  for (int64_t half : {0, 1}) {
    const ChannelMatrix<T> grad{grad_output + half * h.half_channels * h.out_pixels(), h.half_channels, h.out_pixels()};
    gemm_columns<T>(transposed[half].data(), nullptr, grad, h.in_channels, h.out_pixels(), 0, h.out_pixels(),
                    between->data());
    for (int64_t c = 0; c < h.in_channels; ++c) {
      const T *from = &(*between)[c * h.out_pixels()], *map = x + c * h.height * h.width;
      T* to = grad_input + c * h.height * h.width;
      for_pixels(h, half, [=](int64_t pixel, int64_t k) { to[pixel] = map[pixel] > T(0) ? from[k] : T(0); });
    }
  }
}

template <typename T>
void backward(const HalvingShape& h, const T* grad_output, const T* x, const T* const weights[2], T* grad_input,
              T* const grad_weights[2]) {
  const std::vector<T> transposed[2] = {transpose(weights[0], h.half_channels, h.in_channels),
                                        transpose(weights[1], h.half_channels, h.in_channels)};
  PartSums<T> sums(2 * h.weights());
#pragma omp parallel
  {
    Pixels<T> pixels(h);
    std::vector<T> between(h.in_channels * h.out_pixels());
    std::vector<typename Simd<T>::Vector> grads(2 * h.weights());
#pragma omp for schedule(static)
    for (int64_t part = 0; part < kParts; ++part) {
      if (weight_gradients) std::fill(grads.begin(), grads.end(), typename Simd<T>::Vector{});
      for (int64_t i = first_sample(part, h.samples); i < first_sample(part + 1, h.samples); ++i) {
        const T *map = x + i * h.in_size(), *grad = grad_output + 2 * i * h.half_channels * h.out_pixels();
        for (int64_t half = 0; weight_gradients && half < 2; ++half)
          add_grad_weight<T>(grad + half * h.half_channels * h.out_pixels(), h.half_channels, h.out_pixels(),
                             pixels.read(map, half), &grads[half * h.weights()]);
        input_backward(h, grad, map, transposed, &between, grad_input + i * h.in_size());
      }
      if (weight_gradients) sums.set(part, 0, grads);
    }
  }
  if (!weight_gradients) return;
  for (int64_t half : {0, 1}) sums.total(half * h.weights(), h.weights(), grad_weights[half]);
}

MXReturnValue halving_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int channels = std::stoul(attrs.at("channels"));
  if ((*in)[0].size() != 4 || channels % 2) return MX_FAIL;
  for (size_t half : {1, 2}) (*in)[half] = {channels / 2, (*in)[0][1], 1, 1};
  (*out)[0] = {(*in)[0][0], channels, ((*in)[0][2] + 1) / 2, ((*in)[0][3] + 1) / 2};
  return MX_SUCCESS;
}

MXReturnValue halving_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors& i = *in;
  FOR_DTYPE(i[0], const T* const weights[2] = {i[1].data<T>(), i[2].data<T>()};
            forward(HalvingShape(i[0].shape, i[1].shape), i[0].data<T>(), weights, (*out)[0].data<T>()));
}

// in: grad_output, x, both weights, y
MXReturnValue halving_backward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], const T* const weights[2] = {i[2].data<T>(), i[3].data<T>()};
            T* const grad_weights[2] = {o[1].data<T>(), o[2].data<T>()};
            backward(HalvingShape(i[1].shape, i[2].shape), i[0].data<T>(), i[1].data<T>(), weights, o[0].data<T>(),
                     grad_weights));
}

}  // namespace

REGISTER_OP(gluon_attn_halving)
    .setForward(halving_forward, "cpu")
    .setBackward(halving_backward, "cpu")
    .setParseAttrs(num_inputs<3>)
    .setInferType(infer_same_dtype)
    .setInferShape(halving_infer_shape);
