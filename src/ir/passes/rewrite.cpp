// canonicalise, share, simplify: forward sweeps that let one node stand for another of the same value, bit for bit.
#include <algorithm>
#include <cmath>

#include "ir/passes/passes.h"

namespace autoray::ir {
namespace {

// A sweep: `same(i)` gives the node that stands for i, i itself when nothing does. Inputs are already replaced.
template <class F>
void sweep(Block& block, F&& same) {
  std::vector<Index> to(block.nodes.size());
  bool changed = false;
  for (Index i = 0; i < to.size(); ++i) {
    for (Index& input : block.inputs(block.nodes[i]))
      if (input != kNoIndex) input = to[input];
    to[i] = block.nodes[i].kind == NodeKind::Call || block.nodes[i].kind == NodeKind::Project ? same(i) : i;
    changed |= to[i] != i;
  }
  if (changed) replace(block, to);
}

bool same_type(const Block& block, Index a, Index b) { return block.nodes[a].types == block.nodes[b].types; }

// Attributes by id: decoded once for a list, whatever the number of nodes that name it.
class AttrCache {
 public:
  explicit AttrCache(const Block& block) : table_(block.tables->attrs) {}
  const std::vector<Attr>& operator()(AttrsId id) {
    auto [found, fresh] = lists_.try_emplace(id);
    if (fresh) found->second = table_.attrs(id);
    return found->second;
  }

 private:
  const AttrTable& table_;
  std::unordered_map<AttrsId, std::vector<Attr>> lists_;
};

bool identity_order(const Attr& axes) {
  auto* order = axes.get<Dims>();
  if (!order) return false;
  for (std::size_t i = 0; i < order->size(); ++i)
    if ((*order)[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

}  // namespace

void canonicalise(Block& block, const PassContext&) {
  AttrCache attrs(block);
  sweep(block, [&](Index i) {
    const BlockNode& n = block.nodes[i];
    if (n.kind != NodeKind::Call || n.dispatched || n.input_count == 0) return i;
    Index x = block.inputs(i)[0];
    if (x == kNoIndex || !same_type(block, i, x)) return i;
    switch (n.op) {
      case OpId::Conjugate:
      case OpId::Real: return is_complex(block.type(x).dtype) ? i : x;
      case OpId::Transpose: return identity_order(attrs(n.attrs)[0]) ? x : i;
      case OpId::Reshape: {
        auto* order = attrs(n.attrs)[1].get<std::string>();
        return order && *order == "C" ? x : i;
      }
      case OpId::BroadcastTo: return x;
      default: return i;
    }
  });
}

void share(Block& block, const PassContext&) {
  // Open addressing over node numbers; what is equal is compared, never only hashed.
  std::size_t slots = 64;
  while (slots < 2 * block.nodes.size()) slots *= 2;
  std::vector<Index> table(slots, kNoIndex);
  std::size_t mask = slots - 1;
  sweep(block, [&](Index i) {
    const BlockNode& n = block.nodes[i];
    if (n.kind == NodeKind::Call && (op(n.op).has(kRandom) || n.dispatched)) return i;
    std::uint64_t h = (std::uint64_t{n.types} << 32 | (n.kind == NodeKind::Call ? n.attrs : n.number)) * 0x9e3779b97f4a7c15ull;
    h ^= static_cast<std::uint64_t>(n.op) << 8 | static_cast<std::uint64_t>(n.kind);
    auto inputs = block.inputs(i);
    for (Index input : inputs) {
      h = (h ^ input) * 0xff51afd7ed558ccdull;
      h ^= h >> 32;
    }
    std::size_t at = (h ^ h >> 29) & mask;
    for (; table[at] != kNoIndex; at = (at + 1) & mask) {
      const BlockNode& m = block.nodes[table[at]];
      if (m.kind != n.kind || m.op != n.op || m.types != n.types || m.backend != n.backend) continue;
      if (n.kind == NodeKind::Call ? m.attrs != n.attrs : m.number != n.number) continue;
      auto theirs = block.inputs(m);
      if (std::equal(inputs.begin(), inputs.end(), theirs.begin(), theirs.end())) return table[at];
    }
    table[at] = i;
    return i;
  });
}

void simplify(Block& block, const PassContext& context) {
  // Of a constant scalar: its value.
  auto constant = [&](Index x, double wanted, bool positive_zero = false) {
    if (x == kNoIndex || block.nodes[x].kind != NodeKind::Constant || !block.type(x).shape.empty() || !context.scalar)
      return false;
    double value;
    bool integer;
    if (!context.scalar(block.nodes[x].number, value, integer)) return false;
    if (positive_zero && (value != 0 || std::signbit(value))) return false;
    return value == wanted;
  };
  sweep(block, [&](Index i) {
    const BlockNode& n = block.nodes[i];
    if (n.kind != NodeKind::Call || n.dispatched || n.input_count == 0) return i;
    auto in = block.inputs(i);
    Index x = in[0], y = n.input_count > 1 ? in[1] : kNoIndex;
    // The result has the operand's very type, so a view of the operand is what the call gives.
    auto is = [&](Index operand) { return operand != kNoIndex && same_type(block, i, operand); };
    bool real = !is_complex(block.type(i).dtype);
    switch (n.op) {
      case OpId::Multiply:
        // Complex products round (and make NaNs of infinities) even by one.
        if (real && is(x) && constant(y, 1)) return x;
        if (real && is(y) && constant(x, 1)) return y;
        return i;
      case OpId::Divide: return real && is(x) && constant(y, 1) ? x : i;
      case OpId::Power: return real && is(x) && constant(y, 1) ? x : i;
      case OpId::Subtract: return is(x) && real && constant(y, 0, true) ? x : i;  // x - (+0): -0 stays -0
      case OpId::Add: return is(x) && is_integer(block.type(i).dtype) && constant(y, 0) ? x : i;
      case OpId::Positive: return is(x) ? x : i;
      case OpId::Negative:
      case OpId::Invert:
      case OpId::Conjugate: {
        if (x == kNoIndex || block.nodes[x].kind != NodeKind::Call || block.nodes[x].op != n.op || block.nodes[x].dispatched)
          return i;
        Index inner = block.inputs(x)[0];
        return same_type(block, i, inner) && same_type(block, i, x) ? inner : i;
      }
      default: return i;
    }
  });
}

}  // namespace autoray::ir
