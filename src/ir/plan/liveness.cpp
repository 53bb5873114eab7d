#include <algorithm>

#include "ir/plan/plan.h"

namespace autoray::ir {
namespace {

// Movements whose result is a view of the first operand. `layouts` are those of the nodes before.
bool is_view(const Block& block, Index i, Layout operand) {
  const BlockNode& n = block.nodes[i];
  if (n.kind != NodeKind::Call || !op(n.op).has(kViewResult)) return false;
  switch (n.op) {
    case OpId::GetItem: return n.input_count == 1;
    case OpId::Reshape:
    case OpId::Ravel: {
      std::vector<Attr> attrs = block.tables->attrs.attrs(n.attrs);
      auto* order = attrs.at(n.op == OpId::Reshape ? 1 : 0).get<std::string>();
      return order && *order == "C" && operand == Layout::C;
    }
    case OpId::Diag: return block.type(block.inputs(i)[0]).shape.size() == 2;
    default: return n.input_count == 1;
  }
}

Layout layout_of_result(const Block& block, Index i, bool view, const std::vector<Layout>& layouts) {
  const BlockNode& n = block.nodes[i];
  if (view) {
    switch (n.op) {
      case OpId::Reshape:
      case OpId::Ravel:
      case OpId::ExpandDims:
      case OpId::Squeeze: return layouts[block.inputs(i)[0]];
      case OpId::Transpose: {
        Layout inner = layouts[block.inputs(i)[0]];
        if (block.type(i).shape.size() == 2) return inner == Layout::C ? Layout::Fortran : inner == Layout::Fortran ? Layout::C : inner;
        return Layout::Other;
      }
      default: return block.type(i).shape.size() < 2 && n.op == OpId::GetItem ? Layout::Other : Layout::Other;
    }
  }
  if (op(n.op).op_class != OpClass::Elementwise || block.type(i).shape.size() < 2) return Layout::C;
  // Element-wise results keep a Fortran order that all operands have.
  bool fortran = true;
  for (Index input : block.inputs(i)) {
    if (input == kNoIndex || block.type(input).shape.empty()) continue;
    fortran &= layouts[input] == Layout::Fortran && block.type(input).shape == block.type(i).shape;
  }
  return fortran ? Layout::Fortran : Layout::C;
}

}  // namespace

Liveness liveness(const Block& block, std::span<const Layout> layouts) {
  std::size_t count = block.nodes.size();
  Liveness live;
  live.root.resize(count);
  live.last_use.assign(count, 0);
  live.in_place.assign(count, false);
  live.bytes.assign(count, 0);
  live.alive.resize(count);
  std::vector<Layout> layout(count, Layout::C);
  for (Index i = 0; i < count; ++i) {
    const BlockNode& n = block.nodes[i];
    live.root[i] = i;
    live.last_use[i] = i;
    if (n.kind == NodeKind::Project) {
      live.root[i] = live.root[block.inputs(i)[0]];
      layout[i] = Layout::C;
    } else if (n.kind == NodeKind::Call) {
      bool view = n.input_count > 0 && block.inputs(i)[0] != kNoIndex && is_view(block, i, layout[block.inputs(i)[0]]);
      if (view) live.root[i] = live.root[block.inputs(i)[0]];
      layout[i] = layout_of_result(block, i, view, layout);
    } else if (n.number < layouts.size()) {
      layout[i] = layouts[n.number];
    }
    for (Index input : block.inputs(i))
      if (input != kNoIndex) live.last_use[live.root[input]] = i;
    live.last_use[live.root[i]] = i;
  }
  for (Index result : block.results) live.last_use[live.root[result]] = kNoIndex;
  // A result may take the place of its first operand when that is not used again and no view, no argument.
  std::vector<Index> values(count, 0);
  for (Index i = 0; i < count; ++i) ++values[live.root[i]];
  for (Index i = 0; i < count; ++i) {
    const BlockNode& n = block.nodes[i];
    if (n.kind != NodeKind::Call || live.root[i] != i || n.input_count == 0) continue;
    if (n.dispatched || (op(n.op).op_class != OpClass::Elementwise && n.op != OpId::SetItem)) continue;
    Index x = block.inputs(i)[0];
    if (x == kNoIndex || block.nodes[x].kind != NodeKind::Call || live.root[x] != x || values[x] != 1) continue;
    if (live.last_use[x] != i || layout[x] != Layout::C || layout[i] != Layout::C || block.types(x).size() != 1) continue;
    if (block.type(x).dtype != block.type(i).dtype || !(block.type(x).shape == block.type(i).shape)) continue;
    // Another operand may not be the same memory seen at other places.
    bool twice = false;
    for (std::size_t k = 1; k < n.input_count; ++k)
      twice |= block.inputs(i)[k] != kNoIndex && live.root[block.inputs(i)[k]] == x && (n.op == OpId::SetItem || block.inputs(i)[k] != x);
    live.in_place[i] = !twice;
  }
  std::vector<std::vector<Index>> ends(0);
  std::vector<Index> next(count, kNoIndex), head(count, kNoIndex);  // roots that end at a node, chained
  for (Index i = 0; i < count; ++i) {
    const BlockNode& n = block.nodes[i];
    if (live.root[i] == i && !live.in_place[i] && n.kind != NodeKind::State && !(n.kind == NodeKind::Constant && block.type(i).kind != Kind::Array))
      live.bytes[i] = byte_count(block, i);
    Index end = live.last_use[i];
    if (live.root[i] != i || end == kNoIndex) continue;
    next[i] = head[end];
    head[end] = i;
  }
  std::int64_t now = 0;
  // Arguments are there from the beginning and belong to the caller.
  for (Index argument : block.arguments) now += live.bytes[argument];
  live.peak = now;
  // What an operand in place holds passes to the result.
  std::vector<std::int64_t> held = live.bytes;
  for (Index i = 0; i < count; ++i) {
    const BlockNode& n = block.nodes[i];
    bool made = n.kind == NodeKind::Call;
    if (made) now += live.bytes[i];
    if (live.in_place[i]) {
      held[i] = held[block.inputs(i)[0]];
      held[block.inputs(i)[0]] = 0;
    }
    live.peak = std::max(live.peak, now);
    for (Index ended = head[i]; ended != kNoIndex; ended = next[ended])
      if (block.nodes[ended].kind == NodeKind::Call) now -= held[ended];
    live.alive[i] = now;
  }
  return live;
}

}  // namespace autoray::ir
