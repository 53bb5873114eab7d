// Products of many factors, of stacks, of single numbers, those that are element-wise, and covariances.
#include <algorithm>

#include "codegen/expand/expander.h"
#include "ir/rules/einsum_terms.h"
#include "ir/rules/linalg.h"
#include "ir/rules/movement.h"

namespace autoray::codegen::expansion {

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
Index aligned(Expander& to, Index x, const Dims& labels, const Dims& order) {
  Dims axes, fresh;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (has(labels, order[i]))
      axes.push_back(place(labels, order[i]));
    else
      fresh.push_back(static_cast<std::int64_t>(i));
  }
  if (!std::ranges::is_sorted(axes)) x = to.call(OpId::Transpose, {x}, {{"axes", axes}});
  return fresh.empty() ? x : to.call(OpId::ExpandDims, {x}, {{"axis", fresh}});
}

// ---- einsum ----

// Every label once, in the order in which they come: a repeated one walks the diagonal. Extents of 1 stretch to the label's.
Index diagonals(Expander& to, Index x, Dims labels, const ir::Einsum& einsum) {
  Dims full, distinct;
  for (std::int64_t label : labels) {
    full.push_back(einsum.extent(label));
    if (!has(distinct, label)) distinct.push_back(label);
  }
  x = to.broadcast(x, full);
  for (std::int64_t label : distinct)
    while (std::ranges::count(labels, label) > 1) {
      std::int64_t first = place(labels, label), second = first + 1;
      while (labels[static_cast<std::size_t>(second)] != label) ++second;
      x = to.call(OpId::Diagonal, {x}, {{"axis1", first}, {"axis2", second}});
      labels.erase(static_cast<std::size_t>(second));
      labels.erase(static_cast<std::size_t>(first));
      labels.push_back(label);
    }
  return aligned(to, x, labels, distinct);
}

// A product of two whose result has the labels shared and kept, then a's and b's own: what becomes one kernel, or a call.
Index pair_product(Expander& to, Index a, const Dims& labels_a, Index b, const Dims& labels_b, const ir::EinsumPair& pair,
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
  Attr asked = ir::promote(to.dtype(a), to.dtype(b)) == dtype ? Attr() : Attr(dtype);
  return to.plain(OpId::Einsum, {a, b}, {{"subscripts", subscripts}, {"dtype", asked}, {"casting", std::string("unsafe")}});
}

