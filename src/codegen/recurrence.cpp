#include "codegen/recurrence.h"

#include <algorithm>

#include "runtime/reduction/order.h"

namespace autoray::codegen {

using ir::DType;

namespace {

std::int64_t item_bytes(const Kernel& kernel, const Access& access) {
  return static_cast<std::int64_t>(ir::itemsize(kernel.buffers[access.buffer]));
}

// Items that are something else in a register than in memory are left to memory.
bool is_plain(const Kernel& kernel, const Access& access) {
  if (access.buffer == kNoBuffer || access.part != 0) return false;
  const DType dtype = kernel.buffers[access.buffer];
  return dtype != DType::Bool && dtype != DType::Float16;
}

// One item, or the terms of a sum side by side.
bool may_take_up(const Kernel& kernel, const Nest& nest, const Access& load) {
  if (!is_plain(kernel, load)) return false;
  if (nest.extents.empty()) return true;
  return nest.folds && nest.order == Order::Pairwise && nest.extents.size() == 1 &&
         load.strides[0] == Number{true, item_bytes(kernel, load)};
}

bool may_put_down(const Kernel& kernel, const Nest& nest, const Store& store) {
  return nest.extents.empty() && store.offset == kNoValue && is_plain(kernel, store.to);
}

// f(nest, number of the load or store) for each.
template <class F>
void for_each_load(const Kernel& kernel, F&& f) {
  for (std::size_t n = 0; n < kernel.nests.size(); ++n)
    for (std::size_t k = 0; k < kernel.nests[n].loads.size(); ++k) f(n, k);
}
template <class F>
void for_each_store(const Kernel& kernel, F&& f) {
  for (std::size_t n = 0; n < kernel.nests.size(); ++n)
    for (std::size_t k = 0; k < kernel.nests[n].stores.size(); ++k) f(n, k);
}

// Bytes from the buffer's place to the last of the items that a load takes up.
std::int64_t last_item(const Kernel& kernel, const Nest& nest, const Access& load, const Operands& in) {
  if (nest.extents.empty()) return 0;
  const Number& n = nest.extents[0];
  return ((n.constant ? n.value : in.numbers[static_cast<std::size_t>(n.value)]) - 1) * item_bytes(kernel, load);
}

}  // namespace

bool may_recur(const Kernel& kernel) {
  bool puts = false, takes = false;
  for_each_store(kernel, [&](std::size_t n, std::size_t k) {
    puts = puts || may_put_down(kernel, kernel.nests[n], kernel.nests[n].stores[k]);
  });
  for_each_load(kernel, [&](std::size_t n, std::size_t k) {
    takes = takes || may_take_up(kernel, kernel.nests[n], kernel.nests[n].loads[k]);
  });
  // A check's number is the step's.
  return puts && takes && std::ranges::none_of(kernel.nests, [](const Nest& nest) {
           return std::ranges::any_of(nest.body, [](const Instr& i) { return i.prim == Prim::Check; });
         });
}

std::optional<Recurrence> find_recurrence(const Kernel& kernel, const Operands& a, const Operands& b) {
  std::optional<Recurrence> found;
  for_each_store(kernel, [&](std::size_t item, std::size_t store) {
    const Access& to = kernel.nests[item].stores[store].to;
    if (found || !may_put_down(kernel, kernel.nests[item], kernel.nests[item].stores[store])) return;
    const Instance::Buffer& put = a.buffers[to.buffer];
    bool alone = true;  // nothing else is written there
    for_each_store(kernel, [&](std::size_t n, std::size_t k) {
      if (n != item || k != store) alone = alone && a.buffers[kernel.nests[n].stores[k].to.buffer].root != put.root;
    });
    if (!alone) return;
    Recurrence r{item, store, {}};
    for_each_load(kernel, [&](std::size_t n, std::size_t k) {
      const Nest& nest = kernel.nests[n];
      const Access& load = nest.loads[k];
      if (n > item || !may_take_up(kernel, nest, load) || kernel.buffers[load.buffer] != kernel.buffers[to.buffer]) return;
      const Instance::Buffer &from = a.buffers[load.buffer], &next = b.buffers[load.buffer];
      const std::int64_t last = last_item(kernel, nest, load, a), next_last = last_item(kernel, nest, load, b);
      // The last item of `b` is what `a` puts down; and what `b` puts down is as far from that as in each turn to come.
      if (from.root == put.root && next.root == put.root && next.offset + next_last == put.offset &&
          b.buffers[to.buffer].offset - put.offset == next.offset + next_last - from.offset - last)
        r.loads.emplace_back(n, k);
    });
    if (!r.loads.empty()) found = std::move(r);
  });
  return found;
}

bool continues(const Operands& a, const Operands& b, const Operands& c) {
  auto follows = [](Place p, const Place& q) {
    p.offset = q.offset;
    return p == q;
  };
  for (std::size_t i = 0; i < a.places.size(); ++i) {
    const Place &p = a.places[i], &q = b.places[i], &r = c.places[i];
    if (!follows(p, q) || !follows(q, r) || r.offset - q.offset != q.offset - p.offset) return false;
  }
  for (std::size_t i = 0; i < a.numbers.size(); ++i)
    if (c.numbers[i] - b.numbers[i] != b.numbers[i] - a.numbers[i]) return false;
  return true;
}

Kernel in_turns(const Recurrence& r, const Kernel& kernel, const Operands& a, const Operands& b, std::int64_t count,
                std::vector<std::int64_t>& numbers) {
  Kernel rolled = kernel;
  Nest& item = rolled.nests[r.nest];
  const auto carried = static_cast<std::uint16_t>(rolled.registers.size());
  const ValueId value = item.stores[r.store].value;
  rolled.registers.push_back(item.body[value].dtype);
  item.registers.emplace_back(value, carried);
  for (auto [nest, load] : r.loads) rolled.nests[nest].loads[load].newest = carried;
  // The code for longer sums is left out where no turn needs it.
  for (Nest& nest : rolled.nests) {
    if (!nest.folds || nest.order != Order::Pairwise || nest.extents.back().constant) continue;
    const auto n = static_cast<std::size_t>(nest.extents.back().value);
    nest.one_block = std::max(a.numbers[n], a.numbers[n] + (count - 1) * (b.numbers[n] - a.numbers[n])) <= runtime::kSumBlock;
  }
  auto argument = [&](std::int64_t number) {
    numbers.push_back(number);
    return Number{false, static_cast<std::int64_t>(rolled.arguments++)};
  };
  Turns turns;
  turns.count = argument(count);
  // As with strides, what most kernels grow by is part of them.
  auto grows = [&](std::int64_t by, std::int64_t plain) {
    turns.growth.push_back(by == 0 || by == plain ? Number{true, by} : argument(by));
  };
  for (std::size_t i = 0; i < a.buffers.size(); ++i)
    grows(b.places[i].offset - a.places[i].offset, static_cast<std::int64_t>(ir::itemsize(kernel.buffers[i])));
  for (std::size_t i = 0; i < a.numbers.size(); ++i) grows(b.numbers[i] - a.numbers[i], 1);
  turns.growth.resize(a.buffers.size() + rolled.arguments, Number{true, 0});
  rolled.turns = std::move(turns);
  return rolled;
}

}  // namespace autoray::codegen
