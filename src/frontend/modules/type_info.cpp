#include "frontend/modules/type_info.h"

#include <cmath>

#include "runtime/convert.h"
#include "runtime/dispatch.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;

namespace {

class TypeInfo final : public runtime::NativeObject {
 public:
  TypeInfo(ir::DType d, bool floating) : dtype_(d), floating_(floating) {}
  std::string native_type() const override { return floating_ ? "finfo" : "iinfo"; }
  std::string repr() const override {
    if (floating_) return "finfo(dtype=" + std::string(ir::name(dtype_)) + ")";
    return "iinfo(dtype=" + std::string(ir::name(dtype_)) + ")";
  }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override {
    if (name == "dtype") {
      result = runtime::make_dtype(dtype_);
      return true;
    }
    if (name == "bits") {
      result = Value::integer(8 * static_cast<std::int64_t>(ir::itemsize(dtype_)));
      return true;
    }
    if (!floating_) {
      bool is_unsigned = ir::is_unsigned(dtype_);
      int bits = 8 * static_cast<int>(ir::itemsize(dtype_)) - !is_unsigned;
      if (name == "max") {
        result = binary(runtime, BinaryOperator::Sub,
                        binary(runtime, BinaryOperator::LShift, Value::integer(1), Value::integer(bits)), Value::integer(1));
        return true;
      }
      if (name == "min") {
        result = is_unsigned ? Value::integer(0)
                             : binary(runtime, BinaryOperator::Mult, Value::integer(-1),
                                      binary(runtime, BinaryOperator::LShift, Value::integer(1), Value::integer(bits)));
        return true;
      }
      return false;
    }
    int digits = dtype_ == ir::DType::Float16 ? 11 : dtype_ == ir::DType::Float32 ? 24 : 53;
    int max_exponent = dtype_ == ir::DType::Float16 ? 16 : dtype_ == ir::DType::Float32 ? 128 : 1024;
    double v;
    if (name == "eps")
      v = std::ldexp(1.0, 1 - digits);
    else if (name == "epsneg")
      v = std::ldexp(1.0, -digits);
    else if (name == "max")
      v = std::ldexp(2.0 - std::ldexp(1.0, 1 - digits), max_exponent - 1);
    else if (name == "min")
      v = -std::ldexp(2.0 - std::ldexp(1.0, 1 - digits), max_exponent - 1);
    else if (name == "tiny" || name == "smallest_normal")
      v = std::ldexp(1.0, 2 - max_exponent);
    else if (name == "smallest_subnormal")
      v = std::ldexp(1.0, 3 - max_exponent - digits);
    else if (name == "resolution")
      v = std::pow(10.0, -std::floor((digits - 1) * std::log10(2.0)));
    else {
      std::int64_t n;
      if (name == "precision")
        n = static_cast<std::int64_t>((digits - 1) * std::log10(2.0));
      else if (name == "nmant")
        n = digits - 1;
      else if (name == "maxexp")
        n = max_exponent;
      else if (name == "minexp")
        n = 2 - max_exponent;
      else if (name == "nexp")
        n = 8 * static_cast<int>(ir::itemsize(dtype_)) - digits;
      else
        return false;
      result = Value::integer(n);
      return true;
    }
    char item[8];
    runtime::cast_loop(ir::DType::Float64, dtype_)(reinterpret_cast<const char*>(&v), 0, item, 0, 1);
    result = runtime::make_scalar(dtype_, item, runtime.native_backend());
    return true;
  }
  std::vector<std::string> attribute_names() const override {
    if (!floating_) return {"min", "max", "bits", "dtype"};
    return {"eps",        "epsneg",    "max",  "min",   "tiny",  "smallest_normal", "smallest_subnormal",
            "resolution", "precision", "bits", "dtype", "nmant", "maxexp",          "minexp",
            "nexp"};
  }

 private:
  ir::DType dtype_;
  bool floating_;
};

}  // namespace

ir::DType info_dtype(const Value& v) {
  if (auto* a = v.peek<runtime::ArrayObject>()) return a->array.dtype;
  if (auto* s = v.peek<runtime::NumpyScalar>()) return s->dtype;
  if (v.is_float()) return ir::DType::Float64;
  if (v.is_int()) return ir::DType::Int64;
  return runtime::to_dtype(v).value_or(ir::DType::Float64);
}
Value finfo(Runtime&, const Arguments& a) {
  check_arguments(a, "finfo", 1, 1);
  ir::DType d = ir::real_dtype(info_dtype(a.positional[0]));
  if (!ir::is_real_floating(d))
    throw Error(ErrorClass::ValueError, "data type <class 'numpy." + std::string(ir::name(d)) + "'> not inexact");
  return make<TypeInfo>(d, true);
}
Value iinfo(Runtime&, const Arguments& a) {
  check_arguments(a, "iinfo", 1, 1);
  ir::DType d = info_dtype(a.positional[0]);
  if (!ir::is_integer(d))
    throw Error(ErrorClass::ValueError, std::string("Invalid integer data type '") + ir::kind_letter(d) + "'.");
  return make<TypeInfo>(d, false);
}

}  // namespace autoray::frontend
