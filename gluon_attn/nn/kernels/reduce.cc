// Means and maxima along neighboring axes in one pass, on the CPU in float32 or float64.

#include "common.h"

namespace {

enum Kind { MEAN, MAX };

template <typename T>
void reduce(const View& v, int kind, const T* x, T* out) {
  const T inv_count = T(1) / v.axis;
  if (v.inner == 1) {
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < v.outer; ++a) {
      const T* from = x + a * v.axis;
      T sum = 0, maximum = from[0];
      if (kind == MEAN) {
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < v.axis; ++i) sum += from[i];
      } else {
#pragma omp simd reduction(max : maximum)
        for (int64_t i = 0; i < v.axis; ++i) maximum = from[i] > maximum ? from[i] : maximum;
      }
      out[a] = kind == MEAN ? sum * inv_count : maximum;
    }
    return;
  }
  parallel_columns(v, [&](int64_t a, int64_t first, int64_t end) {
    T partial[kColumns], total[kColumns] = {0};
    for (int64_t b = 0; b < v.axis; ++b) {
      const T* from = x + (a * v.axis + b) * v.inner;
      if (b == 0 || (kind == MEAN && b % 16 == 0)) {  // sums of 16 values each: less rounding than one long sum
        for (int64_t i = first; i < end; ++i) {
          total[i - first] += b ? partial[i - first] : T(0);
          partial[i - first] = from[i];
        }
      } else if (kind == MEAN) {
#pragma omp simd
        for (int64_t i = first; i < end; ++i) partial[i - first] += from[i];
      } else {
#pragma omp simd
        for (int64_t i = first; i < end; ++i) partial[i - first] = std::max(partial[i - first], from[i]);
      }
    }
    T* to = out + a * v.inner;
    for (int64_t i = first; i < end; ++i)
      to[i] = kind == MEAN ? (total[i - first] + partial[i - first]) * inv_count : partial[i - first];
  });
}

// Of equal maxima the first takes the gradient.
template <typename T>
void reduce_backward(const View& v, int kind, const T* grad_output, const T* x, const T* out, T* grad_input) {
  const T inv_count = T(1) / v.axis;
  if (v.inner == 1) {
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < v.outer; ++a) {
      T* to = grad_input + a * v.axis;
      std::fill(to, to + v.axis, kind == MEAN ? grad_output[a] * inv_count : T(0));
      if (kind == MEAN) continue;
      const T* from = x + a * v.axis;
      int64_t i = 0;
      while (i < v.axis - 1 && from[i] != out[a]) ++i;
      to[i] = grad_output[a];
    }
    return;
  }
  parallel_columns(v, [&](int64_t a, int64_t first, int64_t end) {
    T remaining[kColumns];  // the gradient that no earlier maximum has taken
    for (int64_t i = first; i < end; ++i)
      remaining[i - first] = grad_output[a * v.inner + i] * (kind == MEAN ? inv_count : T(1));
    const T* maxima = out + a * v.inner;
    for (int64_t b = 0; b < v.axis; ++b) {
      const int64_t at = (a * v.axis + b) * v.inner;
      if (kind == MEAN) {
        std::copy(remaining, remaining + (end - first), grad_input + at + first);
        continue;
      }
#pragma omp simd
      for (int64_t i = first; i < end; ++i) {
        const bool is_max = x[at + i] == maxima[i];
        grad_input[at + i] = is_max ? remaining[i - first] : T(0);
        remaining[i - first] = is_max ? T(0) : remaining[i - first];
      }
    }
  });
}

// Attributes "first_axis" and "last_axis": the axes that become length 1.
MXReturnValue reduce_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  (*out)[0] = (*in)[0];
  const size_t from = std::stoul(attrs.at("first_axis")), to = std::stoul(attrs.at("last_axis"));
  for (size_t i = from; i <= to; ++i) (*out)[0].at(i) = 1;
  return MX_SUCCESS;
}

template <int kind>
MXReturnValue reduce_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], reduce(broadcast_view(i[0].shape, o[0].shape), kind, i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, y
template <int kind>
MXReturnValue reduce_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], reduce_backward(broadcast_view(i[1].shape, i[2].shape), kind, i[0].data<T>(), i[1].data<T>(),
                                  i[2].data<T>(), o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_mean)
    .setForward(reduce_forward<MEAN>, "cpu")
    .setBackward(reduce_back<MEAN>, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(reduce_infer_shape);

REGISTER_OP(gluon_attn_max)
    .setForward(reduce_forward<MAX>, "cpu")
    .setBackward(reduce_back<MAX>, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(reduce_infer_shape);
