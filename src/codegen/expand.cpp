#include "codegen/expand.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>

#include "codegen/expander.h"
#include "ir/error.h"
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"
#include "runtime/convert.h"
#include "runtime/elementwise/driver.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::kNoIndex;
using ir::NodeKind;
using ir::OpId;

namespace {

// The dtype that adds up: halves in float32, small integers in 64 bits.
DType accumulator(DType dtype) {
  if (dtype == DType::Float16) return DType::Float32;
  if (ir::is_inexact(dtype)) return dtype;
  return ir::is_unsigned(dtype) ? DType::UInt64 : DType::Int64;
}

// Of a path of a write.
bool reshapes_nothing(const Attr& path) {
  auto* steps = path.get<Attr::Tuple>();
  return !steps || std::ranges::none_of(*steps, [](const Attr& step) {
    OpId id = ir::find_op(*(*step.get<Attr::Tuple>())[0].get<std::string>());
    return id == OpId::Reshape || id == OpId::Ravel;
  });
}

}  // namespace

bool Expander::may_expand(Index i) {
  const ir::BlockNode& n = from_.nodes[i];
  if (n.kind != NodeKind::Call) return false;
  // What most calls have by default is looked at once for a list of attributes.
  auto differs = [&](std::string_view name, auto&& plain) {
    auto [found, fresh] = plain_.try_emplace(std::uint64_t{n.attrs} << 32 | static_cast<std::uint64_t>(n.op), false);
    if (fresh) found->second = plain(ir::attribute(ir::op(n.op), from_.tables->attrs.attrs(n.attrs), name));
    return !found->second;
  };
  auto masks = [&] { return inputs(i) > 1 && from_.inputs(i)[1] != kNoIndex; };
  switch (n.op) {
    case OpId::Sum:
    case OpId::Prod:
    case OpId::Max:
    case OpId::Min:
      if (n.op != OpId::Sum && ir::is_complex(dtype(i))) return true;
      return masks() || differs("initial", [](const Attr& a) { return a.get<ir::Ellipsis>() != nullptr; });
    case OpId::Mean:
      if (ir::element_count(type(from_.inputs(i)[0]).shape) == 0) return true;
      [[fallthrough]];
    case OpId::All:
    case OpId::Any: return masks();
    case OpId::Reshape:
    case OpId::Ravel:
    case OpId::Flatten:
      return differs("order", [](const Attr& a) { return !a.get<std::string>() || *a.get<std::string>() != "F"; });
    case OpId::GetItem: return inputs(i) > 1;
    case OpId::SetItem: return inputs(i) > 2 || differs("path", reshapes_nothing);
    case OpId::Power: return ir::is_integer(dtype(i));
    case OpId::Cov: return true;
    case OpId::Astype: return ir::is_complex(dtype(from_.inputs(i)[0])) && !ir::is_complex(dtype(i)) && !ir::is_bool(dtype(i));
    case OpId::Std:
    case OpId::Var:
    case OpId::Argmax:
    case OpId::Argmin:
    case OpId::Cumsum:
    case OpId::Cumprod:
    case OpId::Trace:
    case OpId::FullLike:
    case OpId::Tril:
    case OpId::Triu:
    case OpId::Diag:
    case OpId::Roll:
    case OpId::Tile:
    case OpId::Repeat:
    case OpId::Pad:
    case OpId::Take:
    case OpId::TakeAlongAxis:
    case OpId::Sort:
    case OpId::Argsort:
    case OpId::Searchsorted:
    case OpId::Imag: return true;
    default: return overflows_half(i);
  }
}

