#include "runtime/ufunc.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/rules/elementwise.h"
#include "ir/rules/movement.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/elementwise/driver.h"
#include "runtime/reduction/reduction.h"

namespace autoray::runtime {

using ir::Casting;
using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::Kind;

namespace {

constexpr std::string_view kCastings[] = {"no", "equiv", "safe", "same_kind", "unsafe"};

std::string dtype_text(DType dtype) { return "dtype('" + std::string(ir::name(dtype)) + "')"; }

// The array an `out=` argument names: an array or a tuple of one.
ArrayObject& out_array(const Value& value) {
  const Value* target = &value;
  if (auto* tuple = value.get_if<Tuple>(); tuple && tuple->items.size() == 1) target = &tuple->items[0];
  if (auto* array = target->get_if<ArrayObject>()) return *array;
  throw Error(ErrorClass::TypeError, "return arrays must be of ArrayType");
}

[[noreturn]] void no_matching_loop(const ir::Op& op) {
  throw Error(ErrorClass::TypeError,
              "No loop matching the specified signature and casting was found for ufunc " + std::string(op.path))
      .with_code(403);
}

// The result's dtype by the op's rule for operands of these dtypes, whatever their shapes.
DType result_dtype(const ir::Op& op, std::span<const Operand> operands, std::span<const std::uint32_t> groups,
                   std::span<const ir::Attr> attrs, std::optional<DType> all) {
  std::vector<ir::Type> types(operands.size());
  ir::SmallVector<ir::OperandType, 4> present;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i].present()) {
      present.push_back({});
      continue;
    }
    types[i].dtype = all.value_or(operands[i]->dtype);
    types[i].kind = all ? Kind::Array : operands[i].kind;
    present.push_back({&types[i]});
  }
  ir::Inference inference{op, present, groups, attrs, {}};
  inference.results.resize(1);
  op.dtype_rule(inference);
  return inference.results[0].dtype;
}

}  // namespace

void refuse_text(Runtime& runtime, const ir::Op& op, BackendId backend) {
  // Arithmetic and comparisons ask the operands' dtypes for a loop, the others search the list of their loops.
  bool arithmetic = op.dtype_rule == ir::dtype_promote && has_loop(runtime, backend, op, DType::Complex128);
  bool compares = op.dtype_rule == ir::dtype_bool && op.operands.size() == 2;
  bool asked = arithmetic || compares || op.dtype_rule == ir::dtype_real_part || op.op_class == ir::OpClass::Contract;
  if (!asked) refuse_operands(op);
  throw Error(ErrorClass::UFuncTypeError, "ufunc '" + std::string(op.path) +
                                              "' did not contain a loop with signature matching types <class "
                                              "'numpy.dtypes.StrDType'> -> None")
      .with_code(403);
}

bool dot_multiplies(const ir::Op& op, std::span<const Operand> operands, DType result) {
  if (op.id != ir::OpId::Dot || (operands[0]->ndim() && operands[1]->ndim())) return false;
  bool blas = ir::is_inexact(result) && result != DType::Float16;
  return !blas || operands[0]->ndim() > 2 || operands[1]->ndim() > 2;
}

void fit_out(Runtime& runtime, const ir::Op& op, std::span<const Operand> operands, Array& result, Array& out) {
  using ir::OpId;
  auto drop_leading = [&] {
    while (result.ndim() > out.ndim() && result.shape[0] == 1) {
      result.shape.erase(0);
      result.strides.erase(0);
    }
  };
  // An assignment.
  if (op.id == OpId::Round && (ir::is_integer(result.dtype) || ir::is_complex(result.dtype))) drop_leading();
  if (op.id == OpId::Cumsum || op.id == OpId::Cumprod) {
    // A scan that numpy gives to its iterator fills the first of whatever axes `out` has beyond its own.
    bool iterated = result.ndim() > 1 || operands[0]->dtype != out.dtype;
    while (iterated && out.ndim() > result.ndim() && out.shape.back() > 0) {
      out.shape.pop_back();
      out.strides.pop_back();
    }
  }
  if (op.id == OpId::Matmul) {
    // The axes of the matrices do not stretch.
    static constexpr const char* kSignature = "gufunc signature (n?,k),(k,m?)->(n?,m?)";
    int core = (operands[0]->ndim() > 1) + (operands[1]->ndim() > 1);
    if (out.ndim() < core)
      throw Error(ErrorClass::ValueError, "matmul: Output operand 0 does not have enough dimensions (has " +
                                              std::to_string(out.ndim()) +
                                              ", gufunc core with signature (n?,k),(k,m?)->(n?,m?) "
                                              "requires " +
                                              std::to_string(core) + ")");
    for (int i = 0; i < core; ++i) {
      std::int64_t given = out.shape[static_cast<std::size_t>(out.ndim() - core + i)],
                   made = result.shape[static_cast<std::size_t>(result.ndim() - core + i)];
      if (given != made)
        throw Error(ErrorClass::ValueError, "matmul: Output operand 0 has a mismatch in its core dimension " +
                                                std::to_string(i) + ", with " + kSignature + " (size " + std::to_string(given) +
                                                " is different from " + std::to_string(made) + ")");
    }
    drop_leading();
  }
  bool spread = op.id == OpId::Var || op.id == OpId::Std;
  if (spread && ir::is_complex(out.dtype) && !ir::is_complex(result.dtype)) result = complex_spread(runtime, result, out.dtype);
}

