// ReLU, depthwise and 1x1 convolution of one sample, and their backward pass, for one or several branches that read the
// same map. The map between the convolutions stays in the cache and is computed again in the backward pass.

#ifndef GLUON_ATTN_SEPARABLE_H_
#define GLUON_ATTN_SEPARABLE_H_

#include "depthwise.h"
#include "gemm_tiles.h"

// The numbers in a tuple's text, such as "(3, 5)".
inline std::vector<int64_t> numbers(const std::string& text) {
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
  // How many weights the branches before this one have.
  int64_t first_weight(size_t branch) const {
    int64_t count = 0;
    for (size_t b = 0; b < branch; ++b) count += depthwise_size(b) + pointwise_size();
    return count;
  }
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
    add_grad_weight(grad_output, s.out_channels, s.out_pixels, sample->template depthwise<kernel>(d, branch.depthwise),
                    &grads->sums[weights * s.channels]);
  }
  pointwise(grads->transposed.data(), ChannelMatrix<T>{grad_output, s.out_channels, s.out_pixels}, s.channels,
            s.out_pixels, between->data());
  for (int64_t c = 0; c < s.channels; ++c) {
    const T* grad = between->data() + c * s.out_pixels;
    fill_grad(d, grad, &grads->padded_grad);
    channel_backward<kernel>(d, sample->input(c, d), grad, branch.depthwise + c * weights, grads->padded_grad,
                             &grads->sums[c * weights], add, grad_input + c * s.in_pixels);
  }
}

#endif  // GLUON_ATTN_SEPARABLE_H_
