#include <algorithm>

#include "ir/attributes.h"
#include "ir/plan/plan.h"

namespace autoray::ir {
namespace {

// Movements whose result is a view of the first operand. `layouts` are those of the nodes before.
bool is_view(const Block& block, Index i, Layout operand) {
  const BlockNode& n = block.nodes[i];
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

Layout layout_of_result(const Block& block, Index i, bool view, const LargeVector<Layout>& layouts) {
  const BlockNode& n = block.nodes[i];
  const bool matrix = block.type(i).shape.size() > 1;
  if (view) {
    const Layout inner = layouts[block.inputs(i)[0]];
    switch (n.op) {
      case OpId::Reshape:
      case OpId::Ravel:
      case OpId::ExpandDims:
      case OpId::Squeeze: return inner;
      case OpId::GetItem:
      case OpId::Flip:
      case OpId::BroadcastTo: return !matrix || inner == Layout::C || inner == Layout::Rows ? Layout::Rows : Layout::Other;
      case OpId::Transpose:
        if (block.type(i).shape.size() == 2 && inner == Layout::C) return Layout::Fortran;
        if (block.type(i).shape.size() == 2 && inner == Layout::Fortran) return Layout::C;
        return Layout::Other;
      default: return matrix ? Layout::Other : Layout::Rows;
    }
  }
  // Element-wise results and copies keep the order of their operands' axes. Where that is neither C nor Fortran order for sure
  // it may be any.
  const OpClass kind = op(n.op).op_class;
  if (!matrix || (kind != OpClass::Elementwise && kind != OpClass::Create)) return Layout::C;
  auto inputs = block.inputs(n);
  auto by_rows = [&](Index input) {
    return input == kNoIndex || layouts[input] == Layout::C || layouts[input] == Layout::Rows;
  };
  if (kind == OpClass::Create) {
    std::vector<Attr> attrs = block.tables->attrs.attrs(n.attrs);
    auto names = attribute_names(n.op);
    auto order = std::find(names.begin(), names.end(), "order");
    if (order == names.end()) return Layout::C;
    auto* text = attrs[static_cast<std::size_t>(order - names.begin())].get<std::string>();
    bool rows = std::all_of(inputs.begin(), inputs.end(), by_rows);
    return text && *text == "C" ? Layout::C : text && *text == "F" ? Layout::Fortran : rows ? Layout::C : Layout::Other;
  }
  if (std::all_of(inputs.begin(), inputs.end(), by_rows)) return Layout::C;
  bool fortran = true;
  for (Index input : inputs) {
    if (input == kNoIndex || block.type(input).shape.empty()) continue;
    fortran &= layouts[input] == Layout::Fortran && block.type(input).shape == block.type(i).shape;
  }
  return fortran ? Layout::Fortran : Layout::Other;
}

// A result may take the place of its first operand when that is not used again, is no argument, and nothing else sees its
// memory.
bool takes_place(const Block& block, Index i, const Liveness& live, const LargeVector<Layout>& layout,
                 const LargeVector<std::uint8_t>& viewed) {
  const BlockNode& n = block.nodes[i];
  if (n.input_count == 0 || n.dispatched) return false;
  if (op(n.op).op_class != OpClass::Elementwise && n.op != OpId::SetItem) return false;
  auto inputs = block.inputs(n);
  Index x = inputs[0];
  if (x == kNoIndex || live.last_use[x] != i || live.root[x] != x || viewed[x] || block.nodes[x].kind != NodeKind::Call)
    return false;
  if (layout[x] != Layout::C || layout[i] != Layout::C) return false;
  if (block.nodes[x].types != n.types) {
    const Type &before = block.type(x), &after = block.type(i);
    if (block.types(x).size() != 1 || before.dtype != after.dtype || !(before.shape == after.shape)) return false;
  }
  // Another operand may not be the same memory, unless the same items are read and written one by one.
  for (std::size_t k = 1; k < inputs.size(); ++k)
    if (inputs[k] == x && n.op == OpId::SetItem) return false;
  return true;
}

}  // namespace

void Projections::see(const Block& block, Index i) {
  if (first.empty())
    for (auto* list : {&first, &of, &next}) list->assign(block.nodes.size(), kNoIndex);
  const BlockNode& n = block.nodes[i];
  Index call = block.inputs(n)[0];
  Index same = of[call];
  while (same != kNoIndex && block.nodes[same].number != n.number) same = next[same];
  first[i] = same == kNoIndex ? i : same;
  if (same != kNoIndex) return;
  next[i] = of[call];
  of[call] = i;
}

namespace {

// Calls f(root) for the memory of each operand, each once.
template <class F>
void for_each_root(std::span<const Index> inputs, const Liveness& live, F&& f) {
  if (inputs.size() <= 2) {
    Index first = kNoIndex;
    for (Index input : inputs) {
      if (input == kNoIndex || live.root[input] == first) continue;
      first = live.root[input];
      f(first);
    }
    return;
  }
  SmallVector<Index, 8> roots;
  for (Index input : inputs) {
    if (input == kNoIndex) continue;
    Index root = live.root[input];
    // Of many operands each is counted once by sorting; of a few by looking.
    if (inputs.size() <= 8 && std::find(roots.begin(), roots.end(), root) != roots.end()) continue;
    roots.push_back(root);
  }
  if (roots.size() > 8) {
    std::sort(roots.begin(), roots.end());
    roots.resize(static_cast<std::size_t>(std::unique(roots.begin(), roots.end()) - roots.begin()));
  }
  for (Index root : roots) f(root);
}

}  // namespace

std::int64_t Liveness::made(const Block& block, Index i) const {
  const BlockNode& n = block.nodes[i];
  return n.kind != NodeKind::Call || view[i] || in_place[i] ? 0 : block.tables->types.bytes(n.types);
}

Liveness liveness(const Block& block, std::span<const Placement> placements, std::vector<std::int64_t>* alive) {
  std::size_t count = block.nodes.size();
  const TypeTable& types = block.tables->types;
  const std::span<const Op> ops = all_ops();
  Liveness live;
  Projections& projections = live.projections;
  live.root.resize(count);
  live.held.assign(count, 0);
  live.last_use.resize(count);
  live.last_read.resize(count);
  live.in_place.assign(count, 0);
  live.view.assign(count, 0);
  LargeVector<Layout> layout(count, Layout::C);
  LargeVector<std::uint8_t> viewed(count, 0);  // by root: something else uses its memory too
  bool in_rows = true;  // the axes of everything so far are in C order: what is computed of it lies in C order
  for (Index i = 0; i < count; ++i) {
    const BlockNode& n = block.nodes[i];
    auto inputs = block.inputs(n);
    Index root = i;
    if (n.kind == NodeKind::Project) {
      projections.see(block, i);
      const Index call = inputs[0];
      root = live.view[call] ? live.root[call] : projections.first[i];
      // The memory of the call's results passes to their first projections.
      if (root == i) {
        live.held[i] = types.bytes(n.types);
        live.held[call] -= live.held[i];
      }
    } else if (n.kind == NodeKind::Call) {
      const Op& op_row = ops[static_cast<std::size_t>(n.op)];
      bool view = n.input_count > 0 && inputs[0] != kNoIndex && op_row.has(kViewResult) && is_view(block, i, layout[inputs[0]]);
      live.view[i] = view;
      if (view)
        root = live.root[inputs[0]];
      else
        live.held[i] = types.bytes(n.types);
      live.updates |= n.op == OpId::SetItem;
      if (view || !in_rows || op_row.op_class == OpClass::Create) layout[i] = layout_of_result(block, i, view, layout);
    } else if (n.number < placements.size()) {
      layout[i] = placements[n.number].layout;
    }
    in_rows = in_rows && (layout[i] == Layout::C || layout[i] == Layout::Rows);
    live.root[i] = root;
    if (root != i) viewed[root] = 1;
    live.last_read[i] = i;
    for (Index input : inputs)
      if (input != kNoIndex) {
        live.last_use[live.root[input]] = i;
        live.last_read[projections.value(input)] = i;
      }
    live.last_use[root] = i;
    live.last_read[projections.value(i)] = i;
  }
  for (Index result : block.results) {
    live.last_use[live.root[result]] = kNoIndex;
    live.last_read[projections.value(result)] = kNoIndex;
  }

  // Arguments are there from the beginning and belong to the caller. Scalars are part of the program.
  for (Index argument : block.arguments) {
    const BlockNode& n = block.nodes[argument];
    if (n.kind == NodeKind::State || (n.kind == NodeKind::Constant && types.type(n.types).kind != Kind::Array)) continue;
    bool placed = n.number < placements.size() && placements[n.number].bytes >= 0;
    live.argument_bytes += placed ? placements[n.number].bytes : types.bytes(n.types);
  }
  if (alive) alive->resize(count);
  std::int64_t now = live.argument_bytes, around = 0;
  live.peak = now;
  for (Index i = 0; i < count; ++i) {
    const BlockNode& n = block.nodes[i];
    auto inputs = block.inputs(n);
    std::int64_t operands = 0, ended = 0;
    if (n.kind == NodeKind::Call || n.kind == NodeKind::Project) {
      if (n.kind == NodeKind::Call && !live.view[i]) live.in_place[i] = takes_place(block, i, live, layout, viewed);
      for_each_root(inputs, live, [&](Index root) {
        const std::int64_t bytes = live.held[root];
        operands += bytes;
        // What an operand in place held has passed to the result.
        if (live.last_use[root] == i && !(live.in_place[i] && root == inputs[0])) ended += bytes;
      });
      const Index root = live.root[i];
      if (live.last_use[root] == i && (inputs.empty() || inputs[0] == kNoIndex || root != live.root[inputs[0]]))
        ended += live.held[root];
    }
    const std::int64_t made = live.made(block, i);
    if (n.kind == NodeKind::Call) around = std::max(around, made + operands);
    now += made;
    // While a node is computed, what ends with it is still there.
    live.peak = std::max(live.peak, now);
    now -= ended;
    if (alive) (*alive)[i] = now;
  }
  live.least_peak = live.argument_bytes + around;
  return live;
}

}  // namespace autoray::ir
