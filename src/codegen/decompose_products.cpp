// Products of many factors, of stacks, of single numbers, and those that are element-wise.
#include <algorithm>

#include "codegen/decompose.h"
#include "ir/attributes.h"
#include "ir/rules/einsum_terms.h"
#include "ir/rules/linalg.h"
#include "ir/rules/movement.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::kNoIndex;
using ir::OpId;

namespace {

bool has(const Dims& labels, std::int64_t label) { return std::ranges::find(labels, label) != labels.end(); }
std::int64_t place(const Dims& labels, std::int64_t label) { return std::ranges::find(labels, label) - labels.begin(); }

Dims joined(std::initializer_list<const Dims*> groups) {
  Dims all;
  for (const Dims* group : groups)
    for (std::int64_t item : *group) all.push_back(item);
  return all;
}

// Axes as `to` says; missing ones become new axes of extent 1.
Index aligned(Decomposer& to, Index x, const Dims& labels, const Dims& order) {
  Dims axes, fresh;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (has(labels, order[i]))
      axes.push_back(place(labels, order[i]));
    else
      fresh.push_back(static_cast<std::int64_t>(i));
  }
  if (!std::ranges::is_sorted(axes)) x = to.call(OpId::Transpose, {x}, {axes});
  return fresh.empty() ? x : to.call(OpId::ExpandDims, {x}, {fresh});
}

Index broadcast(Decomposer& to, Index x, const Dims& shape) {
  return to.shape(x) == shape ? x : to.call(OpId::BroadcastTo, {x}, {shape});
}

// ---- einsum ----

// Every label once, in the order in which they come: a repeated one walks the diagonal. Extents of 1 stretch to the label's.
Index diagonals(Decomposer& to, Index x, Dims labels, const ir::Einsum& einsum) {
  Dims full, distinct;
  for (std::int64_t label : labels) {
    full.push_back(einsum.extent(label));
    if (!has(distinct, label)) distinct.push_back(label);
  }
  x = broadcast(to, x, full);
  for (std::int64_t label : distinct)
    while (std::ranges::count(labels, label) > 1) {
      std::int64_t first = place(labels, label), second = first + 1;
      while (labels[static_cast<std::size_t>(second)] != label) ++second;
      x = to.call(OpId::Diagonal, {x}, {std::int64_t{0}, first, second});
      labels.erase(static_cast<std::size_t>(second));
      labels.erase(static_cast<std::size_t>(first));
      labels.push_back(label);
    }
  return aligned(to, x, labels, distinct);
}

// A product of two whose result has the labels shared and kept, then a's and b's own: what becomes one kernel, or a call.
Index pair_product(Decomposer& to, Index a, const Dims& labels_a, Index b, const Dims& labels_b, const ir::EinsumPair& pair,
                   DType dtype) {
  Dims known;
  auto text = [&](const Dims& labels) {
    std::string letters;
    for (std::int64_t label : labels) {
      if (!has(known, label)) known.push_back(label);
      auto number = static_cast<int>(place(known, label));
      letters += static_cast<char>(number < 26 ? 'a' + number : 'A' + number - 26);
    }
    return letters;
  };
  std::string subscripts = text(labels_a);
  subscripts += "," + text(labels_b);
  subscripts += "->" + text(joined({&pair.batch, &pair.free_a, &pair.free_b}));
  const Index inputs[] = {a, b};
  // out, dtype, order, casting
  Attr asked = ir::promote(to.dtype(a), to.dtype(b)) == dtype ? Attr() : Attr(dtype);
  return to.plain(OpId::Einsum, inputs, {subscripts, {}, asked, std::string("K"), std::string("unsafe")});
}

// One loop over all operands: runtime/contract/einsum.cpp does the same with arrays.
Index one_loop(Decomposer& to, const ir::Einsum& einsum, std::vector<Index> operands, DType dtype) {
  ir::EinsumTerms terms(einsum);
  for (std::size_t i = 0; i < operands.size(); ++i) operands[i] = diagonals(to, operands[i], einsum.inputs[i], einsum);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    Dims axes = terms.sum_alone(i);
    if (axes.empty()) continue;
    operands[i] =
        ir::is_bool(dtype) ? to.call(OpId::Any, {operands[i]}, {axes}) : to.call(OpId::Sum, {operands[i]}, {axes, dtype});
  }
  while (terms.size() > 1) {
    auto [i, j] = terms.cheapest_pair();
    const Dims a = terms.labels(i), b = terms.labels(j);
    ir::EinsumPair pair = terms.join(i, j);
    Index x = operands[i], y = operands[j];
    if (pair.multiplied()) {
      const Dims& labels = terms.labels(i);
      operands[i] =
          to.call(OpId::Multiply, {to.cast(aligned(to, x, a, labels), dtype), to.cast(aligned(to, y, b, labels), dtype)});
    } else {
      operands[i] = pair_product(to, x, a, y, b, pair, dtype);
    }
    operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(j));
  }
  return to.cast(aligned(to, operands[0], terms.labels(0), einsum.output), dtype);
}