Index Expander::written_out(Index i) {
  const ir::BlockNode& n = from_.nodes[i];
  if (ir::element_count(type(i).shape) == 0) return kNoIndex;
  if (overflows_half(i)) return overflowing_half(i);
  switch (n.op) {
    case OpId::Power: return integer_power(i);
    case OpId::Cov: return covariance(i);
    case OpId::Astype: return made_real(i);
    case OpId::Std:
    case OpId::Var: return spread(i);
    case OpId::Argmax:
    case OpId::Argmin: return place_of_extreme(i);
    case OpId::Cumsum:
    case OpId::Cumprod: return scanned(i);
    case OpId::Mean:
      if (ir::element_count(type(from_.inputs(i)[0]).shape) == 0) return mean_of_nothing(i);
      [[fallthrough]];
    case OpId::Sum:
    case OpId::Prod:
    case OpId::Max:
    case OpId::Min:
    case OpId::All:
    case OpId::Any: return inputs(i) > 1 && from_.inputs(i)[1] != kNoIndex ? masked(i) : started(i);
    case OpId::Trace: return traced(i);
    case OpId::Reshape:
    case OpId::Ravel:
    case OpId::Flatten: return in_column_order(i);
    case OpId::FullLike: return full_like(i);
    case OpId::Tril:
    case OpId::Triu: return triangle(i);
    case OpId::Diag: return type(from_.inputs(i)[0]).shape.size() == 1 ? diagonal_matrix(i) : kNoIndex;
    case OpId::Roll: return roll(i);
    case OpId::Tile: return tile(i);
    case OpId::Repeat: return repeat(i);
    case OpId::Pad: return pad(i);
    case OpId::GetItem: return getitem(i);
    case OpId::SetItem: return setitem(i);
    case OpId::Take: return take(i);
    case OpId::TakeAlongAxis: return take_along_axis(i);
    case OpId::Sort:
    case OpId::Argsort: return sorted(i);
    case OpId::Searchsorted: return searched(i);
    // Of a real array: zeros.
    case OpId::Imag:
      return ir::is_complex(dtype(from_.inputs(i)[0])) || dtype(i) == DType::Float16 ? kNoIndex
                                                                                     : constant(dtype(i), 0, type(i).shape);
    default: return kNoIndex;
  }
}

Expanded Expander::run() {
  draws_ = std::ranges::any_of(
      from_.nodes, [](const ir::BlockNode& n) { return n.kind == NodeKind::Call && ir::op(n.op).has(ir::kRandom); });
  for (Index i = 0; i < from_.nodes.size(); ++i) {
    const ir::BlockNode& n = from_.nodes[i];
    backend_ = n.backend;
    source_ = n.source;
    attrs_id_ = n.attrs;
    attrs_known_ = false;
    bool ours = n.backend == 0 || runtime_.backend_name(n.backend) == "numpy" || !runtime_.backend(n.backend).based_on.empty();
    Index r = kNoIndex, before = static_cast<Index>(to_.block.nodes.size());
    if (may_expand(i) && ours) r = written_out(i);
    if (r == kNoIndex) forget(before);
    if (r != kNoIndex) {
      const ir::Type &wanted = type(i), &got = made(r);
      if (wanted.dtype != got.dtype || !(wanted.shape == got.shape))
        throw ir::Error(ir::ErrorClass::SystemError, "code generation: " + std::string(ir::op(n.op).path) + " became " +
                                                         ir::to_string(got) + " instead of " + ir::to_string(wanted));
      to_.block.nodes[r].types = n.types;
      to_.block.nodes[r].name = n.name;
    } else {
      Inputs mapped;
      for (std::size_t k = 0; k < n.input_count; ++k) mapped.push_back(input(i, k));
      r = to_.block.add(n, mapped);
    }
    new_of_.push_back(r);
  }
  for (Index argument : from_.arguments) to_.block.arguments.push_back(new_of_[argument]);
  for (Index result : from_.results) to_.block.results.push_back(new_of_[result]);
  return std::move(to_);
}

// What was begun and given up.
void Expander::forget(Index first) {
  auto& nodes = to_.block.nodes;
  if (nodes.size() == first) return;
  to_.block.edges.resize(nodes[first].first_input);
  for (; nodes.size() > first; nodes.pop_back()) {
    from_.tables->attrs.release(nodes.back().attrs);
    to_.roles.erase(static_cast<Index>(nodes.size() - 1));
  }
}

// ---- the node that is read ----

const Attr& Expander::attr(Index i, std::string_view name) {
  if (!attrs_known_) attrs_ = from_.tables->attrs.attrs(attrs_id_);
  attrs_known_ = true;
  return ir::attribute(ir::op(from_.nodes[i].op), attrs_, name);
}
Index Expander::input(Index i, std::size_t k) const {
  Index x = from_.inputs(i)[k];
  return x == kNoIndex ? kNoIndex : new_of_[x];
}
const runtime::Array* Expander::constant_scalar(Index i) const {
  if (i == kNoIndex || from_.nodes[i].kind != NodeKind::Constant) return nullptr;
  const runtime::Array* array = arguments_[from_.nodes[i].number].constant;
  return array && array->shape.empty() ? array : nullptr;
}
bool Expander::weak_out_of_range(Index i, DType dtype) const {
  const runtime::Array* value = type(i).kind == Kind::Weak ? constant_scalar(i) : nullptr;
  return value && runtime::out_of_range({value, Kind::Weak}, dtype);
}

