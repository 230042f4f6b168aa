// ReLU, depthwise and 1x1 convolution of one or several branches that read the same map, as one operator, on the CPU in
// float32 or float64. The feature map between the two convolutions, as large as the input, stays in the cache and is
// computed again in the backward pass; the gradients of the branches are added up there.

#include "depthwise.h"
#include "gemm_tiles.h"

namespace {

constexpr int64_t kParts = 8;  // groups of samples to sum gradients in; fixed, so that threads do not change the sums

// The numbers in a tuple's text, such as "(3, 5)".
std::vector<int64_t> numbers(const std::string& text) {
  std::vector<int64_t> found;
  for (size_t from = text.find_first_of("0123456789"), end; from != std::string::npos;
       from = text.find_first_of("0123456789", end)) {
    end = std::min(text.find_first_not_of("0123456789", from), text.size());
    found.push_back(std::stol(text.substr(from, end - from)));
  }
  return found;
}

struct SeparableShape {
  std::vector<DepthwiseShape> branches;
  int64_t samples, channels, out_channels, in_pixels, out_pixels, pad = 0;  // pad: the largest of the branches

  SeparableShape(const Attrs& attrs, const std::vector<int64_t>& x) : out_channels(std::stol(attrs.at("channels"))) {
    const std::vector<int64_t> kernels = numbers(attrs.at("kernel")), dilations = numbers(attrs.at("dilate"));
    for (size_t b = 0; b < kernels.size(); ++b) {
      branches.emplace_back(x, kernels[b], std::stol(attrs.at("stride")), dilations.at(b));
      pad = std::max(pad, branches.back().pad);
    }
    const DepthwiseShape& d = branches.at(0);
    samples = d.samples, channels = d.channels;
    in_pixels = d.height * d.width, out_pixels = d.out_height * d.out_width;
  }
  int64_t depthwise_size(size_t branch) const { return channels * branches[branch].kernel * branches[branch].kernel; }
  int64_t pointwise_size() const { return out_channels * channels; }
};

// The arrays of a branch: both weights, and its output or its gradients.
template <typename T>
struct Branch {
  T *depthwise, *pointwise, *map = nullptr;
};

// What a thread needs for one sample. All branches read relu(x), padded, of every channel.
template <typename T>
class Sample {
 public:
  explicit Sample(const SeparableShape& s)
      : s_(s), stride_(s.out_pixels + Simd<T>::width), inputs_(s.channels, padded_input<T>(s.branches[0], s.pad)),
        between_(s.channels * stride_) {}

  void read(const T* x) {
    const DepthwiseShape& d = s_.branches[0];
    for (int64_t c = 0; c < s_.channels; ++c)
      inputs_[c].fill(x + c * s_.in_pixels, d.height, d.width, s_.pad, 1,
                      [](T value) { return value > T(0) ? value : T(0); });
  }

  typename PaddedMap<T>::View input(int64_t channel, const DepthwiseShape& d) const {
    return inputs_[channel].view(s_.pad - d.pad);
  }

  // The depthwise convolution of all channels.
  template <int64_t kernel>
  ChannelMatrix<T> depthwise(const DepthwiseShape& d, const T* weight) {
    for (int64_t c = 0; c < s_.channels; ++c)
      conv_channel<kernel>(input(c, d), weight + c * kernel * kernel, d.dilate, d.stride, d.out_height, d.out_width,
                           false, &between_[c * stride_]);
    return {between_.data(), s_.channels, stride_};
  }

