// ReLU, depthwise and 1x1 convolution of one or several branches that read the same map, as one operator, on the CPU in
// float32 or float64. The gradients of the map are added up sample by sample, in the cache.

#include "part_sums.h"
#include "separable.h"

namespace {

template <typename T>
void forward(const SeparableShape& s, const T* x, const std::vector<Branch<T>>& branches) {
#pragma omp parallel
  {
    Sample<T> sample(s);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < s.samples; ++i) {
      sample.read(x + i * s.channels * s.in_pixels);
      for (size_t b = 0; b < branches.size(); ++b)
        FOR_KERNEL(s.branches[b].kernel, branch_forward)
        (s, s.branches[b], branches[b], &sample, branches[b].map + i * s.out_channels * s.out_pixels);
    }
  }
}

// branches: with the gradients of their outputs. sums: of the weights of all branches.
template <typename T>
void backward(const SeparableShape& s, const T* x, const std::vector<Branch<T>>& branches, T* grad_input,
              PartSums<T>* sums) {
  const int64_t in_size = s.channels * s.in_pixels;
#pragma omp parallel
  {
    Sample<T> sample(s);
    std::vector<T> between(s.channels * s.out_pixels);
    std::vector<Gradients<T>> grads;
    for (size_t b = 0; b < branches.size(); ++b) grads.emplace_back(s, b, branches[b].pointwise);
#pragma omp for schedule(static)
    for (int64_t part = 0; part < kParts; ++part) {
      for (auto& of_branch : grads)
        if (weight_gradients) std::fill(of_branch.sums.begin(), of_branch.sums.end(), typename Simd<T>::Vector{});
      for (int64_t i = first_sample(part, s.samples); i < first_sample(part + 1, s.samples); ++i) {
        const T* map = x + i * in_size;
        T* to = grad_input + i * in_size;
        if (weight_gradients) sample.read(map);
        for (size_t b = 0; b < branches.size(); ++b)
          FOR_KERNEL(s.branches[b].kernel, branch_backward)
          (s, s.branches[b], branches[b], branches[b].map + i * s.out_channels * s.out_pixels, &sample, &between,
           &grads[b], b > 0, to);
        for (int64_t k = 0; k < in_size; ++k) to[k] = map[k] > T(0) ? to[k] : T(0);
      }
      for (size_t b = 0; weight_gradients && b < branches.size(); ++b)
        sums->set(part, s.first_weight(b), grads[b].sums);
    }
  }
}

MXReturnValue separable_num_inputs(const Attrs& attrs, int* in, int* out) {
  *out = numbers(attrs.at("kernel")).size();
  *in = 1 + 2 * *out;
  return MX_SUCCESS;
}

MXReturnValue separable_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int out_channels = std::stoul(attrs.at("channels"));
  const std::vector<int64_t> kernels = numbers(attrs.at("kernel"));
  for (size_t b = 0; b < kernels.size(); ++b) {
    Shapes of_branch{(*in)[0], {}}, map(1);
    const Attrs window{{"kernel", std::to_string(kernels[b])}, {"stride", attrs.at("stride")}};
    if (depthwise_infer_shape(window, &of_branch, &map) != MX_SUCCESS) return MX_FAIL;
    (*in)[1 + 2 * b] = of_branch[1];
    (*in)[2 + 2 * b] = {out_channels, (*in)[0][1], 1, 1};
    (*out)[b] = map[0];
    (*out)[b][1] = out_channels;
  }
  return MX_SUCCESS;
}

// The branches whose weights are weights[first], weights[first + 1], ..., with a map for each.
template <typename T>
std::vector<Branch<T>> branches_of(Tensors& weights, size_t first, Tensors& maps, size_t count) {
  std::vector<Branch<T>> branches(count);
  for (size_t b = 0; b < count; ++b)
    branches[b] = {weights[first + 2 * b].data<T>(), weights[first + 2 * b + 1].data<T>(), maps[b].data<T>()};
  return branches;
}

MXReturnValue separable_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const SeparableShape s(attrs, i[0].shape);
  FOR_DTYPE(i[0], forward(s, i[0].data<T>(), branches_of<T>(i, 1, o, o.size())));
}

template <typename T>
void separable_gradients(const SeparableShape& s, Tensors& i, Tensors& o) {
  const size_t count = s.branches.size();
  PartSums<T> sums(s.first_weight(count));
  backward(s, i[count].data<T>(), branches_of<T>(i, count + 1, i, count), o[0].data<T>(), &sums);
  for (size_t b = 0; weight_gradients && b < count; ++b) {
    sums.total(s.first_weight(b), s.depthwise_size(b), o[1 + 2 * b].data<T>());
    sums.total(s.first_weight(b) + s.depthwise_size(b), s.pointwise_size(), o[2 + 2 * b].data<T>());
  }
}

// in: the gradients of the outputs, the inputs, the outputs
MXReturnValue separable_backward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  const SeparableShape s(attrs, (*in)[numbers(attrs.at("kernel")).size()].shape);
  FOR_DTYPE((*in)[0], separable_gradients<T>(s, *in, *out));
}

}  // namespace

REGISTER_OP(gluon_attn_separable)
    .setForward(separable_forward, "cpu")
    .setBackward(separable_backward, "cpu")
    .setParseAttrs(separable_num_inputs)
    .setInferType(infer_same_dtype)
    .setInferShape(separable_infer_shape);
