#include "codegen/roles.h"

#include <cmath>

#include "ir/rules/elementwise.h"
#include "ir/rules/linalg.h"
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

// Of no elements there is nothing to do: what is wrong with the operands was found when the call was recorded. Only a reduction
// of nothing may still be refused, or warn.
bool makes_nothing(const ir::Op& op, std::span<const Attr> attrs, const Dims& operand) {
  switch (op.op_class) {
    case ir::OpClass::Reduction: {
      if (op.id == OpId::Cumsum || op.id == OpId::Cumprod || op.id == OpId::Trace) return true;
      for (std::int64_t axis : ir::reduction_axes(ir::attribute(op, attrs, "axis"), operand.ssize()))
        if (operand[static_cast<std::size_t>(axis)] == 0) return false;
      return true;
    }
    case ir::OpClass::Elementwise:
    case ir::OpClass::Contract:
    case ir::OpClass::View:
    case ir::OpClass::Join:
    case ir::OpClass::Create:
    case ir::OpClass::Index: return !op.has(ir::kTupleResult) && !op.has(ir::kListResult);
    default: return false;
  }
}

}  // namespace

NodeRole Roles::call(std::string reason) {
  NodeRole role;
  role.reason = std::move(reason);
  return role;
}

NodeRole Roles::call_into(std::string reason) {
  NodeRole role = call(std::move(reason));
  role.role = Role::CallInto;
  return role;
}

Roles::Roles(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments,
             const GivenRoles& given, bool standalone)
    : runtime_(runtime), block_(block), arguments_(arguments), standalone_(standalone) {
  roles_.reserve(block.nodes.size());
  struct Key {
    std::uint64_t op_and_attrs, types, inputs;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& k) const {
      std::uint64_t h = k.op_and_attrs * 0x9e3779b97f4a7c15ull ^ k.types;
      return (h * 0xff51afd7ed558ccdull ^ k.inputs) * 0x9e3779b97f4a7c15ull >> 7;
    }
  };
  std::unordered_map<Key, const NodeRole*, Hash> known;
  for (Index i = 0; i < block.nodes.size(); ++i) {
    if (auto role = given.find(i); role != given.end()) {
      pool_.push_back(role->second);
      roles_.push_back(&pool_.back());
      continue;
    }
    const ir::BlockNode& n = block.nodes[i];
    auto inputs = block.inputs(n);
    // What a constant is may matter; more inputs do not fit the key.
    bool plain = n.kind == NodeKind::Call && inputs.size() <= 2;
    Key key{std::uint64_t{n.attrs} << 32 | static_cast<std::uint64_t>(n.op) << 8 | n.backend, n.types, 0};
    for (Index x : inputs) {
      plain = plain && x != kNoIndex && block.nodes[x].kind != NodeKind::Constant;
      if (plain) key.inputs = key.inputs << 32 | (std::uint64_t{block.nodes[x].types} + 1);
    }
    const NodeRole** place = nullptr;
    if (plain) {
      auto [found, fresh] = known.try_emplace(key, nullptr);
      place = &found->second;
      if (!fresh) {
        roles_.push_back(*place);
        continue;
      }
    }
    pool_.push_back(role_of(i));
    roles_.push_back(&pool_.back());
    if (place) *place = &pool_.back();
  }
}

void Roles::become_call(Index i, std::string reason) {
  pool_.push_back(call(std::move(reason)));
  roles_[i] = &pool_.back();
}

void Roles::become_copy(Index i) {
  NodeRole role;
  role.role = Role::Join;
  const ir::Type& operand = block_.type(block_.inputs(i)[0]);
  role.parts.push_back(contiguous_layout(operand));
  pool_.push_back(std::move(role));
  roles_[i] = &pool_.back();
}

const std::vector<Attr>& Roles::attrs(Index i) {
  auto [found, fresh] = attrs_.try_emplace(block_.nodes[i].attrs);
  if (fresh) found->second = block_.tables->attrs.attrs(block_.nodes[i].attrs);
  return found->second;
}

std::optional<double> Roles::constant(Index i, bool& integer) const {
  if (i == kNoIndex || block_.nodes[i].kind != NodeKind::Constant) return std::nullopt;
  const runtime::Array* array = arguments_[block_.nodes[i].number].constant;
  if (!array || !array->shape.empty() || ir::is_complex(array->dtype)) return std::nullopt;
  integer = !ir::is_inexact(array->dtype);
  double value;
  runtime::cast_loop(array->dtype, DType::Float64)(array->data, 0, reinterpret_cast<char*>(&value), 0, 1);
  return value;
}
bool Roles::is_true(Index i) const {
  bool integer;
  auto value = constant(i, integer);
  return value && *value == 1 && block_.type(i).dtype == DType::Bool;
}

