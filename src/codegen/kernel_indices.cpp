// Elements that indices choose, in kernels: integers that grow along axes, gathers, and the checks of indices.
#include "codegen/kernel_builder.h"

namespace autoray::codegen {

using ir::Dims;
using ir::DType;
using ir::Index;

Parts KernelBuilder::affine_index(Emission& e, const AffineIndex& index) {
  Body body(e.draft.nest);
  // A single element has no axes.
  Dims steps = index.steps;
  if (steps.size() != e.shape.size()) steps = Dims(e.shape.size(), 0);
  e.draft.loads.push_back({kNoRoot, 0, DType::Int64, steps});
  ValueId v =
      body.emit(Prim::Index, DType::Int64, kNoValue, kNoValue, kNoValue, static_cast<std::int64_t>(e.draft.loads.size() - 1));
  if (index.offset) v = body.emit(Prim::Add, DType::Int64, v, body.integer(DType::Int64, index.offset));
  return {v};
}

// The array x of indices at a point; its axes are the nest's from `first` on.
ValueId KernelBuilder::index_at(Emission& e, Index x, std::size_t first) {
  const Where& w = memory_.where[x];
  Dims strides(e.shape.size(), 0);
  for (std::size_t k = 0; k < w.layout.shape.size() && first + k < strides.size(); ++k)
    if (w.layout.shape[k] != 1) strides[first + k] = w.layout.strides[k];
  return Body(e.draft.nest).cast(load_walk(e, {w.root, w.layout.offset, block_.type(x).dtype, strides}).re, DType::Int64);
}

// An integer that is data of the program: kernels of all such numbers are one.
ValueId KernelBuilder::constant_number(Emission& e, std::int64_t value) {
  return load_walk(e, {memory_.constant(DType::Int64, static_cast<double>(value)), 0, DType::Int64, Dims(e.shape.size(), 0)})
      .re;
}

ValueId KernelBuilder::index_offset(Emission& e, Index i, const Dims& strides) {
  Body body(e.draft.nest);
  auto number = [&](std::int64_t value) { return constant_number(e, value); };
  ValueId offset = kNoValue;
  for (const Indexing::Array& array : roles_[i].indexing->arrays) {
    ValueId at = index_at(e, block_.inputs(i)[array.input], array.first);
    ValueId from_end = body.emit(Prim::Add, DType::Int64, at, number(array.size));
    ValueId negative = body.emit(Prim::Less, DType::Bool, at, body.integer(DType::Int64, 0));
    at = body.emit(Prim::Select, DType::Int64, negative, from_end, at);
    std::int64_t stride = strides[static_cast<std::size_t>(array.axis)];
    // Kernels of all strides are one, but a dense axis is known.
    bool dense = stride == static_cast<std::int64_t>(ir::itemsize(block_.type(i).dtype));
    ValueId bytes = body.emit(Prim::Multiply, DType::Int64, at, dense ? body.integer(DType::Int64, stride) : number(stride));
    offset = offset == kNoValue ? bytes : body.emit(Prim::Add, DType::Int64, offset, bytes);
  }
  return offset;
}

Dims KernelBuilder::walked(const Indexing& indexing, const Layout& layout, std::size_t rank) {
  Dims strides(rank, 0);
  for (std::size_t d = 0; d < rank && rank == indexing.axes.size(); ++d)
    if (std::int64_t axis = indexing.axes[d]; axis >= 0 && layout.shape[static_cast<std::size_t>(axis)] != 1)
      strides[d] = layout.strides[static_cast<std::size_t>(axis)];
  return strides;
}

Parts KernelBuilder::gather(Emission& e, Index i) {
  const Indexing& indexing = *roles_[i].indexing;
  Index base = block_.inputs(i)[0];
  const Where& w = memory_.where[base];
  Body body(e.draft.nest);
  DType dtype = block_.type(base).dtype, item = ir::is_complex(dtype) ? ir::real_dtype(dtype) : dtype;
  ValueId offset = index_offset(e, i, w.layout.strides);
  Dims strides = walked(indexing, w.layout, e.shape.size());
  auto part = [&](int number) {
    e.draft.loads.push_back({w.root, w.layout.offset, dtype, strides, number});
    return body.emit(Prim::Gather, item, offset, kNoValue, kNoValue, static_cast<std::int64_t>(e.draft.loads.size() - 1));
  };
  Parts v;
  v.re = part(0);
  if (item != dtype) v.im = part(1);
  return v;
}

void KernelBuilder::check_indices(Index i) {
  auto check = [&](Index x, auto&& operands, IndexCheck told) {
    Emission e;
    begin(e, memory_.where[x].layout.shape);
    ValueId found = index_at(e, x, 0);
    auto [at, size] = operands(e, found);
    Body(e.draft.nest).emit(Prim::Check, DType::Int64, at, size, found, static_cast<std::int64_t>(draft_.checks.size()));
    told.source = block_.nodes[i].source;
    draft_.checks.push_back(std::move(told));
    add(std::move(e.draft));
  };
  const Indexing& indexing = *roles_[i].indexing;
  for (const Indexing::Array& array : indexing.arrays) {
    std::string of = array.named_axis < 0 ? "size " : "axis " + std::to_string(array.named_axis) + " with size ";
    check(block_.inputs(i)[array.input],
          [&](Emission& e, ValueId found) { return std::pair{found, constant_number(e, array.size)}; },
          {ir::ErrorClass::IndexError, "index ", " is out of bounds for " + of + std::to_string(array.size), {}});
  }
  if (!indexing.count) return;
  // Twice the difference is in the bounds of 1 where it is 0.
  check(block_.inputs(i)[indexing.count->input],
        [&](Emission& e, ValueId found) {
          Body body(e.draft.nest);
          ValueId off = body.emit(Prim::Subtract, DType::Int64, found, constant_number(e, indexing.count->expected));
          return std::pair{body.emit(Prim::Add, DType::Int64, off, off), body.integer(DType::Int64, 1)};
        },
        {ir::ErrorClass::ValueError, indexing.count->before, indexing.count->after, {}});
}

}  // namespace autoray::codegen
