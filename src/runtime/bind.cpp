#include "runtime/bind.h"

#include <cstring>

#include "ir/error.h"
#include "ir/suggest.h"
#include "runtime/bigint.h"
#include "runtime/dispatch.h"

namespace autoray::runtime {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::Kind;

OpBinding::OpBinding(const ir::Op& op) : signature(ir::parse_op_signature(op)) {
  if (signature.parameters.size() != op.operands.size())
    throw Error(ErrorClass::SystemError, "op table: '" + std::string(op.path) + "' has " +
                                             std::to_string(signature.parameters.size()) + " parameters and " +
                                             std::to_string(op.operands.size()) + " operand letters");
  only_operands = true;
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    char letter = op.operands[i];
    bool operand = letter == 'A' || letter == 'B' || letter == 'O' || letter == 'S';
    only_operands &= letter == 'A' && signature.parameters[i].kind != ir::ParameterKind::KeywordOnly;
    if (operand) {
      ++operand_parameters;
      attr_of.push_back(-1);
      continue;
    }
    attr_of.push_back(static_cast<int>(default_attrs.size()));
    default_attrs.push_back(signature.parameters[i].default_value);
    if (signature.parameters[i].name == "out") out = static_cast<int>(i);
  }
}

namespace {

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i) text += i + 1 < names.size() ? ", " : names.size() > 2 ? ", and " : " and ";
    text += "'" + names[i] + "'";
  }
  return text;
}

std::string short_name(const ir::Op& op) { return std::string(op.path.substr(op.path.rfind('.') + 1)); }

// A ufunc counts its operands and results, whatever is missing or too much.
[[noreturn]] void wrong_count(const ir::Op& op, std::size_t given) {
  std::size_t operands = op.operands.size();
  throw Error(ErrorClass::TypeError, short_name(op) + "() takes from " + std::to_string(operands) + " to " +
                                         std::to_string(operands + 1) + " positional arguments but " + std::to_string(given) +
                                         (given == 1 ? " was" : " were") + " given")
      .with_hint("its parameters are (" + std::string(op.signature) + ")");
}

bool ufunc_keyword(const ir::Op& op, std::string_view name, const Value& value, UfuncKeywords& ufunc) {
  if (name == "out") {
    ufunc.out = value.is_none() ? nullptr : &value;
  } else if (name == "where") {
    // Products are no element-wise ufuncs: there is nothing to mask.
    if (op.op_class != ir::OpClass::Elementwise) return false;
    ufunc.where = value.is_bool() && value.as_bool() ? nullptr : &value;
  } else if (name == "dtype") {
    ufunc.dtype = value.is_none() ? nullptr : &value;
  } else if (name == "casting") {
    ufunc.casting = &value;
  } else if (name == "order") {
    ufunc.order = &value;
  } else {
    return name == "subok";
  }
  return true;
}

}  // namespace