// ---- the block that is written ----

Index Expander::call(OpId id, Inputs inputs, const std::vector<Named>& given) {
  const ir::Op& op = ir::op(id);
  auto defaults = runtime_.default_attrs(id);
  std::vector<Attr> attrs(defaults.begin(), defaults.end());
  auto names = ir::attribute_names(id);
  for (const auto& [name, value] : given)
    attrs[static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin())] = value;
  std::vector<ir::OperandType> operands;
  for (Index x : inputs) operands.push_back({x == kNoIndex ? nullptr : &made(x)});
  auto groups = ir::operand_groups(op, operands.size());
  ir::Inference inference{op, operands, groups, attrs, {}};
  ir::infer(inference);
  ir::BlockNode node;
  node.op = id;
  node.backend = backend_;
  node.source = source_;
  node.types = from_.tables->types.intern(inference.results[0]);
  node.attrs = from_.tables->attrs.intern(attrs);
  Index made_now = to_.block.add(node, inputs);
  from_.tables->attrs.release(node.attrs);
  return made_now;
}
// The op of such a node is a name alone: its role says what it is.
Index Expander::given(const ir::Type& type, Inputs inputs, NodeRole role) {
  ir::BlockNode node;
  node.op = from_.nodes[new_of_.size()].op;
  node.backend = backend_;
  node.source = source_;
  node.types = from_.tables->types.intern(type);
  node.attrs = from_.tables->attrs.intern({});
  Index made_now = to_.block.add(node, inputs);
  from_.tables->attrs.release(node.attrs);
  to_.roles.emplace(made_now, std::move(role));
  return made_now;
}
Index Expander::constant(DType dtype, double value, Dims shape) {
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = dtype;
  role.lowering = constant_value;
  role.parameters = {value};
  return given({dtype, Kind::Array, std::move(shape)}, {}, std::move(role));
}
Index Expander::affine(const Dims& shape, AffineIndex index) {
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = DType::Int64;
  role.lowering = identity;
  role.index = std::move(index);
  return given({DType::Int64, Kind::Array, shape}, {}, std::move(role));
}
Index Expander::cast(Index x, DType dtype) { return made(x).dtype == dtype ? x : call(OpId::Astype, {x}, {{"dtype", dtype}}); }
Index Expander::reshape(Index x, const Dims& to) { return shape(x) == to ? x : call(OpId::Reshape, {x}, {{"shape", to}}); }
Index Expander::slice(Index x, std::size_t axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  Attr::Tuple index(axis, Attr(ir::Slice{}));
  // A slice that goes down to the first element has no end.
  index.push_back(Attr(ir::Slice{start, stop < 0 ? std::nullopt : std::optional(stop), step}));
  return call(OpId::GetItem, {x}, {{"index", std::move(index)}});
}
Index Expander::repeated(Index x, std::size_t axis, std::int64_t count) {
  Dims wide = shape(x);
  wide[axis] = count;
  return call(OpId::BroadcastTo, {x}, {{"shape", wide}});
}
Index Expander::concatenate(Inputs parts, std::size_t axis) {
  return call(OpId::Concatenate, std::move(parts), {{"axis", static_cast<std::int64_t>(axis)}});
}

// ---- reductions ----

