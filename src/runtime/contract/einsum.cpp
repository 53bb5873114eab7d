// einsum over a ProductFunction: pairs of operands become products by axes, sums over one operand reductions.
#include <algorithm>
#include <array>

#include "ir/rules/einsum_path.h"
#include "ir/rules/movement.h"
#include "runtime/contract/contract.h"
#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::Dims;
using ir::OpId;

namespace {

struct Term {
  Array array;
  Dims labels;  // distinct
};

// One loop over all operands, as far as dtypes go: everything is computed in one.
class EinsumRun {
 public:
  EinsumRun(KernelCall& call, ProductFunction product, ir::Einsum spec, std::span<const Array> operands, ir::DType dtype)
      : call_(call), product_(product), dtype_(dtype), spec_(std::move(spec)) {
    for (std::size_t i = 0; i < operands.size(); ++i) terms_.push_back(diagonals(operands[i], spec_.inputs[i]));
  }

  Array result() {
    for (std::size_t i = 0; i < terms_.size(); ++i) terms_[i] = without_own_sums(std::move(terms_[i]), i);
    while (terms_.size() > 1) {
      auto [i, j] = cheapest_pair();
      Term joined = multiply(terms_[i], terms_[j], i, j);
      terms_.erase(terms_.begin() + static_cast<std::ptrdiff_t>(j));
      terms_[i] = std::move(joined);
    }
    Term& last = terms_[0];
    Array array = aligned(last, spec_.output);
    return array.dtype == dtype_ ? array : converted(call_.runtime, array, dtype_);
  }

 private:
  static bool has(const Dims& labels, std::int64_t label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
  }

  // Every label once: a repeated one walks the diagonal. Extents of 1 stretch to the label's.
  Term diagonals(const Array& array, const Dims& labels) {
    Term term{array, {}};
    term.array.shape.clear();
    term.array.strides.clear();
    for (std::size_t axis = 0; axis < labels.size(); ++axis) {
      std::int64_t stride = array.shape[axis] == 1 ? 0 : array.strides[axis];
      auto at = std::find(term.labels.begin(), term.labels.end(), labels[axis]);
      if (at != term.labels.end()) {
        term.array.strides[static_cast<std::size_t>(at - term.labels.begin())] += stride;
        continue;
      }
      term.labels.push_back(labels[axis]);
      term.array.shape.push_back(spec_.extent(labels[axis]));
      term.array.strides.push_back(stride);
    }
    return term;
  }

  // A term whose axes stand as `labels` says; missing ones become new axes of extent 1.
  static Array aligned(const Term& term, const Dims& labels) {
    Array view = term.array;
    view.shape.clear();
    view.strides.clear();
    for (std::int64_t label : labels) {
      auto at = std::find(term.labels.begin(), term.labels.end(), label);
      bool missing = at == term.labels.end();
      auto axis = static_cast<std::size_t>(at - term.labels.begin());
      view.shape.push_back(missing ? 1 : term.array.shape[axis]);
      view.strides.push_back(missing ? 0 : term.array.strides[axis]);
    }
    return view;
  }

  bool needed(std::int64_t label, std::size_t i, std::size_t j) const {
    if (has(spec_.output, label)) return true;
    for (std::size_t k = 0; k < terms_.size(); ++k)
      if (k != i && k != j && has(terms_[k].labels, label)) return true;
    return false;
  }

  // Labels that stand in this term alone and not in the result are summed at once.
  Term without_own_sums(Term term, std::size_t i) {
    Dims axes, kept;
    for (std::size_t axis = 0; axis < term.labels.size(); ++axis) {
      if (needed(term.labels[axis], i, i))
        kept.push_back(term.labels[axis]);
      else
        axes.push_back(static_cast<std::int64_t>(axis));
    }
    if (axes.empty()) return term;
    if (ir::is_bool(dtype_)) return {call_.runtime.run1(OpId::Any, call_.backend, {&term.array}, {ir::Attr(axes)}), kept};
    return {call_.runtime.run1(OpId::Sum, call_.backend, {&term.array}, {ir::Attr(axes), ir::Attr(dtype_)}), kept};
  }

