// Maxima and means along an axis as one operator, on the CPU in float32 or float64.

#include "common.h"

namespace {

// The maxima and the means along the axis, concatenated: outer x 2 x inner.
template <typename T>
void max_mean(const View& v, const T* x, T* out) {
  const T inv_count = T(1) / v.axis;
  parallel_columns(v, [&](int64_t a, int64_t first, int64_t end) {
    T maxima[kColumns], partial[kColumns], total[kColumns] = {0};
    for (int64_t b = 0; b < v.axis; ++b) {
      const T* from = x + (a * v.axis + b) * v.inner;
      if (b % 16 == 0) {
        for (int64_t i = first; i < end; ++i) {
          total[i - first] += b ? partial[i - first] : T(0);
          partial[i - first] = from[i];
          maxima[i - first] = b ? std::max(maxima[i - first], from[i]) : from[i];
        }
        continue;
      }
#pragma omp simd
      for (int64_t i = first; i < end; ++i) {
        partial[i - first] += from[i];
        maxima[i - first] = std::max(maxima[i - first], from[i]);
      }
    }
    T* to = out + a * 2 * v.inner;
    for (int64_t i = first; i < end; ++i) {
      to[i] = maxima[i - first];
      to[v.inner + i] = (total[i - first] + partial[i - first]) * inv_count;
    }
  });
}

template <typename T>
void max_mean_backward(const View& v, const T* grad_output, const T* x, const T* out, T* grad_input) {
  const T inv_count = T(1) / v.axis;
  parallel_columns(v, [&](int64_t a, int64_t first, int64_t end) {
    T remaining[kColumns], of_mean[kColumns];
    const T *maxima = out + a * 2 * v.inner, *grad = grad_output + a * 2 * v.inner;
    for (int64_t i = first; i < end; ++i) {
      remaining[i - first] = grad[i];
      of_mean[i - first] = grad[v.inner + i] * inv_count;
    }
    for (int64_t b = 0; b < v.axis; ++b) {
      const int64_t at = (a * v.axis + b) * v.inner;
#pragma omp simd
      for (int64_t i = first; i < end; ++i) {
        const bool is_max = x[at + i] == maxima[i];
        grad_input[at + i] = of_mean[i - first] + (is_max ? remaining[i - first] : T(0));
        remaining[i - first] = is_max ? T(0) : remaining[i - first];
      }
    }
  });
}

// Attribute "axis": the axis that becomes length 2.
MXReturnValue max_mean_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  (*out)[0] = (*in)[0];
  (*out)[0].at(std::stoul(attrs.at("axis"))) = 2;
  return MX_SUCCESS;
}

View axis_view(const Attrs& attrs, const std::vector<int64_t>& shape) {
  const size_t axis = std::stoul(attrs.at("axis"));
  return {size(shape, 0, axis), shape[axis], size(shape, axis + 1, shape.size())};
}

MXReturnValue max_mean_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], max_mean(axis_view(attrs, i[0].shape), i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, y
MXReturnValue max_mean_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], max_mean_backward(axis_view(attrs, i[1].shape), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                                    o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_max_mean)
    .setForward(max_mean_forward, "cpu")
    .setBackward(max_mean_back, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(max_mean_infer_shape);
