// The gate x * (row_gate + column_gate + spatial_gate) in one pass, on the CPU in float32 or float64.

#include "common.h"

namespace {

struct MapShape {
  int64_t samples, channels, height, width;
  explicit MapShape(const MXTensor& x)
      : samples(x.shape[0]), channels(x.shape[1]), height(x.shape[2]), width(x.shape[3]) {}
  int64_t pixels() const { return height * width; }
};

// row_gate: (N,C,H,1). column_gate: (N,C,1,W). spatial_gate: (N,1,H,W), or null for none.
template <typename T>
void cross_gate(const MapShape& m, const T* x, const T* row_gate, const T* column_gate, const T* spatial_gate, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < m.samples * m.channels * m.height; ++line) {
    const int64_t channel = line / m.height, row = line % m.height;
    const T *from = x + line * m.width, *c = column_gate + channel * m.width;
    const T* s = spatial_gate ? spatial_gate + (channel / m.channels * m.height + row) * m.width : nullptr;
    T* to = y + line * m.width;
    const T r = row_gate[line];
#pragma omp simd
    for (int64_t i = 0; i < m.width; ++i) to[i] = from[i] * (r + c[i] + (s ? s[i] : T(0)));
  }
}

template <typename T>
void cross_gate_backward(const MapShape& m, const T* grad_output, const T* x, const T* row_gate, const T* column_gate,
                         const T* spatial_gate, T* grad_input, T* grad_row_gate, T* grad_column_gate,
                         T* grad_spatial_gate) {
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < m.samples * m.channels; ++channel) {
    const T* c = column_gate + channel * m.width;
    T* grad_c = grad_column_gate + channel * m.width;
    std::fill(grad_c, grad_c + m.width, T(0));
    for (int64_t row = 0; row < m.height; ++row) {
      const int64_t at = (channel * m.height + row) * m.width;
      const T* s = spatial_gate ? spatial_gate + (channel / m.channels * m.height + row) * m.width : nullptr;
      const T r = row_gate[channel * m.height + row];
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < m.width; ++i) {
        const T product = grad_output[at + i] * x[at + i];
        grad_input[at + i] = grad_output[at + i] * (r + c[i] + (s ? s[i] : T(0)));
        grad_c[i] += product;
        sum += product;
      }
      grad_row_gate[channel * m.height + row] = sum;
    }
  }
  if (!spatial_gate) return;
  parallel_columns({m.samples, m.channels, m.pixels()}, [&](int64_t n, int64_t first, int64_t end) {
    T sums[kColumns] = {0};
    for (int64_t b = 0; b < m.channels; ++b) {
      const int64_t at = (n * m.channels + b) * m.pixels();
#pragma omp simd
      for (int64_t i = first; i < end; ++i) sums[i - first] += grad_output[at + i] * x[at + i];
    }
    std::copy(sums, sums + (end - first), grad_spatial_gate + n * m.pixels() + first);
  });
}

// Attribute "spatial": whether there is a spatial gate.
MXReturnValue cross_gate_num_inputs(const Attrs& attrs, int* in, int* out) {
  *in = attrs.at("spatial") == "1" ? 4 : 3;
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue cross_gate_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], cross_gate(MapShape(i[0]), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                             i.size() > 3 ? i[3].data<T>() : nullptr, o[0].data<T>()));
}

// in: grad_output, x, row_gate, column_gate, spatial_gate if there is one, y
MXReturnValue cross_gate_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const bool spatial = o.size() > 3;
  FOR_DTYPE(i[0], cross_gate_backward(MapShape(i[1]), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), i[3].data<T>(),
                                      spatial ? i[4].data<T>() : nullptr, o[0].data<T>(), o[1].data<T>(),
                                      o[2].data<T>(), spatial ? o[3].data<T>() : nullptr));
}

}  // namespace

REGISTER_OP(gluon_attn_cross_gate)
    .setForward(cross_gate_forward, "cpu")
    .setBackward(cross_gate_back, "cpu")
    .setParseAttrs(cross_gate_num_inputs)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