  std::pair<std::size_t, std::size_t> cheapest_pair() const {
    std::pair<std::size_t, std::size_t> best{0, 1};
    double least = -1;
    for (std::size_t i = 0; i < terms_.size() && terms_.size() > 2; ++i)
      for (std::size_t j = i + 1; j < terms_.size(); ++j) {
        double cost = 1, size = 1;
        auto count = [&](std::int64_t label) {
          cost *= static_cast<double>(spec_.extent(label));
          if (needed(label, i, j)) size *= static_cast<double>(spec_.extent(label));
        };
        for (std::int64_t label : terms_[i].labels) count(label);
        for (std::int64_t label : terms_[j].labels)
          if (!has(terms_[i].labels, label)) count(label);
        // The multiplications, and among equals the smaller result.
        cost += size / 16;
        if (least < 0 || cost < least) {
          least = cost;
          best = {i, j};
        }
      }
    return best;
  }

  Term multiply(const Term& a, const Term& b, std::size_t i, std::size_t j) {
    Dims batch, free_a, free_b, summed;
    for (std::int64_t label : a.labels) {
      if (!has(b.labels, label))
        free_a.push_back(label);
      else
        (needed(label, i, j) ? batch : summed).push_back(label);
    }
    for (std::int64_t label : b.labels)
      if (!has(a.labels, label)) free_b.push_back(label);
    Dims labels = batch;
    for (std::int64_t label : free_a) labels.push_back(label);
    for (std::int64_t label : free_b) labels.push_back(label);
    if (summed.empty()) {
      Array x = aligned(a, labels), y = aligned(b, labels);
      if (x.dtype != dtype_) x = converted(call_.runtime, x, dtype_);
      if (y.dtype != dtype_) y = converted(call_.runtime, y, dtype_);
      return {call_.runtime.run1(OpId::Multiply, call_.backend, {&x, &y}), labels};
    }
    auto axes = [](const Term& term, const Dims& of) {
      Dims list;
      for (std::int64_t label : of)
        list.push_back(std::find(term.labels.begin(), term.labels.end(), label) - term.labels.begin());
      return list;
    };
    Factor x{&a.array, axes(a, batch), axes(a, free_a), axes(a, summed)},
        y{&b.array, axes(b, batch), axes(b, free_b), axes(b, summed)};
    return {multiplied(call_, product_, x, y, dtype_), labels};
  }

  KernelCall& call_;
  ProductFunction product_;
  ir::DType dtype_;
  ir::Einsum spec_;
  std::vector<Term> terms_;
};

}  // namespace

