#include "runtime/forms.h"

#include "ir/error.h"
#include "ir/op.h"
#include "runtime/bind.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

// [0, 1, ...] as letters; Ellipsis as "...".
std::string labels_text(const Value& value) {
  std::span<const Value> items;
  if (auto* list = value.get_if<List>())
    items = list->items;
  else if (auto* tuple = value.get_if<Tuple>())
    items = tuple->items;
  else
    throw Error(ErrorClass::TypeError, "subscripts must be either a list or a tuple of integers and Ellipsis");
  std::string text;
  for (const Value& item : items) {
    if (item.is_ellipsis()) {
      text += "...";
    } else if (item.is_int()) {
      std::int64_t label = item.as_int();
      if (label < 0 || label >= 52) throw Error(ErrorClass::ValueError, "subscript is not within the valid range [0, 52)");
      // Capitals first: the implicit result is in alphabetical order, and 'A' sorts before 'a'.
      text += static_cast<char>(label < 26 ? 'A' + label : 'a' + (label - 26));
    } else {
      throw Error(ErrorClass::TypeError, "each subscript must be either an integer or an ellipsis");
    }
  }
  return text;
}

void interleaved(CanonicalForm& form) {
  std::span<const Value> given = form.arguments.positional;
  if (given.empty())
    throw Error(ErrorClass::ValueError,
                "must specify the einstein sum subscripts string and at least one operand, or at least one operand and its "
                "corresponding subscripts list");
  if (given[0].get_if<Str>()) return;
  if (given.size() < 2) throw Error(ErrorClass::ValueError, "must provide at least an operand and a subscripts list to einsum");
  std::string subscripts;
  std::vector<Value> operands;
  std::size_t pairs = given.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) {
    operands.push_back(given[2 * i]);
    subscripts += (i ? "," : "") + labels_text(given[2 * i + 1]);
  }
  if (given.size() % 2) subscripts += "->" + labels_text(given.back());
  form.positional.push_back(make_str(subscripts));
  form.positional.insert(form.positional.end(), operands.begin(), operands.end());
  form.arguments.positional = form.positional;
}

// clip has two pairs of bounds, of which one may be given: a_min with a_max, or min and max.
void check_bounds(const Arguments& arguments) {
  bool given[2] = {arguments.positional.size() > 1, arguments.positional.size() > 2}, newer = false;
  for (std::string_view name : arguments.keyword_names) {
    given[0] |= name == "a_min";
    given[1] |= name == "a_max";
    newer |= name == "min" || name == "max";
  }
  if (given[0] != given[1])
    throw Error(ErrorClass::TypeError,
                std::string("clip() missing 1 required positional argument: '") + (given[0] ? "a_max" : "a_min") + "'");
  if (given[0] && newer)
    throw Error(ErrorClass::ValueError,
                "Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden.");
}

// bincount casts the numbers of a list, where it refuses those of an array.
void counted_list(Runtime& runtime, CanonicalForm& form) {
  std::span<const Value> given = form.arguments.positional;
  if (given.empty() || (!given[0].is(ObjectKind::List) && !given[0].is(ObjectKind::Tuple))) return;
  Array items = to_array(runtime, given[0]);
  if (!ir::is_inexact(items.dtype) || ir::is_complex(items.dtype)) return;
  if (items.size())
    runtime.warn(ErrorClass::DeprecationWarning,
                 "Non-integer input passed to bincount. In a future version of NumPy, this will be an error. (Deprecated NumPy "
                 "2.1)");
  form.positional.assign(given.begin(), given.end());
  form.positional[0] = make_array(converted(runtime, items, ir::DType::Int64));
  form.arguments.positional = form.positional;
}

}  // namespace

CanonicalForm canonical_form(Runtime& runtime, OpId id, const Arguments& arguments) {
  CanonicalForm form{id, arguments, {}};
  if (id == OpId::Where && arguments.positional.size() == 1 && arguments.keyword_names.empty()) form.id = OpId::Nonzero;
  if (id == OpId::Where && arguments.positional.size() == 2)
    throw Error(ErrorClass::ValueError, "either both or neither of x and y should be given");
  if (id == OpId::Einsum) interleaved(form);
  if (id == OpId::Clip) check_bounds(arguments);
  if (id == OpId::Bincount) counted_list(runtime, form);
  return form;
}

}  // namespace autoray::runtime
