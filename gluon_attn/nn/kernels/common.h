// What the operators share: how an array is seen, how work is cut, how MXNet is told of types and shapes.

#ifndef GLUON_ATTN_COMMON_H_
#define GLUON_ATTN_COMMON_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "mxnet/lib_api.h"

using namespace mxnet::ext;  // NOLINT

typedef std::unordered_map<std::string, std::string> Attrs;
typedef std::vector<MXTensor> Tensors;
typedef std::vector<std::vector<unsigned int>> Shapes;

// Whether convolutions write the gradients of their weights; see `kernels.inputs_only`.
extern bool weight_gradients;

constexpr int64_t kColumns = 1024;  // of one task; its accumulators fit in the first cache

// An array as outer x axis x inner: outer the axes before those that are pooled or broadcast, inner those behind.
struct View {
  int64_t outer, axis, inner;
};

inline int64_t size(const std::vector<int64_t>& shape, size_t from, size_t to) {
  int64_t product = 1;
  for (size_t i = from; i < to; ++i) product *= shape[i];
  return product;
}

// Runs body(outer, first column, end column) for all columns of all outer parts, in parallel.
template <typename Body>
void columns(const View& v, Body body) {
  const int64_t parts = (v.inner + kColumns - 1) / kColumns;
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < v.outer * parts; ++task) {
    const int64_t first = task % parts * kColumns;
    body(task / parts, first, std::min(first + kColumns, v.inner));
  }
}

// -1: not known yet
inline MXReturnValue same_type(const Attrs&, std::vector<int>* in, std::vector<int>* out) {
  int known = -1;
  for (auto* types : {in, out})
    for (int type : *types) {
      if (type == -1) continue;
      if ((known != -1 && type != known) || (type != kFloat32 && type != kFloat64)) return MX_FAIL;
      known = type;
    }
  for (auto* types : {in, out})
    for (int& type : *types) type = known;
  return MX_SUCCESS;
}

template <int inputs>
MXReturnValue takes(const Attrs&, int* in, int* out) {
  *in = inputs;
  *out = 1;
  return MX_SUCCESS;
}

inline MXReturnValue shape_of_first(const Attrs&, Shapes* in, Shapes* out) {
  (*out)[0] = (*in)[0];
  return MX_SUCCESS;
}

#define FOR_TYPE(tensor, ...)       \
  if ((tensor).dtype == kFloat32) { \
    typedef float T;                \
    __VA_ARGS__;                    \
  } else {                          \
    typedef double T;               \
    __VA_ARGS__;                    \
  }                                 \
  return MX_SUCCESS

#endif  // GLUON_ATTN_COMMON_H_
