// Expressions of the evaluator. Small ints, floats and list indexing are handled here; the rest goes through protocol.h.
#include <bit>
#include <cmath>

#include "frontend/captured.h"
#include "ir/suggest.h"
#include "runtime/dispatch.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Cell;
using runtime::List;
using runtime::make;
using runtime::Tuple;

namespace {

// A module's name, or what scripts usually bind it to, used without its import.
std::string forgotten_import(std::string_view name) {
  std::string statement;
  if (name == "np") statement = "import numpy as np";
  if (name == "ar") statement = "import autoray as ar";
  if (name == "do") statement = "from autoray import do";
  for (std::string_view module : module_names())
    if (module == name) statement = "import " + std::string(name);
  return statement.empty() ? "" : "did you forget `" + statement + "`?";
}

}  // namespace

bool Evaluator::name_error(Name& e, Frame& frame) {
  std::string name(interpreter_.interner.text(e.id));
  if (e.scope == Scope::Local || e.scope == Scope::Cell)
    return raise(Error(ErrorClass::UnboundLocalError,
                       "cannot access local variable '" + name + "' where it is not associated with a value"),
                 e.span, frame);
  if (e.scope == Scope::Free)
    return raise(Error(ErrorClass::NameError,
                       "cannot access free variable '" + name + "' where it is not associated with a value in enclosing scope"),
                 e.span, frame);
  std::vector<std::string_view> candidates = builtin_names();
  const GlobalTable& globals = frame.unit->globals;
  for (std::size_t i = 0; i < globals.names.size(); ++i)
    if (!globals.values[i].empty()) candidates.push_back(interpreter_.interner.text(globals.names[i]));
  if (frame.scope) {
    for (NameId id : frame.scope->slot_names) candidates.push_back(interpreter_.interner.text(id));
    for (NameId id : frame.scope->free_names) candidates.push_back(interpreter_.interner.text(id));
  }
  Error error(ErrorClass::NameError, "name '" + name + "' is not defined");
  error.with_hint(forgotten_import(name));
  if (error.hint().empty()) error.with_hint(ir::suggestion(name, candidates));
  return raise(error, e.span, frame);
}

bool Evaluator::capture(Name& e, Frame& frame, Value& out) {
  std::string_view name = interpreter_.interner.text(e.id);
  try {
    out = e.scope == Scope::Free ? captured_variable(runtime(), frame.closure[e.slot], name)
                                 : captured_global(runtime(), frame.unit->globals, e.slot, name);
    return true;
  } catch (...) {
    set_raised(e.span, frame);
    return false;
  }
}

bool Evaluator::eval_name(Name& e, Frame& frame, Value& out) {
  switch (e.scope) {
    case Scope::Local: out = frame.slots[e.slot]; break;
    case Scope::Cell: out = frame.slots[e.slot].as<Cell>().value; break;
    case Scope::Free:
      out = frame.closure[e.slot]->value;
      if (runtime().captures && !capture(e, frame, out)) [[unlikely]]
        return false;
      break;
    default: {
      GlobalTable& globals = frame.unit->globals;
      out = globals.values[e.slot];
      if (runtime().captures && !capture(e, frame, out)) [[unlikely]]
        return false;
      if (!out.empty()) return true;
      Value& cached = globals.builtins[e.slot];
      if (cached.empty()) {
        try {
          cached = builtin(runtime(), interpreter_.interner.text(e.id));
        } catch (...) {
          set_raised(e.span, frame);
          return false;
        }
      }
      out = cached;
    }
  }
  return out.empty() ? name_error(e, frame) : true;
}

bool Evaluator::eval(Expr& e, Frame& frame, Value& out) {
  // Leaves nest nothing: they need not ask for the stack.
  if (e.kind == ExprKind::Constant) {
    out = as<Constant>(e).value;
    return true;
  }
  if (e.kind == ExprKind::Name) return eval_name(as<Name>(e), frame, out);
  if (runtime::stack_low()) [[unlikely]]
    return too_deep(e, frame);
  switch (e.kind) {
    case ExprKind::Binary: return eval_binary(as<Binary>(e), frame, out);
    case ExprKind::Compare: return eval_compare(as<Compare>(e), frame, out);
    case ExprKind::Call: return eval_call(as<Call>(e), frame, out);
    case ExprKind::Subscript: return eval_subscript(as<Subscript>(e), frame, out);
    default: return eval_other(e, frame, out);
  }
}

