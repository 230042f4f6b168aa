// RoIAlign over the levels of a pyramid (He et al. 2017), on the CPU in float32 or float64.
//
// Each roi is pooled from its own level only. The average over the sampling points of a bin is a product of a sum over
// rows and one over columns; points that share rows or columns are merged, and channels lie next to each other, so that
// each term is one multiply-add over all channels of a block.

#include <cmath>

#include "common.h"

namespace {

constexpr int64_t kChannels = 64;  // of a block: its part of a bin stays in registers and the L1 cache

struct Term {
  int64_t index;
  double weight;
};
// For each bin along one axis, its terms.
typedef std::vector<std::vector<Term>> Terms;

struct PoolOptions {
  int64_t height, width, sampling, levels;
  bool aligned;
  std::vector<double> scales;
  int64_t bins() const { return height * width; }
  explicit PoolOptions(const Attrs& attrs) {
    height = std::stol(attrs.at("height")), width = std::stol(attrs.at("width")), sampling = std::stol(attrs.at("sampling"));
    levels = std::stol(attrs.at("levels")), aligned = attrs.at("aligned") == "1";
    for (const std::string& text = attrs.at("scales"); scales.size() < size_t(levels);) {
      size_t at = 0;
      for (size_t i = 0; i < scales.size(); ++i) at = text.find(',', at) + 1;
      scales.push_back(std::stod(text.substr(at)));
    }
  }
};

void add(std::vector<Term>* terms, int64_t index, double weight) {
  for (Term& term : *terms)
    if (term.index == index) {
      term.weight += weight;
      return;
    }
  terms->push_back({index, weight});
}

// The terms of `bins` bins along an axis of `length` pixels; start and end are those of the roi in pixels of the map.
template <typename T>
Terms make_terms(const PoolOptions& p, int64_t bins, T start, T end, int64_t length) {
  T extent = end - start;
  if (!p.aligned) extent = std::max(extent, T(1));
  const T bin = extent / T(bins);
  const int64_t points = p.sampling > 0 ? p.sampling : std::max<int64_t>(int64_t(std::ceil(bin)), 0);
  Terms terms(bins);
  for (int64_t i = 0; i < bins; ++i)
    for (int64_t k = 0; k < points; ++k) {
      T at = start + T(i) * bin + (T(k) + T(0.5)) * bin / T(points);
      if (!(at >= T(-1) && at <= T(length))) continue;  // also where it is not a number
      at = std::max(at, T(0));
      const int64_t low = std::min(int64_t(at), length - 1), high = std::min(low + 1, length - 1);
      const double part = low < length - 1 ? double(at - T(low)) : 0.0;
      add(&terms[i], low, (1 - part) / points);
      if (part) add(&terms[i], high, part / points);
    }
  return terms;
}

template <typename T>
struct Map {
  int64_t samples, channels, height, width;
  T* values;
  int64_t pixels() const { return height * width; }
};

template <typename T>
Map<T> map_of(MXTensor& tensor) {
  return {tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3], tensor.data<T>()};
}

// (pixels,channels of a block) of one sample <- (channels,pixels), or the other way round.
template <typename T>
void to_last(const T* from, T* to, int64_t count, int64_t pixels) {
  for (int64_t c = 0; c < count; ++c)
    for (int64_t i = 0; i < pixels; ++i) to[i * count + c] = from[c * pixels + i];
}
template <typename T>
void to_first(const T* from, T* to, int64_t count, int64_t pixels) {
  for (int64_t c = 0; c < count; ++c)
    for (int64_t i = 0; i < pixels; ++i) to[c * pixels + i] = from[i * count + c];
}

// Where each roi lies: its sample, and its terms along both axes; sample -1 for one that is on no level of these maps.
struct Roi {
  int64_t sample;
  Terms rows, columns;
};

template <typename T>
std::vector<Roi> make_rois(const PoolOptions& p, const T* rois, const T* levels, int64_t count, int64_t level,
                           const Map<T>& map) {
  std::vector<Roi> made(count);
  for (int64_t n = 0; n < count; ++n) {
    const T* roi = rois + 5 * n;
    made[n].sample = levels[n] == T(level) && roi[0] >= 0 && roi[0] < T(map.samples) ? int64_t(roi[0]) : -1;
    if (made[n].sample < 0) continue;
    const T scale = T(p.scales[level]), shift = p.aligned ? T(0.5) : T(0);
    made[n].columns = make_terms(p, p.width, roi[1] * scale - shift, roi[3] * scale - shift, map.width);
    made[n].rows = make_terms(p, p.height, roi[2] * scale - shift, roi[4] * scale - shift, map.height);
  }
  return made;
}

