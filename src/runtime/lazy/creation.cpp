// Grids and ranges of lazy arrays are recorded as the calls that they consist of.
#include <cmath>

#include "ir/error.h"
#include "ir/type.h"
#include "runtime/bind.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/recorder.h"

namespace autoray::runtime {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

Value dims_value(const Dims& dims) {
  std::vector<Value> items;
  for (std::int64_t d : dims) items.push_back(Value::integer(d));
  return make_tuple(std::move(items));
}

bool is_number(const Value& v) { return v.is_int() || v.is_float() || v.is_bool() || v.is(ObjectKind::Complex); }

}  // namespace

Value Recorder::meshgrid(const Arguments& arguments) {
  const ir::Op& op = ir::op(OpId::Meshgrid);
  const OpBinding& prepared = runtime_.binding(op.id);
  Slots slots;
  UfuncKeywords ufunc;
  VarArguments var;
  bind_arguments(op, prepared, arguments, slots, ufunc, var);
  auto given = [&](std::size_t p) {
    const ir::Parameter& parameter = prepared.signature.parameters[p];
    return slots[p] ? attribute(op, parameter.name, *slots[p]) : parameter.default_value;
  };
  const bool copy = ir::as_bool(given(1), "copy"), sparse = ir::as_bool(given(2), "sparse");
  const std::string indexing = ir::as_string(given(3), "indexing");
  if (indexing != "xy" && indexing != "ij")
    throw Error(ErrorClass::ValueError, "Valid values for `indexing` are 'xy' and 'ij'.");
  const std::size_t n = var.positional.size();
  auto place = [&](std::size_t i) { return indexing == "xy" && n > 1 && i < 2 ? 1 - i : i; };
  std::vector<Value> axes, results;
  Dims shape(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    axes.push_back(leaf(var.positional[i]));
    shape[place(i)] = ir::element_count(axes[i].as<LazyArray>().type().shape);
  }
  for (std::size_t i = 0; i < n; ++i) {
    Dims own(n, 1);
    own[place(i)] = shape[place(i)];
    Value grid = part_call(OpId::Reshape, {axes[i], dims_value(own)});
    if (!sparse) grid = part_call(OpId::BroadcastTo, {grid, dims_value(shape)});
    results.push_back(part_call(OpId::Copy, {grid, make_str("C")}));
  }
  // Without a copy the open grid stays the list that it was made as.
  if (sparse && !copy) return make_list(std::move(results));
  return make_tuple(std::move(results));
}

Value Recorder::linspace(const Arguments& arguments) {
  const ir::Op& op = ir::op(OpId::Linspace);
  const OpBinding& prepared = runtime_.binding(op.id);
  Slots slots;
  UfuncKeywords ufunc;
  VarArguments var;
  bind_arguments(op, prepared, arguments, slots, ufunc, var);
  auto given = [&](std::size_t p) {
    const ir::Parameter& parameter = prepared.signature.parameters[p];
    return slots[p] ? attribute(op, parameter.name, *slots[p]) : parameter.default_value;
  };
  const std::int64_t n = ir::as_int(given(2), "num");
  const bool endpoint = ir::as_bool(given(3), "endpoint"), retstep = ir::as_bool(given(4), "retstep");
  const auto dtype = ir::as_dtype(given(5));
  const std::int64_t axis = ir::as_int(given(6), "axis");
  if (n < 0) throw Error(ErrorClass::ValueError, "Number of samples, " + std::to_string(n) + ", must be non-negative.");
  Value ends[2];
  ir::Promotion promotion;
  for (std::size_t i : {0, 1}) {
    ends[i] = leaf(*slots[i]);
    promotion.add(ends[i].as<LazyArray>().type().dtype, is_number(*slots[i]) ? ir::Kind::Weak : ir::Kind::Array);
  }
  promotion.add(DType::Float64, ir::Kind::Weak);
  const DType computed = ir::is_inexact(promotion.result()) ? promotion.result() : DType::Float64;
  auto cast = [&](const Value& v, DType to) { return part_call(OpId::Astype, {v, make_dtype(to)}); };
  auto number = [&](double value) {
    Array item = runtime_.allocate(DType::Float64, {});
    *item.as<double>() = value;
    return cast(make_array(std::move(item)), computed);
  };
  const Value start = cast(ends[0], computed), stop = cast(ends[1], computed);
  const Value delta = part_call(OpId::Subtract, {stop, start});
  // Samples stand along a new first axis.
  Dims shape(1 + delta.as<LazyArray>().type().shape.size(), 1);
  shape[0] = n;
  Array counted = runtime_.allocate(DType::Float64, shape);
  for (std::int64_t i = 0; i < n; ++i) counted.as<double>()[i] = static_cast<double>(i);
  const Value count = cast(make_array(std::move(counted)), computed);
  const std::int64_t divisions = endpoint ? n - 1 : n;
  Value samples, step;
  if (divisions > 0) {
    const Value parts = number(static_cast<double>(divisions));
    step = part_call(OpId::Divide, {delta, parts});
    // A step that underflows to zero is taken apart: first the share, then the whole way.
    const Value all_move = part_call(OpId::All, {part_call(OpId::NotEqual, {step, Value::integer(0)})});
    const Value share = part_call(OpId::Divide, {count, parts});
    samples =
        part_call(OpId::Where, {all_move, part_call(OpId::Multiply, {count, step}), part_call(OpId::Multiply, {share, delta})});
  } else {
    step = leaf(Value::real(std::nan("")));
    samples = part_call(OpId::Multiply, {count, delta});
  }
  samples = part_call(OpId::Add, {samples, start});
  if (endpoint && n > 1) set_item(samples.as<LazyArray>(), Value::integer(-1), stop);
  if (axis != 0) samples = part_call(OpId::Moveaxis, {samples, Value::integer(0), Value::integer(axis)});
  if (dtype) {
    if (ir::is_integer(*dtype)) samples = part_call(OpId::Floor, {samples});
    samples = cast(samples, *dtype);
  }
  return retstep ? make_tuple({samples, step}) : samples;
}

Value Recorder::part_call(OpId id, std::initializer_list<Value> arguments) {
  return call(id, runtime_.native_backend(), {std::span(arguments.begin(), arguments.size()), {}, {}}, nullptr, false);
}

}  // namespace autoray::runtime
