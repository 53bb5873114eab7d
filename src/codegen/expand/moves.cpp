// Movements and arrays that are made, as views, copies and concatenations.
#include <algorithm>
#include <cmath>

#include "codegen/expand/expander.h"
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"
#include "runtime/convert.h"

namespace autoray::codegen::expansion {

namespace {

// Where a side has many pieces a call of the runtime is the better program.
constexpr std::size_t kMostPieces = 32;

bool small_integer(double value) { return value == std::trunc(value) && std::fabs(value) < 1 << 30; }

}  // namespace

Index reshape_columns(Expander& to, Index x, Dims shape) {
  std::reverse(shape.begin(), shape.end());
  return to.call(OpId::Transpose, {to.call(OpId::Reshape, {to.call(OpId::Transpose, {x})}, {{"shape", shape}})});
}

// order='F': the same of the transpose, in C's.
Index in_column_order(Expander& to, const Site& site) {
  auto* order = site.attr("order").get<std::string>();
  if (!order || *order != "F") return kNoIndex;
  bool reshapes = site.op == OpId::Reshape;
  if (reshapes && !site.attr("copy").none()) return kNoIndex;
  if (reshapes) return reshape_columns(to, site.inputs[0], site.type.shape);
  Index turned = to.call(OpId::Transpose, {site.inputs[0]});
  if (site.op == OpId::Flatten) turned = to.call(OpId::Copy, {turned}, {{"order", std::string("C")}});
  Dims shape = site.type.shape;
  std::reverse(shape.begin(), shape.end());
  return to.call(OpId::Reshape, {turned}, {{"shape", shape}});
}

// The value everywhere, in an order that the prototype may give.
Index full_like(Expander& to, const Site& site) {
  Index value = site.inputs[1];
  DType result = site.type.dtype;
  const Attr& order = site.attr("order");
  auto* text = order.get<std::string>();
  bool known = order.none() || (text && text->size() == 1 && std::string_view("CFAK").find(*text) != std::string_view::npos);
  if (!known || to.out_of_range(value, result) || (ir::is_complex(to.dtype(value)) && !ir::is_complex(result))) return kNoIndex;
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = result;
  role.lowering = identity;
  role.operands = 1;
  role.c_order = text && *text == "C";
  role.f_order = text && *text == "F";
  return to.given(site.type, {site.inputs[1], site.inputs[0]}, std::move(role));
}

Index triangle(Expander& to, const Site& site) {
  bool lower = site.op == OpId::Tril;
  const Dims& shape = site.type.shape;
  const std::int64_t k = ir::diagonal_number(site.attr("k"), shape[shape.size() - 2], shape.back());
  // tril keeps j - i - k <= 0, triu i - j + k <= 0.
  AffineIndex place{Dims(shape.size(), 0), lower ? -k : k};
  place.steps[shape.size() - 2] = lower ? -1 : 1;
  place.steps.back() = lower ? 1 : -1;
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = DType::Bool;
  role.lowering = is_at_most_zero;
  role.index = std::move(place);
  Index kept = to.given({DType::Bool, Kind::Array, shape}, {}, std::move(role));
  return to.call(OpId::Where, {kept, site.inputs[0], to.constant(site.type.dtype, 0)});
}

// diag(v): zeros, and the values written along a diagonal.
Index diagonal_matrix(Expander& to, const Site& site) {
  if (to.shape(site.inputs[0]).size() != 1) return kNoIndex;
  std::int64_t k = ir::as_int(site.attr("k"), "k"), size = site.type.shape[0];
  Index values = site.inputs[0], zeros = to.constant(site.type.dtype, 0, site.type.shape);
  std::int64_t start = k >= 0 ? k : -k * size, count = to.shape(values)[0];
  if (count == 0) return zeros;
  Attr::Tuple line = {Attr(ir::Slice{start, start + (count - 1) * (size + 1) + 1, size + 1})};
  Attr::Tuple path = {Attr(Attr::Tuple{Attr(std::string("reshape")), Attr(Dims{size * size}), Attr(std::string("C")), Attr()}),
                      Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(std::move(line))})};
  return to.call(OpId::SetItem, {zeros, values}, {{"path", std::move(path)}});
}

