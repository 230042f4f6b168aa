// Convolution of a map to many channels, on the CPU in float32 or float64.

#include "one_to_many.h"

#include "part_sums.h"

namespace {

template <typename T>
void forward(const OneToManyShape<T>& s, const T* x, const T* weight, const T* bias, T* y) {
  const auto taps = packed(s, weight, s.taps), start = packed(s, bias, 1);
#pragma omp parallel
  {
    PaddedMap<T> padded = s.padded();
#pragma omp for schedule(static)
    for (int64_t map = 0; map < s.maps; ++map) {
      padded.fill(x + map * s.pixels, s.height, s.width, s.pad);
      for (int64_t b = 0; b < s.blocks; ++b)
        for (int64_t row = 0; row < s.height; ++row)
          for (int64_t column = 0; column < s.width; column += kPixels)
            forward_pixels(s, padded, &taps[b * s.taps], start[b], s.channels_of(b), row, column,
                           y + (map * s.channels + b * Simd<T>::width) * s.pixels);
    }
  }
}

// The gradients of the weights: a vector for each part of the maps, block and tap. The bias comes last, like a tap.
template <typename T>
using Sums = std::vector<typename Simd<T>::Vector>;

template <typename T>
Sums<T> backward(const OneToManyShape<T>& s, const T* grad_output, const T* x, const T* weight, T* grad_input) {
  const auto taps = packed(s, weight, s.taps);
  Sums<T> sums(kParts * s.blocks * (s.taps + 1));
#pragma omp parallel for schedule(static)
  for (int64_t part = 0; part < kParts; ++part) {
    PaddedMap<T> padded = s.padded();
    GradMap<T> grad(s);
    for (int64_t map = first_sample(part, s.maps); map < first_sample(part + 1, s.maps); ++map) {
      T* to = grad_input + map * s.pixels;
      std::fill(to, to + s.pixels, T(0));
      padded.fill(x + map * s.pixels, s.height, s.width, s.pad);
      for (int64_t b = 0; b < s.blocks; ++b) {
        grad.fill(s, grad_output + (map * s.channels + b * Simd<T>::width) * s.pixels, s.channels_of(b));
        for (int64_t row = 0; row < s.height; ++row)
          for (int64_t column = 0; column < s.width; column += kPixels)
            input_pixels(s, grad, &taps[b * s.taps], row, column, to);
        if (!weight_gradients) continue;
        auto* of_block = &sums[(part * s.blocks + b) * (s.taps + 1)];
        add_weights(s, padded, grad, of_block);
        for (int64_t row = 0; row < s.height; ++row)
          for (int64_t column = 0; column < s.width; ++column) of_block[s.taps] += *grad.at(row, column);
      }
    }
  }
  return sums;
}

// Writes taps first ... first + count - 1 of all channels.
template <typename T>
void write(const OneToManyShape<T>& s, const Sums<T>& sums, int64_t first, int64_t count, T* to) {
  for (int64_t c = 0; c < s.channels; ++c)
    for (int64_t t = 0; t < count; ++t, ++to) {
      *to = 0;
      for (int64_t part = 0; part < kParts; ++part)
        *to += sums[(part * s.blocks + c / Simd<T>::width) * (s.taps + 1) + first + t][c % Simd<T>::width];
    }
}

template <typename T>
void gradients(Tensors& i, Tensors& o) {
  const OneToManyShape<T> s(i[1].shape, i[2].shape);
  const Sums<T> sums = backward(s, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>());
  if (!weight_gradients) return;
  write(s, sums, 0, s.taps, o[1].data<T>());
  if (o.size() > 2) write(s, sums, s.taps, 1, o[2].data<T>());
}

MXReturnValue one_to_many_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int channels = std::stoul(attrs.at("channels")), kernel = std::stoul(attrs.at("kernel"));
  const auto& x = (*in)[0];
  if (x.size() != 4 || x[1] != 1) return MX_FAIL;
  (*out)[0] = {x[0], channels, x[2], x[3]};
  (*in)[1] = {channels, 1, kernel, kernel};
  if (in->size() > 2) (*in)[2] = {channels};
  return MX_SUCCESS;
}

MXReturnValue one_to_many_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], forward(OneToManyShape<T>(i[0].shape, i[1].shape), i[0].data<T>(), i[1].data<T>(),
                          i.size() > 2 ? i[2].data<T>() : nullptr, o[0].data<T>()));
}

// in: grad_output, x, weight, bias if there is one, y
MXReturnValue one_to_many_backward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  FOR_DTYPE((*in)[0], gradients<T>(*in, *out));
}

}  // namespace

REGISTER_OP(gluon_attn_one_to_many)
    .setForward(one_to_many_forward, "cpu")
    .setBackward(one_to_many_backward, "cpu")
    .setParseAttrs(num_inputs_with_bias)
    .setInferType(infer_same_dtype)
    .setInferShape(one_to_many_infer_shape);
