// ReLU, depthwise convolution and convolution by single pixels in one, for the CPU and float32 or float64: what lies
// between them, as large as what comes in, stays in a cache and is made again on the way back.

#include "correlate.h"
#include "tiles.h"

namespace {

constexpr int64_t kParts = 8;  // that images are summed in: fixed, so that threads do not change the sums

struct Separable {
  Depthwise d;
  int64_t outside, in, out;  // channels that come out; pixels of a map
  Separable(const Attrs& attrs, const std::vector<int64_t>& x, const std::vector<int64_t>& depthwise,
            const std::vector<int64_t>& pointwise)
      : d(attrs, x, depthwise.at(2)), outside(pointwise.at(0)), in(d.height * d.width), out(d.rows * d.columns) {}
};

// The depthwise convolution of the positive part of an image.
template <typename T>
class Middle {
 public:
  explicit Middle(const Separable& s)
      : s_(s), line_(s.out + Lanes<T>::count), frame_(for_maps<T>(s.d)), maps_(s.d.channels * line_) {}

  const Framed<T>& framed(const T* x, int64_t channel) {
    frame_.fill(x + channel * s_.in, s_.d.height, s_.d.width, s_.d.pad, 1,
                [](T value) { return value > T(0) ? value : T(0); });
    return frame_;
  }

  template <int64_t kernel>
  void make(const T* x, const T* weight) {
    for (int64_t c = 0; c < s_.d.channels; ++c)
      correlate<kernel>(framed(x, c), weight + c * kernel * kernel, s_.d.dilate, s_.d.stride, s_.d.rows, s_.d.columns,
                        &maps_[c * line_]);
  }

  Maps<T> maps() const { return {maps_.data(), s_.d.channels, line_}; }

 private:
  const Separable& s_;
  const int64_t line_;
  Framed<T> frame_;
  std::vector<T> maps_;
};

template <typename T>
void multiply_image(const T* weight, const Maps<T>& x, int64_t outside, int64_t pixels, T* y) {
  product_columns<T>(weight, nullptr, x, outside, pixels, 0, pixels, y);
}

template <int64_t kernel, typename T>
void forward(const Separable& s, const T* x, const T* depthwise, const T* pointwise, T* y) {
#pragma omp parallel
  {
    Middle<T> middle(s);
#pragma omp for schedule(static)
    for (int64_t image = 0; image < s.d.images; ++image) {
      middle.template make<kernel>(x + image * s.d.channels * s.in, depthwise);
      multiply_image(pointwise, middle.maps(), s.outside, s.out, y + image * s.outside * s.out);
    }
  }
}

// Gradients of both weights by some of the images, a vector of partial sums for each number.
template <typename T>
struct Share {
  typedef std::vector<typename Lanes<T>::V> Sums;
  Sums depthwise, pointwise;
  Share(int64_t taps, int64_t pairs) : depthwise(taps), pointwise(pairs) {}

  void clear() {
    for (Sums* sums : {&depthwise, &pointwise}) std::fill(sums->begin(), sums->end(), typename Lanes<T>::V{});
  }
  // Numbers, those of the depthwise convolution first.
  void write(T* to) const {
    for (const Sums* sums : {&depthwise, &pointwise})
      for (const auto& sum : *sums) *to++ = Lanes<T>::sum(sum);
  }
};

template <int64_t kernel, typename T>
void backward_image(const Separable& s, const T* slope, const T* x, const T* depthwise, const T* turned,
                    Middle<T>* middle, Framed<T>* spread, std::vector<T>* slopes, Share<T>* share, T* dx) {
  constexpr int64_t taps = kernel * kernel;
  const Depthwise& d = s.d;
  if (weight_gradients) {
    middle->template make<kernel>(x, depthwise);
    by_tiles(0, s.outside, [&](auto rows, int64_t row) ALWAYS_INLINE_BODY {
      add_all_products<rows>(slope + row * s.out, s.out, middle->maps(), &share->pointwise[row * d.channels]);
    });
  }
  multiply_image(turned, Maps<T>{slope, s.outside, s.out}, d.channels, s.out, slopes->data());
  for (int64_t c = 0; c < d.channels; ++c) {
    T* to = dx + c * s.in;
    channel_gradients<kernel>(d, middle->framed(x, c), slopes->data() + c * s.out, depthwise + c * taps, spread,
                              &share->depthwise[c * taps], to);
    const T* map = x + c * s.in;
    for (int64_t k = 0; k < s.in; ++k) to[k] = map[k] > T(0) ? to[k] : T(0);
  }
}

template <int64_t kernel, typename T>
void backward(const Separable& s, const T* slope, const T* x, const T* depthwise, const T* pointwise, T* dx,
              T* ddepthwise, T* dpointwise) {
  const Depthwise& d = s.d;
  const std::vector<T> turned = transposed(pointwise, s.outside, d.channels);
  const int64_t taps = d.channels * kernel * kernel, pairs = s.outside * d.channels, all = taps + pairs;
  const int64_t parts = std::min(kParts, d.images);
  std::vector<T> sums(parts * all);
#pragma omp parallel
  {
    Middle<T> middle(s);
    Framed<T> spread = for_slopes<T>(d);
    std::vector<T> slopes(d.channels * s.out);
    Share<T> share(taps, pairs);
#pragma omp for schedule(static)
    for (int64_t part = 0; part < parts; ++part) {
      share.clear();
      for (int64_t image = part * d.images / parts; image < (part + 1) * d.images / parts; ++image)
        backward_image<kernel>(s, slope + image * s.outside * s.out, x + image * d.channels * s.in, depthwise,
                               turned.data(), &middle, &spread, &slopes, &share, dx + image * d.channels * s.in);
      share.write(&sums[part * all]);
    }
  }
  for (int64_t i = 0; weight_gradients && i < all; ++i) {
    T total = 0;
    for (int64_t part = 0; part < parts; ++part) total += sums[part * all + i];
    (i < taps ? ddepthwise[i] : dpointwise[i - taps]) = total;
  }
}

MXReturnValue separable_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const unsigned int outside = std::stoul(attrs.at("channels"));
  if (windows_shape(attrs, in, out) != MX_SUCCESS) return MX_FAIL;
  (*in)[2] = {outside, (*in)[0][1], 1, 1};
  (*out)[0][1] = outside;
  return MX_SUCCESS;
}

MXReturnValue separable_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const Separable s(attrs, i[0].shape, i[1].shape, i[2].shape);
  FOR_TYPE(i[0], BY_KERNEL(s.d.kernel, forward)(s, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>()));
}

// in: slope, x, weights of both, y
MXReturnValue separable_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const Separable s(attrs, i[1].shape, i[2].shape, i[3].shape);
  FOR_TYPE(i[0], BY_KERNEL(s.d.kernel, backward)(s, i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), i[3].data<T>(),
                                                 o[0].data<T>(), o[1].data<T>(), o[2].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_separable)
    .setForward(separable_forward, "cpu")
    .setBackward(separable_back, "cpu")
    .setParseAttrs(takes<3>)
    .setInferType(same_type)
    .setInferShape(separable_shape);
