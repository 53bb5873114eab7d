// linalg.norm. The 2-norm of everything is one loop; the others compose reductions on the backend of the call.
#include <cmath>
#include <limits>

#include "ir/half.h"
#include "runtime/linalg/linalg.h"
#include "runtime/linalg/stack.h"

namespace autoray::runtime {

using ir::Attr;
using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

// The items of an array in any order that has one stride; false where memory has none.
bool one_stride(const Array& a, std::int64_t& stride) {
  if (a.ndim() == 1) {
    stride = a.strides[0];
    return stride % a.itemsize() == 0;
  }
  stride = a.itemsize();
  return a.c_contiguous() || a.f_contiguous();
}

// sqrt(sum |x|^2) over everything.
void norm_of_all(KernelCall& call, SquaredNorm squared) {
  DType result = call.types[0].dtype;
  Array x = *call.in[0].array;
  DType computed = x.dtype == DType::Float16 ? DType::Float32 : ir::is_inexact(x.dtype) ? x.dtype : DType::Float64;
  std::int64_t stride = 0;
  if (x.dtype != computed || !one_stride(x, stride)) {
    x = converted(call.runtime, x, computed);
    stride = x.itemsize();
  }
  Array& out = call.allocate();
  clear_fp();
  double total = squared(computed, x.data, x.size(), stride);
  switch (result) {
    case DType::Float64: *out.as<double>() = std::sqrt(total); break;
    case DType::Float32: *out.as<float>() = std::sqrt(static_cast<float>(total)); break;
    default: {
      // numpy's dot gives the sum in float16, too.
      float rounded = static_cast<float>(ir::Half(static_cast<float>(total)));
      *out.as<ir::Half>() = ir::Half(std::sqrt(rounded));
    }
  }
  call.runtime.check_fp("dot");
}

class NormRun {
 public:
  explicit NormRun(KernelCall& call) : call_(call), ord_(ir::norm_order(call.attrs[0])) {
    x_ = *call.in[0].array;
    if (!ir::is_inexact(x_.dtype)) x_ = converted(call.runtime, x_, DType::Float64);
  }

  Array of_vectors(std::size_t axis) {
    Attr along = static_cast<std::int64_t>(axis);
    bool keepdims = ir::as_bool(call_.attrs[2], "keepdims");
    if (!ord_ || *ord_ == 2) return root_of_squares(along, keepdims);
    double p = *ord_;
    if (std::isinf(p)) return p > 0 ? largest(magnitudes(), along, keepdims) : smallest(magnitudes(), along, keepdims);
    if (p == 0) {
      Array zero = number(0, x_.dtype);
      Array present = run(OpId::NotEqual, {&x_, &zero});
      present = converted(call_.runtime, present, call_.types[0].dtype);
      return sum(present, along, keepdims);
    }
    Array size = magnitudes();
    if (p == 1) return sum(size, along, keepdims);
    Array exponent = number(p, size.dtype), inverse = number(1 / p, size.dtype);
    Array powers = run(OpId::Power, {&size, &exponent});
    Array total = sum(powers, along, keepdims);
    return run(OpId::Power, {&total, &inverse});
  }

  Array of_matrices(std::size_t row_axis, std::size_t column_axis) {
    auto row = static_cast<std::int64_t>(row_axis), column = static_cast<std::int64_t>(column_axis);
    bool by_name = !ord_ && !call_.attrs[0].none() && *call_.attrs[0].get<std::string>() == "nuc";
    Array result;
    if (by_name || (ord_ && std::abs(*ord_) == 2)) {
      Array s = singular_values(row_axis, column_axis);
      Attr last = std::int64_t{-1};
      result = by_name ? sum(s, last, false) : *ord_ > 0 ? largest(s, last, false) : smallest(s, last, false);
    } else if (!ord_) {
      result = root_of_squares(ir::Dims{row, column}, false);
    } else {
      // Sums of columns (1) or of rows (inf); the axis that is left has moved up where the summed one stood before it.
      bool by_columns = std::abs(*ord_) == 1;
      std::int64_t summed = by_columns ? row : column, left = by_columns ? column : row;
      if (left > summed) --left;
      Array sums = sum(magnitudes(), summed, false);
      result = *ord_ > 0 ? largest(sums, left, false) : smallest(sums, left, false);
    }
    if (!(result.shape == call_.types[0].shape)) {
      Array view;
      try_reshape_view(result, call_.types[0].shape, view);
      result = view;
    }
    return result;
  }

 private:
  Array run(OpId id, std::initializer_list<const Array*> in, std::initializer_list<Attr> attrs = {}) {
    return call_.runtime.run1(id, call_.backend, in, attrs);
  }
  Array number(double value, DType dtype) {
    Array item = call_.runtime.allocate(DType::Float64, {});
    *item.as<double>() = value;
    return converted(call_.runtime, item, dtype);
  }
  Array magnitudes() { return run(OpId::Abs, {&x_}); }
  Array sum(const Array& a, Attr axis, bool keepdims) { return run(OpId::Sum, {&a}, {std::move(axis), a.dtype, {}, keepdims}); }
  Array largest(const Array& a, Attr axis, bool keepdims) {
    return run(OpId::Max, {&a}, {std::move(axis), {}, keepdims, std::int64_t{0}});
  }
  Array smallest(const Array& a, Attr axis, bool keepdims) { return run(OpId::Min, {&a}, {std::move(axis), {}, keepdims}); }

  Array root_of_squares(Attr axes, bool keepdims) {
    Array squares;
    if (ir::is_complex(x_.dtype)) {
      Array conjugate = run(OpId::Conjugate, {&x_});
      Array product = run(OpId::Multiply, {&conjugate, &x_});
      squares = run(OpId::Real, {&product});
    } else {
      squares = run(OpId::Multiply, {&x_, &x_});
    }
    Array total = sum(squares, std::move(axes), keepdims);
    return run(OpId::Sqrt, {&total});
  }

  Array singular_values(std::size_t row_axis, std::size_t column_axis) {
    ir::Dims order;
    for (std::size_t i = 0; i < x_.shape.size(); ++i)
      if (i != row_axis && i != column_axis) order.push_back(static_cast<std::int64_t>(i));
    order.push_back(static_cast<std::int64_t>(row_axis));
    order.push_back(static_cast<std::int64_t>(column_axis));
    Array matrices = transposed(x_, order);
    return run(OpId::LinalgSvdvals, {&matrices});
  }

  KernelCall& call_;
  std::optional<double> ord_;
  Array x_;
};

}  // namespace

void norm(KernelCall& call, SquaredNorm squared) {
  ir::NormForm form = ir::norm_form(call.attrs[0], call.attrs[1], call.in[0]->ndim());
  if (form.over == ir::NormForm::Over::All) return norm_of_all(call, squared);
  // The reductions tell nobody who computed them: the composition is ours.
  if (const Backend& own = call.runtime.backend(call.provider); !own.based_on.empty())
    call.provider = *call.runtime.find_backend(own.based_on);
  call.library = "autoray";
  NormRun run(call);
  Array result =
      form.over == ir::NormForm::Over::Vector ? run.of_vectors(form.axis) : run.of_matrices(form.row_axis, form.column_axis);
  call.out[0] = as_dtype(call, std::move(result), call.types[0].dtype);
}

}  // namespace autoray::runtime
