#include "codegen/overwritten.h"

#include <algorithm>

namespace autoray::codegen {

namespace {

// Nothing is computed that the processor's flags would tell of.
bool only_moves(const Nest& nest) {
  return !nest.folds && nest.registers.empty() && !nest.stores.empty() &&
         std::ranges::all_of(nest.body, [](const Instr& i) { return i.prim == Prim::Load || i.prim == Prim::Constant; });
}

}  // namespace

// From the first byte to the last that the nest accesses there, and how many items.
Overwritten::Bytes Overwritten::reach(const Kernel& kernel, const Nest& nest, const Access& access, const Operands& in,
                                      std::int64_t& items) {
  auto value = [&](const Number& n) { return n.constant ? n.value : in.numbers[static_cast<std::size_t>(n.value)]; };
  const auto item = static_cast<std::int64_t>(ir::itemsize(kernel.buffers[access.buffer]));
  const std::int64_t first = in.buffers[access.buffer].offset + access.part * item;
  Bytes bytes{first, first + item};
  items = 1;
  for (std::size_t d = 0; d < nest.extents.size(); ++d) {
    const std::int64_t extent = value(nest.extents[d]), stride = d < access.strides.size() ? value(access.strides[d]) : 0;
    if (extent <= 0) {
      items = 0;
      return {first, first};
    }
    if (stride != 0) items *= extent;
    (stride < 0 ? bytes.begin : bytes.end) += (extent - 1) * stride;
  }
  return bytes;
}

// What a store writes, if that is one piece; of complex numbers the real parts' store stands for both.
std::optional<Overwritten::Bytes> Overwritten::one_piece(const Kernel& kernel, const Nest& nest, const Store& store,
                                                         const Operands& in) {
  if (store.offset != kNoValue || store.to.part != 0) return std::nullopt;
  std::int64_t items;
  Bytes bytes = reach(kernel, nest, store.to, in, items);
  auto item = static_cast<std::int64_t>(ir::itemsize(kernel.buffers[store.to.buffer]));
  const bool both = std::ranges::any_of(nest.stores, [&](const Store& other) {
    return other.to.part == 1 && other.to.buffer == store.to.buffer && other.to.strides == store.to.strides &&
           other.offset == kNoValue;
  });
  if (both) bytes.end += item, item *= 2;
  if (bytes.end - bytes.begin != items * item) return std::nullopt;
  return bytes;
}

void Overwritten::read(std::map<RootId, Waiting>::iterator fill, const Bytes& bytes) {
  if (fill->second.filled.meets(bytes) && !fill->second.written.holds(bytes)) waiting_.erase(fill);
}

void Overwritten::write(std::map<RootId, Waiting>::iterator fill, const Bytes& bytes) {
  auto& [step, filled, written] = fill->second;
  if (!filled.meets(bytes)) return;
  const bool apart = !written.empty() && !written.touches(bytes);
  written = written.empty() ? bytes : Bytes{std::min(written.begin, bytes.begin), std::max(written.end, bytes.end)};
  if (!apart && !written.holds(filled)) return;
  if (!apart) steps.push_back(step);
  waiting_.erase(fill);
}

void Overwritten::add(std::size_t step, const Kernel& kernel, const Operands& in) {
  auto waiting = [&](const Access& access) {
    return access.buffer == kNoBuffer ? waiting_.end() : waiting_.find(in.buffers[access.buffer].root);
  };
  if (!waiting_.empty()) {
    std::int64_t items;
    // What a nest reads of its own writes was not there before.
    for (const Nest& nest : kernel.nests) {
      const bool anywhere = std::ranges::any_of(nest.body, [](const Instr& i) { return i.prim == Prim::Gather; });
      for (const Access& load : nest.loads) {
        const auto fill = waiting(load);
        if (fill == waiting_.end()) continue;
        if (anywhere)
          waiting_.erase(fill);
        else
          read(fill, reach(kernel, nest, load, in, items));
      }
      for (const Store& store : nest.stores) {
        const auto fill = waiting(store.to);
        if (fill == waiting_.end()) continue;
        if (const auto bytes = one_piece(kernel, nest, store, in)) write(fill, *bytes);
      }
    }
  }
  if (kernel.nests.size() != 1 || !only_moves(kernel.nests[0])) return;
  const Nest& nest = kernel.nests[0];
  const Store& store = nest.stores[0];
  if (std::ranges::any_of(nest.stores, [&](const Store& s) { return s.to.buffer != store.to.buffer; })) return;
  if (const auto bytes = one_piece(kernel, nest, store, in))
    waiting_.try_emplace(in.buffers[store.to.buffer].root, Waiting{step, *bytes, {}});
}

}  // namespace autoray::codegen
