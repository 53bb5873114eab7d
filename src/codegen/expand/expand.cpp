#include "codegen/expand/expand.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "codegen/expand/expander.h"
#include "codegen/routines.h"
#include "runtime/convert.h"
#include "runtime/elementwise/driver.h"

namespace autoray::codegen {

namespace expansion {

namespace {

struct Row {
  OpId op;
  Write write;
};
constexpr Row kRows[] = {
    {OpId::Einsum, einsum},
    {OpId::Matmul, stack_of_products},
    {OpId::LinalgMatmul, stack_of_products},
    {OpId::Dot, product_with_number},
    {OpId::Inner, product_with_number},
    {OpId::Tensordot, product_with_number},
    {OpId::LinalgTensordot, product_with_number},
    {OpId::Vdot, vdot},
    {OpId::Outer, outer},
    {OpId::Kron, kron},
    {OpId::LinalgMatrixPower, matrix_power},
    {OpId::LinalgMultiDot, multi_dot},
    {OpId::Cov, covariance},
    {OpId::LinalgNorm, norm},
    {OpId::IsClose, is_close},
    {OpId::Round, round},
    {OpId::Clip, clip},
    {OpId::Equal, comparison},
    {OpId::NotEqual, comparison},
    {OpId::Less, comparison},
    {OpId::LessEqual, comparison},
    {OpId::Greater, comparison},
    {OpId::GreaterEqual, comparison},
    {OpId::LogicalAnd, comparison},
    {OpId::LogicalOr, comparison},
    {OpId::LogicalXor, comparison},
    {OpId::Where, selection},
    {OpId::Imag, imaginary_part},
    {OpId::Power, integer_power},
    {OpId::Astype, made_real},
    {OpId::Sum, reduced},
    {OpId::Prod, reduced},
    {OpId::Max, reduced},
    {OpId::Min, reduced},
    {OpId::Mean, reduced},
    {OpId::All, reduced},
    {OpId::Any, reduced},
    {OpId::Std, spread},
    {OpId::Var, spread},
    {OpId::Cumsum, scanned},
    {OpId::Cumprod, scanned},
    {OpId::Trace, traced},
    {OpId::Argmax, place_of_extreme},
    {OpId::Argmin, place_of_extreme},
    {OpId::Sort, sorted},
    {OpId::Argsort, sorted},
    {OpId::Searchsorted, searched},
    {OpId::Reshape, in_column_order},
    {OpId::Ravel, in_column_order},
    {OpId::Flatten, in_column_order},
    {OpId::FullLike, full_like},
    {OpId::Tril, triangle},
    {OpId::Triu, triangle},
    {OpId::Diag, diagonal_matrix},
    {OpId::Roll, roll},
    {OpId::Tile, tile},
    {OpId::Repeat, repeat},
    {OpId::Pad, pad},
    {OpId::GetItem, getitem},
    {OpId::SetItem, setitem},
    {OpId::Take, take},
    {OpId::TakeAlongAxis, take_along_axis},
};
constexpr auto kWrites = [] {
  std::array<Write, static_cast<std::size_t>(OpId::Count)> by_op{};
  for (const Row& row : kRows) by_op[static_cast<std::size_t>(row.op)] = row.write;
  return by_op;
}();
Write write_of(OpId op) { return kWrites[static_cast<std::size_t>(op)]; }

}  // namespace

bool Expander::is_ours(const ir::BlockNode& node) const {
  return node.backend == 0 || runtime_.backend_name(node.backend) == "numpy" ||
         !runtime_.backend(node.backend).based_on.empty();
}

std::optional<Expanded> Expander::run() && {
  Inputs mapped;
  for (at_ = 0; at_ < from_.nodes.size(); ++at_) {
    const ir::BlockNode& node = from_.nodes[at_];
    std::span<const Index> inputs = from_.inputs(node);
    if (copied_) {
      mapped.clear();
      for (Index input : inputs) mapped.push_back(input == kNoIndex ? input : place_[input]);
      inputs = mapped;
    }
    Index made = kNoIndex;
    bool may = node.kind == ir::NodeKind::Call && (write_of(node.op) || overflows_half(node.op, inputs));
    if (may && is_ours(node)) {
      auto [known, fresh] = attrs_.try_emplace(node.attrs);
      if (fresh) known->second = from_.tables->attrs.attrs(node.attrs);
      made = written_out({node.op, inputs, from_.type(at_), known->second});
      if (made != kNoIndex) {
        made_.block.nodes[made].types = node.types;
        made_.block.nodes[made].name = node.name;
      }
    }
    if (copied_) place_[at_] = made == kNoIndex ? made_.block.add(node, inputs) : made;
  }
  if (!copied_) return std::nullopt;
  for (Index argument : from_.arguments) made_.block.arguments.push_back(place_[argument]);
  for (Index result : from_.results) made_.block.results.push_back(place_[result]);
  for (const auto& [node, source] : from_.merged_sources) made_.block.merged_sources.emplace_back(place_[node], source);
  return std::move(made_);
}

Index Expander::written_out(const Site& site) {
  // What has no elements is made by nobody; linear algebra of nothing has results.
  bool nothing = ir::element_count(site.type.shape) == 0 && ir::op(site.op).op_class != ir::OpClass::Linalg;
  if (Write write = write_of(site.op); write && !nothing) {
    Index first = copied_ ? static_cast<Index>(made_.block.nodes.size()) : at_, made = write(*this, site);
    if (made != kNoIndex) {
      made = cast(made, site.type.dtype);
      // What came is no node of its own.
      if (made < first) made = plain(OpId::Copy, {made});
      if (!(shape(made) == site.type.shape))
        throw ir::Error(ir::ErrorClass::SystemError, "code generation: " + std::string(ir::op(site.op).path) + " became " +
                                                         ir::to_string(type(made)) + " instead of " + ir::to_string(site.type));
      return made;
    }
    forget(first);
  }
  return !nothing && overflows_half(site.op, site.inputs) ? overflowing_half(site) : kNoIndex;
}

void Expander::copy_before() {
  if (copied_) return;
  made_.block.nodes.reserve(from_.nodes.size());
  made_.block.edges.reserve(from_.edges.size());
  place_.assign(from_.nodes.size(), kNoIndex);
  for (Index i = 0; i < at_; ++i) place_[i] = made_.block.add(from_.nodes[i], from_.inputs(i));
  copied_ = true;
}

void Expander::forget(Index first) {
  if (!copied_) return;
  auto& nodes = made_.block.nodes;
  if (nodes.size() == first) return;
  made_.block.edges.resize(nodes[first].first_input);
  for (; nodes.size() > first; nodes.pop_back()) {
    from_.tables->attrs.release(nodes.back().attrs);
    made_.roles.erase(static_cast<Index>(nodes.size() - 1));
  }
}

// ---- new nodes ----

std::vector<Attr> Expander::full(OpId op, const std::vector<Named>& given) {
  auto defaults = runtime_.default_attrs(op);
  std::vector<Attr> attrs(defaults.begin(), defaults.end());
  auto names = ir::attribute_names(op);
  for (const auto& [name, value] : given)
    attrs[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())] = value;
  return attrs;
}

Index Expander::add(OpId op, std::span<const Index> inputs, std::span<const Attr> attrs, const ir::Type& type) {
  copy_before();
  const ir::BlockNode& origin = from_.nodes[at_];
  ir::BlockNode node;
  node.op = op;
  node.source = origin.source;
  node.backend = origin.backend;
  node.types = from_.tables->types.intern(type);
  node.attrs = from_.tables->attrs.intern(attrs);
  Index made = made_.block.add(node, inputs);
  // The block counts its own use.
  from_.tables->attrs.release(node.attrs);
  return made;
}

namespace {

// Absent operands are inputs too.
void pad_absent(OpId id, Inputs& inputs) {
  std::string_view letters = ir::op(id).operands;
  if (letters.find('S') != std::string_view::npos) return;
  auto operands = std::ranges::count_if(letters, [](char letter) { return letter == 'A' || letter == 'B' || letter == 'O'; });
  inputs.resize(std::max(inputs.size(), static_cast<std::size_t>(operands)), kNoIndex);
}

ir::Type inferred(const ir::Block& block, OpId id, std::span<const Index> inputs, std::span<const Attr> attrs) {
  std::vector<ir::OperandType> operands;
  for (Index input : inputs) operands.push_back({input == kNoIndex ? nullptr : &block.type(input)});
  std::vector<std::uint32_t> groups = ir::operand_groups(ir::op(id), operands.size());
  ir::Inference inference{ir::op(id), operands, groups, attrs, {}};
  ir::infer(inference);
  return std::move(inference.results.at(0));
}

}  // namespace

Index Expander::call(OpId op, Inputs inputs, const std::vector<Named>& given) {
  pad_absent(op, inputs);
  std::vector<Attr> attrs = full(op, given);
  const ir::Type type = inferred(block(), op, inputs, attrs);
  Index made = written_out({op, inputs, type, attrs});
  return made == kNoIndex ? add(op, inputs, attrs, type) : made;
}

Index Expander::plain(OpId op, Inputs inputs, const std::vector<Named>& given) {
  pad_absent(op, inputs);
  std::vector<Attr> attrs = full(op, given);
  return add(op, inputs, attrs, inferred(block(), op, inputs, attrs));
}

Index Expander::again(const Site& site, std::span<const Index> inputs) {
  return add(site.op, inputs, site.attrs, inferred(block(), site.op, inputs, site.attrs));
}

Index Expander::given(const ir::Type& type, Inputs inputs, NodeRole role, std::span<const Attr> attrs) {
  Index made = add(from_.nodes[at_].op, inputs, attrs, type);
  made_.roles.emplace(made, std::move(role));
  return made;
}

Index Expander::with_kind(Index x, Kind kind) {
  ir::Type changed = type(x);
  changed.kind = kind;
  made_.block.nodes[x].types = from_.tables->types.intern(changed);
  return x;
}

Index Expander::constant(DType dtype, double value, Dims shape, Kind kind) {
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = dtype;
  role.lowering = constant_value;
  role.parameters = {value};
  return given({dtype, kind, std::move(shape)}, {}, std::move(role));
}

Index Expander::affine(const Dims& shape, AffineIndex index) {
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = DType::Int64;
  role.lowering = identity;
  role.index = std::move(index);
  return given({DType::Int64, Kind::Array, shape}, {}, std::move(role));
}

Index Expander::cast(Index x, DType to) { return dtype(x) == to ? x : call(OpId::Astype, {x}, {{"dtype", to}}); }

Index Expander::reshape(Index x, const Dims& to) { return shape(x) == to ? x : call(OpId::Reshape, {x}, {{"shape", to}}); }

Index Expander::broadcast(Index x, const Dims& to) {
  return shape(x) == to ? x : call(OpId::BroadcastTo, {x}, {{"shape", to}});
}

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

void Expander::refuse_if(Index condition, ir::Error error) {
  NodeRole role;
  role.role = Role::Routine;
  role.routine = refuse_if_routine();
  role.error = std::make_shared<const ir::Error>(std::move(error));
  Index any = shape(condition).empty() ? condition : call(OpId::Any, {condition});
  given({DType::Bool, Kind::Array, {}}, {any}, std::move(role));
}

bool Expander::tell(unsigned flags) {
  if (draws() || standalone_) return false;
  NodeRole role;
  role.role = Role::Routine;
  role.routine = event_routine();
  role.numbers = {static_cast<std::int64_t>(flags)};
  given({DType::Bool, Kind::Array, {}}, {}, std::move(role));
  return true;
}

bool Expander::overflows_half(OpId op, std::span<const Index> inputs) const {
  if (ir::op(op).op_class != ir::OpClass::Elementwise || standalone_) return false;
  bool half = false;
  for (Index x : inputs) half = half || (x != kNoIndex && dtype(x) == DType::Float16);
  if (!half) return false;
  ir::Promotion promotion;
  bool infinite = false;
  for (Index x : inputs) {
    if (x == kNoIndex) continue;
    promotion.add(dtype(x), type(x).kind);
    if (type(x).kind != Kind::Weak) continue;
    std::optional<double> number = real_number(x);
    infinite = infinite || (number && std::isfinite(*number) && std::fabs(*number) >= 65520);
  }
  // What only moves values rounds them without telling.
  return infinite && promotion.result() == DType::Float16 && !pointwise(op, DType::Float16);
}

Index Expander::overflowing_half(const Site& site) {
  bool told = tell(_MM_EXCEPT_OVERFLOW);
  Index made = again(site, site.inputs);
  if (!told) role(made).reason = "a warning beside draws";
  return made;
}

// ---- what is known ----

const runtime::Array* Expander::constant_scalar(Index x) const {
  if (x == kNoIndex || block().nodes[x].kind != ir::NodeKind::Constant) return nullptr;
  const runtime::Array* array = arguments_[block().nodes[x].number].constant;
  return array && array->shape.empty() ? array : nullptr;
}

std::optional<double> Expander::real_number(Index x) const {
  if (auto made = made_.roles.find(x); made != made_.roles.end())
    return made->second.lowering == constant_value ? std::optional(made->second.parameters[0]) : std::nullopt;
  const runtime::Array* value = constant_scalar(x);
  if (!value || ir::is_complex(value->dtype)) return std::nullopt;
  double number;
  runtime::cast_loop(value->dtype, DType::Float64)(value->data, 0, reinterpret_cast<char*>(&number), 0, 1);
  return number;
}

const runtime::Array* Expander::out_of_range(Index x, DType dtype) const {
  if (x == kNoIndex || type(x).kind != Kind::Weak) return nullptr;
  const runtime::Array* value = constant_scalar(x);
  return value && runtime::out_of_range({value, Kind::Weak}, dtype) ? value : nullptr;
}

bool Expander::draws() {
  if (!draws_)
    draws_ = std::ranges::any_of(
        from_.nodes, [](const ir::BlockNode& n) { return n.kind == ir::NodeKind::Call && ir::op(n.op).has(ir::kRandom); });
  return *draws_;
}

}  // namespace expansion

std::optional<Expanded> expand(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments,
                               bool standalone) {
  return expansion::Expander(runtime, block, arguments, standalone).run();
}

}  // namespace autoray::codegen