// Two passes: the mean, then the mean of squared distances.
Index Expander::spread(Index i) {
  DType result = dtype(i), items = dtype(from_.inputs(i)[0]);
  const Attr& asked = attr(i, "dtype");
  bool complex = ir::is_complex(items);
  bool mask = inputs(i) > 1 && from_.inputs(i)[1] != kNoIndex;
  // Integer results, and the mean of real parts, are truncated and composed in ways of their own.
  bool generated = result == DType::Float32 || result == DType::Float64;
  if (!generated || items == DType::Float16) return kNoIndex;
  if (complex && !asked.none() && !ir::is_complex(*ir::as_dtype(asked))) return kNoIndex;
  if (mask) return masked_spread(i);
  Dims axes = ir::reduction_axes(attr(i, "axis"), type(from_.inputs(i)[0]).shape.ssize());
  double n = 1;
  for (std::int64_t axis : axes) n *= static_cast<double>(type(from_.inputs(i)[0]).shape[static_cast<std::size_t>(axis)]);
  double divisor = n - ir::as_double(attr(i, "ddof"), "ddof");
  // numpy warns of too few, and divides by zero.
  if (divisor <= 0 && (n == 0 || !tell(_MM_EXCEPT_DIV_ZERO))) return kNoIndex;
  divisor = std::max(divisor, 0.0);
  DType computed = complex ? ir::complex_dtype(result) : result;
  Index x = cast(input(i, 0), computed);
  Index mean = call(OpId::Mean, {x, kNoIndex}, {{"axis", attr(i, "axis")}, {"dtype", computed}, {"keepdims", true}});
  Index d = call(OpId::Subtract, {x, mean}), square;
  if (complex) {
    Index re = call(OpId::Real, {d}), im = call(OpId::Imag, {d});
    square = call(OpId::Add, {call(OpId::Multiply, {re, re}), call(OpId::Multiply, {im, im})});
  } else {
    square = call(OpId::Multiply, {d, d});
  }
  Index total =
      call(OpId::Sum, {square, kNoIndex}, {{"axis", attr(i, "axis")}, {"dtype", result}, {"keepdims", attr(i, "keepdims")}});
  together(total, Prim::Add, Order::Pairwise, attr(i, "axis"));
  Index variance = call(OpId::Divide, {total, constant(result, divisor)});
  return from_.nodes[i].op == OpId::Std ? call(OpId::Sqrt, {variance}) : variance;
}

Index Expander::together(Index fold, Prim prim, Order order, const Attr& axis) {
  NodeRole role;
  role.role = Role::Fold;
  role.fold = prim;
  role.order = order;
  role.accumulate = made(fold).dtype;
  role.axes = ir::reduction_axes(axis, shape(to_.block.inputs(fold)[0]).ssize());
  role.together = true;
  to_.roles.emplace(fold, std::move(role));
  return fold;
}

Index Expander::scanned(Index i) {
  DType result = dtype(i), computed = accumulator(result);
  Index x = input(i, 0);
  Attr axis = attr(i, "axis");
  bool flattened = axis.none() || shape(x).empty(), complex = ir::is_complex(result) && from_.nodes[i].op == OpId::Cumprod;
  if (!flattened && computed == result && !complex) return kNoIndex;
  if (ir::is_bool(result)) x = cast(x, DType::Bool);
  if (flattened) {
    x = flat(x);
    axis = std::int64_t{0};
  }
  if (complex) return complex_product_scan(cast(x, result), ir::scan_axis(axis, shape(x).ssize()));
  return cast(call(from_.nodes[i].op, {x}, {{"axis", axis}, {"dtype", computed}}), result);
}

// where=: what does not take part becomes the identity.
Index Expander::masked(Index i) {
  OpId id = from_.nodes[i].op;
  DType result = dtype(i), items = dtype(from_.inputs(i)[0]);
  if (result == DType::Float16 || items == DType::Float16) return kNoIndex;
  if (auto* value = constant_scalar(from_.inputs(i)[1]); value && ir::is_bool(value->dtype) && *value->data) return kNoIndex;
  Index x = input(i, 0), mask = cast(input(i, 1), DType::Bool);
  auto fits = ir::broadcast(shape(mask), shape(x));
  if (!fits || !(*fits == shape(x))) return kNoIndex;
  const Attr &axis = attr(i, "axis"), &keepdims = attr(i, "keepdims");
  if (id == OpId::All || id == OpId::Any) {
    Index truth = cast(x, DType::Bool);
    truth = id == OpId::All ? call(OpId::LogicalOr, {truth, call(OpId::LogicalNot, {mask})})
                            : call(OpId::LogicalAnd, {truth, mask});
    return call(id, {truth, kNoIndex}, {{"axis", axis}, {"keepdims", keepdims}});
  }
  if (id == OpId::Mean) {
    if (!ir::is_inexact(result) || ir::element_count(shape(x)) == 0) return kNoIndex;
    Index taken = call(OpId::Where, {mask, cast(x, result), constant(result, 0)});
    Index total = call(OpId::Sum, {taken, kNoIndex}, {{"axis", axis}, {"dtype", result}, {"keepdims", keepdims}});
    Index all = call(OpId::BroadcastTo, {mask}, {{"shape", shape(x)}});
    Index count = call(OpId::Sum, {all, kNoIndex}, {{"axis", axis}, {"dtype", DType::Float64}, {"keepdims", keepdims}});
    return call(OpId::Divide, {total, cast(count, result)});
  }
  const Attr& initial = attr(i, "initial");
  bool extreme = id == OpId::Max || id == OpId::Min;
  // An extreme has no identity but the initial value, and a sum none that initial=None took away.
  if (initial.none() || (extreme && initial.get<ir::Ellipsis>())) return kNoIndex;
  return started(i);
}

