// What all operators share: views of arrays, parallel loops, and dtype and shape inference for MXNet.

#ifndef GLUON_ATTN_COMMON_H_
#define GLUON_ATTN_COMMON_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "bfloat16.h"
#include "mxnet/lib_api.h"

using namespace mxnet::ext;  // NOLINT

typedef std::unordered_map<std::string, std::string> Attrs;
typedef std::vector<MXTensor> Tensors;
typedef std::vector<std::vector<unsigned int>> Shapes;

// Whether convolutions compute the gradients of their weights; see library.cc.
extern bool weight_gradients;

constexpr MXDType kBfloat16 = static_cast<MXDType>(12);  // of mshadow; lib_api.h does not name it

constexpr int64_t kColumns = 1024;  // per task; its accumulators fit into the L1 cache

// An array as outer x axis x inner: `axis` is what is reduced or broadcast, `outer` the axes before, `inner` those
// after.
struct View {
  int64_t outer, axis, inner;
};

// The product of shape[from] ... shape[to - 1].
inline int64_t size(const std::vector<int64_t>& shape, size_t from, size_t to) {
  int64_t product = 1;
  for (size_t i = from; i < to; ++i) product *= shape[i];
  return product;
}

// `shape` seen along the axes that have length 1 in `reduced` only; they must be neighbors.
inline View broadcast_view(const std::vector<int64_t>& shape, const std::vector<int64_t>& reduced) {
  size_t from = 0, to = shape.size();
  while (from < to && shape[from] == reduced[from]) ++from;
  while (to > from && shape[to - 1] == reduced[to - 1]) --to;
  return {size(shape, 0, from), size(shape, from, to), size(shape, to, shape.size())};
}

// A map as its channels' pixels.
inline View lines(const MXTensor& map) { return {map.shape[0] * map.shape[1], map.shape[2] * map.shape[3], 1}; }

// Mean and squared deviations, added up, of the pixels of a channel.
template <typename T>
struct Moments {
  T mean, squares;
  Moments(const T* x, int64_t pixels) {
    T sum = 0, deviations = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < pixels; ++i) sum += x[i];
    mean = sum / pixels;
#pragma omp simd reduction(+ : deviations)
    for (int64_t i = 0; i < pixels; ++i) deviations += (x[i] - mean) * (x[i] - mean);
    squares = deviations;
  }
};

// Calls body(outer index, first column, end column) in parallel, for blocks that cover all inner columns.
template <typename Body>
void parallel_columns(const View& v, Body body) {
  const int64_t blocks = (v.inner + kColumns - 1) / kColumns;
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < v.outer * blocks; ++task) {
    const int64_t first = task % blocks * kColumns;
    body(task / blocks, first, std::min(first + kColumns, v.inner));
  }
}

// All inputs and outputs have one dtype, float32 or float64. -1: not known yet.
inline MXReturnValue infer_same_dtype(const Attrs&, std::vector<int>* in, std::vector<int>* out) {
  int known = -1;
  for (auto* dtypes : {in, out})
    for (int dtype : *dtypes) {
      if (dtype == -1) continue;
      if ((known != -1 && dtype != known) || (dtype != kFloat32 && dtype != kFloat64)) return MX_FAIL;
      known = dtype;
    }
  for (auto* dtypes : {in, out})
    for (int& dtype : *dtypes) dtype = known;
  return MX_SUCCESS;
}

// Maps have one dtype, float32, float64 or bfloat16; the other arrays, statistics, have the dtype of their sums.
// Bit i of `maps`: whether input i is a map. -1: not known yet; float32 statistics do not tell what the maps are.
template <unsigned maps, bool map_out>
MXReturnValue infer_map_dtype(const Attrs&, std::vector<int>* in, std::vector<int>* out) {
  int map = -1, wide = -1;
  for (size_t i = 0; i < in->size(); ++i) {
    const int dtype = (*in)[i];
    int& known = maps >> i & 1 ? map : wide;
    if (dtype == -1) continue;
    if (known != -1 && dtype != known) return MX_FAIL;
    known = dtype;
  }
  if (map == -1 && wide == kFloat64) map = wide;
  if (map != -1 && map != kFloat32 && map != kFloat64 && map != kBfloat16) return MX_FAIL;
  const int sums = map == kBfloat16 ? static_cast<int>(kFloat32) : map;
  if (wide != -1 && (map == -1 ? wide != kFloat32 : wide != sums)) return MX_FAIL;
  if (map != -1) wide = sums;
  for (size_t i = 0; i < in->size(); ++i) (*in)[i] = maps >> i & 1 ? map : wide;
  for (int& dtype : *out) dtype = map_out ? map : wide;
  return MX_SUCCESS;
}

template <int inputs>
MXReturnValue num_inputs(const Attrs&, int* in, int* out) {
  *in = inputs;
  *out = 1;
  return MX_SUCCESS;
}

// Map, weights and, with attribute `bias` 1, a bias.
inline MXReturnValue num_inputs_with_bias(const Attrs& attrs, int* in, int* out) {
  *in = 2 + std::stoi(attrs.at("bias"));
  *out = 1;
  return MX_SUCCESS;
}

inline MXReturnValue infer_shape_of_first(const Attrs&, Shapes* in, Shapes* out) {
  (*out)[0] = (*in)[0];
  return MX_SUCCESS;
}

// Runs a statement with T as the dtype of `tensor`, then returns success.
#define FOR_DTYPE(tensor, ...)      \
  if ((tensor).dtype == kFloat32) { \
    typedef float T;                \
    __VA_ARGS__;                    \
  } else {                          \
    typedef double T;               \
    __VA_ARGS__;                    \
  }                                 \
  return MX_SUCCESS

// The same with T as the dtype of `map`, which may be bfloat16, and W as that of its sums.
#define FOR_MAP_DTYPE(map, ...)           \
  if ((map).dtype == kBfloat16) {         \
    typedef bfloat16 T;                   \
    typedef float W;                      \
    __VA_ARGS__;                          \
    return MX_SUCCESS;                    \
  }                                       \
  FOR_DTYPE(map, typedef T W; __VA_ARGS__)

#endif  // GLUON_ATTN_COMMON_H_
