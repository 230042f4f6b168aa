// Whole attentions whose parts would each read the map again: three gates along axes at once, and SGE.

#include <cmath>

#include "common.h"

namespace {

struct Map {
  int64_t images, channels, height, width;
  explicit Map(const MXTensor& x) : images(x.shape[0]), channels(x.shape[1]), height(x.shape[2]), width(x.shape[3]) {}
  int64_t area() const { return height * width; }
};

// y = x (rows + columns + plane): gates of N,C,H,1 and N,C,1,W and N,1,H,W, the last perhaps missing.
template <typename T>
void cross(const Map& m, const T* x, const T* rows, const T* columns_, const T* plane, T* y) {
#pragma omp parallel for schedule(static)
  for (int64_t line = 0; line < m.images * m.channels * m.height; ++line) {
    const int64_t channel = line / m.height, row = line % m.height;
    const T *from = x + line * m.width, *c = columns_ + channel * m.width;
    const T* p = plane ? plane + (channel / m.channels * m.height + row) * m.width : nullptr;
    T* to = y + line * m.width;
    const T r = rows[line];
#pragma omp simd
    for (int64_t i = 0; i < m.width; ++i) to[i] = from[i] * (r + c[i] + (p ? p[i] : T(0)));
  }
}

template <typename T>
void cross_backward(const Map& m, const T* dy, const T* x, const T* rows, const T* columns_, const T* plane, T* dx,
                    T* drows, T* dcolumns, T* dplane) {
#pragma omp parallel for schedule(static)
  for (int64_t channel = 0; channel < m.images * m.channels; ++channel) {
    const T* c = columns_ + channel * m.width;
    T* dc = dcolumns + channel * m.width;
    std::fill(dc, dc + m.width, T(0));
    for (int64_t row = 0; row < m.height; ++row) {
      const int64_t at = (channel * m.height + row) * m.width;
      const T* p = plane ? plane + (channel / m.channels * m.height + row) * m.width : nullptr;
      const T r = rows[channel * m.height + row];
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < m.width; ++i) {
        const T both = dy[at + i] * x[at + i];
        dx[at + i] = dy[at + i] * (r + c[i] + (p ? p[i] : T(0)));
        dc[i] += both;
        sum += both;
      }
      drows[channel * m.height + row] = sum;
    }
  }
  if (!plane) return;
  columns({m.images, m.channels, m.area()}, [&](int64_t n, int64_t first, int64_t end) {
    T sums[kColumns] = {0};
    for (int64_t b = 0; b < m.channels; ++b) {
      const int64_t at = (n * m.channels + b) * m.area();
#pragma omp simd
      for (int64_t i = first; i < end; ++i) sums[i - first] += dy[at + i] * x[at + i];
    }
    std::copy(sums, sums + (end - first), dplane + n * m.area() + first);
  });
}

// One group of one image, `members` maps of `area` pixels: its gate, and what the way back needs.
template <typename T>
struct Group {
  std::vector<T> mean, rest, gate;
  T scale = 0, spread = 0;

  void read(const T* x, int64_t members, int64_t area, T weight, T bias, int64_t freedom) {
    mean.assign(members, 0), rest.assign(area, 0), gate.resize(area);
    for (int64_t b = 0; b < members; ++b) {
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < area; ++i) sum += x[b * area + i];
      mean[b] = sum / area;
#pragma omp simd
      for (int64_t i = 0; i < area; ++i) rest[i] += mean[b] * x[b * area + i];
    }
    T total = 0, squares = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < area; ++i) total += rest[i];
    total /= area;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < area; ++i) {
      rest[i] -= total;
      squares += rest[i] * rest[i];
    }
    spread = std::sqrt(squares / freedom + T(1e-20));  // the slope of the root is infinite at 0
    scale = 1 / (spread + T(1e-5));
    for (int64_t i = 0; i < area; ++i) gate[i] = 1 / (1 + std::exp(-(rest[i] * scale * weight + bias)));
  }
};

struct Sizes {
  int64_t parts, groups, members, area, freedom;
  Sizes(const Attrs& attrs, const MXTensor& x) {
    const Map m(x);
    groups = std::stol(attrs.at("groups"));
    parts = m.images * groups;
    members = m.channels / groups;
    area = m.area();
    freedom = std::max<int64_t>(1, area - std::stol(attrs.at("unbiased")));
  }
};

