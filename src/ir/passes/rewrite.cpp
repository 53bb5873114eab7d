// canonicalise, share, simplify: forward sweeps that let one node stand for another of the same value, bit for bit.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "ir/graph/tag_table.h"
#include "ir/passes/passes.h"

namespace autoray::ir {
namespace {

// A sweep: `same(i)` gives the node that stands for i, i itself when nothing does. Inputs are already replaced. Edges are
// written only behind the first node that something stands for.
template <class F>
void sweep(Block& block, F&& same) {
  const auto count = static_cast<Index>(block.nodes.size());
  auto stands = [&](Index i) {
    NodeKind kind = block.nodes[i].kind;
    return kind == NodeKind::Call || kind == NodeKind::Project ? same(i) : i;
  };
  Index i = 0;
  while (i < count && stands(i) == i) ++i;
  if (i == count) return;
  LargeVector<Index> to(count);
  std::iota(to.begin(), to.begin() + i, 0);
  for (; i < count; ++i) {
    for (Index& input : block.inputs(block.nodes[i]))
      if (input != kNoIndex) input = to[input];
    to[i] = stands(i);
  }
  replace(block, to);
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
    // Whether the call gives its operand, of the same type.
    auto moves_nothing = [&](auto&& holds) {
      if (n.kind != NodeKind::Call || n.dispatched || n.input_count == 0) return i;
      Index x = block.inputs(n)[0];
      return x != kNoIndex && same_type(block, i, x) && holds(x) ? x : i;
    };
    switch (n.op) {
      case OpId::Conjugate:
      case OpId::Real: return moves_nothing([&](Index x) { return !is_complex(block.type(x).dtype); });
      case OpId::Transpose: return moves_nothing([&](Index) { return identity_order(attrs(n.attrs)[0]); });
      case OpId::Reshape:
        return moves_nothing([&](Index) {
          auto* order = attrs(n.attrs)[1].get<std::string>();
          return order && *order == "C";
        });
      case OpId::BroadcastTo: return moves_nothing([](Index) { return true; });
      default: return i;
    }
  });
}

namespace {

// Calls by what they are; what is equal is compared, never only hashed.
class CallSet {
 public:
  explicit CallSet(const Block& block) : block_(block) {}
  // The first one that equals this node.
  Index operator()(Index i) {
    const BlockNode& n = block_.nodes[i];
    auto inputs = block_.inputs(n);
    std::uint64_t h = (std::uint64_t{n.types} << 32 | (n.kind == NodeKind::Call ? n.attrs : n.number)) * 0x9e3779b97f4a7c15ull;
    h ^= static_cast<std::uint64_t>(n.op) << 8 | static_cast<std::uint64_t>(n.kind);
    for (Index input : inputs) {
      h = (h ^ input) * 0xff51afd7ed558ccdull;
      h ^= h >> 32;
    }
    auto found = table_.find(static_cast<std::uint32_t>(h ^ h >> 29),
                             [&](std::uint32_t place) { return equal(n, inputs, block_.nodes[calls_[place]]); });
    if (found != TagTable::kNone) return calls_[found];
    calls_.push_back(i);
    table_.insert();
    return i;
  }

 private:
  bool equal(const BlockNode& n, std::span<const Index> inputs, const BlockNode& m) const {
    if (m.kind != n.kind || m.op != n.op || m.types != n.types || m.backend != n.backend) return false;
    if (n.kind == NodeKind::Call ? m.attrs != n.attrs : m.number != n.number) return false;
    auto theirs = block_.inputs(m);
    return std::equal(inputs.begin(), inputs.end(), theirs.begin(), theirs.end());
  }
  const Block& block_;
  TagTable table_;  // of the places in calls_
  LargeVector<Index> calls_;
};

}  // namespace

void share(Block& block, const PassContext&) {
  // Equal calls have equal inputs: one with an input that nothing else uses has no equal. Counted up to two.
  LargeVector<std::uint8_t> uses(block.nodes.size());
  for (Index input : block.edges)
    if (input != kNoIndex) uses[input] = uses[input] ? 2 : 1;
  for (Index result : block.results) uses[result] = 2;
  CallSet calls(block);
  sweep(block, [&](Index i) {
    if (!uses[i]) return i;
    const BlockNode& n = block.nodes[i];
    for (Index input : block.inputs(n))
      if (input != kNoIndex && uses[input] < 2) return i;
    if (n.kind == NodeKind::Call && (n.dispatched || op(n.op).has(kRandom))) return i;
    Index same = calls(i);
    if (same != i) uses[same] = 2;
    return same;
  });
}

void simplify(Block& block, const PassContext& context) {
  const bool constants = std::any_of(block.arguments.begin(), block.arguments.end(),
                                     [&](Index argument) { return block.nodes[argument].kind == NodeKind::Constant; });
  auto value = [&](Index x) {
    if (!constants || x == kNoIndex || block.nodes[x].kind != NodeKind::Constant || !block.type(x).shape.empty() ||
        !context.scalar)
      return ScalarValue::Any;
    return context.scalar(block.nodes[x].number);
  };
  auto one = [&](Index x) { return value(x) == ScalarValue::One; };
  sweep(block, [&](Index i) {
    const BlockNode& n = block.nodes[i];
    if (n.kind != NodeKind::Call || n.dispatched || n.input_count == 0) return i;
    auto in = block.inputs(n);
    Index x = in[0], y = n.input_count > 1 ? in[1] : kNoIndex;
    // The result has the operand's very type, so a view of the operand is what the call gives.
    auto is = [&](Index operand) { return operand != kNoIndex && same_type(block, i, operand); };
    auto real = [&] { return !is_complex(block.type(i).dtype); };
    switch (n.op) {
      case OpId::Multiply:
        // Complex products round (and make NaNs of infinities) even by one.
        if (one(y) && is(x) && real()) return x;
        if (one(x) && is(y) && real()) return y;
        return i;
      case OpId::Divide: return one(y) && is(x) && real() ? x : i;
      case OpId::Power: return one(y) && is(x) && real() ? x : i;
      case OpId::Subtract: return value(y) == ScalarValue::Zero && is(x) && real() ? x : i;  // x - (+0): -0 stays -0
      case OpId::Add: {
        const ScalarValue added = value(y);
        bool nothing = added == ScalarValue::Zero || added == ScalarValue::NegativeZero;
        return nothing && is(x) && is_integer(block.type(i).dtype) ? x : i;
      }
      case OpId::Positive: return is(x) && !is_bool(block.type(x).dtype) ? x : i;
      case OpId::SetItem: return in.size() == 2 && is(x) && y != kNoIndex && element_count(block.type(y).shape) == 0 ? x : i;
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
