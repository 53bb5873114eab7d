// The op table as data: what each row of ops.def says. Look-ups by id are one load; by name one hash look-up.
//
// A call of an op, on every executor, is the same three things: operands (typed values, in signature order, sequences
// expanded), attributes (every parameter that is not data, in signature order, defaults filled in), and results whose
// types the row's rules infer from the two. Eager kernels, recording, plans and emitters all start from there.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "ir/signature.h"
#include "ir/small_vector.h"
#include "ir/type.h"

namespace autoray::ir {

enum class OpId : std::uint16_t {
#define OP(id, path, signature, operands, op_class, shape_rule, dtype_rule, cost_rule, flags) id,
#include "ir/ops.def"
#undef OP
  Count
};
inline constexpr int kOpCount = static_cast<int>(OpId::Count);

enum class OpClass : std::uint8_t {
  Elementwise,  // a scalar definition broadcast over its operands
  Reduction,    // one value an axis, or along it (scans)
  View,         // a new shape over the same storage, or a copy where strides cannot express it
  Join,         // concatenate and its kin, split, pad, repeat
  Index,        // take, search, sort, sets
  Create,       // arrays from no array
  Contract,     // products
  Linalg,       // decompositions and solves
  Random,       // draws: a generator's state goes in and comes out
  Host,         // answers with something that is not an array (a shape, a dtype, a bool, a file)
};

enum OpFlags : std::uint32_t {
  kNone = 0,
  kCommutative = 1u << 0,
  kFoldable = 1u << 1,        // pure: constant operands may be computed before the run
  kViewResult = 1u << 2,      // results may share the first operand's storage
  kRandom = 1u << 3,          // reads and changes a generator's state; never folded, shared, reordered
  kDynamicShape = 1u << 4,    // the result's shape depends on data
  kScalarResult = 1u << 5,    // a 0-d result becomes a numpy scalar (ufuncs and reductions do, views do not)
  kMethod = 1u << 6,          // also a method of arrays, self being the first operand
  kTupleResult = 1u << 7,     // the results come as a tuple (svd)
  kListResult = 1u << 8,      // the results come as a list (split)
  kUfunc = 1u << 9,           // takes numpy's ufunc keywords: out, where, dtype, casting
  kLikeResult = 1u << 10,     // a creation routine that takes its dtype from like=array
  kNotNumpy = 1u << 12,       // a name of autoray's (through do and autoray.numpy), not of the module numpy: linalg.expm, dag
  kGraphOnly = 1u << 17,      // what recording makes of subscripts; no function of that name exists for scripts
  kQuiet = 1u << 15,          // numpy reports no floating-point events of it: a NaN compared is no invalid value
  kForms = 1u << 14,          // numpy takes its arguments in another form too (runtime/forms.h brings them to the signature's)
  kDynamicDType = 1u << 16,   // the result's dtype depends on data: the rule gives the widest (linalg.eig: complex)
  kThinByDefault = 1u << 13,  // do() and autoray.numpy default to full_matrices=False (linalg.svd)
};

struct OperandType {
  const Type* type = nullptr;  // null: an optional operand that was not given
  bool present() const { return type != nullptr; }
};

struct Op;

// How a tuple of results is called: numpy's named tuples (SVDResult with U, S, Vh).
struct ResultNames {
  const char* type;
  const char* const* fields;
};

// One inference: rules read `in` and `attrs` and fill `results`. The shape rule runs first and makes the results; the dtype
// rule then sets dtype and kind. They throw numpy's errors.
struct Inference {
  const Op& op;
  std::span<const OperandType> in;
  std::span<const std::uint32_t> groups;  // operands of each operand parameter (1, or a sequence's length)
  std::span<const Attr> attrs;
  std::vector<Type> results;
  const ResultNames* names = nullptr;  // null: a plain tuple

  const Type& type(std::size_t i) const { return *in[i].type; }
};
using Rule = void (*)(Inference&);

struct Cost {
  double flops = 0;  // real additions, multiplications, divisions, square roots, function values: one each
  double bytes = 0;  // read and written once
};
using CostRule = Cost (*)(const Inference&);

struct Op {
  OpId id;
  std::string_view path;       // as numpy spells it: "sqrt", "linalg.svd", "random.normal"
  std::string_view signature;  // numpy's, as text: "a, axis=None, dtype=None"
  // One letter a parameter: A operand, O optional operand (None allowed), S sequence of operands, B operand or sequence
  // taken whole as an array (array_like), '-' attribute, 'D' dtype attribute, 'C' a callable or other host value.
  std::string_view operands;
  OpClass op_class;
  Rule shape_rule;
  Rule dtype_rule;
  CostRule cost_rule;
  std::uint32_t flags;

  bool has(OpFlags flag) const { return (flags & flag) != 0; }
};

extern const std::array<Op, kOpCount> kOps;  // the rows of ops.def
inline const Op& op(OpId id) { return kOps[static_cast<std::size_t>(id)]; }
inline std::span<const Op> all_ops() { return kOps; }
// By numpy path or alias ("absolute", "amax", "linalg.norm"); Count when there is none.
OpId find_op(std::string_view path);
// All (alias, path) pairs.
struct Alias {
  std::string_view name;
  OpId id;
  bool twin;  // numpy's function of that name calls itself so
};
std::span<const Alias> aliases();
// The parsed signature of a row; parsed once at first use of the table by its owner (see OpSignatures).
Signature parse_op_signature(const Op& op);

// How many operands each operand parameter has, of a call with `operands` in all: one each, the rest belongs to the sequence.
std::vector<std::uint32_t> operand_groups(const Op& op, std::size_t operands);

// Runs both rules; results carry dtype, shape and kind.
void infer(Inference& inference);

}  // namespace autoray::ir
