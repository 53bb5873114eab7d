// What the runtime's routines do on rows of the program's memory: sorts, searches, and products of complex numbers.
#include <algorithm>

#include "codegen/expand/expander.h"
#include "codegen/routines.h"
#include "ir/rules/index.h"
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"

namespace autoray::codegen::expansion {

// By the runtime's search of one dense row.
Index searched(Expander& to, const Site& site) {
  Index row = site.inputs[0], values = site.inputs[1];
  const std::string& side = ir::as_string(site.attr("side"), "side");
  DType searched = ir::promote(to.dtype(row), to.dtype(values));
  bool sorter = site.has(2);
  if (side != "left" && side != "right") return kNoIndex;
  if (ir::element_count(to.shape(row)) == 0 && !sorter) return to.constant(DType::Int64, 0, site.type.shape);
  if (to.standalone() || ir::element_count(to.shape(row)) == 0) return kNoIndex;
  if (sorter) {
    Index order = site.inputs[2];
    if (!ir::is_integer(to.dtype(order))) return kNoIndex;
    Indexing indexing;
    indexing.shape = to.shape(order);
    indexing.axes = {-1};
    indexing.arrays.push_back({1, 0, to.shape(row)[0], -1, 0});
    row = chosen(to, {to.dtype(row), Kind::Array, to.shape(order)}, {row, order}, std::move(indexing));
  }
  auto dense = [&](Index x) { return to.call(OpId::Copy, {to.cast(x, searched)}, {{"order", std::string("C")}}); };
  NodeRole role;
  role.role = Role::Routine;
  role.routine = searchsorted_routine();
  role.numbers = {ir::element_count(to.shape(row)), ir::element_count(to.shape(values)), static_cast<std::int64_t>(searched),
                  side == "right"};
  return to.given({DType::Int64, Kind::Array, site.type.shape}, {dense(row), dense(values)}, std::move(role));
}

namespace {

Index by_rows(Expander& to, Index x, std::int64_t axis, DType result, Routine routine) {
  std::int64_t last = to.shape(x).ssize() - 1;
  auto moved = [&](Index of, std::int64_t from, std::int64_t place) {
    return from == place ? of : to.call(OpId::Moveaxis, {of}, {{"source", from}, {"destination", place}});
  };
  auto copy = [&](Index of) { return to.call(OpId::Copy, {of}, {{"order", std::string("C")}}); };
  Index rows = copy(moved(x, axis, last));
  NodeRole role;
  role.role = Role::Routine;
  role.routine = routine;
  std::int64_t length = to.shape(rows).back();
  role.numbers = {ir::element_count(to.shape(rows)) / length, length, static_cast<std::int64_t>(to.dtype(rows))};
  Index r = to.given({result, Kind::Array, to.shape(rows)}, {rows}, std::move(role));
  return axis == last ? r : copy(moved(r, last, axis));
}

}  // namespace

// By the runtime's sort of rows, with the sorted axis last.
Index sorted(Expander& to, const Site& site) {
  Index x = site.inputs[0];
  const Attr& axis_attr = site.attr("axis");
  if (to.standalone() || to.shape(x).empty() || ir::element_count(to.shape(x)) == 0) return kNoIndex;
  // All kinds are one here; what is none is refused by the runtime.
  auto* kind = site.attr("kind").get<std::string>();
  bool known = site.attr("kind").none() ||
               (kind && !kind->empty() && std::string_view("qQhHmMsS").find((*kind)[0]) != std::string_view::npos &&
                site.attr("stable").none());
  if (!known || !site.attr("order").none()) return kNoIndex;
  if (axis_attr.none()) x = to.flat(x);
  std::int64_t axis = axis_attr.none() ? 0 : ir::normalize_axis(ir::as_int(axis_attr, "axis"), to.shape(x).ssize());
  return by_rows(to, x, axis, site.type.dtype, site.op == OpId::Sort ? sort_routine() : argsort_routine());
}

// A NaN where there is one: sorting puts it last.
Index median_along(Expander& to, Index x, std::size_t axis) {
  std::int64_t n = to.shape(x)[axis], middle = (n - 1) / 2;
  auto along = static_cast<std::int64_t>(axis);
  Index sorted = by_rows(to, x, along, to.dtype(x), sort_routine());
  Index mean = to.call(OpId::Mean, {to.slice(sorted, axis, middle, n / 2 + 1)}, {{"axis", along}, {"keepdims", true}});
  if (!ir::is_inexact(to.dtype(x))) return mean;
  Index last = to.slice(sorted, axis, n - 1, n);
  return to.call(OpId::Where, {to.call(OpId::IsNan, {last}), last, mean});
}

// Rows of the axes that go, each folded by the runtime in the eager kernel's order.
Index complex_product(Expander& to, Index x, const Attr& axis, const Dims& result) {
  if (to.standalone()) return kNoIndex;
  Dims axes = ir::reduction_axes(axis, to.shape(x).ssize()), order, kept;
  auto goes = [&](std::int64_t a) { return std::find(axes.begin(), axes.end(), a) != axes.end(); };
  for (int pass = 0; pass < 2; ++pass)
    for (std::int64_t a = 0; a < to.shape(x).ssize(); ++a)
      if (goes(a) == (pass == 1)) order.push_back(a);
  for (std::size_t k = 0; k + axes.size() < order.size(); ++k) kept.push_back(to.shape(x)[static_cast<std::size_t>(order[k])]);
  Index rows = order.empty() ? x : to.call(OpId::Transpose, {x}, {{"axes", order}});
  rows = to.call(OpId::Copy, {rows}, {{"order", std::string("C")}});
  NodeRole role;
  role.role = Role::Routine;
  role.routine = product_routine();
  std::int64_t count = ir::element_count(kept);
  role.numbers = {count, ir::element_count(to.shape(x)) / count, static_cast<std::int64_t>(to.dtype(x))};
  return to.reshape(to.given({to.dtype(x), Kind::Array, kept}, {rows}, std::move(role)), result);
}

Index complex_product_scan(Expander& to, Index x, std::int64_t axis) {
  if (to.standalone()) return kNoIndex;
  return by_rows(to, x, axis, to.dtype(x), product_scan_routine());
}

}  // namespace autoray::codegen::expansion