NodeRole Roles::role_of(Index i) {
  const ir::BlockNode& n = block_.nodes[i];
  NodeRole role;
  if (n.kind == NodeKind::Project) {
    role.role = Role::Project;
    return role;
  }
  if (n.kind != NodeKind::Call) {
    role.role = Role::Argument;
    return role;
  }
  const ir::Op& op = ir::op(n.op);
  if (n.backend != 0 && runtime_.backend_name(n.backend) != "numpy" && runtime_.backend(n.backend).based_on.empty())
    return call("another backend");
  auto types = block_.types(i);
  if (types.size() != 1 || op.has(ir::kTupleResult) || op.has(ir::kListResult)) return call("several results");
  // Its inputs are a stream's state and the draw before it too, whatever that has drawn.
  if (op.has(ir::kRandom)) return standalone_ ? call("a draw") : call_into("a draw");
  const Dims first = n.input_count ? block_.type(block_.inputs(i)[0]).shape : Dims();
  if (ir::element_count(types[0].shape) == 0 && makes_nothing(op, attrs(i), first)) {
    role.role = Role::Nothing;
    return role;
  }
  if (standalone_)
    for (const ir::Type& type : types)
      if (type.dtype == DType::Float16) return call("float16");
  if (auto identity = sum_of_nothing(i, op)) return std::move(*identity);
  if (ir::element_count(types[0].shape) == 0) return call_unless_known(i, "no elements");
  for (Index input : block_.inputs(i)) {
    if (input == kNoIndex) continue;
    const ir::Type& type = block_.type(input);
    if (standalone_ && type.dtype == DType::Float16) return call("float16");
    bool skipped = op.op_class == ir::OpClass::Join || op.op_class == ir::OpClass::Create || n.op == OpId::SetItem;
    if (ir::element_count(type.shape) == 0 && !skipped) return call_unless_known(i, "no elements");
  }
  switch (op.op_class) {
    case ir::OpClass::Elementwise: return pointwise_role(i, op);
    case ir::OpClass::Reduction: return fold_role(i, op);
    case ir::OpClass::Contract: return product_role(i);
    case ir::OpClass::Join: return join_role(i, op);
    case ir::OpClass::View: {
      // Whether it is one depends on strides, which the builder knows; a copy is element-wise.
      if (!op.has(ir::kViewResult) && n.op != OpId::Flatten) return call_unless_known(i, "a movement that copies");
      role.role = Role::View;
      return role;
    }
    case ir::OpClass::Create:
      if (auto created = created_role(i)) return std::move(*created);
      break;
    default: break;
  }
  if (n.op == OpId::GetItem) {
    if (n.input_count != 1) return call("an index by arrays");
    role.role = Role::View;
    return role;
  }
  if (n.op == OpId::SetItem) return update_role(i);
  if (n.op == OpId::LinalgNorm) return norm_role(i);
  static constexpr std::string_view kClasses[] = {"", "a scan or search", "", "", "indexing or sorting", "creation",
                                                  "", "linalg",           "", ""};
  return call_unless_known(i, std::string(kClasses[static_cast<int>(op.op_class)]));
}

// Python integers that the dtype does not hold are the eager kernel's business.
bool Roles::weak_out_of_range(Index i, DType dtype) const {
  for (Index input : block_.inputs(i)) {
    if (input == kNoIndex || block_.type(input).kind != Kind::Weak) continue;
    if (block_.nodes[input].kind != NodeKind::Constant) continue;
    const runtime::Array* value = arguments_[block_.nodes[input].number].constant;
    if (value && runtime::out_of_range({value, Kind::Weak}, dtype)) return true;
  }
  return false;
}