// What stands between two steps of a path.
struct Labelled {
  Index node;
  Dims labels;
};

// A sum over all labels that `labels` lacks, and the order of those that it has, in the operand's own dtype.
Index arranged(Decomposer& to, const Labelled& term, const Dims& labels) {
  ir::Einsum einsum{{term.labels}, labels, {}};
  einsum.extents = ir::einsum_extents(einsum.inputs, std::span(&to.shape(term.node), 1));
  return one_loop(to, einsum, {term.node}, to.dtype(term.node));
}

Index pair_step(Decomposer& to, const Labelled& a, const Labelled& b, const Dims& result, DType dtype) {
  ir::EinsumPair pair = ir::einsum_pair(a.labels, to.shape(a.node), b.labels, to.shape(b.node), result);
  if (pair.multiplied()) {
    auto factor = [&](const Labelled& term) {
      Dims kept;
      for (std::int64_t label : result)
        if (has(term.labels, label)) kept.push_back(label);
      return to.cast(aligned(to, arranged(to, term, kept), kept, result), dtype);
    };
    Index x = factor(a), y = factor(b);
    return to.call(OpId::Multiply, {x, y});
  }
  Dims left = joined({&pair.batch, &pair.free_a, &pair.summed}), right = joined({&pair.batch, &pair.summed, &pair.free_b}),
       made = joined({&pair.batch, &pair.free_a, &pair.free_b});
  Index x = arranged(to, a, left), y = arranged(to, b, right);
  return aligned(to, pair_product(to, x, left, y, right, pair, dtype), made, result);
}

Index by_steps(Decomposer& to, const Site& site, const ir::Einsum& einsum) {
  const ir::Op& op = ir::op(OpId::Einsum);
  std::vector<Labelled> terms;
  for (std::size_t i = 0; i < site.inputs.size(); ++i) terms.push_back({site.inputs[i], einsum.inputs[i]});
  auto asked = ir::as_dtype(ir::attribute(op, site.attrs, "dtype"));
  const std::string& casting = ir::as_string(ir::attribute(op, site.attrs, "casting"), "casting");
  for (const ir::EinsumStep& step : ir::einsum_steps(einsum, ir::attribute(op, site.attrs, "optimize"))) {
    std::vector<Labelled> taken;
    for (std::size_t at : step.places) {
      taken.push_back(terms[at]);
      terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(at));
    }
    Labelled made{kNoIndex, step.result};
    if (taken.size() == 2) {
      DType dtype = asked.value_or(ir::promote(to.dtype(taken[0].node), to.dtype(taken[1].node)));
      made.node = pair_step(to, taken[0], taken[1], step.result, dtype);
    } else {
      ir::Einsum loop{{}, step.result, {}};
      std::vector<Index> nodes;
      std::vector<Dims> shapes;
      std::vector<DType> dtypes;
      for (const Labelled& term : taken) {
        loop.inputs.push_back(term.labels);
        nodes.push_back(term.node);
        shapes.push_back(to.shape(term.node));
        dtypes.push_back(to.dtype(term.node));
      }
      loop.extents = ir::einsum_extents(loop.inputs, shapes);
      made.node = one_loop(to, loop, nodes, ir::einsum_dtype(loop.inputs, loop.output, dtypes, asked, casting));
    }
    terms.push_back(std::move(made));
  }
  return terms[0].node;
}

Index einsum(Decomposer& to, const Site& site) {
  std::vector<Dims> shapes;
  Dims labels;
  for (Index input : site.inputs) shapes.push_back(to.shape(input));
  ir::Einsum einsum = ir::parse_einsum(*site.attrs[0].get<std::string>(), shapes);
  for (const Dims& input : einsum.inputs)
    for (std::int64_t label : input)
      if (!has(labels, label)) labels.push_back(label);
  constexpr std::size_t kLetters = 52;
  if (labels.size() > kLetters) return kNoIndex;
  if (ir::einsum_is_stepwise(ir::attribute(ir::op(OpId::Einsum), site.attrs, "optimize"))) return by_steps(to, site, einsum);
  return one_loop(to, einsum, {site.inputs.begin(), site.inputs.end()}, site.type.dtype);
}

// ---- stacks of products ----