Casting check_out(const ir::Op& op, std::span<const ir::Attr> attrs, const Array& result, const Array& out) {
  using ir::OpId;
  if (op.id == OpId::Round) {
    if (result.size() != out.size()) throw Error(ErrorClass::ValueError, "invalid output shape");
    // An integer is divided by a power of ten in `out` itself.
    bool divided = !ir::is_inexact(result.dtype) && ir::as_int(ir::attribute(op, attrs, "decimals"), "decimals") < 0;
    if (divided && !ir::can_cast(DType::Float64, out.dtype, Casting::SameKind))
      throw Error(ErrorClass::UFuncTypeError, "Cannot cast ufunc 'divide' output from dtype('float64') to " +
                                                  dtype_text(out.dtype) + " with casting rule 'same_kind'");
    if (ir::is_complex(result.dtype) && !ir::is_complex(out.dtype))
      throw Error(ErrorClass::TypeError, "array does not have imaginary part to set");
    if (!ir::is_inexact(result.dtype) && !ir::can_cast(result.dtype, out.dtype, Casting::SameKind))
      throw Error(ErrorClass::TypeError, "Cannot cast array data from " + dtype_text(result.dtype) + " to " +
                                             dtype_text(out.dtype) + " according to the rule 'same_kind'");
  }
  if (op.op_class == ir::OpClass::Elementwise || op.id == OpId::Outer) return Casting::SameKind;
  auto cannot_cast = [](DType from, DType to, std::string_view rule) {
    return Error(ErrorClass::TypeError, "Cannot cast array data from " + dtype_text(from) + " to " + dtype_text(to) +
                                            " according to the rule '" + std::string(rule) + "'");
  };
  bool fits = result.shape == out.shape;
  std::string name(op.path);
  // These fill an array of the result's own dtype, which `out` must be able to take the place of.
  bool replaced = op.id == OpId::Argmax || op.id == OpId::Argmin || op.id == OpId::Take;
  if (replaced && !ir::can_cast(out.dtype, result.dtype, Casting::Safe)) throw cannot_cast(out.dtype, result.dtype, "safe");
  if (op.id == OpId::Dot && (!fits || out.dtype != result.dtype || !out.c_contiguous()))
    throw Error(ErrorClass::ValueError,
                "output array is not acceptable (must have the right datatype, number of dimensions, and be a C-Array)");
  if (!fits && replaced)
    throw Error(ErrorClass::ValueError,
                "output array does not match result of " + (op.id == OpId::Take ? "ndarray.take" : "np." + name + "."));
  if (!fits && op.op_class == ir::OpClass::Reduction)
    throw Error(ErrorClass::ValueError, "output parameter for reduction operation " + name +
                                            " has the wrong number of dimensions: Found " + std::to_string(out.ndim()) +
                                            " but expected " + std::to_string(result.ndim()));
  if (op.id == OpId::Einsum && out.ndim() != result.ndim())
    throw Error(ErrorClass::ValueError, "out parameter does not have the correct number of dimensions, has " +
                                            std::to_string(out.ndim()) + " but should have " + std::to_string(result.ndim()));
  if (!fits && op.op_class == ir::OpClass::Join) throw Error(ErrorClass::ValueError, "Output array is the wrong shape");
  if (replaced || op.op_class == ir::OpClass::Reduction) return Casting::Unsafe;
  Casting casting = Casting::SameKind;
  if (op.signature.find("casting=") != std::string_view::npos) {
    const std::string& text = ir::as_string(ir::attribute(op, attrs, "casting"), "casting");
    for (int i = 0; i < 5; ++i)
      if (text == kCastings[i]) casting = static_cast<Casting>(i);
  }
  if (!ir::can_cast(result.dtype, out.dtype, casting)) throw cannot_cast(result.dtype, out.dtype, casting_name(casting));
  return casting;
}