bool Evaluator::too_deep(Expr& e, Frame& frame) {
  return raise(Error(ErrorClass::RecursionError, "maximum recursion depth exceeded")
                   .with_hint("the expression or the calls nest too deeply for the stack"),
               e.span, frame);
}

bool Evaluator::eval_other(Expr& e, Frame& frame, Value& out) {
  switch (e.kind) {
    case ExprKind::Constant:
    case ExprKind::Name:
    case ExprKind::Binary:
    case ExprKind::Compare:
    case ExprKind::Call:
    case ExprKind::Subscript: break;  // above
    case ExprKind::Attribute: {
      auto& a = as<Attribute>(e);
      Value object;
      if (!eval(*a.value, frame, object)) return false;
      try {
        out = get_attribute(runtime(), object, interpreter_.interner.text(a.attr));
        return true;
      } catch (...) {
        set_raised({a.value->span.end, e.span.end}, frame);
        return false;
      }
    }
    case ExprKind::Unary: {
      auto& u = as<Unary>(e);
      if (u.op == UnaryOperator::Not) {
        bool holds;
        if (!condition(*u.operand, frame, holds)) return false;
        out = Value::boolean(!holds);
        return true;
      }
      Value operand;
      if (!eval(*u.operand, frame, operand)) return false;
      if (operand.is_float() && u.op == UnaryOperator::USub) {
        out = Value::real(-operand.as_float());
        return true;
      }
      frame.call_site = e.span;
      try {
        out = unary(runtime(), u.op, operand);
        return true;
      } catch (...) {
        set_raised(e.span, frame);
        return false;
      }
    }
    case ExprKind::BoolOp: {
      auto& b = as<BoolOp>(e);
      for (std::size_t i = 0; i < b.values.size(); ++i) {
        if (!eval(*b.values[i], frame, out)) return false;
        if (i + 1 == b.values.size()) return true;
        bool holds;
        if (out.is_bool()) {
          holds = out.as_bool();
        } else {
          try {
            holds = truth(runtime(), out);
          } catch (...) {
            set_raised(b.values[i]->span, frame);
            return false;
          }
        }
        if (holds == (b.op == BoolOperator::Or)) return true;
      }
      return true;
    }
    case ExprKind::IfExp: {
      auto& c = as<IfExp>(e);
      bool holds;
      if (!condition(*c.test, frame, holds)) return false;
      return eval(holds ? *c.body : *c.orelse, frame, out);
    }
    case ExprKind::NamedExpr: {
      auto& n = as<NamedExpr>(e);
      return eval(*n.value, frame, out) && assign_name(*n.target, frame, out);
    }
    case ExprKind::Tuple: {
      std::vector<Value> items;
      if (!eval_sequence(as<Sequence>(e), frame, items)) return false;
      out = runtime::make_tuple(std::move(items));
      return true;
    }
    case ExprKind::List: {
      std::vector<Value> items;
      if (!eval_sequence(as<Sequence>(e), frame, items)) return false;
      out = runtime::make_list(std::move(items));
      return true;
    }
    case ExprKind::Set: {
      std::vector<Value> items;
      if (!eval_sequence(as<Sequence>(e), frame, items)) return false;
      auto set = make<runtime::Set>();
      try {
        for (Value& item : items) set->items->set(item, Value::none());
      } catch (...) {
        set_raised(e.span, frame);
        return false;
      }
      out = set;
      return true;
    }
    case ExprKind::Dict: return eval_dict(as<DictExpr>(e), frame, out);
    case ExprKind::Comprehension: return eval_comprehension(as<Comprehension>(e), frame, out);
    case ExprKind::Lambda: return make_function(*as<Lambda>(e).function, frame, out);
    case ExprKind::JoinedStr: return eval_joined(as<JoinedStr>(e), frame, out);
    case ExprKind::Slice: return eval_index(e, frame, out);
    case ExprKind::Starred: return raise(Error(ErrorClass::SyntaxError, "can't use starred expression here"), e.span, frame);
    case ExprKind::FormattedValue: return eval(*as<FormattedValue>(e).value, frame, out);
  }
  return false;
}

