#include "codegen/draft.h"

#include <algorithm>

#include "runtime/reduction/order.h"

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
    // A sum of one term walks as those of more do: it is the same kernel. Beside kept dimensions it is folded along those.
    extents.push_back(1);
    for (std::size_t k = 0; k < walks.size(); ++k)
      strides[k].push_back(kept == 0 && !walks[k]->strides.empty() ? walks[k]->strides.back() : 0);
  }
  draft.kept = kept;
  draft.extents = extents;
  for (std::size_t k = 0; k < walks.size(); ++k) walks[k]->strides = strides[k];
  order_dimensions(draft);
}

namespace {

// Bytes of a result from which on it passes the caches by: a store that goes through them reads the line first, which makes
// three transfers of two. As much as the last cache that a few cores share.
constexpr std::int64_t kStreamed = std::int64_t{32} << 20;
// Bytes of what a fold reads from which on it is told what comes next: the processor's second cache holds less.
constexpr std::int64_t kFetched = std::int64_t{4} << 20;

bool is_dense(const Walk& w) {
  return w.root != kNoRoot && !w.strides.empty() && w.strides.back() == static_cast<std::int64_t>(ir::itemsize(w.dtype));
}

// Where points are computed slowly memory keeps up anyhow, and what the last cache keeps of a result is of use.
bool streams(const NestDraft& d) {
  auto slow = [](const Instr& instr) {
    return instr.prim == Prim::Function || instr.prim == Prim::Library || instr.prim == Prim::Complex;
  };
  const std::int64_t points = ir::element_count(d.extents);
  auto bytes = [&](const Walk& w) { return is_dense(w) ? points * static_cast<std::int64_t>(ir::itemsize(w.dtype)) : 0; };
  if (d.nest.folds) {
    std::int64_t read = 0;
    for (const Walk& w : d.loads) read += bytes(w);
    return read >= kFetched;
  }
  return std::ranges::none_of(d.nest.body, slow) &&
         std::ranges::any_of(d.stores, [&](const Walk& w) { return bytes(w) >= kStreamed; });
}

// Whether the fold's terms are computed from what the map reads and makes at the same points: then nothing has to be read from
// memory again.
bool folds_in_turn(const NestDraft& map, const NestDraft& fold) {
  const Nest &m = map.nest, &f = fold.nest;
  if (m.folds || !m.registers.empty() || map.stores.empty() || map.extents.size() != 1) return false;
  if (!f.folds || f.scans || f.order != Order::Pairwise || fold.extents != map.extents || map.extents[0] <= runtime::kSumBlock)
    return false;
  auto of_map = [&](const Walk& w) {
    return is_dense(w) &&
           (std::ranges::find(map.stores, w) != map.stores.end() || std::ranges::find(map.loads, w) != map.loads.end());
  };
  return std::ranges::all_of(map.stores, is_dense) && std::ranges::all_of(fold.loads, of_map) &&
         std::ranges::all_of(m.stores, [](const Store& s) { return s.offset == kNoValue; }) &&
         std::ranges::none_of(m.body, [](const Instr& instr) { return instr.prim == Prim::Check; });
}

}  // namespace

Instance instance(KernelDraft draft) {
  for (std::size_t k = 0; k < draft.nests.size(); ++k) {
    draft.nests[k].nest.streams = streams(draft.nests[k]);
    if (k == 0 || !folds_in_turn(draft.nests[k - 1], draft.nests[k])) continue;
    draft.nests[k].nest.in_turn = true;
    draft.nests[k - 1].nest.streams = false;  // its block is read at once
  }
  std::vector<RootId> written;  // in single items
  for (const NestDraft& d : draft.nests)
    for (const Walk& w : d.stores)
      if (!is_dense(w)) written.push_back(w.root);
  Instance result;
  Kernel& kernel = result.kernel;
  kernel.registers = std::move(draft.registers);
  auto buffer = [&](const Walk& w) {
    if (w.root == kNoRoot) return kNoBuffer;
    const Instance::Buffer wanted{w.root, w.offset, w.dtype};
    auto found = std::find(result.buffers.begin(), result.buffers.end(), wanted);
    auto number = static_cast<std::uint16_t>(found - result.buffers.begin());
    if (found == result.buffers.end()) {
      kernel.buffers.push_back(ir::is_complex(w.dtype) ? ir::real_dtype(w.dtype) : w.dtype);
      result.buffers.push_back(wanted);
    }
    return number;
  };
  auto argument = [&](std::int64_t value) {
    result.arguments.push_back(value);
    return Number{false, static_cast<std::int64_t>(kernel.arguments++)};
  };
  kernel.nests.reserve(draft.nests.size());
  for (NestDraft& d : draft.nests) {
    Nest& nest = kernel.nests.emplace_back(std::move(d.nest));
    nest.extents.clear();
    for (std::int64_t extent : d.extents) {
      nest.extents.push_back(argument(extent));
      result.extents.push_back(extent);
    }
    if (!d.extents.empty() && d.extents.back() > kShortRow) result.short_rows = false;
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
    nest.loads.reserve(d.loads.size());
    for (const Walk& w : d.loads) {
      nest.loads.push_back(access(w));
      nest.loads.back().fresh = w.root != kNoRoot && std::ranges::find(written, w.root) != written.end();
    }
    for (std::size_t k = 0; k < d.stores.size(); ++k) nest.stores[k].to = access(d.stores[k]);
  }
  return result;
}

std::vector<bool> extent_arguments(const Kernel& kernel) {
  std::vector<bool> is_extent(kernel.arguments);
  for (const Nest& nest : kernel.nests)
    for (const Number& extent : nest.extents) is_extent[static_cast<std::size_t>(extent.value)] = true;
  return is_extent;
}

Kernel specialised(Kernel kernel, const Dims& extents) {
  std::vector<bool> is_extent = extent_arguments(kernel);
  std::vector<std::int64_t> number(kernel.arguments);
  kernel.arguments = 0;
  for (std::size_t k = 0; k < number.size(); ++k)
    if (!is_extent[k]) number[k] = kernel.arguments++;
  std::size_t next = 0;
  auto renumber = [&](Access& access) {
    for (Number& stride : access.strides)
      if (!stride.constant) stride.value = number[static_cast<std::size_t>(stride.value)];
  };
  for (Nest& nest : kernel.nests) {
    for (Number& extent : nest.extents) extent = {true, extents[next++]};
    for (Access& load : nest.loads) renumber(load);
    for (Store& store : nest.stores) renumber(store.to);
  }
  return kernel;
}

}  // namespace autoray::codegen
