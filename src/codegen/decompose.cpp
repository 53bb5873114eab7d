#include "codegen/decompose.h"

#include <algorithm>
#include <unordered_map>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/elementwise/driver.h"

namespace autoray::codegen {

using ir::Attr;
using ir::BlockNode;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::kNoIndex;
using ir::NodeKind;
using ir::OpId;
using ir::Type;

std::optional<Decomposed> decompose(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments,
                                    bool standalone) {
  return Decomposer(runtime, block, arguments, standalone).run();
}

Decomposer::Decomposer(runtime::Runtime& runtime, const ir::Block& from, std::span<const ArgumentInfo> arguments,
                       bool standalone)
    : runtime_(runtime), from_(from), standalone_(standalone), made_(*from.tables) {
  made_.arguments.assign(arguments.begin(), arguments.end());
}

std::optional<Decomposed> Decomposer::run() && {
  std::vector<Index> inputs;
  std::unordered_map<ir::AttrsId, std::vector<Attr>> attrs;  // an unrolled loop has few different ones
  for (old_ = 0; old_ < from_.nodes.size(); ++old_) {
    const BlockNode& node = from_.nodes[old_];
    bool ours =
        node.backend == 0 || runtime_.backend_name(node.backend) == "numpy" || !runtime_.backend(node.backend).based_on.empty();
    bool candidate = node.kind == NodeKind::Call && ours && (product_decomposition(node.op) || composition(node.op));
    if (!candidate && !copied_) continue;
    inputs.clear();
    for (Index input : from_.inputs(node)) inputs.push_back(input == kNoIndex || !copied_ ? input : place_[input]);
    Index made = kNoIndex;
    if (candidate) {
      const Type type = from_.type(old_);
      auto [known, fresh] = attrs.try_emplace(node.attrs);
      if (fresh) known->second = from_.tables->attrs.attrs(node.attrs);
      made = written_out({node, inputs, known->second, type});
      if (made != kNoIndex) {
        made = cast(made, type.dtype);
        // What came is no array of its own.
        if (std::ranges::find(inputs, made) != inputs.end()) made = plain(OpId::Copy, {&made, 1});
        if (!(shape(made) == type.shape))
          throw ir::Error(ir::ErrorClass::SystemError,
                          "code generation: " + std::string(ir::op(node.op).path) + " was written out as another shape");
        made_.block.nodes[made].types = node.types;
        made_.block.nodes[made].name = node.name;
      }
    }
    if (copied_) place_[old_] = made == kNoIndex ? made_.block.add(node, inputs) : made;
  }
  if (!copied_) return std::nullopt;
  for (Index argument : from_.arguments) made_.block.arguments.push_back(place_[argument]);
  for (Index r : from_.results) made_.block.results.push_back(place_[r]);
  for (const auto& [node, source] : from_.merged_sources) made_.block.merged_sources.emplace_back(place_[node], source);
  return std::move(made_);
}

void Decomposer::copy_before() {
  if (copied_) return;
  made_.block.nodes.reserve(from_.nodes.size());
  made_.block.edges.reserve(from_.edges.size());
  place_.assign(from_.nodes.size(), kNoIndex);
  for (Index i = 0; i < old_; ++i) place_[i] = made_.block.add(from_.nodes[i], from_.inputs(i));
  copied_ = true;
}

Index Decomposer::written_out(const Site& site) {
  if (auto product = product_decomposition(site.node.op)) return product(*this, site);
  if (auto other = composition(site.node.op)) return other(*this, site);
  return kNoIndex;
}

std::vector<Attr> Decomposer::full(OpId id, std::vector<Attr> attrs) {
  std::span<const Attr> defaults = runtime_.default_attrs(id);
  for (std::size_t i = attrs.size(); i < defaults.size(); ++i) attrs.push_back(defaults[i]);
  return attrs;
}

Index Decomposer::add(BlockNode node, std::span<const Index> inputs, const std::vector<Attr>& attrs, const Type& type) {
  copy_before();
  const BlockNode& origin = from_.nodes[old_];
  node.source = origin.source;
  node.backend = origin.backend;
  node.types = made_.block.tables->types.intern(type);
  if (node.kind == NodeKind::Call) node.attrs = made_.block.tables->attrs.intern(attrs);
  Index made = made_.block.add(node, inputs);
  // The block counts its own use.
  if (node.kind == NodeKind::Call) made_.block.tables->attrs.release(node.attrs);
  return made;
}

namespace {

Type inferred(const ir::Block& block, OpId id, std::span<const Index> inputs, std::span<const Attr> attrs) {
  std::vector<ir::OperandType> operands;
  for (Index input : inputs) operands.push_back({input == kNoIndex ? nullptr : &block.type(input)});
  std::vector<std::uint32_t> groups = ir::operand_groups(ir::op(id), operands.size());
  ir::Inference inference{ir::op(id), operands, groups, attrs, {}};
  ir::infer(inference);
  return inference.results.at(0);
}

}  // namespace

Index Decomposer::plain(OpId id, std::span<const Index> inputs, std::vector<Attr> attrs) {
  attrs = full(id, std::move(attrs));
  BlockNode node;
  node.op = id;
  return add(node, inputs, attrs, inferred(block(), id, inputs, attrs));
}

Index Decomposer::call(OpId id, std::initializer_list<Index> given, std::vector<Attr> attrs) {
  std::vector<Index> inputs(given);
  const ir::Op& op = ir::op(id);
  auto letters = static_cast<std::size_t>(
      std::ranges::count_if(op.operands, [](char letter) { return letter == 'A' || letter == 'B' || letter == 'O'; }));
  if (op.operands.find('S') == std::string_view::npos) inputs.resize(std::max(inputs.size(), letters), kNoIndex);
  attrs = full(id, std::move(attrs));
  const Type type = inferred(block(), id, inputs, attrs);
  BlockNode node;
  node.op = id;
  Index made = written_out({node, inputs, attrs, type});
  return made == kNoIndex ? add(node, inputs, attrs, type) : made;
}

Index Decomposer::number(double value, DType dtype, Kind kind) {
  runtime::Array& array = made_.numbers.emplace_back(runtime_.allocate(dtype, {}));
  runtime::cast_loop(DType::Float64, dtype)(reinterpret_cast<const char*>(&value), 0, array.data, 0, 1);
  BlockNode node;
  node.kind = NodeKind::Constant;
  node.number = static_cast<Index>(made_.arguments.size());
  made_.arguments.push_back({{}, &array});
  return add(node, {}, {}, {dtype, kind, {}});
}

Index Decomposer::cast(Index x, DType to) { return dtype(x) == to ? x : call(OpId::Astype, {x}, {to}); }

Index Decomposer::reshaped(Index x, const ir::Dims& to) { return shape(x) == to ? x : call(OpId::Reshape, {x}, {to}); }

Index Decomposer::with_kind(Index x, Kind kind) {
  Type changed = type(x);
  changed.kind = kind;
  made_.block.nodes[x].types = made_.block.tables->types.intern(changed);
  return x;
}

const runtime::Array* Decomposer::out_of_range(Index i, DType dtype) const {
  if (i == kNoIndex || type(i).kind != Kind::Weak || block().nodes[i].kind != NodeKind::Constant) return nullptr;
  const runtime::Array* value = made_.arguments[block().nodes[i].number].constant;
  return value && runtime::out_of_range({value, Kind::Weak}, dtype) ? value : nullptr;
}

}  // namespace autoray::codegen
