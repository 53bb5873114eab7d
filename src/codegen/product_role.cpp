// What products of two arrays become: kernels where they are small, OpenBLAS's calls else.
#include <algorithm>

#include "codegen/roles.h"
#include "ir/rules/einsum_terms.h"
#include "runtime/contract/pair.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::OpId;

NodeRole Roles::product_role(Index i) {
  const ir::BlockNode& n = block_.nodes[i];
  const std::vector<Attr>& attributes = attrs(i);
  auto inputs = block_.inputs(i);
  DType dtype = block_.type(i).dtype;
  if (inputs.size() != 2) return call("another number of factors");
  const Dims &a = block_.type(inputs[0]).shape, &b = block_.type(inputs[1]).shape;
  NodeRole role;
  role.role = Role::Product;
  auto contract = [&](const ir::SummedAxes& axes) {
    role.summed_a = axes.a;
    role.summed_b = axes.b;
    role.free_a = runtime::other_axes(a.ssize(), axes.a);
    role.free_b = runtime::other_axes(b.ssize(), axes.b);
  };
  switch (n.op) {
    case OpId::Dot: contract(ir::dot_axes(a, b)); break;
    case OpId::Inner: contract(ir::inner_axes(a, b)); break;
    case OpId::Tensordot:
    case OpId::LinalgTensordot: contract(ir::tensordot_axes(attributes[0], a, b)); break;
    case OpId::Matmul:
    case OpId::LinalgMatmul: {
      if (a.size() > 2 || b.size() > 2) return call_into("a large product");
      contract({{a.ssize() - 1}, {b.size() == 1 ? 0 : b.ssize() - 2}});
      break;
    }
    case OpId::Einsum: {
      // A pair whose result has its axes in this very order: others are written out (expand/products.cpp).
      const Dims shapes[] = {a, b};
      ir::Einsum spec = ir::parse_einsum(*attributes[0].get<std::string>(), shapes);
      constexpr std::int64_t kFirstEllipsisLabel = 256;
      if (spec.extents.ssize() > kFirstEllipsisLabel) return call("einsum of more labels than letters");
      ir::EinsumPair pair = ir::EinsumTerms(spec).join(0, 1);
      auto axes = [&](std::size_t side, const Dims& labels) {
        Dims list;
        for (std::int64_t label : labels)
          list.push_back(std::ranges::find(spec.inputs[side], label) - spec.inputs[side].begin());
        return list;
      };
      role.batch_a = axes(0, pair.batch), role.free_a = axes(0, pair.free_a), role.summed_a = axes(0, pair.summed);
      role.batch_b = axes(1, pair.batch), role.free_b = axes(1, pair.free_b), role.summed_b = axes(1, pair.summed);
      break;
    }
    default: return call("a composed product");
  }
  auto extent = [](const Dims& shape, const Dims& axes) {
    double count = 1;
    for (std::int64_t axis : axes) count *= static_cast<double>(shape[static_cast<std::size_t>(axis)]);
    return count;
  };
  double m = extent(a, role.free_a), columns = extent(b, role.free_b), k = extent(a, role.summed_a);
  bool vector = m == 1 || columns == 1;
  bool large = is_large_product(m, columns, k);
  if (large && !standalone_) return call_into("a large product");
  role.fold = ir::is_bool(dtype) ? Prim::Or : Prim::Add;
  role.accumulate = computed_dtype(dtype);
  role.any_order = large && !vector;
  role.order = !ir::is_inexact(dtype) ? Order::Any : vector ? Order::Pairwise : Order::Sequential;
  return role;
}

}  // namespace autoray::codegen