Index roll(Expander& to, const Site& site) {
  const Attr &shift = site.attr("shift"), &axis = site.attr("axis");
  Dims shifts = shift.get<double>() ? Dims{ir::truncated(shift, "shift")} : ir::as_axes(shift, "shift").value_or(Dims{0});
  Index x = site.inputs[0];
  Dims axes;
  if (axis.none()) {
    x = to.flat(x);
    axes = Dims(shifts.size(), 0);
  } else {
    axes = ir::as_axes(axis, "axis").value_or(Dims{});
    if (axes.empty()) return kNoIndex;
    for (std::int64_t& a : axes) a = ir::normalize_axis(a, to.shape(x).ssize());
    if (shifts.size() == 1) shifts = Dims(axes.size(), shifts[0]);
    if (axes.size() == 1) axes = Dims(shifts.size(), axes[0]);
    if (axes.size() != shifts.size()) return kNoIndex;
  }
  Dims total(to.shape(x).size(), 0);
  for (std::size_t k = 0; k < axes.size(); ++k) total[static_cast<std::size_t>(axes[k])] += shifts[k];
  bool moves = false;
  for (std::size_t a = 0; a < total.size(); ++a) {
    std::int64_t n = to.shape(x)[a], s = ((total[a] % n) + n) % n;
    if (s == 0) continue;
    x = to.concatenate({to.slice(x, a, n - s, n), to.slice(x, a, 0, n - s)}, a);
    moves = true;
  }
  if (!moves) x = to.call(OpId::Copy, {x}, {{"order", std::string("C")}});
  return to.reshape(x, site.type.shape);
}

// (n0, m0, n1, m1, ...) with the operand broadcast over the n's.
Index tile(Expander& to, const Site& site) {
  Index x = site.inputs[0];
  Dims inner = to.shape(x), source, wide;
  const Dims& out = site.type.shape;
  while (inner.size() < out.size()) inner.insert(0, 1);
  for (std::size_t k = 0; k < out.size(); ++k) {
    source.push_back(1);
    source.push_back(inner[k]);
    wide.push_back(out[k] / inner[k]);
    wide.push_back(inner[k]);
  }
  Index all = to.call(OpId::BroadcastTo, {to.reshape(x, source)}, {{"shape", wide}});
  return to.reshape(to.call(OpId::Copy, {all}, {{"order", std::string("C")}}), out);
}

Index repeat(Expander& to, const Site& site) {
  Index x = site.inputs[0];
  const Attr& axis_attr = site.attr("axis");
  bool flattened = axis_attr.none() || to.shape(x).empty();
  auto axis = static_cast<std::size_t>(axis_attr.none() ? 0 : ir::scan_axis(axis_attr, to.shape(x).ssize()));
  if (flattened) x = to.flat(x);
  Dims counts = ir::repeat_counts(site.attr("repeats"));
  if (counts.size() == 1) {
    Dims apart = to.shape(x);
    apart.insert(axis + 1, 1);
    Index all = to.repeated(to.reshape(x, apart), axis + 1, counts[0]);
    return to.reshape(to.call(OpId::Copy, {all}, {{"order", std::string("C")}}), site.type.shape);
  }
  if (counts.size() > kMostPieces) return kNoIndex;
  Inputs parts;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    auto at = static_cast<std::int64_t>(k);
    if (counts[k]) parts.push_back(to.repeated(to.slice(x, axis, at, at + 1), axis, counts[k]));
  }
  return to.concatenate(std::move(parts), axis);
}

