// Gating and pooling along axes, each in one pass over the map, for the CPU and float32 or float64.
//
// With inner 1 a line is contiguous; otherwise work is cut into columns that stay in the first cache.

#include "common.h"

namespace {

// The axes along which `small` has length 1 and `big` has not, which must lie side by side.
View view(const std::vector<int64_t>& big, const std::vector<int64_t>& small) {
  size_t from = 0, to = big.size();
  while (from < to && big[from] == small[from]) ++from;
  while (to > from && big[to - 1] == small[to - 1]) --to;
  return {size(big, 0, from), size(big, from, to), size(big, to, big.size())};
}

// x * gate, or x + gate.
template <bool add, typename T>
void apply(const View& v, const T* x, const T* gate, T* y) {
  if (v.inner == 1) {
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < v.outer; ++a) {
      const T g = gate[a];
      const T* from = x + a * v.axis;
      T* to = y + a * v.axis;
#pragma omp simd
      for (int64_t i = 0; i < v.axis; ++i) to[i] = add ? from[i] + g : from[i] * g;
    }
    return;
  }
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < v.outer * v.axis; ++line) {
    const T* g = gate + line / v.axis * v.inner;
    const T* from = x + line * v.inner;
    T* to = y + line * v.inner;
#pragma omp simd
    for (int64_t i = 0; i < v.inner; ++i) to[i] = add ? from[i] + g[i] : from[i] * g[i];
  }
}

template <bool add, typename T>
void apply_backward(const View& v, const T* dy, const T* x, const T* gate, T* dx, T* dgate) {
  if (v.inner == 1) {
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < v.outer; ++a) {
      const T g = gate[a];
      const T *slope = dy + a * v.axis, *from = x + a * v.axis;
      T* to = dx + a * v.axis;
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < v.axis; ++i) {
        sum += add ? slope[i] : slope[i] * from[i];
        to[i] = add ? slope[i] : slope[i] * g;
      }
      dgate[a] = sum;
    }
    return;
  }
  columns(v, [&](int64_t a, int64_t first, int64_t end) {
    const T* g = gate + a * v.inner;
    T sums[kColumns] = {0};
    for (int64_t b = 0; b < v.axis; ++b) {
      const int64_t at = (a * v.axis + b) * v.inner;
#pragma omp simd
      for (int64_t i = first; i < end; ++i) {
        sums[i - first] += add ? dy[at + i] : dy[at + i] * x[at + i];
        dx[at + i] = add ? dy[at + i] : dy[at + i] * g[i];
      }
    }
    std::copy(sums, sums + (end - first), dgate + a * v.inner + first);
  });
}

// Means (kind 0) or maxima (kind 1) along the axis.
template <typename T>
void pool(const View& v, int kind, const T* x, T* out) {
  const T share = T(1) / v.axis;
  if (v.inner == 1) {
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < v.outer; ++a) {
      const T* from = x + a * v.axis;
      T sum = 0, top = from[0];
      if (kind == 0) {
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < v.axis; ++i) sum += from[i];
      } else {
#pragma omp simd reduction(max : top)
        for (int64_t i = 0; i < v.axis; ++i) top = from[i] > top ? from[i] : top;
      }
      out[a] = kind == 0 ? sum * share : top;
    }
    return;
  }
  columns(v, [&](int64_t a, int64_t first, int64_t end) {
    T part[kColumns], whole[kColumns] = {0};
    for (int64_t b = 0; b < v.axis; ++b) {
      const T* from = x + (a * v.axis + b) * v.inner;
      if (b == 0 || (kind == 0 && b % 16 == 0)) {  // short sums of sums: less rounding than one long sum
        for (int64_t i = first; i < end; ++i) {
          whole[i - first] += b ? part[i - first] : T(0);
          part[i - first] = from[i];
        }
      } else if (kind == 0) {
#pragma omp simd
        for (int64_t i = first; i < end; ++i) part[i - first] += from[i];
      } else {
#pragma omp simd
        for (int64_t i = first; i < end; ++i) part[i - first] = std::max(part[i - first], from[i]);
      }
    }
    T* to = out + a * v.inner;
    for (int64_t i = first; i < end; ++i)
      to[i] = kind == 0 ? (whole[i - first] + part[i - first]) * share : part[i - first];
  });
}

// Of equal maxima the first takes the gradient.
template <typename T>
void pool_backward(const View& v, int kind, const T* slope, const T* x, const T* out, T* dx) {
  const T share = T(1) / v.axis;
  if (v.inner == 1) {
#pragma omp parallel for schedule(static)
    for (int64_t a = 0; a < v.outer; ++a) {
      T* to = dx + a * v.axis;
      std::fill(to, to + v.axis, kind == 0 ? slope[a] * share : T(0));
      if (kind == 0) continue;
      const T* from = x + a * v.axis;
      int64_t i = 0;
      while (i < v.axis - 1 && from[i] != out[a]) ++i;
      to[i] = slope[a];
    }
    return;
  }
  columns(v, [&](int64_t a, int64_t first, int64_t end) {
    T left[kColumns];  // what the line still has to give
    for (int64_t i = first; i < end; ++i) left[i - first] = slope[a * v.inner + i] * (kind == 0 ? share : T(1));
    const T* top = out + a * v.inner;
    for (int64_t b = 0; b < v.axis; ++b) {
      const int64_t at = (a * v.axis + b) * v.inner;
      if (kind == 0) {
        std::copy(left, left + (end - first), dx + at + first);
        continue;
      }
#pragma omp simd
      for (int64_t i = first; i < end; ++i) {
        const bool here = x[at + i] == top[i];
        dx[at + i] = here ? left[i - first] : T(0);
        left[i - first] = here ? T(0) : left[i - first];
      }
    }
  });
}