template <typename T>
void pool(const PoolOptions& p, const std::vector<Roi>& rois, const Map<T>& map, T* output) {
  const int64_t blocks = (map.channels + kChannels - 1) / kChannels, bins = p.bins();
#pragma omp parallel for schedule(dynamic)
  for (int64_t task = 0; task < map.samples * blocks; ++task) {
    const int64_t sample = task / blocks, first = task % blocks * kChannels;
    const int64_t count = std::min(kChannels, map.channels - first);
    std::vector<T> last(map.pixels() * count), pooled(bins * count);
    to_last(map.values + (sample * map.channels + first) * map.pixels(), last.data(), count, map.pixels());
    for (size_t n = 0; n < rois.size(); ++n) {
      const Roi& roi = rois[n];
      if (roi.sample != sample) continue;
      for (int64_t bin = 0; bin < bins; ++bin) {
        T sum[kChannels] = {0};
        for (const Term& row : roi.rows[bin / p.width])
          for (const Term& column : roi.columns[bin % p.width]) {
            const T weight = T(row.weight * column.weight);
            const T* from = last.data() + (row.index * map.width + column.index) * count;
#pragma omp simd
            for (int64_t c = 0; c < count; ++c) sum[c] += weight * from[c];
          }
        std::copy(sum, sum + count, pooled.data() + bin * count);
      }
      to_first(pooled.data(), output + (int64_t(n) * map.channels + first) * bins, count, bins);
    }
  }
}

// Adds nothing to what was in grad_map: it is written as a whole.
template <typename T>
void pool_backward(const PoolOptions& p, const std::vector<Roi>& rois, const Map<T>& grad_map, const T* grad_output) {
  const int64_t blocks = (grad_map.channels + kChannels - 1) / kChannels, bins = p.bins();
#pragma omp parallel for schedule(dynamic)
  for (int64_t task = 0; task < grad_map.samples * blocks; ++task) {
    const int64_t sample = task / blocks, first = task % blocks * kChannels;
    const int64_t count = std::min(kChannels, grad_map.channels - first);
    std::vector<T> last(grad_map.pixels() * count), pooled(bins * count);
    for (size_t n = 0; n < rois.size(); ++n) {
      const Roi& roi = rois[n];
      if (roi.sample != sample) continue;
      to_last(grad_output + (int64_t(n) * grad_map.channels + first) * bins, pooled.data(), count, bins);
      for (int64_t bin = 0; bin < bins; ++bin) {
        const T* from = pooled.data() + bin * count;
        for (const Term& row : roi.rows[bin / p.width])
          for (const Term& column : roi.columns[bin % p.width]) {
            const T weight = T(row.weight * column.weight);
            T* to = last.data() + (row.index * grad_map.width + column.index) * count;
#pragma omp simd
            for (int64_t c = 0; c < count; ++c) to[c] += weight * from[c];
          }
      }
    }
    to_first(last.data(), grad_map.values + (sample * grad_map.channels + first) * grad_map.pixels(), count,
             grad_map.pixels());
  }
}

// The maps of all levels, rois (N,5: sample, x1, y1, x2, y2 in pixels of the image), level of each roi (N).
MXReturnValue roi_align_num_inputs(const Attrs& attrs, int* in, int* out) {
  *in = std::stol(attrs.at("levels")) + 2;
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue roi_align_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const size_t levels = std::stol(attrs.at("levels"));
  const unsigned int height = std::stoul(attrs.at("height")), width = std::stoul(attrs.at("width"));
  if ((*in)[0].size() != 4 || (*in)[levels].size() != 2 || (*in)[levels][1] != 5) return MX_FAIL;
  (*in)[levels + 1] = {(*in)[levels][0]};
  (*out)[0] = {(*in)[levels][0], (*in)[0][1], height, width};
  return MX_SUCCESS;
}

template <typename T>
void forward(const PoolOptions& p, Tensors& in, MXTensor& out) {
  T* output = out.data<T>();
  std::fill(output, output + out.size(), T(0));
  for (int64_t level = 0; level < p.levels; ++level) {
    const Map<T> map = map_of<T>(in[level]);
    const T *rois = in[p.levels].data<T>(), *levels = in[p.levels + 1].data<T>();
    pool(p, make_rois(p, rois, levels, in[p.levels].shape[0], level, map), map, output);
  }
}

template <typename T>
void backward(const PoolOptions& p, Tensors& in, Tensors& out) {
  for (int64_t level = 0; level < p.levels; ++level) {
    const Map<T> map = map_of<T>(out[level]);
    const T *rois = in[p.levels + 1].data<T>(), *levels = in[p.levels + 2].data<T>();
    pool_backward(p, make_rois(p, rois, levels, in[p.levels + 1].shape[0], level, map), map, in[0].data<T>());
  }
  for (int64_t i : {p.levels, p.levels + 1}) {  // coordinates carry no gradient
    T* zeros = out[i].data<T>();
    std::fill(zeros, zeros + out[i].size(), T(0));
  }
}

MXReturnValue roi_align_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  FOR_DTYPE((*in)[0], forward<T>(PoolOptions(attrs), *in, (*out)[0]));
}

// in: grad_output, then the inputs of forward, then its output
MXReturnValue roi_align_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  FOR_DTYPE((*in)[0], backward<T>(PoolOptions(attrs), *in, *out));
}

}  // namespace

REGISTER_OP(gluon_attn_roi_align)
    .setForward(roi_align_forward, "cpu")
    .setBackward(roi_align_back, "cpu")
    .setParseAttrs(roi_align_num_inputs)
    .setInferType(infer_same_dtype)
    .setInferShape(roi_align_infer_shape);