namespace {

// What stands between two steps: an array and its labels.
struct Labelled {
  Array array;
  Dims labels;
};

// A sum over all labels that the result lacks, and the order of those that it has, in the operand's own dtype.
Array arranged(KernelCall& call, ProductFunction product, const Labelled& term, const Dims& labels) {
  ir::Einsum spec{{term.labels}, labels, {}};
  spec.extents = ir::einsum_extents(spec.inputs, std::array{term.array.shape});
  return EinsumRun(call, product, spec, std::span(&term.array, 1), term.array.dtype).result();
}

Array pair_product(KernelCall& call, ProductFunction product, const Labelled& a, const Labelled& b, const Dims& result,
                   ir::DType dtype) {
  ir::EinsumPair pair = ir::einsum_pair(a.labels, a.array.shape, b.labels, b.array.shape, result);
  if (pair.multiplied()) {
    auto factor = [&](const Labelled& term) {
      Dims kept, shape;
      for (std::int64_t label : result)
        if (std::ranges::find(term.labels, label) != term.labels.end()) kept.push_back(label);
      Array array = arranged(call, product, term, kept), view = array;
      view.shape.clear();
      view.strides.clear();
      for (std::int64_t label : result) {
        auto at = std::ranges::find(kept, label);
        bool missing = at == kept.end();
        auto axis = static_cast<std::size_t>(at - kept.begin());
        view.shape.push_back(missing ? 1 : array.shape[axis]);
        view.strides.push_back(missing ? 0 : array.strides[axis]);
      }
      return view.dtype == dtype ? view : converted(call.runtime, view, dtype);
    };
    Array x = factor(a), y = factor(b);
    return call.runtime.run1(OpId::Multiply, call.backend, {&x, &y});
  }
  auto joined = [](std::initializer_list<const Dims*> groups) {
    Dims all;
    for (const Dims* group : groups)
      for (std::int64_t label : *group) all.push_back(label);
    return all;
  };
  Array x = arranged(call, product, a, joined({&pair.batch, &pair.free_a, &pair.summed})),
        y = arranged(call, product, b, joined({&pair.batch, &pair.summed, &pair.free_b}));
  auto places = [](std::size_t first, const Dims& group) {
    Dims axes;
    for (std::size_t i = 0; i < group.size(); ++i) axes.push_back(static_cast<std::int64_t>(first + i));
    return axes;
  };
  std::size_t batch = pair.batch.size(), summed = pair.summed.size();
  Factor left{&x, places(0, pair.batch), places(batch, pair.free_a), places(batch + pair.free_a.size(), pair.summed)},
      right{&y, places(0, pair.batch), places(batch + summed, pair.free_b), places(batch, pair.summed)};
  Array made = multiplied(call, product, left, right, dtype), view = made;
  Dims labels = joined({&pair.batch, &pair.free_a, &pair.free_b});
  view.shape.clear();
  view.strides.clear();
  for (std::int64_t label : result) {
    auto at = std::ranges::find(labels, label);
    bool lone = at == labels.end();  // an axis of length one
    auto axis = static_cast<std::size_t>(at - labels.begin());
    view.shape.push_back(lone ? 1 : made.shape[axis]);
    view.strides.push_back(lone ? 0 : made.strides[axis]);
  }
  return view;
}

Array by_steps(KernelCall& call, ProductFunction product, const ir::Einsum& einsum, std::span<const Array> operands) {
  std::vector<Labelled> terms;
  for (std::size_t i = 0; i < operands.size(); ++i) terms.push_back({operands[i], einsum.inputs[i]});
  auto asked = ir::as_dtype(ir::attribute(call.op, call.attrs, "dtype"));
  const std::string& casting = ir::as_string(ir::attribute(call.op, call.attrs, "casting"), "casting");
  for (const ir::EinsumStep& step : ir::einsum_steps(einsum, ir::attribute(call.op, call.attrs, "optimize"))) {
    std::vector<Labelled> taken;
    for (std::size_t place : step.places) {
      taken.push_back(std::move(terms[place]));
      terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(place));
    }
    Labelled made{{}, step.result};
    if (taken.size() == 2) {
      ir::DType dtype = asked.value_or(ir::promote(taken[0].array.dtype, taken[1].array.dtype));
      made.array = pair_product(call, product, taken[0], taken[1], step.result, dtype);
    } else {
      ir::Einsum spec{{}, step.result, {}};
      std::vector<Array> arrays;
      std::vector<Dims> shapes;
      std::vector<ir::DType> dtypes;
      for (const Labelled& term : taken) {
        spec.inputs.push_back(term.labels);
        arrays.push_back(term.array);
        shapes.push_back(term.array.shape);
        dtypes.push_back(term.array.dtype);
      }
      spec.extents = ir::einsum_extents(spec.inputs, shapes);
      ir::DType dtype = ir::einsum_dtype(spec.inputs, spec.output, dtypes, asked, casting);
      made.array = EinsumRun(call, product, spec, arrays, dtype).result();
    }
    terms.push_back(std::move(made));
  }
  return terms[0].array;
}

}  // namespace

void einsum(KernelCall& call, ProductFunction product) {
  std::vector<Dims> shapes;
  std::vector<Array> operands;
  for (const Operand& operand : call.in) {
    shapes.push_back(operand->shape);
    operands.push_back(*operand.array);
  }
  ir::Einsum spec = ir::parse_einsum(*call.attrs[0].get<std::string>(), shapes);
  call.out[0] = ir::einsum_is_stepwise(ir::attribute(call.op, call.attrs, "optimize"))
                    ? by_steps(call, product, spec, operands)
                    : EinsumRun(call, product, spec, operands, call.types[0].dtype).result();
}

}  // namespace autoray::runtime