namespace {

// Python's floor division and modulo of int64, overflow apart. By powers of two they are a shift and a mask.
std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  if (b > 0 && std::has_single_bit(static_cast<std::uint64_t>(b))) return a >> std::countr_zero(static_cast<std::uint64_t>(b));
  std::int64_t q = a / b;
  return (a % b != 0 && ((a < 0) != (b < 0))) ? q - 1 : q;
}
std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
  if (b > 0 && std::has_single_bit(static_cast<std::uint64_t>(b))) return a & (b - 1);
  std::int64_t r = a % b;
  return (r != 0 && ((r < 0) != (b < 0))) ? r + b : r;
}

// The hot operators on two small ints; false: take the general way.
inline bool int_binary(BinaryOperator op, std::int64_t a, std::int64_t b, std::int64_t& v) {
  switch (op) {
    case BinaryOperator::Add:
      if (__builtin_add_overflow(a, b, &v)) return false;
      break;
    case BinaryOperator::Sub:
      if (__builtin_sub_overflow(a, b, &v)) return false;
      break;
    case BinaryOperator::Mult:
      if (__builtin_mul_overflow(a, b, &v)) return false;
      break;
    case BinaryOperator::FloorDiv:
      if (b == 0 || b == -1) return false;
      v = floor_div(a, b);
      break;
    case BinaryOperator::Mod:
      if (b == 0 || b == -1) return false;
      v = floor_mod(a, b);
      break;
    case BinaryOperator::BitAnd: v = a & b; break;
    case BinaryOperator::BitOr: v = a | b; break;
    case BinaryOperator::BitXor: v = a ^ b; break;
    case BinaryOperator::RShift:
      if (b < 0) return false;
      v = a >> (b > 63 ? 63 : b);
      break;
    case BinaryOperator::LShift:
      if (b < 0 || b > 62 || a > (INT64_MAX >> b) || a < (INT64_MIN >> b)) return false;
      v = a << b;
      break;
    default: return false;
  }
  return true;
}

inline bool real_binary(BinaryOperator op, double a, double b, Value& out) {
  switch (op) {
    case BinaryOperator::Add: out = Value::real(a + b); return true;
    case BinaryOperator::Sub: out = Value::real(a - b); return true;
    case BinaryOperator::Mult: out = Value::real(a * b); return true;
    case BinaryOperator::Div:
      if (b == 0) return false;
      out = Value::real(a / b);
      return true;
    default: return false;
  }
}

inline bool number(const Value& v, double& result) {
  if (v.is_float()) {
    result = v.as_float();
    return true;
  }
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (v.is_int() && v.as_int() >= -kExact && v.as_int() <= kExact) {
    result = static_cast<double>(v.as_int());
    return true;
  }
  return false;
}

}  // namespace

bool Evaluator::peek_int(Expr& e, Frame& frame, std::int64_t& v) {
  if (const Value* value = peek(e, frame)) {
    v = value->as_int();
    return value->is_int();
  }
  if (e.kind != ExprKind::Binary) return false;
  auto& b = as<Binary>(e);
  const Value *left = peek(*b.left, frame), *right = peek(*b.right, frame);
  return left && right && left->is_int() && right->is_int() && int_binary(b.op, left->as_int(), right->as_int(), v);
}

bool Evaluator::eval_binary(Binary& e, Frame& frame, Value& out) {
  std::int64_t x, y, v;
  if (peek_int(*e.left, frame, x) && peek_int(*e.right, frame, y) && int_binary(e.op, x, y, v)) {
    out = Value::integer(v);
    return true;
  }
  Value left_scratch, right_scratch;
  const Value* left = peek(*e.left, frame);
  if (!left) {
    if (!eval(*e.left, frame, left_scratch)) return false;
    left = &left_scratch;
  } else if (e.right->kind != ExprKind::Name && e.right->kind != ExprKind::Constant) {
    // The right side may rebind the left variable.
    left_scratch = *left;
    left = &left_scratch;
  }
  const Value* right = peek(*e.right, frame);
  if (!right) {
    if (!eval(*e.right, frame, right_scratch)) return false;
    right = &right_scratch;
  }
  if (left->is_int() && right->is_int() && int_binary(e.op, left->as_int(), right->as_int(), v)) {
    out = Value::integer(v);
    return true;
  }
  if (left->is_float() || right->is_float() || e.op == BinaryOperator::Div) {
    double a, b;
    if (number(*left, a) && number(*right, b) && real_binary(e.op, a, b, out)) return true;
  }
  frame.call_site = e.span;
  try {
    Value result = binary(runtime(), e.op, *left, *right);
    out = std::move(result);
    return true;
  } catch (...) {
    set_raised(e.span, frame);
    label_operands(*e.left, *e.right);
    return false;
  }
}