template <typename T>
void sge(const Sizes& s, const T* x, const T* weight, const T* bias, T* y) {
#pragma omp parallel
  {
    Group<T> group;
#pragma omp for schedule(static)
    for (int64_t part = 0; part < s.parts; ++part) {
      const int64_t at = part * s.members * s.area;
      group.read(x + at, s.members, s.area, weight[part % s.groups], bias[part % s.groups], s.freedom);
      for (int64_t b = 0; b < s.members; ++b)
#pragma omp simd
        for (int64_t i = 0; i < s.area; ++i) y[at + b * s.area + i] = x[at + b * s.area + i] * group.gate[i];
    }
  }
}

template <typename T>
void sge_backward(const Sizes& s, const T* dy, const T* x, const T* weight, const T* bias, T* dx, T* dweight,
                  T* dbias) {
  std::vector<T> of_weight(s.parts), of_bias(s.parts);  // summed at the end, so that threads change no rounding
#pragma omp parallel
  {
    Group<T> group;
    std::vector<T> down(s.area);
#pragma omp for schedule(static)
    for (int64_t part = 0; part < s.parts; ++part) {
      const T w = weight[part % s.groups];
      const int64_t at = part * s.members * s.area;
      group.read(x + at, s.members, s.area, w, bias[part % s.groups], s.freedom);
      std::fill(down.begin(), down.end(), T(0));
      for (int64_t b = 0; b < s.members; ++b)
#pragma omp simd
        for (int64_t i = 0; i < s.area; ++i) down[i] += dy[at + b * s.area + i] * x[at + b * s.area + i];
      T shift = 0, turn = 0;
#pragma omp simd reduction(+ : shift, turn)
      for (int64_t i = 0; i < s.area; ++i) {
        down[i] *= group.gate[i] * (1 - group.gate[i]);  // slope of the logits
        shift += down[i];
        turn += down[i] * group.rest[i];
      }
      of_bias[part] = shift;
      of_weight[part] = turn * group.scale;
      const T bend = w * turn * group.scale * group.scale / (group.spread * s.freedom);  // of the deviation
      const T level = w * group.scale * shift / s.area;
#pragma omp simd
      for (int64_t i = 0; i < s.area; ++i) down[i] = down[i] * w * group.scale - bend * group.rest[i] - level;
      for (int64_t b = 0; b < s.members; ++b) {
        const int64_t line = at + b * s.area;
        T along = 0;
#pragma omp simd reduction(+ : along)
        for (int64_t i = 0; i < s.area; ++i) along += down[i] * x[line + i];
        along /= s.area;
#pragma omp simd
        for (int64_t i = 0; i < s.area; ++i)
          dx[line + i] = dy[line + i] * group.gate[i] + down[i] * group.mean[b] + along;
      }
    }
  }
  for (int64_t g = 0; g < s.groups; ++g) {
    dweight[g] = dbias[g] = 0;
    for (int64_t part = g; part < s.parts; part += s.groups) {
      dweight[g] += of_weight[part];
      dbias[g] += of_bias[part];
    }
  }
}

MXReturnValue cross_inputs(const Attrs& attrs, int* in, int* out) {
  *in = attrs.at("plane") == "1" ? 4 : 3;
  *out = 1;
  return MX_SUCCESS;
}

MXReturnValue cross_forward(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], cross(Map(i[0]), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(),
                       i.size() > 3 ? i[3].data<T>() : nullptr, o[0].data<T>()));
}

// in: slope, x, rows, columns, maybe plane, y
MXReturnValue cross_back(const Attrs&, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  const bool plane = o.size() > 3;
  FOR_TYPE(i[0], cross_backward(Map(i[1]), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), i[3].data<T>(),
                                plane ? i[4].data<T>() : nullptr, o[0].data<T>(), o[1].data<T>(), o[2].data<T>(),
                                plane ? o[3].data<T>() : nullptr));
}

MXReturnValue sge_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], sge(Sizes(attrs, i[0]), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), o[0].data<T>()));
}

// in: slope, x, weight, bias, y
MXReturnValue sge_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_TYPE(i[0], sge_backward(Sizes(attrs, i[1]), i[0].data<T>(), i[1].data<T>(), i[2].data<T>(), i[3].data<T>(),
                              o[0].data<T>(), o[1].data<T>(), o[2].data<T>()));
}

}  // namespace

MXReturnValue initialize(int) { return MX_SUCCESS; }

REGISTER_OP(gluon_attn_cross)
    .setForward(cross_forward, "cpu")
    .setBackward(cross_back, "cpu")
    .setParseAttrs(cross_inputs)
    .setInferType(same_type)
    .setInferShape(shape_of_first);

REGISTER_OP(gluon_attn_sge)
    .setForward(sge_forward, "cpu")
    .setBackward(sge_back, "cpu")
    .setParseAttrs(takes<3>)
    .setInferType(same_type)
    .setInferShape(shape_of_first);