Casting casting_of(const Value* value) {
  if (!value) return Casting::SameKind;
  const std::string& text = text_of(*value, "casting");
  for (int i = 0; i < 5; ++i)
    if (text == kCastings[i]) return static_cast<Casting>(i);
  throw Error(ErrorClass::ValueError,
              "casting must be one of 'no', 'equiv', 'safe', 'same_kind', 'unsafe' (got '" + text + "')");
}

std::string_view casting_name(Casting casting) { return kCastings[static_cast<int>(casting)]; }

char order_of(const Value& value) {
  if (value.is_none()) return 'K';
  auto* text = value.get_if<Str>();
  if (!text) throw Error(ErrorClass::TypeError, "order must be str, not " + type_name(value));
  if (text->text.size() == 1)
    for (char order : {'C', 'F', 'A', 'K'})
      if (std::toupper(static_cast<unsigned char>(text->text[0])) == order) return order;
  throw Error(ErrorClass::ValueError, "order must be one of 'C', 'F', 'A', or 'K' (got '" + text->text + "')");
}

Array mask_of(Runtime& runtime, const Value& value) {
  if (!value.is(ObjectKind::Array) && !value.is(ObjectKind::NumpyScalar)) return to_array(runtime, value, DType::Bool);
  Array mask = to_array(runtime, value);
  if (mask.dtype != DType::Bool)
    throw Error(ErrorClass::TypeError,
                "Cannot cast array data from " + dtype_text(mask.dtype) + " to dtype('bool') according to the rule 'safe'");
  return mask;
}

UfuncOptions ufunc_options(Runtime& runtime, const UfuncKeywords& keywords) {
  UfuncOptions options;
  if (keywords.out) options.out = &out_array(*keywords.out);
  if (options.out && !options.out->array.can_write()) throw Error(ErrorClass::ValueError, "output array is read-only");
  if (keywords.order) order_of(*keywords.order);
  options.casting = casting_of(keywords.casting);
  if (keywords.where) options.where = mask_of(runtime, *keywords.where);
  if (keywords.dtype) options.dtype = to_dtype(*keywords.dtype);
  return options;
}