namespace {

// On two small ints; false: `in` and `is`, which are not about order.
inline bool int_compare(CompareOperator op, std::int64_t x, std::int64_t y, bool& holds) {
  switch (op) {
    case CompareOperator::Lt: holds = x < y; return true;
    case CompareOperator::LtE: holds = x <= y; return true;
    case CompareOperator::Gt: holds = x > y; return true;
    case CompareOperator::GtE: holds = x >= y; return true;
    case CompareOperator::Eq: holds = x == y; return true;
    case CompareOperator::NotEq: holds = x != y; return true;
    default: return false;
  }
}

}  // namespace

bool Evaluator::condition(Expr& e, Frame& frame, bool& result) {
  if (e.kind == ExprKind::Compare) {
    // The truth of `i < n` or `n % 2 == 0` needs no value of its own.
    auto& c = as<Compare>(e);
    std::int64_t x, y;
    if (c.ops.size() == 1 && peek_int(*c.left, frame, x) && peek_int(*c.comparators[0], frame, y) &&
        int_compare(c.ops[0], x, y, result))
      return true;
  }
  Value scratch;
  const Value* value = peek(e, frame);
  if (!value) {
    if (!eval(e, frame, scratch)) return false;
    value = &scratch;
  }
  if (value->is_bool()) {
    result = value->as_bool();
    return true;
  }
  if (value->is_int()) {
    result = value->as_int() != 0;
    return true;
  }
  try {
    result = truth(runtime(), *value);
    return true;
  } catch (...) {
    set_raised(e.span, frame);
    return false;
  }
}

bool Evaluator::compare_values(CompareOperator op, const Value& a, const Value& b, Compare& e, Expr& left, Expr& right,
                               Frame& frame, Value& out) {
  if (bool holds; a.is_int() && b.is_int() && int_compare(op, a.as_int(), b.as_int(), holds)) {
    out = Value::boolean(holds);
    return true;
  }
  frame.call_site = e.span;
  try {
    Value result = compare(runtime(), op, a, b);
    out = std::move(result);
    return true;
  } catch (...) {
    set_raised(e.span, frame);
    label_operands(left, right);
    return false;
  }
}

bool Evaluator::eval_compare(Compare& e, Frame& frame, Value& out) {
  Value left_scratch, right_scratch;
  const Value* left = peek(*e.left, frame);
  if (!left) {
    if (!eval(*e.left, frame, left_scratch)) return false;
    left = &left_scratch;
  } else if (e.comparators[0]->kind != ExprKind::Name && e.comparators[0]->kind != ExprKind::Constant) {
    left_scratch = *left;
    left = &left_scratch;
  }
  if (e.ops.size() == 1) {
    const Value* right = peek(*e.comparators[0], frame);
    if (!right) {
      if (!eval(*e.comparators[0], frame, right_scratch)) return false;
      right = &right_scratch;
    }
    return compare_values(e.ops[0], *left, *right, e, *e.left, *e.comparators[0], frame, out);
  }
  Value current = *left;
  Expr* left_expr = e.left;
  for (std::size_t i = 0; i < e.ops.size(); ++i) {
    Value next;
    if (!eval(*e.comparators[i], frame, next)) return false;
    if (!compare_values(e.ops[i], current, next, e, *left_expr, *e.comparators[i], frame, out)) return false;
    if (i + 1 == e.ops.size()) return true;
    bool holds;
    try {
      holds = truth(runtime(), out);
    } catch (...) {
      set_raised(e.span, frame);
      return false;
    }
    if (!holds) return true;
    current = std::move(next);
    left_expr = e.comparators[i];
  }
  return true;
}

