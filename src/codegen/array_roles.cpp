// What arrays that are made, joined and written become.
#include <cctype>

#include "codegen/roles.h"
#include "ir/rules/movement.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::OpId;

// Arrays of one value, ones on a diagonal, and copies.
std::optional<NodeRole> Roles::created_role(Index i) {
  const ir::BlockNode& n = block_.nodes[i];
  const ir::Op& op = ir::op(n.op);
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = block_.type(i).dtype;
  // What is wrong is the runtime's.
  auto plain = [&] {
    const Attr& order = ir::attribute(op, attrs(i), "order");
    const std::string* text = order.get<std::string>();
    char letter = text && text->size() == 1 ? static_cast<char>(std::toupper((*text)[0])) : '\0';
    bool prototype = n.op == OpId::Copy || n.op == OpId::EmptyLike || n.op == OpId::ZerosLike || n.op == OpId::OnesLike;
    role.c_order = letter == 'C';
    role.f_order = letter == 'F';
    return order.none() || role.c_order || role.f_order || (prototype && (letter == 'K' || letter == 'A'));
  };
  auto filled = [&](double value) -> std::optional<NodeRole> {
    if (!plain()) return std::nullopt;
    role.lowering = constant_value;
    role.parameters = {value};
    return role;
  };
  switch (n.op) {
    case OpId::Empty:
    case OpId::EmptyLike:
    case OpId::Zeros:
    case OpId::ZerosLike: return filled(0);
    case OpId::Ones:
    case OpId::OnesLike: return filled(1);
    case OpId::Eye:
    case OpId::Identity: {
      if (n.op == OpId::Eye && !plain()) return std::nullopt;
      const ir::Dims& shape = block_.type(i).shape;
      std::int64_t k = n.op == OpId::Eye ? ir::diagonal_number(ir::attribute(op, attrs(i), "k"), shape[0], shape[1]) : 0;
      role.index = AffineIndex{{1, -1}, k};
      role.lowering = is_zero;
      return role;
    }
    case OpId::Full:
    case OpId::Copy:
      if (!plain() || weak_out_of_range(i, role.compute)) return std::nullopt;
      if (ir::is_complex(block_.type(block_.inputs(i)[0]).dtype) && !ir::is_complex(role.compute)) return std::nullopt;
      role.lowering = pointwise(OpId::Copy, role.compute);
      role.operands = 1;
      return role;
    default: return std::nullopt;
  }
}

NodeRole Roles::join_role(Index i, const ir::Op& op) {
  const ir::BlockNode& n = block_.nodes[i];
  const ir::Type& type = block_.type(i);
  const Layout whole = contiguous_layout(type);
  NodeRole role;
  role.role = Role::Join;
  std::optional<int> asked;  // nothing: flattened
  if (n.op == OpId::Stack || n.op == OpId::Concatenate)
    if (const Attr& axis = ir::attribute(op, attrs(i), "axis"); !axis.none())
      asked = ir::normalize_axis(ir::as_int(axis, "axis"), type.shape.ssize());
  std::int64_t offset = 0;
  for (Index input : block_.inputs(i)) {
    const Dims& shape = block_.type(input).shape;
    // Seen with the result's rank it may have an axis of one in front, or at the end.
    Layout part{shape, whole.strides, offset};
    std::size_t axis = asked ? static_cast<std::size_t>(*asked) : 0;
    std::int64_t extent = 1;
    switch (n.op) {
      case OpId::Stack: part.strides.erase(axis); break;
      case OpId::Concatenate:
        if (!asked) {
          part.strides = contiguous_layout({type.dtype, Kind::Array, shape}).strides;
          extent = ir::element_count(shape);
        } else {
          extent = shape[axis];
        }
        break;
      case OpId::Vstack:
        while (part.strides.size() > shape.size()) part.strides.erase(0);
        if (shape.size() > 1) extent = shape[0];
        break;
      case OpId::Hstack:
        axis = type.shape.size() == 1 ? 0 : 1;
        if (shape.empty()) part.strides.clear();
        if (!shape.empty()) extent = shape[axis];
        break;
      case OpId::ColumnStack:
        axis = 1;
        part.strides.resize(shape.size(), 0);
        if (shape.size() > 1) extent = shape[axis];
        break;
      default: return call_unless_known(i, "a movement that copies");
    }
    role.parts.push_back(std::move(part));
    offset += extent * (asked || n.op != OpId::Concatenate ? whole.strides[axis] : whole.strides.back());
  }
  return role;
}

NodeRole Roles::update_role(Index i) {
  const ir::BlockNode& n = block_.nodes[i];
  if (n.input_count != 2) return call("an index by arrays");
  DType item = block_.type(i).dtype;
  auto place = viewed_along(runtime_, attrs(i)[0], contiguous_layout(block_.type(i)), item);
  if (!place) return call("a place that is no view");
  NodeRole role;
  role.role = Role::Update;
  // Of no place the new version is the old one.
  if (ir::element_count(place->shape) == 0) {
    role.role = Role::Pointwise;
    role.compute = block_.type(i).dtype;
    role.lowering = pointwise(OpId::Copy, role.compute);
    role.operands = 1;
  }
  return role;
}

}  // namespace autoray::codegen