 private:
  const SeparableShape& s_;
  const int64_t stride_;
  std::vector<PaddedMap<T>> inputs_;
  std::vector<T> between_;
};

template <typename T>
void pointwise(const T* weight, const ChannelMatrix<T>& x, int64_t out_channels, int64_t pixels, T* y) {
  gemm_columns<T>(weight, nullptr, x, out_channels, pixels, 0, pixels, y);
}

template <int64_t kernel, typename T>
void branch_forward(const SeparableShape& s, const DepthwiseShape& d, const Branch<T>& branch, Sample<T>* sample,
                    T* y) {
  pointwise(branch.pointwise, sample->template depthwise<kernel>(d, branch.depthwise), s.out_channels, s.out_pixels, y);
}

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

// What a thread needs for the backward pass of a branch; sums has a vector of partial sums per weight, those of the
// depthwise convolution first.
template <typename T>
struct Gradients {
  std::vector<T> transposed;  // the weights of the 1x1 convolution
  PaddedMap<T> padded_grad;
  std::vector<typename Simd<T>::Vector> sums;
  Gradients(const SeparableShape& s, size_t branch, const T* pointwise)
      : transposed(transpose(pointwise, s.out_channels, s.channels)),
        padded_grad(padded_grad_output<T>(s.branches[branch])), sums(s.depthwise_size(branch) + s.pointwise_size()) {}
};

// between: a buffer for the gradient of the depthwise output. add: to grad_input, which is that of relu(x).
template <int64_t kernel, typename T>
void branch_backward(const SeparableShape& s, const DepthwiseShape& d, const Branch<T>& branch, const T* grad_output,
                     Sample<T>* sample, std::vector<T>* between, Gradients<T>* grads, bool add, T* grad_input) {
  constexpr int64_t weights = kernel * kernel;
  if (weight_gradients) {
    const ChannelMatrix<T> depthwise = sample->template depthwise<kernel>(d, branch.depthwise);
    for_row_tiles(0, s.out_channels, [&](auto rows, int64_t row) ALWAYS_INLINE_BODY {
      add_grad_weight_rows<rows>(grad_output + row * s.out_pixels, s.out_pixels, depthwise,
                                 &grads->sums[(weights + row) * s.channels]);
    });
  }
  pointwise(grads->transposed.data(), ChannelMatrix<T>{grad_output, s.out_channels, s.out_pixels}, s.channels,
            s.out_pixels, between->data());
  for (int64_t c = 0; c < s.channels; ++c)
    channel_backward<kernel>(d, sample->input(c, d), between->data() + c * s.out_pixels, branch.depthwise + c * weights,
                             &grads->padded_grad, &grads->sums[c * weights], add, grad_input + c * s.in_pixels);
}

// branches: with the gradients of their outputs. sums: kParts rows of partial sums of all weights.
template <typename T>
void backward(const SeparableShape& s, const T* x, const std::vector<Branch<T>>& branches, T* grad_input,
              std::vector<T>* sums) {
  const int64_t all = sums->size() / kParts, in_size = s.channels * s.in_pixels;
#pragma omp parallel
  {
    Sample<T> sample(s);
    std::vector<T> between(s.channels * s.out_pixels);
    std::vector<Gradients<T>> grads;
    for (size_t b = 0; b < branches.size(); ++b) grads.emplace_back(s, b, branches[b].pointwise);
#pragma omp for schedule(static)
    for (int64_t part = 0; part < kParts; ++part) {
      for (auto& of_branch : grads) std::fill(of_branch.sums.begin(), of_branch.sums.end(), typename Simd<T>::Vector{});
      for (int64_t i = part * s.samples / kParts; i < (part + 1) * s.samples / kParts; ++i) {
        const T* map = x + i * in_size;
        T* to = grad_input + i * in_size;
        if (weight_gradients) sample.read(map);
        for (size_t b = 0; b < branches.size(); ++b)
          FOR_KERNEL(s.branches[b].kernel, branch_backward)
          (s, s.branches[b], branches[b], branches[b].map + i * s.out_channels * s.out_pixels, &sample, &between,
           &grads[b], b > 0, to);
        for (int64_t k = 0; k < in_size; ++k) to[k] = map[k] > T(0) ? to[k] : T(0);
      }
      T* to = &(*sums)[part * all];
      for (const auto& of_branch : grads)
        for (const auto& sum : of_branch.sums) *to++ = Simd<T>::sum(sum);
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
  int64_t all = 0;
  for (size_t b = 0; b < count; ++b) all += s.depthwise_size(b) + s.pointwise_size();
  std::vector<T> sums(kParts * all);
  backward(s, i[count].data<T>(), branches_of<T>(i, count + 1, i, count), o[0].data<T>(), &sums);
  int64_t weight = 0;
  for (size_t k = 1; weight_gradients && k < o.size(); ++k) {
    T* to = o[k].data<T>();
    for (int64_t n = 0; n < o[k].size(); ++n, ++weight) {
      to[n] = 0;
      for (int64_t part = 0; part < kParts; ++part) to[n] += sums[part * all + weight];
    }
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
