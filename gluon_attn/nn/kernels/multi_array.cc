// Updates of many arrays in one call, on the CPU in float32 or float64: for thousands of small arrays MXNet's call per
// array takes longer than the arithmetic.

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

}  // namespace

REGISTER_OP(gluon_attn_multi_update)
    .setForward(multi_update_forward, "cpu")
    .setParseAttrs(multi_update_num_inputs)
    .setMutateInputs(multi_update_mutates)
    .setInferType(infer_same_dtype)
    .setInferShape(multi_update_infer_shape);
