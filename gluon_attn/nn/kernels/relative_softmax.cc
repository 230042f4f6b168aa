// The softmax of logits with relative positions as one operator, on the CPU in float32 or float64.
//
// Queries and keys are pixels of rectangles, a query at line i, column j, a key at line k, column l. What the position
// adds are logits of offsets, of lines k - step i and of columns l - step j, side by side, both from the least offset on
// but for `beyond` at each end, which add `outside`.

#include "common.h"
#include "softmax.h"

namespace {

// One axis: the logits of offsets of a query, and those that its keys take, from the query's first to the last.
struct Axis {
  int64_t queries, keys, step, beyond;
  int64_t offsets() const { return keys + (queries - 1) * step - 2 * beyond; }

  // Calls body(key, index of its logit) for the keys of a query that have one.
  template <typename Body>
  void for_keys(int64_t query, Body body) const {
    const int64_t first = (queries - 1 - query) * step - beyond;
    const int64_t end = std::min(keys, offsets() - first);
    for (int64_t key = std::max<int64_t>(0, -first); key < end; ++key) body(key, first + key);
  }
};

struct Rectangles {
  int64_t queries, keys;
  Axis lines, columns;
  Rectangles(const Attrs& attrs, const MXTensor& logits) : queries(logits.shape[1]), keys(logits.shape[2]) {
    const auto number = [&](const char* name) { return std::stol(attrs.at(name)); };
    const int64_t query_columns = number("query_columns"), key_columns = number("key_columns");
    const int64_t step = number("step"), beyond = number("beyond");
    lines = {queries / query_columns, keys / key_columns, step, beyond};
    columns = {query_columns, key_columns, step, beyond};
  }
  int64_t offsets() const { return lines.offsets() + columns.offsets(); }
};

// y = softmax(scale * (logits + the position's)) over the keys, for `rows` queries
template <typename T>
void relative_softmax(const Rectangles& r, int64_t rows, T scale, T outside, const T* logits, const T* positions,
                      T* y) {
#pragma omp parallel
  {
    std::vector<T> line(r.lines.keys), column(r.columns.keys);
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; ++row) {
      const T *from = logits + row * r.keys, *position = positions + row * r.offsets();
      T* to = y + row * r.keys;
      std::fill(line.begin(), line.end(), outside), std::fill(column.begin(), column.end(), outside);
      const int64_t query = row % r.queries;
      r.lines.for_keys(query / r.columns.queries, [&](int64_t k, int64_t at) { line[k] = position[at]; });
      r.columns.for_keys(query % r.columns.queries,
                         [&](int64_t l, int64_t at) { column[l] = position[r.lines.offsets() + at]; });
      for (int64_t k = 0; k < r.lines.keys; ++k) {
        const T* add = column.data();
#pragma omp simd
        for (int64_t l = 0; l < r.columns.keys; ++l)
          to[k * r.columns.keys + l] = scale * (from[k * r.columns.keys + l] + (line[k] + add[l]));
      }
      softmax_row(r.keys, to, to);
    }
  }
}

template <typename T>
void relative_softmax_backward(const Rectangles& r, int64_t rows, T scale, const T* grad_output, const T* y,
                               T* grad_logits, T* grad_positions) {
#pragma omp parallel
  {
    std::vector<T> line(r.lines.keys), column(r.columns.keys);
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; ++row) {
      T *grad = grad_logits + row * r.keys, *position = grad_positions + row * r.offsets();
      softmax_row_backward(r.keys, grad_output + row * r.keys, y + row * r.keys, grad);
      std::fill(column.begin(), column.end(), T(0));
      for (int64_t k = 0; k < r.lines.keys; ++k, grad += r.columns.keys) {
        T sum = 0, *sums = column.data();
#pragma omp simd reduction(+ : sum)
        for (int64_t l = 0; l < r.columns.keys; ++l) {
          grad[l] *= scale;
          sum += grad[l];
          sums[l] += grad[l];
        }
        line[k] = sum;
      }
      std::fill_n(position, r.offsets(), T(0));
      const int64_t query = row % r.queries;
      r.lines.for_keys(query / r.columns.queries, [&](int64_t k, int64_t at) { position[at] = line[k]; });
      r.columns.for_keys(query % r.columns.queries,
                         [&](int64_t l, int64_t at) { position[r.lines.offsets() + at] = column[l]; });
    }
  }
}

int64_t rows_of(const MXTensor& logits) { return logits.shape[0] * logits.shape[1]; }

// Attributes "query_columns", "key_columns", "step", "beyond", "outside", "scale".
MXReturnValue relative_softmax_forward(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], relative_softmax<T>(Rectangles(attrs, i[0]), rows_of(i[0]), std::stod(attrs.at("scale")),
                                      std::stod(attrs.at("outside")), i[0].data<T>(), i[1].data<T>(), o[0].data<T>()));
}

// in: grad_output, logits, positions, y
MXReturnValue relative_softmax_back(const Attrs& attrs, Tensors* in, Tensors* out, const OpResource&) {
  Tensors &i = *in, &o = *out;
  FOR_DTYPE(i[0], relative_softmax_backward<T>(Rectangles(attrs, i[1]), rows_of(i[1]), std::stod(attrs.at("scale")),
                                               i[0].data<T>(), i[3].data<T>(), o[0].data<T>(), o[1].data<T>()));
}

}  // namespace

REGISTER_OP(gluon_attn_relative_softmax)
    .setForward(relative_softmax_forward, "cpu")
    .setBackward(relative_softmax_back, "cpu")
    .setParseAttrs(num_inputs<2>)
    .setInferType(infer_same_dtype)
    .setInferShape(infer_shape_of_first);
