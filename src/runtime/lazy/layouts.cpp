// How recorded arrays lie in memory eagerly: as what they are views of, or as their operands do.
#include "runtime/lazy/recorder.h"
#include "runtime/memory_order.h"

namespace autoray::runtime {

using ir::Kind;
using ir::kNoNode;
using ir::NodeId;
using ir::NodeKind;

Array layout_of(const ir::Type& type) {
  Array layout;
  layout.dtype = type.dtype;
  layout.shape = type.shape;
  layout.strides = ir::contiguous_strides(type.shape, static_cast<std::int64_t>(ir::itemsize(type.dtype)));
  return layout;
}

const Array* Recorder::held(NodeId id) const {
  const ir::Node& node = graph_.node(id);
  const bool holds = node.kind == NodeKind::Leaf || (node.kind == NodeKind::Constant && !node.holds_item());
  return holds ? static_cast<const Array*>(node.value) : nullptr;
}

const Array* Recorder::layout_known(const LazyArray& array) const {
  const Array* layout = array.view_ ? &views_[array.view_ - 1].layout : held(array.node_);
  return layout && !layout->c_contiguous() ? layout : nullptr;
}

ir::Dims Recorder::strides(const LazyArray& array) const {
  if (const Array* layout = layout_known(array)) return layout->strides;
  const ir::Type& type = graph_.type(array.node_);
  return ir::contiguous_strides(type.shape, static_cast<std::int64_t>(ir::itemsize(type.dtype)));
}

Value Recorder::results(const ir::Op& op, NodeId node, const Inputs& inputs) {
  Value result = results(op.id, node);
  if (inputs.layouts.empty() && op.op_class != ir::OpClass::Create) [[likely]]
    return result;
  auto* lazy = result.get_if<LazyArray>();
  if (!lazy || lazy->type().kind != Kind::Array || lazy->type().shape.size() < 2) return result;
  const ir::Node& made = graph_.node(lazy->node_);
  if (made.kind != NodeKind::Call) return result;  // a shared one that was computed
  std::vector<Array> arrays;
  for (NodeId input : inputs.nodes) arrays.push_back(input == kNoNode ? Array() : layout_of(graph_.type(input)));
  for (auto [place, layout] : inputs.layouts) arrays[place].strides = layout->strides;
  std::vector<Operand> operands;
  for (std::size_t i = 0; i < arrays.size(); ++i)
    operands.push_back(inputs.nodes[i] == kNoNode ? Operand{} : Operand{&arrays[i]});
  Array layout = layout_of(lazy->type());
  layout.strides = fresh_strides(op, operands, tables_.attrs.attrs(made.attrs), lazy->type());
  if (!layout.c_contiguous()) view_of(*lazy).layout = std::move(layout);
  return result;
}

}  // namespace autoray::runtime
