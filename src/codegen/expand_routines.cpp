// What the runtime's routines do on rows of the program's memory: sorts, searches, and products of complex numbers.
#include <algorithm>

#include "codegen/expander.h"
#include "codegen/routines.h"
#include "ir/rules/index.h"
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::kNoIndex;
using ir::OpId;

// By the runtime's search of one dense row.
Index Expander::searched(Index i) {
  Index row = input(i, 0), values = input(i, 1);
  const std::string& side = ir::as_string(attr(i, "side"), "side");
  DType searched = ir::promote(made(row).dtype, made(values).dtype);
  bool sorter = inputs(i) > 2 && from_.inputs(i)[2] != kNoIndex;
  if (standalone_ || (side != "left" && side != "right") || ir::element_count(shape(row)) == 0) return kNoIndex;
  if (sorter) {
    Index order = input(i, 2);
    if (!ir::is_integer(made(order).dtype)) return kNoIndex;
    Indexing indexing;
    indexing.shape = shape(order);
    indexing.axes = {-1};
    indexing.arrays.push_back({1, 0, shape(row)[0], -1, 0});
    row = chosen({made(row).dtype, Kind::Array, shape(order)}, {row, order}, std::move(indexing));
  }
  auto dense = [&](Index x) { return call(OpId::Copy, {cast(x, searched)}, {{"order", std::string("C")}}); };
  NodeRole role;
  role.role = Role::Routine;
  role.routine = searchsorted_routine();
  role.numbers = {ir::element_count(shape(row)), ir::element_count(shape(values)), static_cast<std::int64_t>(searched),
                  side == "right"};
  return given({DType::Int64, Kind::Array, type(i).shape}, {dense(row), dense(values)}, std::move(role));
}

// By the runtime's sort of rows, with the sorted axis last.
Index Expander::sorted(Index i) {
  Index x = input(i, 0);
  const Attr& axis_attr = attr(i, "axis");
  if (standalone_ || shape(x).empty() || ir::element_count(shape(x)) == 0) return kNoIndex;
  // All kinds are one here; what is none is refused by the runtime.
  auto* kind = attr(i, "kind").get<std::string>();
  bool known = attr(i, "kind").none() ||
               (kind && !kind->empty() && std::string_view("qQhHmMsS").find((*kind)[0]) != std::string_view::npos &&
                attr(i, "stable").none());
  if (!known || !attr(i, "order").none()) return kNoIndex;
  if (axis_attr.none()) x = flat(x);
  std::int64_t axis = axis_attr.none() ? 0 : ir::normalize_axis(ir::as_int(axis_attr, "axis"), shape(x).ssize());
  return by_rows(x, axis, dtype(i), from_.nodes[i].op == OpId::Sort ? sort_routine() : argsort_routine());
}

Index Expander::by_rows(Index x, std::int64_t axis, DType result, Routine routine) {
  std::int64_t last = shape(x).ssize() - 1;
  auto moved = [&](Index of, std::int64_t from, std::int64_t to) {
    return from == to ? of : call(OpId::Moveaxis, {of}, {{"source", from}, {"destination", to}});
  };
  auto copy = [&](Index of) { return call(OpId::Copy, {of}, {{"order", std::string("C")}}); };
  Index rows = copy(moved(x, axis, last));
  NodeRole role;
  role.role = Role::Routine;
  role.routine = routine;
  std::int64_t length = shape(rows).back();
  role.numbers = {ir::element_count(shape(rows)) / length, length, static_cast<std::int64_t>(made(rows).dtype)};
  Index r = given({result, Kind::Array, shape(rows)}, {rows}, std::move(role));
  return axis == last ? r : copy(moved(r, last, axis));
}

// A NaN where there is one: sorting puts it last.
Index Expander::median_along(Index x, std::size_t axis) {
  std::int64_t n = shape(x)[axis], middle = (n - 1) / 2;
  auto along = static_cast<std::int64_t>(axis);
  Index sorted = by_rows(x, along, made(x).dtype, sort_routine());
  Index mean = call(OpId::Mean, {slice(sorted, axis, middle, n / 2 + 1), kNoIndex}, {{"axis", along}, {"keepdims", true}});
  if (!ir::is_inexact(made(x).dtype)) return mean;
  Index last = slice(sorted, axis, n - 1, n);
  return call(OpId::Where, {call(OpId::IsNan, {last}), last, mean});
}

// Rows of the axes that go, each folded by the runtime in the eager kernel's order.
Index Expander::complex_product(Index x, const Attr& axis, const Dims& result) {
  if (standalone_) return kNoIndex;
  Dims axes = ir::reduction_axes(axis, shape(x).ssize()), order, kept;
  auto goes = [&](std::int64_t a) { return std::find(axes.begin(), axes.end(), a) != axes.end(); };
  for (int pass = 0; pass < 2; ++pass)
    for (std::int64_t a = 0; a < shape(x).ssize(); ++a)
      if (goes(a) == (pass == 1)) order.push_back(a);
  for (std::size_t k = 0; k + axes.size() < order.size(); ++k) kept.push_back(shape(x)[static_cast<std::size_t>(order[k])]);
  Index rows = order.empty() ? x : call(OpId::Transpose, {x}, {{"axes", order}});
  rows = call(OpId::Copy, {rows}, {{"order", std::string("C")}});
  NodeRole role;
  role.role = Role::Routine;
  role.routine = product_routine();
  std::int64_t count = ir::element_count(kept);
  role.numbers = {count, ir::element_count(shape(x)) / count, static_cast<std::int64_t>(made(x).dtype)};
  return reshape(given({made(x).dtype, Kind::Array, kept}, {rows}, std::move(role)), result);
}

Index Expander::complex_product_scan(Index x, std::int64_t axis) {
  if (standalone_) return kNoIndex;
  return by_rows(x, axis, made(x).dtype, product_scan_routine());
}

}  // namespace autoray::codegen