bool Evaluator::eval_index(Expr& index, Frame& frame, Value& out) {
  if (index.kind == ExprKind::Slice) {
    auto& s = as<SliceExpr>(index);
    Value parts[3] = {Value::none(), Value::none(), Value::none()};
    Expr* exprs[3] = {s.lower, s.upper, s.step};
    for (int i = 0; i < 3; ++i)
      if (exprs[i] && !eval(*exprs[i], frame, parts[i])) return false;
    out = make<runtime::SliceObject>(std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
    return true;
  }
  return eval(index, frame, out);
}

bool Evaluator::eval_subscript(Subscript& e, Frame& frame, Value& out) {
  Value object_scratch, index_scratch;
  const Value* object = peek(*e.value, frame);
  if (!object) {
    if (!eval(*e.value, frame, object_scratch)) return false;
    object = &object_scratch;
  } else if (e.index->kind != ExprKind::Name && e.index->kind != ExprKind::Constant) {
    object_scratch = *object;
    object = &object_scratch;
  }
  const Value* index = peek(*e.index, frame);
  if (!index) {
    if (!eval_index(*e.index, frame, index_scratch)) return false;
    index = &index_scratch;
  }
  if (index->is_int()) {
    const std::vector<Value>* items = nullptr;
    if (auto* list = object->get_if<List>())
      items = &list->items;
    else if (auto* tuple = object->get_if<Tuple>())
      items = &tuple->items;
    if (items) {
      std::int64_t i = index->as_int(), n = static_cast<std::int64_t>(items->size());
      if (i < 0) i += n;
      if (i >= 0 && i < n) {
        Value result = (*items)[static_cast<std::size_t>(i)];
        out = std::move(result);
        return true;
      }
    }
  }
  frame.call_site = e.span;
  try {
    Value result = get_item(runtime(), *object, *index);
    out = std::move(result);
    return true;
  } catch (...) {
    set_raised(e.span, frame);
    return false;
  }
}

bool Evaluator::eval_sequence(Sequence& e, Frame& frame, std::vector<Value>& items) {
  items.reserve(e.elements.size());
  for (Expr* element : e.elements) {
    if (element->kind != ExprKind::Starred) {
      Value value;
      bool ok = element->kind == ExprKind::Slice ? eval_index(*element, frame, value) : eval(*element, frame, value);
      if (!ok) return false;
      items.push_back(std::move(value));
      continue;
    }
    Value iterable;
    if (!eval(*as<Starred>(*element).value, frame, iterable)) return false;
    try {
      for (Value& item : collect(runtime(), iterable)) items.push_back(std::move(item));
    } catch (const Error& error) {
      if (error.message() != "'" + runtime::type_name(iterable) + "' object is not iterable") {
        set_raised(element->span, frame);
        return false;
      }
      return raise(Error(ErrorClass::TypeError, "Value after * must be an iterable, not " + runtime::type_name(iterable)),
                   element->span, frame);
    } catch (...) {
      set_raised(element->span, frame);
      return false;
    }
  }
  return true;
}

bool Evaluator::eval_dict(DictExpr& e, Frame& frame, Value& out) {
  auto dict = make<runtime::Dict>();
  for (DictItem& item : e.items) {
    Value key, value;
    if (item.key && !eval(*item.key, frame, key)) return false;
    if (!eval(*item.value, frame, value)) return false;
    try {
      if (item.key) {
        dict->set(key, std::move(value));
        continue;
      }
      auto* other = value.get_if<runtime::Dict>();
      if (!other) throw Error(ErrorClass::TypeError, "'" + runtime::type_name(value) + "' object is not a mapping");
      for (auto& entry : other->entries())
        if (!entry.key.empty()) dict->set(entry.key, entry.value);
    } catch (...) {
      set_raised(item.key ? item.key->span : item.value->span, frame);
      return false;
    }
  }
  out = dict;
  return true;
}

bool Evaluator::eval_joined(JoinedStr& e, Frame& frame, Value& out) {
  std::string text;
  for (Expr* part : e.values) {
    if (part->kind == ExprKind::Constant) {
      text += as<Constant>(*part).value.as<runtime::Str>().text;
      continue;
    }
    auto& field = as<FormattedValue>(*part);
    Value value, spec;
    if (!eval(*field.value, frame, value)) return false;
    if (field.format_spec && !eval_joined(as<JoinedStr>(*field.format_spec), frame, spec)) return false;
    try {
      if (field.conversion) {
        std::string converted = field.conversion == 's'   ? str(runtime(), value)
                                : field.conversion == 'a' ? ascii(runtime(), value)
                                                          : repr(runtime(), value);
        value = runtime::make_str(std::move(converted));
      }
      text += format(runtime(), value, spec.empty() ? std::string_view() : std::string_view(spec.as<runtime::Str>().text));
    } catch (...) {
      set_raised(part->span, frame);
      return false;
    }
  }
  out = runtime::make_str(std::move(text));
  return true;
}

}  // namespace autoray::frontend
