#include "codegen/layout.h"

#include "ir/rules/index.h"
#include "ir/rules/movement.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::OpId;
using runtime::Array;

namespace {

// The kernels of views work on shapes and strides alone, so they are asked with an array that stands for no memory.
char* const kBase = reinterpret_cast<char*>(std::uintptr_t{1} << 44);

Layout indexed(const Layout& of, const Attr::Tuple& index) {
  Layout view;
  view.offset = of.offset;
  int consumed = 0;
  for (const Attr& item : index) consumed += !item.none() && !item.get<ir::Ellipsis>();
  std::size_t axis = 0;
  auto keep = [&] {
    view.shape.push_back(of.shape[axis]);
    view.strides.push_back(of.strides[axis++]);
  };
  bool ellipsis = false;
  for (const Attr& item : index) {
    if (item.none()) {
      view.shape.push_back(1);
      view.strides.push_back(0);
    } else if (auto* i = item.get<std::int64_t>()) {
      view.offset += (*i < 0 ? *i + of.shape[axis] : *i) * of.strides[axis];
      ++axis;
    } else if (auto* slice = item.get<ir::Slice>()) {
      ir::SliceRange range = ir::slice_range(*slice, of.shape[axis]);
      view.offset += range.start * of.strides[axis];
      view.shape.push_back(range.count);
      view.strides.push_back(range.count > 1 ? of.strides[axis] * range.step : of.strides[axis]);
      ++axis;
    } else {
      ellipsis = true;
      for (int k = of.shape.ssize() - consumed; k-- > 0;) keep();
    }
  }
  if (!ellipsis)
    while (axis < of.shape.size()) keep();
  return view;
}

bool plain_index(const Attr::Tuple& index) {
  for (const Attr& item : index)
    if (!item.none() && !item.get<std::int64_t>() && !item.get<ir::Slice>() && !item.get<ir::Ellipsis>()) return false;
  return true;
}

}  // namespace

Layout contiguous_layout(const ir::Type& type) {
  return {type.shape, ir::contiguous_strides(type.shape, static_cast<std::int64_t>(ir::itemsize(type.dtype))), 0};
}

std::optional<Layout> viewed(runtime::Runtime& runtime, OpId id, std::span<const Attr> attrs, const Layout& of, ir::DType dtype,
                             const ir::Type& result) {
  const ir::Op& op = ir::op(id);
  if (!op.has(ir::kViewResult) || op.has(ir::kTupleResult) || op.has(ir::kListResult)) return std::nullopt;
  if (id == OpId::GetItem) {
    auto* index = attrs[0].get<Attr::Tuple>();
    Dims none;
    if (!index && attrs[0].get<Dims>()) {
      // A tuple of ints alone.
      Attr::Tuple ints;
      for (std::int64_t i : *attrs[0].get<Dims>()) ints.push_back(Attr(i));
      return indexed(of, ints);
    }
    if (!index || !plain_index(*index)) return std::nullopt;
    return indexed(of, *index);
  }
  Array array;
  array.data = kBase + of.offset;
  array.dtype = dtype;
  array.shape = of.shape;
  array.strides = of.strides;
  if (id == OpId::Reshape || id == OpId::Ravel) {
    Array view;
    auto* order = ir::attribute(op, attrs, "order").get<std::string>();
    if (!order || *order != "C" || !runtime::try_reshape_view(array, result.shape, view)) return std::nullopt;
    return Layout{view.shape, view.strides, view.data - kBase};
  }
  if (id == OpId::Diag && of.shape.size() != 2) return std::nullopt;
  if (id == OpId::BroadcastTo) return Layout{result.shape, broadcast_strides(of.shape, of.strides, result.shape), of.offset};
  const runtime::Operand in[] = {{&array, ir::Kind::Array}};
  const std::uint32_t groups[] = {1};
  Array out[1];
  const ir::Type types[] = {result};
  runtime::KernelCall call{
      .runtime = runtime, .op = op, .backend = 0, .in = in, .groups = groups, .attrs = attrs, .types = types, .out = out};
  runtime.entry(0, id).kernel(call);
  return Layout{out[0].shape, out[0].strides, out[0].data - kBase};
}

std::optional<Layout> viewed_along(runtime::Runtime& runtime, const Attr& path, const Layout& of, ir::DType& dtype) {
  Layout at = of;
  auto* steps = path.get<Attr::Tuple>();
  if (!steps) return std::nullopt;
  for (const Attr& step : *steps) {
    auto* parts = step.get<Attr::Tuple>();
    if (!parts || parts->empty() || !(*parts)[0].get<std::string>()) return std::nullopt;
    OpId id = ir::find_op(*(*parts)[0].get<std::string>());
    if ((id == OpId::Real || id == OpId::Imag) && ir::is_complex(dtype)) {
      dtype = ir::real_dtype(dtype);
      if (id == OpId::Imag) at.offset += static_cast<std::int64_t>(ir::itemsize(dtype));
      continue;
    }
    std::vector<Attr> attrs(parts->begin() + 1, parts->end());
    ir::Type type{dtype, ir::Kind::Array, at.shape};
    const ir::OperandType in[] = {{&type}};
    const std::uint32_t groups[] = {1};
    const ir::Op& op = ir::op(id);
    if (!op.has(ir::kViewResult) || op.has(ir::kTupleResult) || op.has(ir::kListResult)) return std::nullopt;
    if (id == OpId::GetItem && attrs[0].get<Attr::Tuple>() && !plain_index(*attrs[0].get<Attr::Tuple>())) return std::nullopt;
    ir::Inference inference{op, in, groups, attrs, {}};
    ir::infer(inference);
    auto next = viewed(runtime, id, attrs, at, dtype, inference.results[0]);
    if (!next) return std::nullopt;
    at = *next;
  }
  return at;
}

Dims broadcast_strides(const Dims& shape, const Dims& strides, const Dims& to) {
  Dims result(to.size(), 0);
  // More axes than the target has are of extent 1.
  std::size_t skip = shape.size() > to.size() ? shape.size() - to.size() : 0, lead = to.size() - (shape.size() - skip);
  for (std::size_t k = skip; k < shape.size(); ++k) result[lead + k - skip] = shape[k] == 1 ? 0 : strides[k];
  return result;
}

}  // namespace autoray::codegen
