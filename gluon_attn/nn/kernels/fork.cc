// A map for two readers: their gradients are added by vectors in bfloat16, too, where MXNet adds number by number.

#include "common.h"

namespace {

template <typename T>
void copy_twice(int64_t size, const T* x, T* first, T* second) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) first[i] = second[i] = x[i];
}

template <typename T>
void add(int64_t size, const T* a, const T* b, T* sum) {
  typedef typename Wide<T>::type W;
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < size; ++i) sum[i] = W(a[i]) + W(b[i]);
}

MXReturnValue fork_inputs(const Attrs&, int* in, int* out) {
  *in = 1;
  *out = 2;
  return MX_SUCCESS;
}

MXReturnValue fork_infer_shape(const Attrs&, Shapes* in, Shapes* out) {
  (*out)[0] = (*out)[1] = (*in)[0];
  return MX_SUCCESS;
}

MXReturnValue fork_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_MAP_DTYPE(i[0], copy_twice(i[0].size(), i[0].data<T>(), o[0].data<T>(), o[1].data<T>()));
}

// in: the gradients of both outputs, then x and both outputs
MXReturnValue fork_backward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors& i = *in;
  FOR_MAP_DTYPE(i[0], add(i[0].size(), i[0].data<T>(), i[1].data<T>(), (*out)[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_fork)
    .setForward(fork_forward, "cpu")
    .setBackward(fork_backward, "cpu")
    .setParseAttrs(fork_inputs)
    .setInferType(infer_map_dtype<0b1, true>)
    .setInferShape(fork_infer_shape);
