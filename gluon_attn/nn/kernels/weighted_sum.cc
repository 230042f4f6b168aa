// sum_i w_i x_i of feature maps, on the CPU in float32 or float64. A term may be batch-normalized on the way, with
// given statistics: sum_i w_i (x_i - mean_i) inv_std_i. The normalized feature map is never written to memory.

#include "channel_stats.h"
#include "simd.h"

namespace {

// The inputs are the weights, then per term its feature map, which for a normalized term is followed by the others of
// these. NORMALIZED is an output of MXNet's norm that is not used here.
enum { MAP, STATS, NORMALIZED, MEAN, INV_STD, RUNNING_MEAN, RUNNING_VAR, INPUTS_OF_NORMALIZED };

struct TermInputs {
  size_t first;  // index of the feature map among the inputs
  bool normalized;
};

// Attribute "normalized" has a digit per term: 1 for a normalized one, else 0.
std::vector<TermInputs> inputs_of_terms(const Attrs& attrs) {
  std::vector<TermInputs> found;
  size_t first = 1;
  for (char digit : attrs.at("normalized")) {
    found.push_back({first, digit == '1'});
    first += digit == '1' ? INPUTS_OF_NORMALIZED : 1;
  }
  return found;
}

template <typename T>
struct Term {
  T weight;
  const T *x, *means, *inv_stds;  // the last two are null without a norm
  Term(Tensors& in, size_t shift, const TermInputs& inputs, T weight)
      : weight(weight), x(in[shift + inputs.first].data<T>()), means(nullptr), inv_stds(nullptr) {
    if (!inputs.normalized) return;
    means = in[shift + inputs.first + MEAN].data<T>();
    inv_stds = in[shift + inputs.first + INV_STD].data<T>();
  }
  T mean(int64_t channel) const { return means ? means[channel] : T(0); }
  T inv_std(int64_t channel) const { return inv_stds ? inv_stds[channel] : T(1); }
};

template <typename T>
std::vector<Term<T>> terms_of(const Attrs& attrs, Tensors& in, size_t shift) {
  std::vector<Term<T>> found;
  for (const TermInputs& inputs : inputs_of_terms(attrs))
    found.emplace_back(in, shift, inputs, in[shift].data<T>()[found.size()]);
  return found;
}

// means, scales: room for a number of each term, so that small maps allocate nothing.
template <typename T>
void sum_of_map(const BatchShape& b, int64_t map, const std::vector<Term<T>>& terms, bool stream, T* means, T* scales,
                T* y) {
  typedef Simd<T> S;
  const int64_t channel = map % b.channels, first = map * b.pixels;
  for (size_t i = 0; i < terms.size(); ++i) {
    means[i] = terms[i].mean(channel);
    scales[i] = terms[i].weight * terms[i].inv_std(channel);
  }
  for (int64_t k = 0; k < b.pixels; k += S::width) {
    typename S::Vector total = {};
    for (size_t i = 0; i < terms.size(); ++i)
      total += (S::load(terms[i].x + first + k, b.pixels - k) - means[i]) * scales[i];
    S::put(total, y + first + k, b.pixels - k, stream);
  }
}

template <typename T>
void weighted_sum(const BatchShape& b, const std::vector<Term<T>>& terms, T* y) {
  const bool stream = streamed(y, b.samples * b.channels, b.pixels);
#pragma omp parallel
  {
    std::vector<T> means(terms.size()), scales(terms.size());
#pragma omp for schedule(static) nowait
    for (int64_t map = 0; map < b.samples * b.channels; ++map)
      sum_of_map(b, map, terms, stream, means.data(), scales.data(), y);
    Simd<T>::fence();
  }
}

// grad_input of one term in one channel. grad_mean, product_mean: means of grad_output and of its products with the
// normalized feature map.
template <typename T>
void term_backward(const BatchShape& b, int64_t channel, const T* grad_output, const Term<T>& term, T grad_mean,
                   T product_mean, T* grad_input) {
  typedef Simd<T> S;
  const T mean = term.mean(channel), correction = product_mean * term.inv_std(channel);
  const T scale = term.weight * term.inv_std(channel);
  const bool stream = streamed(grad_input, b.samples * b.channels, b.pixels);
  for (int64_t sample = 0; sample < b.samples; ++sample) {
    const T *grad = grad_output + b.offset(sample, channel), *x = term.x + b.offset(sample, channel);
    T* to = grad_input + b.offset(sample, channel);
    for (int64_t k = 0; k < b.pixels; k += S::width) {
      const int64_t remaining = b.pixels - k;
      const typename S::Vector centered = S::load(x + k, remaining) - mean;
      S::put(scale * (S::load(grad + k, remaining) - grad_mean - centered * correction), to + k, remaining, stream);
    }
  }
}

// The gradients of all terms in one channel. products: of grad_output and the normalized terms, added up.
template <typename T>
void channel_backward(const BatchShape& b, int64_t channel, const T* grad_output, const std::vector<Term<T>>& terms,
                      const std::vector<T*>& grad_inputs, double* products) {
  const double grad_sum = channel_sum<T>(b, channel, [=](int64_t k) { return grad_output[k]; });
  for (size_t i = 0; i < terms.size(); ++i) {
    const T *x = terms[i].x, mean = terms[i].mean(channel);
    const double centered_sum = channel_sum<T>(b, channel, [=](int64_t k) { return grad_output[k] * (x[k] - mean); });
    products[i] = centered_sum * terms[i].inv_std(channel);
    const double inv_count = terms[i].means ? 1 / b.count() : 0;
    term_backward<T>(b, channel, grad_output, terms[i], grad_sum * inv_count, products[i] * inv_count, grad_inputs[i]);
  }
}

template <typename T>
void weighted_sum_backward(const BatchShape& b, const T* grad_output, const std::vector<Term<T>>& terms,
                           const std::vector<T*>& grad_inputs, T* grad_weights) {
  std::vector<double> products(b.channels * terms.size());
  parallel_streams(b.channels, [&](int64_t channel) {
    channel_backward(b, channel, grad_output, terms, grad_inputs, &products[channel * terms.size()]);
  });
  for (size_t i = 0; i < terms.size(); ++i) {
    double sum = 0;
    for (int64_t channel = 0; channel < b.channels; ++channel) sum += products[channel * terms.size() + i];
    grad_weights[i] = sum;
  }
}

MXReturnValue weighted_sum_num_inputs(const Attrs& attrs, int* in, int* out) {
  const TermInputs last = inputs_of_terms(attrs).back();
  *in = last.first + (last.normalized ? INPUTS_OF_NORMALIZED : 1);
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue weighted_sum_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const std::vector<TermInputs> terms = inputs_of_terms(attrs);
  for (const TermInputs& term : terms)
    if ((*in)[term.first].size()) (*out)[0] = (*in)[term.first];
  if ((*out)[0].size() < 2) return MX_FAIL;
  const unsigned int channels = (*out)[0][1];
  (*in)[0] = {static_cast<unsigned int>(terms.size())};
  for (const TermInputs& term : terms) {
    (*in)[term.first] = (*out)[0];
    for (size_t i = STATS; term.normalized && i < INPUTS_OF_NORMALIZED; ++i) {
      (*in)[term.first + i] = {channels};
      if (i < MEAN) (*in)[term.first + i] = {2, channels, 1, 1};
    }
  }
  return MX_SUCCESS;
}

MXReturnValue weighted_sum_mutates(const Attrs& attrs, std::vector<int>* mutated) {
  for (const TermInputs& term : inputs_of_terms(attrs))
    for (int i : {RUNNING_MEAN, RUNNING_VAR})
      if (term.normalized) mutated->push_back(term.first + i);
  return MX_SUCCESS;
}

template <typename T>
void update_all_running_stats(const Attrs& attrs, Tensors& in, int64_t channels) {
  const double momentum = std::stod(attrs.at("momentum")), eps = std::stod(attrs.at("eps"));
  for (const TermInputs& term : inputs_of_terms(attrs)) {
    const auto data = [&](size_t i) { return in[term.first + i].data<T>(); };
    if (term.normalized)
      update_running_stats<T>(channels, momentum, eps, data(STATS), data(MEAN), data(INV_STD), data(RUNNING_MEAN),
                              data(RUNNING_VAR));
  }
}

MXReturnValue weighted_sum_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const BatchShape b(o[0].shape);
  FOR_DTYPE(o[0], update_all_running_stats<T>(attrs, i, b.channels);
            weighted_sum(b, terms_of<T>(attrs, i, 0), o[0].data<T>()));
}

// in: grad_output, then the inputs. The statistics are functions of the feature maps: the gradients of these contain
// what passes through the statistics, whose own gradients are 0.
MXReturnValue weighted_sum_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(
      i[0], std::vector<T*> grad_inputs; for (const TermInputs& term : inputs_of_terms(attrs)) {
        grad_inputs.push_back(o[term.first].data<T>());
        for (size_t k = STATS; term.normalized && k < INPUTS_OF_NORMALIZED; ++k)
          std::fill_n(o[term.first + k].data<T>(), o[term.first + k].size(), T(0));
      } weighted_sum_backward(BatchShape(i[0].shape), i[0].data<T>(), terms_of<T>(attrs, i, 1), grad_inputs,
                              o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_weighted_sum)
    .setForward(weighted_sum_forward, "cpu")
    .setBackward(weighted_sum_back, "cpu")
    .setParseAttrs(weighted_sum_num_inputs)
    .setMutateInputs(weighted_sum_mutates)
    .setInferType(infer_same_dtype)
    .setInferShape(weighted_sum_infer_shape);