LoopCasts choose_loop(Runtime& runtime, const ir::Op& op, BackendId backend, std::span<const Operand> operands,
                      std::span<const std::uint32_t> groups, std::span<const ir::Attr> attrs, const UfuncOptions& options) {
  LoopCasts casts(operands.size(), std::nullopt);
  bool looped = op.op_class == ir::OpClass::Elementwise;
  DType result = result_dtype(op, operands, groups, attrs, std::nullopt), input = result;
  if (looped && ir::loop_in_operand_dtype(op)) {
    ir::Promotion promotion;
    for (const Operand& operand : operands) promotion.add(operand->dtype, operand.kind);
    input = promotion.result();
  }
  if (options.dtype) {
    if (op.dtype_rule == ir::dtype_bool) {
      if (*options.dtype != DType::Bool) no_matching_loop(op);
    } else {
      if (*options.dtype == DType::Bool) refuse_bool_arithmetic(op);
      bool complex = std::any_of(operands.begin(), operands.end(),
                                 [](const Operand& o) { return o.present() && ir::is_complex(o->dtype); });
      if (op.dtype_rule == ir::dtype_real_part && complex) {
        // numpy finds the complex loop by its result.
        DType loop = ir::complex_dtype(*options.dtype);
        Casting searched = std::min(options.casting, Casting::Safe);
        bool found = std::all_of(operands.begin(), operands.end(),
                                 [&](const Operand& o) { return ir::can_cast(o->dtype, loop, searched); });
        if (found && ir::real_dtype(loop) == *options.dtype) {
          for (std::size_t i = 0; i < operands.size(); ++i)
            if (operands[i]->dtype != loop) casts[i] = loop;
          return casts;
        }
      }
      if (result_dtype(op, operands, groups, attrs, options.dtype) != *options.dtype) {
        if (op.dtype_rule == ir::dtype_real_part && !complex)
          throw Error(ErrorClass::UFuncTypeError,
                      "ufunc '" + std::string(op.path) + "' did not contain a loop with signature matching types");
        no_matching_loop(op);
      }
      result = input = *options.dtype;
    }
  }
  if (looped && ir::is_bool(input) && !options.dtype) refuse_bool_arithmetic(op);
  if (options.out && looped && !ir::can_cast(result, options.out->array.dtype, options.casting) &&
      has_loop(runtime, backend, op, input))
    throw Error(ErrorClass::UFuncTypeError, "Cannot cast ufunc '" + std::string(op.path) + "' output from " +
                                                dtype_text(result) + " to " + dtype_text(options.out->array.dtype) +
                                                " with casting rule '" + std::string(casting_name(options.casting)) + "'");
  if (looped && !has_loop(runtime, backend, op, input)) {
    if (options.dtype) no_matching_loop(op);
    refuse_operands(op);
  }
  // Logical operations read the truth of whatever they are given.
  if (op.id >= ir::OpId::LogicalAnd && op.id <= ir::OpId::LogicalXor && !options.dtype) return casts;
  // Comparisons have loops for int64 beside uint64; every other operand is cast to the loop's dtype.
  for (const Operand& operand : operands) {
    if (!operand.present() || operand.kind != Kind::Weak || ir::is_bool(operand->dtype)) continue;
    DType own = ir::is_integer(operand->dtype) ? DType::Int64 : operand->dtype;
    // An integer comparison takes a Python int of any size as it is.
    bool compared = op.dtype_rule == ir::dtype_bool && ir::is_integer(input) && ir::is_integer(operand->dtype);
    if (options.casting == Casting::Equiv && input != own && !compared) {
      static constexpr std::string_view kPython[] = {"int", "float", "complex"};
      std::string_view python = kPython[ir::is_integer(operand->dtype) ? 0 : ir::is_complex(operand->dtype) ? 2 : 1];
      throw Error(ErrorClass::TypeError, "cannot cast Python " + std::string(python) + " to " + std::string(ir::name(input)) +
                                             " under the casting rule '" + std::string(casting_name(options.casting)) + "'");
    }
  }
  // Python integers become the loop's dtype before any other cast is judged.
  if (options.dtype && op.dtype_rule != ir::dtype_bool)
    for (const Operand& operand : operands)
      if (operand.present()) check_python_integer(operand, input);
  bool any_array = false;
  bool all_integers =
      std::all_of(operands.begin(), operands.end(), [](const Operand& o) { return o.present() && ir::is_integer(o->dtype); });
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Operand& operand = operands[i];
    if (!operand.present()) continue;
    bool fits = ir::can_cast(operand->dtype, input, options.casting);
    // A Python bool is as strong as numpy's.
    if (operand.kind == Kind::Weak && !ir::is_bool(operand->dtype)) {
      ir::Promotion promotion;
      promotion.add(input, Kind::Array);
      promotion.add(operand->dtype, Kind::Weak);
      fits = promotion.result() == input || options.casting == Casting::Unsafe;
    }
    DType target = input;
    if (op.dtype_rule == ir::dtype_bool && input == DType::Float64 && all_integers) {
      target = ir::is_unsigned(operand->dtype) ? DType::UInt64 : DType::Int64;
      fits = operand.kind == Kind::Weak || ir::can_cast(operand->dtype, target, options.casting);
    }
    if (!fits)
      throw Error(ErrorClass::UFuncTypeError, "Cannot cast ufunc '" + std::string(op.path) + "' input " +
                                                  (operands.size() > 1 ? std::to_string(i) + " " : "") + "from " +
                                                  dtype_text(operand->dtype) + " to " + dtype_text(target) +
                                                  " with casting rule '" + std::string(casting_name(options.casting)) + "'");
    any_array |= operand.kind != Kind::Weak;
  }
  if (!options.dtype || op.dtype_rule == ir::dtype_bool) return casts;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Operand& operand = operands[i];
    // Python numbers keep their range check, as long as an array says what the loop is.
    if (!operand.present() || (operand.kind == Kind::Weak && any_array) || operand->dtype == input) continue;
    casts[i] = input;
  }
  return casts;
}

void select_loop(Runtime& runtime, const ir::Op& op, BackendId backend, OperandList& operands, std::span<const ir::Attr> attrs,
                 const UfuncOptions& options) {
  LoopCasts casts = choose_loop(runtime, op, backend, operands.operands(), operands.groups(), attrs, options);
  for (std::size_t i = 0; i < casts.size(); ++i)
    if (casts[i]) operands.replace(i, converted(runtime, *operands[i].array, *casts[i]));
}

}  // namespace autoray::runtime