Index matmul(Decomposer& to, const Site& site) {
  Index a = site.inputs[0], b = site.inputs[1];
  const Dims shape_a = to.shape(a), shape_b = to.shape(b);
  if (shape_a.size() <= 2 && shape_b.size() <= 2) return kNoIndex;
  bool vector_a = shape_a.size() == 1, vector_b = shape_b.size() == 1;
  std::size_t core_a = vector_a ? 1 : 2, core_b = vector_b ? 1 : 2;
  Dims batch = site.type.shape;
  batch.resize(batch.size() - (core_a - 1) - (core_b - 1));
  double rows = vector_a ? 1 : static_cast<double>(shape_a[shape_a.size() - 2]),
         columns = vector_b ? 1 : static_cast<double>(shape_b.back()), summed = static_cast<double>(shape_a.back());
  if (is_large_product(rows, columns, summed) && !to.standalone()) return kNoIndex;
  auto stretched = [&](Index x, const Dims& shape, std::size_t core) {
    const Dims last(shape.end() - static_cast<std::ptrdiff_t>(core), shape.end());
    return broadcast(to, x, joined({&batch, &last}));
  };
  // Labels: the batch's axes, then rows, columns and the summed one.
  ir::EinsumPair pair;
  std::int64_t rank = batch.ssize();
  for (std::int64_t axis = 0; axis < rank; ++axis) pair.batch.push_back(axis);
  if (!vector_a) pair.free_a.push_back(rank);
  if (!vector_b) pair.free_b.push_back(rank + 1);
  pair.summed.push_back(rank + 2);
  return pair_product(to, stretched(a, shape_a, core_a), joined({&pair.batch, &pair.free_a, &pair.summed}),
                      stretched(b, shape_b, core_b), joined({&pair.batch, &pair.summed, &pair.free_b}), pair, site.type.dtype);
}

// ---- numbers ----

Index times(Decomposer& to, Index a, Index b, DType dtype) {
  return to.call(OpId::Multiply, {to.cast(a, dtype), to.cast(b, dtype)});
}

// dot, inner, tensordot: a 0-d operand multiplies; zero as a lone factor makes everything zero, as BLAS's axpy does.
Index with_number(Decomposer& to, const Site& site) {
  Index a = site.inputs[0], b = site.inputs[1];
  DType dtype = site.type.dtype;
  bool lone_a = ir::element_count(to.shape(a)) == 1, lone_b = ir::element_count(to.shape(b)) == 1;
  bool tensordot = site.node.op == OpId::Tensordot || site.node.op == OpId::LinalgTensordot;
  bool scalar = !tensordot && (to.shape(a).empty() || to.shape(b).empty());
  bool zeroes = lone_a != lone_b && ir::is_inexact(dtype) && dtype != DType::Float16 &&
                ir::element_count(site.type.shape) > 0 && (tensordot || (to.shape(a).size() <= 2 && to.shape(b).size() <= 2));
  if (!scalar && !zeroes) return kNoIndex;
  Index product = scalar ? times(to, a, b, dtype) : to.plain(site.node.op, site.inputs, site.attrs);
  if (!zeroes) return product;
  Index moves = to.call(OpId::Astype, {to.reshaped(lone_a ? a : b, {})}, {DType::Bool});
  return to.call(OpId::Where, {moves, product, to.number(0, dtype)});
}

Index flat(Decomposer& to, Index x) { return to.reshaped(x, {ir::element_count(to.shape(x))}); }

Index vdot(Decomposer& to, const Site& site) {
  Index a = flat(to, site.inputs[0]), b = flat(to, site.inputs[1]);
  if (ir::is_complex(to.dtype(a))) a = to.call(OpId::Conjugate, {a});
  const Index inputs[] = {a, b};
  return to.plain(OpId::Dot, inputs);
}

Index outer(Decomposer& to, const Site& site) {
  Index a = site.inputs[0], b = site.inputs[1];
  return times(to, to.reshaped(a, {ir::element_count(to.shape(a)), 1}), to.reshaped(b, {1, ir::element_count(to.shape(b))}),
               site.type.dtype);
}

Index kron(Decomposer& to, const Site& site) {
  // (a0, 1, a1, 1, ...) times (1, b0, 1, b1, ...).
  const Dims a = to.shape(site.inputs[0]), b = to.shape(site.inputs[1]);
  Dims left, right;
  std::size_t rank = std::max(a.size(), b.size());
  auto extent = [&](const Dims& shape, std::size_t i) {
    return i < rank - shape.size() ? std::int64_t{1} : shape[i - (rank - shape.size())];
  };
  for (std::size_t i = 0; i < rank; ++i) {
    left.push_back(extent(a, i));
    left.push_back(1);
    right.push_back(1);
    right.push_back(extent(b, i));
  }
  return to.reshaped(times(to, to.reshaped(site.inputs[0], left), to.reshaped(site.inputs[1], right), site.type.dtype),
                     site.type.shape);
}

