// Many arrays moved at once, for the CPU and float32 or float64: thousands of small ones take MXNet longer to name than
// to read.

#include "common.h"

bool weight_gradients = true;

extern "C" void gluon_attn_weight_gradients(int wanted) { weight_gradients = wanted; }

namespace {

int64_t pairs(const Attrs& attrs) { return std::stol(attrs.at("pairs")); }

// The targets, then as many sources.
MXReturnValue takes_pairs(const Attrs& attrs, int* in, int* out) {
  *in = 2 * pairs(attrs);
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue shape_of_number(const Attrs&, Shapes*, Shapes* out) {
  (*out)[0] = {1};
  return MX_SUCCESS;
}

MXReturnValue targets(const Attrs& attrs, std::vector<int>* mutated) {
  for (int64_t i = 0; i < pairs(attrs); ++i) mutated->push_back(i);
  return MX_SUCCESS;
}

// target += factor (source + decay target), where what is equal stays to the bit with decay -1; or target = source.
template <typename T>
void move(Tensors& in, int64_t count, bool copied, T factor, T decay) {
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    T* to = in[i].data<T>();
    const T* from = in[count + i].data<T>();
    const int64_t size = in[i].size();
    if (copied) {
      std::copy(from, from + size, to);
      continue;
    }
#pragma omp simd
    for (int64_t k = 0; k < size; ++k) to[k] += factor * (from[k] + decay * to[k]);
  }
}

MXReturnValue move_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const bool copied = attrs.at("copied") == "1";
  const double factor = std::stod(attrs.at("factor")), decay = std::stod(attrs.at("decay"));
  FOR_TYPE(i[0], move<T>(i, pairs(attrs), copied, factor, decay); o[0].data<T>()[0] = T(pairs(attrs)));
}

}  // namespace

REGISTER_OP(gluon_attn_move)
    .setForward(move_forward, "cpu")
    .setParseAttrs(takes_pairs)
    .setMutateInputs(targets)
    .setInferType(same_type)
    .setInferShape(shape_of_number);