namespace {

// From zero to the edge, which it does not reach, as linspace: where a step vanishes the share of the way is taken first.
Index ramp(Expander& to, Index edge, std::size_t axis, std::int64_t width, bool up, DType dtype) {
  DType computed = ir::is_inexact(dtype) ? dtype : DType::Float64;
  edge = to.cast(edge, computed);
  Dims along(to.shape(edge).size(), 1), steps(along.size(), 0);
  along[axis] = width;
  steps[axis] = up ? 1 : -1;
  Index k = to.cast(to.affine(along, {steps, up ? 0 : width - 1}), computed);
  Index parts = to.constant(computed, static_cast<double>(width)), step = to.call(OpId::Divide, {edge, parts});
  Index moves = to.call(OpId::All, {to.call(OpId::NotEqual, {step, to.constant(computed, 0)})});
  Index share = to.call(OpId::Multiply, {to.call(OpId::Divide, {k, parts}), edge});
  Index value = to.call(OpId::Where, {moves, to.call(OpId::Multiply, {k, step}), share});
  value = to.call(OpId::Add, {value, to.constant(computed, 0)});
  if (ir::is_integer(dtype)) value = to.call(OpId::Floor, {value});
  return to.cast(value, dtype);
}

Index pad_constant(Expander& to, const Site& site, Index x, std::span<const std::pair<std::int64_t, std::int64_t>> widths) {
  const Attr& values = site.attr("constant_values");
  // One number for all sides, or a pair for each axis; other forms, and what numpy refuses, are the runtime's.
  std::vector<std::pair<double, double>> fill(widths.size(), {0, 0});
  if (!values.get<ir::Ellipsis>()) {
    auto pair_of = [](const Attr& a) -> std::optional<std::pair<double, double>> {
      auto number = [](const Attr& item) { return item.get<std::int64_t>() || item.get<double>() || item.get<bool>(); };
      if (auto* d = a.get<Dims>(); d && !d->empty())
        return std::pair{static_cast<double>((*d)[0]), static_cast<double>(d->back())};
      if (auto* t = a.get<Attr::Tuple>(); t && !t->empty() && number((*t)[0]) && number(t->back()))
        return std::pair{ir::as_double((*t)[0], "constant_values"), ir::as_double(t->back(), "constant_values")};
      if (number(a)) return std::pair{ir::as_double(a, "constant_values"), ir::as_double(a, "constant_values")};
      return std::nullopt;
    };
    auto* nested = values.get<Attr::Tuple>();
    bool per_axis = nested && !nested->empty() && ((*nested)[0].get<Dims>() || (*nested)[0].get<Attr::Tuple>());
    if (per_axis && nested->size() != 1 && nested->size() != fill.size()) return kNoIndex;
    for (std::size_t a = 0; a < fill.size(); ++a) {
      auto pair = pair_of(per_axis ? (*nested)[std::min(a, nested->size() - 1)] : values);
      if (!pair) return kNoIndex;
      fill[a] = *pair;
    }
  }
  DType result = site.type.dtype;
  for (auto& [first, second] : fill) {
    if (ir::is_integer(result) && !(small_integer(first) && small_integer(second))) return kNoIndex;
    if (ir::is_bool(result)) {
      first = first != 0;
      second = second != 0;
    }
  }
  bool one = true;
  for (const auto& [first, second] : fill)
    one = one && first == fill[0].first && second == fill[0].first && std::signbit(first) == std::signbit(second);
  if (one || widths.empty()) {
    // The value everywhere, and the operand in its place.
    Attr::Tuple index;
    for (std::size_t a = 0; a < widths.size(); ++a)
      index.push_back(Attr(ir::Slice{widths[a].first, widths[a].first + to.shape(x)[a], std::nullopt}));
    Attr::Tuple path = {Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(std::move(index))})};
    Index whole = to.constant(result, fill.empty() ? 0 : fill[0].first, site.type.shape);
    return to.call(OpId::SetItem, {whole, x}, {{"path", std::move(path)}});
  }
  for (std::size_t a = 0; a < widths.size(); ++a) {
    Inputs parts;
    auto side = [&](std::int64_t width, double value) {
      Dims slab = to.shape(x);
      slab[a] = width;
      if (width) parts.push_back(to.constant(result, value, slab));
    };
    side(widths[a].first, fill[a].first);
    parts.push_back(x);
    side(widths[a].second, fill[a].second);
    x = to.concatenate(std::move(parts), a);
  }
  return x;
}

}  // namespace