Index matrix_power(Decomposer& to, const Site& site) {
  std::int64_t n = ir::as_int(site.attrs[0], "n");
  if (n == 0) return kNoIndex;
  Index square = n < 0 ? to.call(OpId::LinalgInv, {site.inputs[0]}) : site.inputs[0], result = kNoIndex;
  auto power = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  for (bool first = true; power; power >>= 1, first = false) {
    if (!first) square = to.call(OpId::Matmul, {square, square});
    if (power & 1) result = result == kNoIndex ? square : to.call(OpId::Matmul, {result, square});
  }
  return result;
}

// Matrices i to j of a chain.
Index chain(Decomposer& to, std::span<const Index> matrices, std::span<const std::size_t> splits, std::size_t i,
            std::size_t j) {
  if (i == j) return matrices[i];
  std::size_t k = splits[i * matrices.size() + j];
  Index left = chain(to, matrices, splits, i, k);
  return to.call(OpId::Dot, {left, chain(to, matrices, splits, k + 1, j)});
}

Index multi_dot(Decomposer& to, const Site& site) {
  constexpr std::size_t kLongest = 64;
  std::vector<Index> matrices(site.inputs.begin(), site.inputs.end());
  if (matrices.size() > kLongest) return kNoIndex;
  if (matrices.size() == 2) return to.call(OpId::Dot, {matrices[0], matrices[1]});
  if (to.shape(matrices.front()).size() == 1)
    matrices.front() = to.reshaped(matrices.front(), {1, to.shape(matrices.front())[0]});
  if (to.shape(matrices.back()).size() == 1) matrices.back() = to.reshaped(matrices.back(), {to.shape(matrices.back())[0], 1});
  Dims extents;
  for (Index matrix : matrices) extents.push_back(to.shape(matrix)[0]);
  extents.push_back(to.shape(matrices.back())[1]);
  return to.reshaped(chain(to, matrices, ir::chain_splits(extents), 0, matrices.size() - 1), site.type.shape);
}

// Without weights: runtime/contract/contract.cpp does the same with arrays.
Index cov(Decomposer& to, const Site& site) {
  const ir::Op& op = ir::op(OpId::Cov);
  DType dtype = ir::as_dtype(ir::attribute(op, site.attrs, "dtype")).value_or(site.type.dtype);
  bool rowvar = ir::as_bool(site.attrs[0], "rowvar"), bias = ir::as_bool(site.attrs[1], "bias");
  if (site.inputs[2] != kNoIndex || site.inputs[3] != kNoIndex || !ir::is_inexact(dtype)) return kNoIndex;
  const Dims& first = to.shape(site.inputs[0]);
  double n = static_cast<double>(first.size() < 2 ? ir::element_count(first) : first[rowvar ? 1 : 0]);
  double ddof = site.attrs[2].none() ? (bias ? 0 : 1) : static_cast<double>(ir::as_int(site.attrs[2], "ddof")), norm = n - ddof;
  // numpy warns of too few.
  if (ir::element_count(first) == 0 || norm <= 0) return kNoIndex;
  auto variables = [&](Index m) {
    m = to.cast(m, dtype);
    if (to.shape(m).size() < 2) return to.reshaped(m, {1, ir::element_count(to.shape(m))});
    return rowvar ? m : to.call(OpId::Transpose, {m}, {Dims{1, 0}});
  };
  Index x = variables(site.inputs[0]);
  if (site.inputs[1] != kNoIndex) {
    const Dims& given = to.shape(site.inputs[1]);
    bool row = given.size() == 2 && given[0] == 1;
    x = to.call(OpId::Concatenate, {x, row ? to.cast(site.inputs[1], dtype) : variables(site.inputs[1])});
  }
  Index mean = to.call(OpId::Sum, {x}, {std::int64_t{1}, {}, {}, true});
  mean = to.call(OpId::Divide, {mean, to.number(n, DType::Float64)});
  Index centred = to.cast(to.call(OpId::Subtract, {x, mean}), dtype), other = to.call(OpId::Transpose, {centred}, {Dims{1, 0}});
  if (ir::is_complex(dtype)) other = to.call(OpId::Conjugate, {other});
  Index product = to.call(OpId::Matmul, {centred, other});
  return to.reshaped(to.call(OpId::Multiply, {product, to.number(1 / norm, DType::Float64)}), site.type.shape);
}

}  // namespace

Decomposition product_decomposition(OpId op) {
  switch (op) {
    case OpId::Einsum: return einsum;
    case OpId::Matmul:
    case OpId::LinalgMatmul: return matmul;
    case OpId::Dot:
    case OpId::Inner:
    case OpId::Tensordot:
    case OpId::LinalgTensordot: return with_number;
    case OpId::Vdot: return vdot;
    case OpId::Outer: return outer;
    case OpId::Kron: return kron;
    case OpId::LinalgMatrixPower: return matrix_power;
    case OpId::LinalgMultiDot: return multi_dot;
    case OpId::Cov: return cov;
    default: return nullptr;
  }
}

}  // namespace autoray::codegen
