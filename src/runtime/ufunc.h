// The keywords that every ufunc takes besides its signature: out, where, dtype, casting, order. What is wrong with them is
// found in numpy's order: the keywords' own values, then the loop that they ask for, then the shapes.
#pragma once

#include <optional>

#include "runtime/bind.h"

namespace autoray::runtime {

struct UfuncOptions {
  ir::Casting casting = ir::Casting::SameKind;
  std::optional<ir::DType> dtype;
  std::optional<Array> where;
  ArrayObject* out = nullptr;
};

// TypeError or ValueError for values that no ufunc takes.
UfuncOptions ufunc_options(Runtime& runtime, const UfuncKeywords& keywords);
// The dtype that an element-wise loop computes in and the one of its result, whatever the operands' shapes; TypeError when
// the op has no loop for the operands. Where `dtype` asks for another loop, `choose_loop` says what each operand is cast to, as
// far as `casting` allows, and `select_loop` casts them. Of the operands only the data of Python's numbers are read.
using LoopCasts = ir::SmallVector<std::optional<ir::DType>, 4>;
LoopCasts choose_loop(Runtime& runtime, const ir::Op& op, BackendId backend, std::span<const Operand> operands,
                      std::span<const std::uint32_t> groups, std::span<const ir::Attr> attrs, const UfuncOptions& options);
void select_loop(Runtime& runtime, const ir::Op& op, BackendId backend, OperandList& operands, std::span<const ir::Attr> attrs,
                 const UfuncOptions& options);

// An operand is text: numpy says so in one of two ways, by how the ufunc looks for its loop.
[[noreturn]] void refuse_text(Runtime& runtime, const ir::Op& op, BackendId backend);
// A dot with a 0-d operand that numpy does not give to BLAS is a multiplication, into any `out` that one fills.
bool dot_multiplies(const ir::Op& op, std::span<const Operand> operands, ir::DType result);
// Gives result and `out` the shapes in which one is stored in the other, where numpy does not simply broadcast.
void fit_out(Runtime& runtime, const ir::Op& op, std::span<const Operand> operands, Array& result, Array& out);
// What an op that is no ufunc asks of its `out=` before it writes: the result's very shape, and a dtype. Gives the casting
// with which the result is stored.
ir::Casting check_out(const ir::Op& op, std::span<const ir::Attr> attrs, const Array& result, const Array& out);

ir::Casting casting_of(const Value* value);  // SameKind for null
std::string_view casting_name(ir::Casting casting);
// A memory order: 'C', 'F', 'A' or 'K'; anything else is an error.
char order_of(const Value& value);
// A mask as an array of bool; other dtypes are not cast.
Array mask_of(Runtime& runtime, const Value& value);

}  // namespace autoray::runtime
