// Cutting maps into windows around blocks of pixels, and putting blocks together, on the CPU in float32 or float64.
// `nn/windows.py` says where a window lies; the channels of a pixel are together there.

#include "common.h"

namespace {

struct Windows {
  int64_t maps, channels, height, width, block, side, reach, lines, columns;  // lines, columns: of blocks
  Windows(const std::vector<int64_t>& shape, int64_t channels, int64_t block, int64_t side, int64_t reach)
      : maps(shape[0]), channels(channels), height(shape[2]), width(shape[3]), block(block), side(side), reach(reach),
        lines((height + block - 1) / block), columns((width + block - 1) / block) {}
  int64_t count() const { return maps * lines * columns; }
};

// The pixels of a window that are on the map, along one axis.
struct Span {
  int64_t first, end, start;  // start: where the window begins, maybe before the map
  Span(int64_t index, int64_t block, int64_t side, int64_t reach, int64_t length) : start(index * block - reach) {
    first = std::max<int64_t>(0, -start);
    end = std::min(side, length - start);
  }
};

// Calls body(offset of a row of pixels in the map, of its first pixel in the window, number of pixels) for all rows of
// all channels; pixels of the window are `depth` numbers apart.
template <typename Body>
void for_rows(const Windows& w, int64_t window, int64_t depth, Body body) {
  const int64_t map = window / (w.lines * w.columns);
  const Span rows(window / w.columns % w.lines, w.block, w.side, w.reach, w.height);
  const Span columns(window % w.columns, w.block, w.side, w.reach, w.width);
  for (int64_t channel = 0; channel < w.channels; ++channel)
    for (int64_t row = rows.first; row < rows.end; ++row)
      body(((map * w.channels + channel) * w.height + rows.start + row) * w.width + columns.start + columns.first,
           (row * w.side + columns.first) * depth + channel, columns.end - columns.first);
}

// border: a further channel has `inside` on the map and `outside` beyond it.
template <typename T>
void cut(const Windows& w, bool border, T inside, T outside, const T* x, T* y) {
  const int64_t depth = w.channels + border, size = w.side * w.side * depth;
#pragma omp parallel for schedule(static)
  for (int64_t window = 0; window < w.count(); ++window) {
    T* to = y + window * size;
    std::fill_n(to, size, T(0));
    for_rows(w, window, depth, [&](int64_t at, int64_t in_window, int64_t count) {
      for (int64_t i = 0; i < count; ++i) to[in_window + i * depth] = x[at + i];
    });
    if (!border) continue;
    for (int64_t pixel = 0; pixel < w.side * w.side; ++pixel) to[pixel * depth + w.channels] = outside;
    const Span rows(window / w.columns % w.lines, w.block, w.side, w.reach, w.height);
    const Span columns(window % w.columns, w.block, w.side, w.reach, w.width);
    for (int64_t row = rows.first; row < rows.end; ++row)
      for (int64_t column = columns.first; column < columns.end; ++column)
        to[(row * w.side + column) * depth + w.channels] = inside;
  }
}

// The sum over the windows that hold a pixel, in their order.
template <typename T>
void put(const Windows& w, bool border, const T* windows, T* map) {
  const int64_t depth = w.channels + border, size = w.side * w.side * depth;
  const int64_t windows_of_map = w.lines * w.columns, numbers = w.channels * w.height * w.width;
#pragma omp parallel for schedule(static)
  for (int64_t m = 0; m < w.maps; ++m) {
    std::fill_n(map + m * numbers, numbers, T(0));
    for (int64_t window = m * windows_of_map; window < (m + 1) * windows_of_map; ++window) {
      const T* from = windows + window * size;
      for_rows(w, window, depth, [&](int64_t at, int64_t in_window, int64_t count) {
        for (int64_t i = 0; i < count; ++i) map[at + i] += from[in_window + i * depth];
      });
    }
  }
}

int64_t number(const Attrs& attrs, const char* name) { return std::stol(attrs.at(name)); }

Windows windows_of(const Attrs& attrs, const std::vector<int64_t>& shape) {
  return {shape, shape[1], number(attrs, "block"), number(attrs, "side"), number(attrs, "reach")};
}

// Attributes "block", "side" of a window, "reach", "border" (0 or 1), "inside", "outside".
MXReturnValue windows_infer_shape(const Attrs& attrs, Shapes* in, Shapes* out) {
  const std::vector<unsigned int>& x = (*in)[0];
  const Windows w = windows_of(attrs, {x.begin(), x.end()});
  (*out)[0] = {static_cast<unsigned int>(w.count()), static_cast<unsigned int>(w.side * w.side),
               static_cast<unsigned int>(w.channels + number(attrs, "border"))};
  return MX_SUCCESS;
}

MXReturnValue windows_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], cut<T>(windows_of(attrs, i[0].shape), number(attrs, "border"), std::stod(attrs.at("inside")),
                         std::stod(attrs.at("outside")), i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, x, y
MXReturnValue windows_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], put<T>(windows_of(attrs, i[1].shape), number(attrs, "border"), i[0].data<T>(), o[0].data<T>()));
}

// Attribute "block". The second input has the height and width of the map.
Windows blocks_of(const Attrs& attrs, const std::vector<int64_t>& blocks, const std::vector<int64_t>& like) {
  const int64_t block = number(attrs, "block");
  return {like, blocks[2], block, block, 0};
}

MXReturnValue map_infer_shape(const Attrs&, Shapes* in, Shapes* out) {
  (*out)[0] = {(*in)[1][0], (*in)[0][2], (*in)[1][2], (*in)[1][3]};
  return MX_SUCCESS;
}

MXReturnValue map_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], put<T>(blocks_of(attrs, i[0].shape, i[1].shape), false, i[0].data<T>(), o[0].data<T>()));
}

// in: grad_output, blocks, like, y
MXReturnValue map_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], std::fill_n(o[1].data<T>(), o[1].size(), T(0));
            cut<T>(blocks_of(attrs, i[1].shape, i[2].shape), false, 0, 0, i[0].data<T>(), o[0].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_windows)
    .setForward(windows_forward, "cpu")
    .setBackward(windows_back, "cpu")
    .setParseAttrs(num_inputs<1>)
    .setInferType(infer_same_dtype)
    .setInferShape(windows_infer_shape);

REGISTER_OP(gluon_attn_map_of_blocks)
    .setForward(map_forward, "cpu")
    .setBackward(map_back, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(map_infer_shape);
