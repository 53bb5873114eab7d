// einsum over a ProductFunction: pairs of operands become products by axes, sums over one operand reductions.
#include <algorithm>
#include <array>

#include "ir/rules/einsum_terms.h"
#include "ir/rules/movement.h"
#include "runtime/contract/contract.h"
#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::Dims;
using ir::OpId;

namespace {

// One loop over all operands, as far as dtypes go: everything is computed in one.
class EinsumRun {
 public:
  EinsumRun(KernelCall& call, ProductFunction product, ir::Einsum spec, std::span<const Array> operands, ir::DType dtype)
      : call_(call), product_(product), dtype_(dtype), spec_(std::move(spec)), terms_(spec_) {
    for (std::size_t i = 0; i < operands.size(); ++i) arrays_.push_back(diagonals(operands[i], i));
  }

  Array result() {
    for (std::size_t i = 0; i < terms_.size(); ++i)
      if (Dims axes = terms_.sum_alone(i); !axes.empty()) arrays_[i] = summed(arrays_[i], axes);
    while (terms_.size() > 1) {
      auto [i, j] = terms_.cheapest_pair();
      const Dims a = terms_.labels(i), b = terms_.labels(j);
      ir::EinsumPair pair = terms_.join(i, j);
      arrays_[i] = multiply(arrays_[i], a, arrays_[j], b, pair, terms_.labels(i));
      arrays_.erase(arrays_.begin() + static_cast<std::ptrdiff_t>(j));
    }
    Array array = aligned(arrays_[0], terms_.labels(0), spec_.output);
    return array.dtype == dtype_ ? array : converted(call_.runtime, array, dtype_);
  }

 private:
  // Every label once: a repeated one walks the diagonal. Extents of 1 stretch to the label's.
  Array diagonals(const Array& array, std::size_t term) const {
    const Dims &given = spec_.inputs[term], &distinct = terms_.labels(term);
    Array view = array;
    view.shape.clear();
    for (std::int64_t label : distinct) view.shape.push_back(spec_.extent(label));
    view.strides = Dims(distinct.size(), 0);
    for (std::size_t axis = 0; axis < given.size(); ++axis)
      if (array.shape[axis] != 1) view.strides[place(distinct, given[axis])] += array.strides[axis];
    return view;
  }
  static std::size_t place(const Dims& labels, std::int64_t label) {
    return static_cast<std::size_t>(std::ranges::find(labels, label) - labels.begin());
  }

  // Axes as `to` says; missing ones become new axes of extent 1.
  static Array aligned(const Array& array, const Dims& labels, const Dims& to) {
    Array view = array;
    view.shape.clear();
    view.strides.clear();
    for (std::int64_t label : to) {
      std::size_t axis = place(labels, label);
      bool missing = axis == labels.size();
      view.shape.push_back(missing ? 1 : array.shape[axis]);
      view.strides.push_back(missing ? 0 : array.strides[axis]);
    }
    return view;
  }

  Array summed(const Array& array, const Dims& axes) {
    if (ir::is_bool(dtype_)) return call_.runtime.run1(OpId::Any, call_.backend, {&array}, {ir::Attr(axes)});
    return call_.runtime.run1(OpId::Sum, call_.backend, {&array}, {ir::Attr(axes), ir::Attr(dtype_)});
  }

  Array multiply(const Array& a, const Dims& labels_a, const Array& b, const Dims& labels_b, const ir::EinsumPair& pair,
                 const Dims& result) {
    if (pair.multiplied()) {
      Array x = aligned(a, labels_a, result), y = aligned(b, labels_b, result);
      if (x.dtype != dtype_) x = converted(call_.runtime, x, dtype_);
      if (y.dtype != dtype_) y = converted(call_.runtime, y, dtype_);
      return call_.runtime.run1(OpId::Multiply, call_.backend, {&x, &y});
    }
    auto axes = [](const Dims& labels, const Dims& of) {
      Dims list;
      for (std::int64_t label : of) list.push_back(static_cast<std::int64_t>(place(labels, label)));
      return list;
    };
    Factor x{&a, axes(labels_a, pair.batch), axes(labels_a, pair.free_a), axes(labels_a, pair.summed)},
        y{&b, axes(labels_b, pair.batch), axes(labels_b, pair.free_b), axes(labels_b, pair.summed)};
    return multiplied(call_, product_, x, y, dtype_);
  }

  KernelCall& call_;
  ProductFunction product_;
  ir::DType dtype_;
  ir::Einsum spec_;
  ir::EinsumTerms terms_;
  std::vector<Array> arrays_;  // of the terms
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