// initial=: one more term, in front; with where= what a maximum takes for those that are left out.
Index Expander::started(Index i) {
  OpId id = from_.nodes[i].op;
  DType result = dtype(i), items = dtype(from_.inputs(i)[0]);
  const Attr& initial = attr(i, "initial");
  bool mask = inputs(i) > 1 && from_.inputs(i)[1] != kNoIndex, given = !initial.get<ir::Ellipsis>() && !initial.none();
  bool complex = ir::is_complex(result);
  if (!given && !mask && complex && id != OpId::Sum)
    return id == OpId::Prod ? complex_product(cast(input(i, 0), result), attr(i, "axis"), type(i).shape)
                            : complex_extreme(id, input(i, 0), attr(i, "axis"), attr(i, "keepdims"));
  if (complex && (id == OpId::Max || id == OpId::Min)) return kNoIndex;
  if (!given && !mask && !initial.none()) return kNoIndex;
  if (result == DType::Float16 || items == DType::Float16) return kNoIndex;
  bool product = id == OpId::Prod, sum = id == OpId::Sum || product;
  DType computed = sum ? accumulator(result) : result;
  double first = 0;
  if (given) {
    auto* integer = initial.get<std::int64_t>();
    if (!integer && !initial.get<double>() && !initial.get<bool>()) return kNoIndex;
    first = ir::as_double(initial, "initial");
    // What is rounded on its way, or does not fit, is the eager kernel's.
    if (ir::is_integer(computed) && (first != std::trunc(first) || std::fabs(first) > 1 << 30)) return kNoIndex;
    if (ir::is_integer(result)) {
      runtime::Array value = runtime_.allocate(DType::Int64, {});
      *value.as<std::int64_t>() = static_cast<std::int64_t>(first);
      if (runtime::out_of_range({&value, Kind::Weak}, result)) return kNoIndex;
    }
    if (ir::is_bool(result)) return kNoIndex;
  }
  Index x = input(i, 0);
  if (ir::element_count(shape(x)) == 0) {
    if (!given) return kNoIndex;
    return constant(result, first, type(i).shape);
  }
  if (sum && ir::is_bool(result)) x = cast(x, DType::Bool);
  if (mask)
    x = call(OpId::Where, {cast(input(i, 1), DType::Bool), cast(x, computed), constant(computed, sum ? product : first)});
  const Attr &axis = attr(i, "axis"), &keepdims = attr(i, "keepdims");
  Index r = product && complex ? complex_product(cast(x, computed), axis, type(i).shape)
            : sum ? call(id, {x, kNoIndex}, {{"axis", axis}, {"dtype", given ? computed : result}, {"keepdims", keepdims}})
                  : call(id, {x, kNoIndex}, {{"axis", axis}, {"keepdims", keepdims}});
  if (!given) return r;
  OpId op = id == OpId::Max ? OpId::Maximum : id == OpId::Min ? OpId::Minimum : product ? OpId::Multiply : OpId::Add;
  return cast(call(op, {constant(computed, first), r}), result);
}

Index Expander::traced(Index i) {
  Index diagonal = call(OpId::Diagonal, {input(i, 0)},
                        {{"offset", attr(i, "offset")}, {"axis1", attr(i, "axis1")}, {"axis2", attr(i, "axis2")}});
  return call(OpId::Sum, {diagonal, kNoIndex}, {{"axis", std::int64_t{-1}}, {"dtype", attr(i, "dtype")}});
}

std::optional<Expanded> expand(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments,
                               bool standalone) {
  Expander expander(runtime, block, arguments, standalone);
  for (Index i = 0; i < block.nodes.size(); ++i)
    if (expander.may_expand(i)) return expander.run();
  return std::nullopt;
}

}  // namespace autoray::codegen
