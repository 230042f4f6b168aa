// Updates and norms of many arrays in one call, on the CPU in float32 or float64: for thousands of small arrays MXNet's call per
// array takes longer than the arithmetic.

#include <cmath>

#include "common.h"

namespace {

int64_t num_arrays(const Attrs& attrs) { return std::stol(attrs.at("num_arrays")); }

// The targets, then as many sources.
MXReturnValue multi_update_num_inputs(const Attrs& attrs, int* in, int* out) {
  *in = 2 * num_arrays(attrs);
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue multi_update_infer_shape(const Attrs&, Shapes*, Shapes* out) {
  (*out)[0] = {1};
  return MX_SUCCESS;
}

MXReturnValue multi_update_mutates(const Attrs& attrs, std::vector<int>* mutated) {
  for (int64_t i = 0; i < num_arrays(attrs); ++i) mutated->push_back(i);
  return MX_SUCCESS;
}

// target = source if `copy`, else target += scale (source + decay target). With decay -1 a target that equals its
// source stays equal to the bit.
template <typename T>
void multi_update(Tensors& in, int64_t count, bool copy, T scale, T decay) {
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    T* to = in[i].data<T>();
    const T* from = in[count + i].data<T>();
    const int64_t size = in[i].size();
    if (copy) {
      std::copy(from, from + size, to);
      continue;
    }
#pragma omp simd
    for (int64_t k = 0; k < size; ++k) to[k] += scale * (from[k] + decay * to[k]);
  }
}

// The output is the number of arrays: an operator must have one.
MXReturnValue multi_update_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const bool copy = attrs.at("copy") == "1";
  const double scale = std::stod(attrs.at("scale")), decay = std::stod(attrs.at("decay"));
  FOR_DTYPE(i[0], multi_update<T>(i, num_arrays(attrs), copy, scale, decay); o[0].data<T>()[0] = T(num_arrays(attrs)));
}

// In T within a block, in double across blocks.
template <typename T>
double sum_of_squares(const T* x, int64_t size) {
  double total = 0;
  for (int64_t first = 0; first < size; first += kColumns) {
    const int64_t end = std::min(first + kColumns, size);
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = first; k < end; ++k) sum += x[k] * x[k];
    total += sum;
  }
  return total;
}

// Scales arrays so that their common norm is at most `largest`; returns the factor, 1 where it is already.
template <typename T>
double clip_norm(Tensors& arrays, double largest) {
  const int64_t count = arrays.size();
  std::vector<double> squares(count);
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) squares[i] = sum_of_squares(arrays[i].data<T>(), arrays[i].size());
  double total = 0;
  for (double sum : squares) total += sum;
  const double factor = largest / (std::sqrt(total) + 1e-8);
  if (!(factor < 1)) return 1;
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) {
    T* x = arrays[i].data<T>();
    const int64_t size = arrays[i].size();
#pragma omp simd
    for (int64_t k = 0; k < size; ++k) x[k] *= T(factor);
  }
  return factor;
}

MXReturnValue clip_norm_num_inputs(const Attrs& attrs, int* in, int* out) {
  *in = num_arrays(attrs);
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue clip_norm_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], o[0].data<T>()[0] = T(clip_norm<T>(i, std::stod(attrs.at("largest")))));
}

}  // namespace

REGISTER_OP(gluon_attn_clip_norm)
    .setForward(clip_norm_forward, "cpu")
    .setParseAttrs(clip_norm_num_inputs)
    .setMutateInputs(multi_update_mutates)
    .setInferType(infer_same_dtype)
    .setInferShape(multi_update_infer_shape);

REGISTER_OP(gluon_attn_multi_update)
    .setForward(multi_update_forward, "cpu")
    .setParseAttrs(multi_update_num_inputs)
    .setMutateInputs(multi_update_mutates)
    .setInferType(infer_same_dtype)
    .setInferShape(multi_update_infer_shape);