// One loop over all operands: runtime/contract/einsum.cpp does the same with arrays.
Index one_loop(Expander& to, const ir::Einsum& einsum, std::vector<Index> operands, DType dtype) {
  ir::EinsumTerms terms(einsum);
  for (std::size_t i = 0; i < operands.size(); ++i) operands[i] = diagonals(to, operands[i], einsum.inputs[i], einsum);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    Dims axes = terms.sum_alone(i);
    if (axes.empty()) continue;
    operands[i] = ir::is_bool(dtype) ? to.call(OpId::Any, {operands[i]}, {{"axis", axes}})
                                     : to.call(OpId::Sum, {operands[i]}, {{"axis", axes}, {"dtype", dtype}});
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
Index arranged(Expander& to, const Labelled& term, const Dims& labels) {
  ir::Einsum einsum{{term.labels}, labels, {}};
  einsum.extents = ir::einsum_extents(einsum.inputs, std::span(&to.shape(term.node), 1));
  return one_loop(to, einsum, {term.node}, to.dtype(term.node));
}

Index pair_step(Expander& to, const Labelled& a, const Labelled& b, const Dims& result, DType dtype) {
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

Index by_steps(Expander& to, const Site& site, const ir::Einsum& einsum) {
  std::vector<Labelled> terms;
  for (std::size_t i = 0; i < site.inputs.size(); ++i) terms.push_back({site.inputs[i], einsum.inputs[i]});
  auto asked = ir::as_dtype(site.attr("dtype"));
  const std::string& casting = ir::as_string(site.attr("casting"), "casting");
  for (const ir::EinsumStep& step : ir::einsum_steps(einsum, site.attr("optimize"))) {
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

}  // namespace

Index einsum(Expander& to, const Site& site) {
  std::vector<Dims> shapes;
  Dims labels;
  for (Index input : site.inputs) shapes.push_back(to.shape(input));
  ir::Einsum einsum = ir::parse_einsum(*site.attr("subscripts").get<std::string>(), shapes);
  for (const Dims& input : einsum.inputs)
    for (std::int64_t label : input)
      if (!has(labels, label)) labels.push_back(label);
  constexpr std::size_t kLetters = 52;
  if (labels.size() > kLetters) return kNoIndex;
  if (ir::einsum_is_stepwise(site.attr("optimize"))) return by_steps(to, site, einsum);
  return one_loop(to, einsum, {site.inputs.begin(), site.inputs.end()}, site.type.dtype);
}

// ---- stacks of products ----

Index stack_of_products(Expander& to, const Site& site) {
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
    return to.broadcast(x, joined({&batch, &last}));
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

namespace {

Index times(Expander& to, Index a, Index b, DType dtype) {
  return to.call(OpId::Multiply, {to.cast(a, dtype), to.cast(b, dtype)});
}

}  // namespace

// dot, inner, tensordot: a 0-d operand multiplies; zero as a lone factor makes everything zero, as BLAS's axpy does.
Index product_with_number(Expander& to, const Site& site) {
  Index a = site.inputs[0], b = site.inputs[1];
  DType dtype = site.type.dtype;
  bool lone_a = ir::element_count(to.shape(a)) == 1, lone_b = ir::element_count(to.shape(b)) == 1;
  bool tensordot = site.op == OpId::Tensordot || site.op == OpId::LinalgTensordot;
  bool scalar = !tensordot && (to.shape(a).empty() || to.shape(b).empty());
  bool zeroes = lone_a != lone_b && ir::is_inexact(dtype) && dtype != DType::Float16 &&
                ir::element_count(site.type.shape) > 0 && (tensordot || (to.shape(a).size() <= 2 && to.shape(b).size() <= 2));
  if (!scalar && !zeroes) return kNoIndex;
  Index product = scalar ? times(to, a, b, dtype) : to.again(site, site.inputs);
  if (!zeroes) return product;
  Index moves = to.call(OpId::Astype, {to.reshape(lone_a ? a : b, {})}, {{"dtype", DType::Bool}});
  return to.call(OpId::Where, {moves, product, to.constant(dtype, 0)});
}

Index vdot(Expander& to, const Site& site) {
  Index a = to.flat(site.inputs[0]), b = to.flat(site.inputs[1]);
  if (ir::is_complex(to.dtype(a))) a = to.call(OpId::Conjugate, {a});
  return to.plain(OpId::Dot, {a, b});
}

Index outer(Expander& to, const Site& site) {
  Index a = site.inputs[0], b = site.inputs[1];
  return times(to, to.reshape(a, {ir::element_count(to.shape(a)), 1}), to.reshape(b, {1, ir::element_count(to.shape(b))}),
               site.type.dtype);
}

Index kron(Expander& to, const Site& site) {
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
  return to.reshape(times(to, to.reshape(site.inputs[0], left), to.reshape(site.inputs[1], right), site.type.dtype),
                    site.type.shape);
}

Index matrix_power(Expander& to, const Site& site) {
  std::int64_t n = ir::as_int(site.attr("n"), "n");
  if (n == 0) return kNoIndex;
  Index square = n < 0 ? to.call(OpId::LinalgInv, {site.inputs[0]}) : site.inputs[0], result = kNoIndex;
  auto power = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  for (bool first = true; power; power >>= 1, first = false) {
    if (!first) square = to.call(OpId::Matmul, {square, square});
    if (power & 1) result = result == kNoIndex ? square : to.call(OpId::Matmul, {result, square});
  }
  return result;
}

namespace {

// Matrices i to j of a chain.
Index chain(Expander& to, std::span<const Index> matrices, std::span<const std::size_t> splits, std::size_t i, std::size_t j) {
  if (i == j) return matrices[i];
  std::size_t k = splits[i * matrices.size() + j];
  Index left = chain(to, matrices, splits, i, k);
  return to.call(OpId::Dot, {left, chain(to, matrices, splits, k + 1, j)});
}

}  // namespace

Index multi_dot(Expander& to, const Site& site) {
  constexpr std::size_t kLongest = 64;
  std::vector<Index> matrices(site.inputs.begin(), site.inputs.end());
  if (matrices.size() > kLongest) return kNoIndex;
  if (matrices.size() == 2) return to.call(OpId::Dot, {matrices[0], matrices[1]});
  if (to.shape(matrices.front()).size() == 1)
    matrices.front() = to.reshape(matrices.front(), {1, to.shape(matrices.front())[0]});
  if (to.shape(matrices.back()).size() == 1) matrices.back() = to.reshape(matrices.back(), {to.shape(matrices.back())[0], 1});
  Dims extents;
  for (Index matrix : matrices) extents.push_back(to.shape(matrix)[0]);
  extents.push_back(to.shape(matrices.back())[1]);
  return to.reshape(chain(to, matrices, ir::chain_splits(extents), 0, matrices.size() - 1), site.type.shape);
}

// runtime/contract/contract.cpp does the same with arrays.
Index covariance(Expander& to, const Site& site) {
  DType dtype = ir::as_dtype(site.attr("dtype")).value_or(site.type.dtype);
  bool rowvar = ir::as_bool(site.attr("rowvar"), "rowvar"), bias = ir::as_bool(site.attr("bias"), "bias");
  bool alone = !site.has(1) && !site.has(2) && !site.has(3), nothing = false;
  for (Index input : site.inputs) nothing = nothing || (input != kNoIndex && ir::element_count(to.shape(input)) == 0);
  if (!ir::is_inexact(dtype) || (nothing && !alone)) return kNoIndex;
  const Dims& first = to.shape(site.inputs[0]);
  double count = static_cast<double>(first.size() < 2 ? ir::element_count(first) : first[rowvar ? 1 : 0]);
  const Attr& asked = site.attr("ddof");
  double ddof = asked.none() ? (bias ? 0 : 1) : static_cast<double>(ir::as_int(asked, "ddof"));
  if (nothing) return count - ddof <= 0 ? invalid(to, site.type) : kNoIndex;
  // What weights are is seen when it runs, and of too few is told then.
  bool weighted = site.has(2) || site.has(3), checked = weighted || count - ddof <= 0;
  if (checked && (to.standalone() || to.draws())) return kNoIndex;
  auto transposed = [&](Index m) { return to.call(OpId::Transpose, {m}); };
  auto variables = [&](Index m) {
    m = to.cast(m, dtype);
    if (to.shape(m).size() < 2) return to.reshape(m, {1, ir::element_count(to.shape(m))});
    return rowvar ? m : transposed(m);
  };
  Index x = variables(site.inputs[0]);
  if (site.has(1)) {
    Index y = site.inputs[1];
    bool row = to.shape(y).size() == 2 && to.shape(y)[0] == 1;
    x = to.concatenate({x, row ? to.cast(y, dtype) : variables(y)}, 0);
  }
  Index weights = kNoIndex, zero = checked ? to.constant(DType::Float64, 0) : kNoIndex;
  for (std::size_t k : {2, 3}) {
    if (!site.has(k)) continue;
    // What has another length, or is no integer where it has to be one, is refused by the runtime.
    Index w = site.inputs[k];
    bool counts = k == 2;
    if (to.shape(w).size() != 1 || to.shape(w)[0] != to.shape(x)[1] || (counts && ir::is_inexact(to.dtype(w)))) return kNoIndex;
    w = to.cast(w, DType::Float64);
    to.refuse_if(to.call(OpId::Less, {w, zero}),
                 ir::Error(ir::ErrorClass::ValueError, std::string(counts ? "fweights" : "aweights") + " cannot be negative"));
    weights = weights == kNoIndex ? w : to.call(OpId::Multiply, {weights, w});
  }
  Index total = weighted ? to.call(OpId::Sum, {weights}) : to.constant(DType::Float64, count);
  if (weighted)
    to.refuse_if(to.call(OpId::Equal, {total, zero}),
                 ir::Error(ir::ErrorClass::ZeroDivisionError, "Weights sum to zero, can't be normalized"));
  Index norm = kNoIndex;
  if (checked) {
    Index lost = to.constant(DType::Float64, ddof);
    if (ddof != 0 && site.has(3)) {
      Index both = to.call(OpId::Sum, {to.call(OpId::Multiply, {weights, to.cast(site.inputs[3], DType::Float64)})});
      lost = to.call(OpId::Divide, {to.call(OpId::Multiply, {lost, both}), total});
    }
    // Of none a division by zero tells.
    norm = to.call(OpId::Maximum, {to.call(OpId::Subtract, {total, lost}), zero});
  }
  auto with_weights = [&](Index v) { return weighted ? to.call(OpId::Multiply, {v, weights}) : v; };
  Index mean = to.call(OpId::Sum, {with_weights(x)}, {{"axis", std::int64_t{1}}, {"keepdims", true}});
  mean = to.call(OpId::Divide, {mean, total});
  Index centred = to.cast(to.call(OpId::Subtract, {x, mean}), dtype);
  Index other = transposed(with_weights(centred));
  if (ir::is_complex(dtype)) other = to.call(OpId::Conjugate, {other});
  Index product = to.call(OpId::Matmul, {centred, other});
  Index inverse =
      checked ? to.call(OpId::Divide, {to.constant(DType::Float64, 1), norm}) : to.constant(DType::Float64, 1 / (count - ddof));
  return to.reshape(to.call(OpId::Multiply, {product, inverse}), site.type.shape);
}

}  // namespace autoray::codegen::expansion
