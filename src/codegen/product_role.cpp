// What products of two arrays become: kernels where they are small, OpenBLAS's calls else.
#include <algorithm>

#include "codegen/roles.h"
#include "ir/rules/contract.h"
#include "runtime/contract/pair.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::OpId;

namespace {

// Larger products are OpenBLAS's: the same bound as the eager kernels', because the order of the sums changes there.
constexpr double kSmallProduct = 32 * 32 * 32;

}  // namespace

NodeRole Roles::product_role(Index i) {
  const ir::BlockNode& n = block_.nodes[i];
  const std::vector<Attr>& attributes = attrs(i);
  auto inputs = block_.inputs(i);
  DType dtype = block_.type(i).dtype;
  if (ir::is_bool(dtype)) return call("a product of bools");
  if (inputs.size() != 2) return call("another number of factors");
  const Dims &a = block_.type(inputs[0]).shape, &b = block_.type(inputs[1]).shape;
  if (a.empty() || b.empty()) return call("a product with one number");
  // As numpy, the runtime lets zero times everything be zero there.
  bool number_a = ir::element_count(a) == 1, number_b = ir::element_count(b) == 1;
  bool scales = n.op != OpId::Matmul && n.op != OpId::LinalgMatmul && n.op != OpId::Einsum;
  if (scales && number_a != number_b && generated_inexact(dtype)) return call("a product with one number");
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
    case OpId::Vdot:
      if (a.size() != 1 || b.size() != 1) return call("vdot of matrices");
      if (ir::is_complex(dtype)) return call("vdot of complex numbers");
      contract({{0}, {0}});
      break;
    case OpId::Tensordot:
    case OpId::LinalgTensordot: contract(ir::tensordot_axes(attributes[0], a, b)); break;
    case OpId::Matmul:
    case OpId::LinalgMatmul: {
      if (a.size() > 2 || b.size() > 2) return call("a stack of products");
      contract({{a.ssize() - 1}, {b.size() == 1 ? 0 : b.ssize() - 2}});
      break;
    }
    case OpId::Einsum: {
      const Dims shapes[] = {a, b};
      ir::Einsum spec = ir::parse_einsum(*attributes[0].get<std::string>(), shapes);
      auto find = [](const Dims& labels, std::int64_t label) {
        return std::find(labels.begin(), labels.end(), label) - labels.begin();
      };
      Dims order;
      for (int side = 0; side < 2; ++side) {
        const Dims &mine = spec.inputs[static_cast<std::size_t>(side)],
                   &other = spec.inputs[static_cast<std::size_t>(1 - side)];
        for (int axis = 0; axis < mine.ssize(); ++axis) {
          std::int64_t label = mine[static_cast<std::size_t>(axis)];
          if (std::count(mine.begin(), mine.end(), label) > 1) return call("a diagonal in einsum");
          if (shapes[side][static_cast<std::size_t>(axis)] != spec.extent(label)) return call("einsum that broadcasts");
          bool shared = find(other, label) < other.ssize(), kept = find(spec.output, label) < spec.output.ssize();
          if (!shared && !kept) return call("an operand summed alone in einsum");
          if (side == 0) {
            if (!shared) {
              role.free_a.push_back(axis);
            } else {
              (kept ? role.batch_a : role.summed_a).push_back(axis);
              (kept ? role.batch_b : role.summed_b).push_back(find(other, label));
            }
          } else if (!shared) {
            role.free_b.push_back(axis);
          }
        }
      }
      for (std::int64_t axis : role.batch_a) order.push_back(spec.inputs[0][static_cast<std::size_t>(axis)]);
      for (std::int64_t axis : role.free_a) order.push_back(spec.inputs[0][static_cast<std::size_t>(axis)]);
      for (std::int64_t axis : role.free_b) order.push_back(spec.inputs[1][static_cast<std::size_t>(axis)]);
      if (!(order == spec.output)) return call("einsum that transposes its result");
      if (role.summed_a.empty()) return call("einsum without a sum");
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
  bool large = m * columns != 1 && m * columns * k > kSmallProduct;
  if (large && !standalone_) return call("a large product");
  if (role.summed_a.size() == 0) return call("a product without a sum");
  role.fold = Prim::Add;
  role.accumulate = dtype;
  role.any_order = large && !vector;
  role.order = !generated_inexact(dtype) ? Order::Any : vector ? Order::Pairwise : Order::Sequential;
  return role;
}

}  // namespace autoray::codegen