// The maxima and the means along the axis, side by side: outer x 2 x inner.
template <typename T>
void both(const View& v, const T* x, T* out) {
  const T share = T(1) / v.axis;
  columns(v, [&](int64_t a, int64_t first, int64_t end) {
    T top[kColumns], part[kColumns], whole[kColumns] = {0};
    for (int64_t b = 0; b < v.axis; ++b) {
      const T* from = x + (a * v.axis + b) * v.inner;
      if (b % 16 == 0) {
        for (int64_t i = first; i < end; ++i) {
          whole[i - first] += b ? part[i - first] : T(0);
          part[i - first] = from[i];
          top[i - first] = b ? std::max(top[i - first], from[i]) : from[i];
        }
        continue;
      }
#pragma omp simd
      for (int64_t i = first; i < end; ++i) {
        part[i - first] += from[i];
        top[i - first] = std::max(top[i - first], from[i]);
      }
    }
    T* to = out + a * 2 * v.inner;
    for (int64_t i = first; i < end; ++i) {
      to[i] = top[i - first];
      to[v.inner + i] = (whole[i - first] + part[i - first]) * share;
    }
  });
}

template <typename T>
void both_backward(const View& v, const T* slope, const T* x, const T* out, T* dx) {
  const T share = T(1) / v.axis;
  columns(v, [&](int64_t a, int64_t first, int64_t end) {
    T left[kColumns], even[kColumns];
    const T *top = out + a * 2 * v.inner, *down = slope + a * 2 * v.inner;
    for (int64_t i = first; i < end; ++i) {
      left[i - first] = down[i];
      even[i - first] = down[v.inner + i] * share;
    }
    for (int64_t b = 0; b < v.axis; ++b) {
      const int64_t at = (a * v.axis + b) * v.inner;
#pragma omp simd
      for (int64_t i = first; i < end; ++i) {
        const bool here = x[at + i] == top[i];
        dx[at + i] = even[i - first] + (here ? left[i - first] : T(0));
        left[i - first] = here ? T(0) : left[i - first];
      }
    }
  });
}

MXReturnValue shape_of_pool(const Attrs& attrs, Shapes* in, Shapes* out) {
  (*out)[0] = (*in)[0];
  const size_t from = std::stoul(attrs.at("first")), to = std::stoul(attrs.at("last"));
  for (size_t i = from; i <= to; ++i) (*out)[0].at(i) = 1;
  return MX_SUCCESS;
}

MXReturnValue shape_of_both(const Attrs& attrs, Shapes* in, Shapes* out) {
  (*out)[0] = (*in)[0];
  (*out)[0].at(std::stoul(attrs.at("first"))) = 2;
  return MX_SUCCESS;
}

View view_of_axis(const Attrs& attrs, const std::vector<int64_t>& shape) {
  const size_t axis = std::stoul(attrs.at("first"));
  return {size(shape, 0, axis), shape[axis], size(shape, axis + 1, shape.size())};
}

template <bool add>
MXReturnValue gate_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], apply<add>(view(i[0].shape, i[1].shape), i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: slope, x, gate, y
template <bool add>
MXReturnValue gate_backward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], apply_backward<add>(view(i[1].shape, i[2].shape), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                                o[0].data<T>(), o[1].data<T>()));
}

template <int kind>
MXReturnValue pool_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], pool(view(i[0].shape, o[0].shape), kind, i[0].data<T>(), o[0].data<T>()));
}

// in: slope, x, what forward gave
template <int kind>
MXReturnValue pool_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], pool_backward(view(i[1].shape, i[2].shape), kind, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                               o[0].data<T>()));
}

MXReturnValue both_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], both(view_of_axis(attrs, i[0].shape), i[0].data<T>(), o[0].data<T>()));
}

MXReturnValue both_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], both_backward(view_of_axis(attrs, i[1].shape), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                               o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_gate)
    .setForward(gate_forward<false>, "cpu")
    .setBackward(gate_backward<false>, "cpu")
    .setParseAttrs(takes<2>)
    .setInferType(same_type)
    .setInferShape(shape_of_first);

REGISTER_OP(gluon_attn_shift)
    .setForward(gate_forward<true>, "cpu")
    .setBackward(gate_backward<true>, "cpu")
    .setParseAttrs(takes<2>)
    .setInferType(same_type)
    .setInferShape(shape_of_first);

REGISTER_OP(gluon_attn_mean)
    .setForward(pool_forward<0>, "cpu")
    .setBackward(pool_back<0>, "cpu")
    .setParseAttrs(takes<1>)
    .setInferType(same_type)
    .setInferShape(shape_of_pool);

REGISTER_OP(gluon_attn_max)
    .setForward(pool_forward<1>, "cpu")
    .setBackward(pool_back<1>, "cpu")
    .setParseAttrs(takes<1>)
    .setInferType(same_type)
    .setInferShape(shape_of_pool);

REGISTER_OP(gluon_attn_max_mean)
    .setForward(both_forward, "cpu")
    .setBackward(both_back, "cpu")
    .setParseAttrs(takes<1>)
    .setInferType(same_type)
    .setInferShape(shape_of_both);
