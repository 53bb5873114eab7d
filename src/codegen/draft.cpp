#include "codegen/draft.h"

#include <algorithm>
#include <map>

namespace autoray::codegen {

using ir::Dims;
using ir::DType;

namespace {

// A kernel is compiled for its very extents where rows are at most so long.
constexpr std::int64_t kShortRow = 512;

}  // namespace

void permute(NestDraft& draft, const Dims& order) {
  auto by_order = [&](const Dims& d) {
    Dims r;
    for (std::int64_t axis : order) r.push_back(d[static_cast<std::size_t>(axis)]);
    return r;
  };
  draft.extents = by_order(draft.extents);
  for (Walk& w : draft.loads) w.strides = by_order(w.strides);
}
bool foldable(const NestDraft& draft) {
  std::int64_t extent = 1;
  std::vector<std::int64_t> stride(draft.loads.size(), 0);
  for (std::size_t d = draft.extents.size(); d-- > draft.kept;) {
    if (draft.extents[d] == 1) continue;
    for (std::size_t k = 0; k < draft.loads.size(); ++k) {
      if (extent == 1)
        stride[k] = draft.loads[k].strides[d];
      else if (draft.loads[k].strides[d] != stride[k] * extent)
        return false;
    }
    extent *= draft.extents[d];
  }
  return true;
}
// The terms are written out in order first.
namespace {

// The dimension that most accesses follow densely becomes the innermost of a
// map.
void order_dimensions(NestDraft& draft) {
  if (draft.nest.folds || draft.extents.size() < 2) return;
  // The first index out of bounds is told, and the last of equal places stays.
  bool ordered = draft.nest.stores.empty();
  for (const Store& s : draft.nest.stores) ordered = ordered || s.offset != kNoValue;
  if (ordered) return;
  std::size_t best = draft.extents.size() - 1;
  int most = -1;
  for (std::size_t d = draft.extents.size(); d-- > 0;) {
    int dense = 0;
    auto look = [&](const Walk& w, int weight) {
      if (w.root != kNoRoot && w.strides[d] == static_cast<std::int64_t>(ir::itemsize(w.dtype))) dense += weight;
    };
    for (const Walk& w : draft.loads) look(w, 1);
    for (const Walk& w : draft.stores) look(w, 1);
    if (dense > most) {
      most = dense;
      best = d;
    }
  }
  std::size_t last = draft.extents.size() - 1;
  if (best == last) return;
  auto swap = [&](Dims& dims) { std::swap(dims[best], dims[last]); };
  swap(draft.extents);
  for (Walk& w : draft.loads) swap(w.strides);
  for (Walk& w : draft.stores) swap(w.strides);
}

}  // namespace

void simplify(NestDraft& draft) {
  std::vector<Walk*> walks;
  for (Walk& w : draft.loads) walks.push_back(&w);
  for (Walk& w : draft.stores) walks.push_back(&w);
  Dims extents;
  std::vector<Dims> strides(walks.size());
  std::size_t kept = 0;
  std::int64_t folded = 1;
  bool last_kept = true;
  for (std::size_t d = 0; d < draft.extents.size(); ++d) {
    bool in_kept = d < draft.kept;
    if (draft.nest.folds && !in_kept) folded *= draft.extents[d];
    if (draft.extents[d] == 1) continue;
    bool joins = !extents.empty() && in_kept == last_kept;
    for (std::size_t k = 0; joins && k < walks.size(); ++k)
      joins = strides[k].back() == walks[k]->strides[d] * draft.extents[d];
    if (joins) {
      extents.back() *= draft.extents[d];
      for (std::size_t k = 0; k < walks.size(); ++k) strides[k].back() = walks[k]->strides[d];
    } else {
      extents.push_back(draft.extents[d]);
      for (std::size_t k = 0; k < walks.size(); ++k) strides[k].push_back(walks[k]->strides[d]);
      kept += in_kept;
    }
    last_kept = in_kept;
  }
  if (draft.nest.folds && folded == 1) {
    extents.push_back(1);
    for (Dims& s : strides) s.push_back(0);
  }
  draft.kept = kept;
  draft.extents = extents;
  for (std::size_t k = 0; k < walks.size(); ++k) walks[k]->strides = strides[k];
  order_dimensions(draft);
}
Instance instance(const KernelDraft& draft, const Memory& memory, bool special) {
  Instance result;
  Kernel& kernel = result.kernel;
  kernel.registers = draft.registers;
  std::map<std::tuple<RootId, std::int64_t, DType>, std::uint16_t> numbers;
  auto buffer = [&](const Walk& w) {
    if (w.root == kNoRoot) return kNoBuffer;
    auto [found, fresh] = numbers.try_emplace({w.root, w.offset, w.dtype}, static_cast<std::uint16_t>(kernel.buffers.size()));
    if (fresh) {
      kernel.buffers.push_back(ir::is_complex(w.dtype) ? ir::real_dtype(w.dtype) : w.dtype);
      result.buffers.push_back(memory.place(w.root, w.offset));
      result.roots.push_back(w.root);
      result.offsets.push_back(w.offset);
    }
    return found->second;
  };
  auto argument = [&](std::int64_t value) {
    result.arguments.push_back(value);
    return Number{false, static_cast<std::int64_t>(kernel.arguments++)};
  };
  for (const NestDraft& d : draft.nests) {
    Nest nest = d.nest;
    nest.extents.clear();
    for (std::size_t k = 0; k < d.extents.size(); ++k)
      nest.extents.push_back(special ? Number{true, d.extents[k]} : argument(d.extents[k]));
    auto access = [&](const Walk& w) {
      Access a;
      a.buffer = buffer(w);
      a.part = static_cast<std::uint8_t>(w.part);
      for (std::size_t k = 0; k < d.extents.size(); ++k) {
        std::int64_t stride = w.strides[k];
        std::int64_t step = w.root == kNoRoot ? 1 : static_cast<std::int64_t>(ir::itemsize(w.dtype));
        bool plain = stride == 0 || stride == step;
        a.strides.push_back(plain ? Number{true, stride} : argument(stride));
      }
      return a;
    };
    nest.loads.clear();
    for (const Walk& w : d.loads) nest.loads.push_back(access(w));
    for (std::size_t k = 0; k < d.stores.size(); ++k) nest.stores[k].to = access(d.stores[k]);
    kernel.nests.push_back(std::move(nest));
  }
  return result;
}
bool short_rows(const KernelDraft& draft) {
  for (const NestDraft& nest : draft.nests)
    if (!nest.extents.empty() && nest.extents.back() > kShortRow) return false;
  return true;
}
Dims all_extents(const KernelDraft& draft) {
  Dims all;
  for (const NestDraft& nest : draft.nests)
    for (std::int64_t extent : nest.extents) all.push_back(extent);
  return all;
}

}  // namespace autoray::codegen