// One axis after the other: the sides are filled from what the axis holds by then.
Index pad(Expander& to, const Site& site) {
  const std::string& mode = ir::as_string(site.attr("mode"), "mode");
  Index x = site.inputs[0];
  auto widths = ir::pad_widths(site.attr("pad_width"), to.shape(x).ssize());
  if (mode == "constant" || mode == "empty") return pad_constant(to, site, x, widths);
  bool edge = mode == "edge", reflect = mode == "reflect", symmetric = mode == "symmetric", wrap = mode == "wrap",
       ramps = mode == "linear_ramp", median = mode == "median" && !to.standalone(),
       statistic = median || mode == "maximum" || mode == "minimum" || mode == "mean";
  if (!edge && !reflect && !symmetric && !wrap && !ramps && !statistic) return kNoIndex;
  if ((ramps || statistic) && site.type.dtype == DType::Float16) return kNoIndex;
  if (ir::element_count(to.shape(x)) == 0) return kNoIndex;
  bool padded = false;
  for (std::size_t a = 0; a < widths.size(); ++a) {
    std::int64_t n = to.shape(x)[a], before = widths[a].first, after = widths[a].second;
    if (before + after == 0) continue;
    padded = true;
    Inputs parts;
    if (ramps) {
      if (before) parts.push_back(ramp(to, to.slice(x, a, 0, 1), a, before, true, site.type.dtype));
      parts.push_back(x);
      if (after) parts.push_back(ramp(to, to.slice(x, a, n - 1, n), a, after, false, site.type.dtype));
      x = to.concatenate(std::move(parts), a);
      continue;
    }
    if (statistic) {
      OpId id = mode == "maximum" ? OpId::Max : mode == "minimum" ? OpId::Min : OpId::Mean;
      Attr axis = static_cast<std::int64_t>(a);
      Index value = median ? median_along(to, x, a)
                    : id != OpId::Mean && ir::is_complex(site.type.dtype)
                        ? complex_extreme(to, id, x, axis, true)
                        : to.call(id, {x}, {{"axis", axis}, {"keepdims", true}});
      if (ir::is_integer(site.type.dtype)) value = to.call(OpId::Round, {value});
      value = to.cast(value, site.type.dtype);
      if (before) parts.push_back(to.repeated(value, a, before));
      parts.push_back(x);
      if (after) parts.push_back(to.repeated(value, a, after));
      x = to.concatenate(std::move(parts), a);
      continue;
    }
    auto place = [&](std::int64_t at) {
      auto within = [&](std::int64_t period) { return ((at % period) + period) % period; };
      if (edge || n == 1) return std::clamp<std::int64_t>(at, 0, n - 1);
      if (wrap) return within(n);
      std::int64_t period = symmetric ? 2 * n : 2 * n - 2, p = within(period);
      return p < n ? p : period - (symmetric ? 1 : 0) - p;
    };
    // Runs of places that go up, down, or stay are slices.
    auto side = [&](std::int64_t from, std::int64_t last) {
      while (from < last) {
        std::int64_t first = place(from), end = from + 1, step = end < last ? place(end) - first : 1;
        if (std::llabs(step) > 1) step = 1;
        while (end < last && place(end) - place(end - 1) == step) ++end;
        std::int64_t count = end - from;
        parts.push_back(step ? to.slice(x, a, first, first + count * step, step)
                             : to.repeated(to.slice(x, a, first, first + 1), a, count));
        from = end;
      }
    };
    side(-before, 0);
    parts.push_back(x);
    side(n, n + after);
    if (parts.size() > kMostPieces) return kNoIndex;
    x = to.concatenate(std::move(parts), a);
  }
  return padded ? x : to.call(OpId::Copy, {x}, {{"order", std::string("C")}});
}

}  // namespace autoray::codegen::expansion