void bind_arguments(const ir::Op& op, const OpBinding& binding, const Arguments& arguments, Slots& slots, UfuncKeywords& ufunc,
                    VarArguments& var) {
  const ir::Signature& signature = binding.signature;
  const auto& parameters = signature.parameters;
  slots.resize(parameters.size(), nullptr);
  std::size_t given = arguments.positional.size();
  bool ufunc_out_by_position = false;
  // Positional-only parameters are counted apart.
  std::size_t position = 0;
  for (std::size_t p = 0; p < parameters.size() && position < given; ++p) {
    if (parameters[p].kind == ir::ParameterKind::KeywordOnly || parameters[p].kind == ir::ParameterKind::VarKeyword) continue;
    if (parameters[p].kind == ir::ParameterKind::VarPositional) {
      var.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(position), arguments.positional.end());
      position = given;
      break;
    }
    slots[p] = &arguments.positional[position++];
  }
  if (position < given && op.has(ir::kUfunc) && given == position + 1) {
    ufunc_keyword(op, "out", arguments.positional[position++], ufunc);
    ufunc_out_by_position = true;
  }
  if (position < given && op.has(ir::kUfunc)) wrong_count(op, given);
  if (position < given)
    throw Error(ErrorClass::TypeError, short_name(op) + "() takes " + std::to_string(position) + " positional argument" +
                                           (position == 1 ? "" : "s") + " but " + std::to_string(given) +
                                           (given == 1 ? " was" : " were") + " given");
  for (std::size_t k = 0; k < arguments.keyword_names.size(); ++k) {
    std::string_view name = arguments.keyword_names[k];
    const Value& value = arguments.keyword_values[k];
    int p = signature.index_of(name);
    if (p >= 0 && parameters[p].kind != ir::ParameterKind::PositionalOnly &&
        parameters[p].kind != ir::ParameterKind::VarPositional && parameters[p].kind != ir::ParameterKind::VarKeyword) {
      if (slots[p])
        throw Error(ErrorClass::TypeError, short_name(op) + "() got multiple values for argument '" + std::string(name) + "'");
      slots[p] = &value;
      continue;
    }
    if (op.has(ir::kUfunc) && !(ufunc_out_by_position && name == "out") && ufunc_keyword(op, name, value, ufunc)) continue;
    if (signature.var_keyword >= 0) {
      if (!var.keywords) var.keywords = make<Dict>();
      var.keywords->set(name, value);
      continue;
    }
    std::string message = short_name(op) + "() got an unexpected keyword argument '" + std::string(name) + "'";
    Error error(ErrorClass::TypeError, message);
    std::vector<std::string_view> names;
    for (const ir::Parameter& parameter : parameters)
      if (parameter.kind != ir::ParameterKind::PositionalOnly) names.push_back(parameter.name);
    std::string near = ir::did_you_mean(name, names);
    error.with_hint((near.empty() ? "" : "did you mean '" + near + "'? ") + "its parameters are (" + std::string(op.signature) +
                    ")");
    throw error;
  }
  std::vector<std::string> missing;
  for (std::size_t p = 0; p < parameters.size(); ++p)
    if (!slots[p] && parameters[p].required && parameters[p].kind != ir::ParameterKind::VarPositional &&
        parameters[p].kind != ir::ParameterKind::VarKeyword)
      missing.emplace_back(parameters[p].name);
  if (!missing.empty() && op.has(ir::kUfunc)) wrong_count(op, given);
  if (!missing.empty())
    throw Error(ErrorClass::TypeError, short_name(op) + "() missing " + std::to_string(missing.size()) +
                                           " required positional argument" + (missing.size() == 1 ? "" : "s") + ": " +
                                           quoted_list(missing))
        .with_hint("its parameters are (" + std::string(op.signature) + ")");
}

// ---- operands ----

OperandList::~OperandList() {
  for (int i = 0; i < inline_count_; ++i) reinterpret_cast<Array*>(inline_arrays_[i])->~Array();
}

Array* OperandList::new_array() {
  if (inline_count_ < kInline) return new (inline_arrays_[inline_count_++]) Array;
  more_arrays_.push_back(std::make_unique<Array>());
  return more_arrays_.back().get();
}

void OperandList::add_array(Array array, Kind kind) {
  Array* kept = new_array();
  *kept = std::move(array);
  operands_.push_back({kept, kind});
}

void OperandList::replace(std::size_t i, Array array) {
  Array* kept = new_array();
  *kept = std::move(array);
  operands_[i] = {kept, Kind::Array};
}

void OperandList::add(Runtime& runtime, const Value& value) {
  if (auto* object = value.get_if<ArrayObject>()) {
    operands_.push_back({&object->array, Kind::Array});
    return;
  }
  auto item = [&](DType dtype, const void* data, Kind kind) {
    if (inline_count_ >= item_places_) {
      // Beyond the inline places an item needs storage of its own.
      Array array = runtime.allocate(dtype, {});
      std::memcpy(array.data, data, ir::itemsize(dtype));
      add_array(std::move(array), kind);
      return;
    }
    char* place = inline_items_[inline_count_];
    std::memcpy(place, data, ir::itemsize(dtype));
    Array* array = new_array();
    array->data = place;
    array->dtype = dtype;
    array->writable = false;
    operands_.push_back({array, kind});
  };
  switch (value.tag()) {
    case Tag::Int: {
      std::int64_t v = value.as_int();
      item(DType::Int64, &v, Kind::Weak);
      return;
    }
    case Tag::Float: {
      double v = value.as_float();
      item(DType::Float64, &v, Kind::Weak);
      return;
    }
    case Tag::Bool: {
      bool v = value.as_bool();
      item(DType::Bool, &v, Kind::Weak);
      return;
    }
    default: break;
  }
  if (auto* scalar = value.get_if<NumpyScalar>()) {
    item(scalar->dtype, scalar->data, Kind::Scalar);
  } else if (auto* complex = value.get_if<Complex>()) {
    item(DType::Complex128, &complex->value, Kind::Weak);
  } else if (auto* big = value.get_if<BigInt>()) {
    if (big->value < 0 || big->value > BigInteger(UINT64_MAX))
      throw Error(ErrorClass::OverflowError, "Python int too large to convert to a 64-bit integer");
    auto v = static_cast<std::uint64_t>(big->value);
    item(DType::UInt64, &v, Kind::Weak);
  } else {
    add_array(to_array(runtime, value), Kind::Array);
  }
}

}  // namespace autoray::runtime