NodeRole Roles::pointwise_role(Index i, const ir::Op& op) {
  const ir::BlockNode& n = block_.nodes[i];
  const ir::Type& type = block_.type(i);
  auto inputs = block_.inputs(i);
  NodeRole role;
  role.role = Role::Pointwise;
  role.operands = static_cast<std::uint8_t>(n.input_count);
  DType compute = type.dtype;
  if (ir::loop_in_operand_dtype(op)) {
    ir::Promotion promotion;
    for (Index input : inputs)
      if (input != kNoIndex) promotion.add(block_.type(input).dtype, block_.type(input).kind);
    compute = promotion.result();
  }
  DType first = block_.type(inputs[0]).dtype;
  if (n.op == OpId::Imag && !ir::is_complex(first)) return call("a part of a real array");
  if (n.op == OpId::Angle) compute = ir::is_complex(first) ? first : ir::real_dtype(ir::complex_dtype(first));
  if (n.op == OpId::Real || n.op == OpId::Imag) compute = first;
  // numpy warns of what it throws away.
  if (n.op == OpId::Astype && ir::is_complex(first) && !ir::is_complex(type.dtype) && !ir::is_bool(type.dtype))
    return call("a complex number made real");
  if (weak_out_of_range(i, compute)) return call_unless_known(i, "a Python integer out of range");
  OpId id = n.op;
  // What only moves values moves halves; arithmetic on them is float32's, rounded.
  if (compute == DType::Float16 && !pointwise(id, compute)) {
    role.half = true;
    compute = DType::Float32;
  }
  if (id == OpId::Power) {
    bool integer;
    auto exponent = constant(inputs[1], integer);
    if (exponent && block_.type(inputs[1]).kind == Kind::Weak && ir::is_inexact(compute)) {
      OpId exact = *exponent == 2     ? OpId::Square
                   : *exponent == 0.5 ? OpId::Sqrt
                   : *exponent == -1  ? OpId::Reciprocal
                   : *exponent == 1   ? OpId::Positive
                                      : OpId::Count;
      if (exact != OpId::Count) {
        id = exact;
        role.operands = 1;
      }
    }
  }
  role.lowering = pointwise(id, compute);
  if (auto chosen = by_parameters(i, id, compute)) {
    role.parameters = std::move(*chosen);
  } else {
    return call_unless_known(i, "no code for these parameters of " + std::string(op.path));
  }
  if (id == OpId::Power && ir::is_integer(compute)) {
    role.lowering = integer_power;
    role.operands = 1;
  }
  if (id == OpId::Round && !ir::is_inexact(compute)) role.lowering = pointwise(OpId::Positive, compute);
  if (id == OpId::Round) role.operands = 1;
  if (!role.lowering || (standalone_ && is_hosted(id, compute)))
    return call("no code for " + std::string(op.path) + " of " + std::string(ir::name(compute)));
  if (id == OpId::Astype) role.operands = 1;
  role.compute = compute;
  role.expensive = is_expensive(id, compute);
  return role;
}

// What the lowering needs to know of the attributes; nothing where there is no code for them.
std::optional<std::vector<double>> Roles::by_parameters(Index i, OpId id, DType compute) {
  auto inputs = block_.inputs(i);
  auto values = [](std::initializer_list<double> list) { return std::optional(std::vector<double>(list)); };
  switch (id) {
    case OpId::Power: {
      if (!ir::is_integer(compute)) return values({});
      bool integer = false;
      auto exponent = constant(inputs[1], integer);
      if (!exponent || !integer || *exponent < 0 || *exponent > 64) return std::nullopt;
      return values({*exponent});
    }
    case OpId::Round: {
      std::int64_t decimals = ir::as_int(attrs(i)[0], "decimals");
      if (!ir::is_inexact(compute)) return decimals >= 0 && !ir::is_bool(compute) ? values({}) : std::nullopt;
      if (decimals == 0) return values({});
      if (ir::is_bool(block_.type(inputs[0]).dtype)) return std::nullopt;
      double scale = std::pow(10.0, static_cast<double>(std::llabs(decimals)));
      return values({decimals > 0 ? scale : -scale});
    }
    case OpId::Angle:
      return values({ir::as_bool(attrs(i)[0], "deg") ? 1.0 : 0.0, block_.type(i).dtype == DType::Float16 ? 1.0 : 0.0});
    default: return values({});
  }
}

NodeRole Roles::fold_role(Index i, const ir::Op& op) {
  const ir::BlockNode& n = block_.nodes[i];
  auto inputs = block_.inputs(i);
  const std::vector<Attr>& attributes = attrs(i);
  const ir::Type &type = block_.type(i), &operand = block_.type(inputs[0]);
  NodeRole role;
  role.role = Role::Fold;
  role.accumulate = computed_dtype(type.dtype);
  for (std::size_t k = 1; k < inputs.size(); ++k)
    if (inputs[k] != kNoIndex && !is_true(inputs[k])) return call_unless_known(i, "where=");
  auto initial = [&] { return !ir::attribute(op, attributes, "initial").get<ir::Ellipsis>(); };
  switch (n.op) {
    case OpId::Sum:
    case OpId::Prod:
      if (initial()) return call("initial=");
      // Small integers add up in 64 bits, bools as truth values.
      if (!ir::is_inexact(type.dtype)) role.accumulate = ir::is_unsigned(type.dtype) ? DType::UInt64 : DType::Int64;
      if (ir::is_bool(type.dtype)) role.before = NodeRole::Before::Truth;
      if (n.op == OpId::Prod && ir::is_complex(type.dtype)) return call("a product of complex numbers");
      role.fold = n.op == OpId::Sum ? Prim::Add : Prim::Multiply;
      role.order = ir::is_inexact(type.dtype) ? Order::Pairwise : Order::Any;
      break;
    case OpId::Mean:
      if (!ir::is_inexact(type.dtype)) return call("an integer mean");
      role.fold = Prim::Add;
      role.order = Order::Pairwise;
      role.after = NodeRole::After::Mean;
      break;
    case OpId::Max:
    case OpId::Min:
      if (initial()) return call("initial=");
      if (ir::is_complex(type.dtype)) return call("extremes of complex numbers");
      role.fold = n.op == OpId::Max ? Prim::Maximum : Prim::Minimum;
      break;
    case OpId::All:
    case OpId::Any:
      role.fold = n.op == OpId::All ? Prim::And : Prim::Or;
      role.accumulate = DType::Bool;
      break;
    case OpId::CountNonzero:
      role.fold = Prim::Add;
      role.accumulate = DType::Int64;
      role.before = NodeRole::Before::Truth;
      break;
    case OpId::Cumsum:
    case OpId::Cumprod: return scan_role(i, op);
    default: return call("a scan or search");
  }
  role.axes = ir::reduction_axes(ir::attribute(op, attributes, "axis"), operand.shape.ssize());
  return role;
}

NodeRole Roles::scan_role(Index i, const ir::Op& op) {
  const ir::Type &type = block_.type(i), &operand = block_.type(block_.inputs(i)[0]);
  bool product = op.id == OpId::Cumprod;
  if (product && ir::is_complex(type.dtype)) return call("a product of complex numbers");
  const Attr& axis = ir::attribute(op, attrs(i), "axis");
  if (axis.none() || operand.shape.empty() || type.dtype == DType::Float16) return call("a scan or search");
  NodeRole role;
  role.role = Role::Scan;
  role.accumulate = type.dtype;
  role.fold = product ? Prim::Multiply : Prim::Add;
  role.order = Order::Sequential;
  role.axes.push_back(ir::scan_axis(axis, operand.shape.ssize()));
  return role;
}

// Sums and products over axes without elements are their first value.
std::optional<NodeRole> Roles::sum_of_nothing(Index i, const ir::Op& op) {
  auto inputs = block_.inputs(i);
  auto empty = [&](Index x) { return x != kNoIndex && ir::element_count(block_.type(x).shape) == 0; };
  bool counts = op.id == OpId::All || op.id == OpId::Any || op.id == OpId::CountNonzero;
  bool sum = (op.op_class == ir::OpClass::Contract && inputs.size() == 2 && empty(inputs[0]) && empty(inputs[1])) ||
             ((op.id == OpId::Sum || op.id == OpId::Prod) && empty(inputs[0]) &&
              ir::attribute(op, attrs(i), "initial").get<ir::Ellipsis>()) ||
             (counts && empty(inputs[0]));
  if (!sum || (standalone_ && block_.type(i).dtype == DType::Float16)) return std::nullopt;
  NodeRole role;
  role.role = ir::element_count(block_.type(i).shape) == 0 ? Role::Nothing : Role::Pointwise;
  role.compute = block_.type(i).dtype;
  role.lowering = constant_value;
  role.parameters = {op.id == OpId::Prod || op.id == OpId::All ? 1.0 : 0.0};
  return role;
}

NodeRole Roles::norm_role(Index i) {
  const std::vector<Attr>& attributes = attrs(i);
  const ir::Type &type = block_.type(i), &operand = block_.type(block_.inputs(i)[0]);
  ir::NormForm form = ir::norm_form(attributes[0], attributes[1], operand.shape.ssize());
  // What else there is was written out as other calls.
  if (form.over != ir::NormForm::Over::All) return call("singular values");
  NodeRole role;
  role.role = Role::Fold;
  role.accumulate = type.dtype;
  role.fold = Prim::Add;
  role.order = Order::Pairwise;
  role.before = NodeRole::Before::Square;
  role.after = NodeRole::After::Sqrt;
  for (int axis = 0; axis < operand.shape.ssize(); ++axis) role.axes.push_back(axis);
  return role;
}

}  // namespace autoray::codegen
