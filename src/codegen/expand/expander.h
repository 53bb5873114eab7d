// One run of expand(): the block that is read, the one that is written, and the functions that write calls out.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codegen/expand/expand.h"
#include "ir/attributes.h"
#include "ir/error.h"

namespace autoray::codegen::expansion {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::kNoIndex;
using ir::OpId;
using Inputs = std::vector<Index>;
using Named = std::pair<std::string_view, Attr>;

// A call that may be written out, of inputs in the block that is written.
struct Site {
  OpId op;
  std::span<const Index> inputs;
  const ir::Type& type;
  const std::vector<Attr>& attrs;

  const Attr& attr(std::string_view name) const { return ir::attribute(ir::op(op), attrs, name); }
  bool has(std::size_t k) const { return k < inputs.size() && inputs[k] != kNoIndex; }
};

class Expander {
 public:
  Expander(runtime::Runtime& runtime, const ir::Block& from, std::span<const ArgumentInfo> arguments, bool standalone)
      : runtime_(runtime), from_(from), arguments_(arguments), standalone_(standalone), made_(*from.tables) {}
  std::optional<Expanded> run() &&;

  // ---- new nodes ----
  // The result of a call, itself written out where it can be. Operands behind those that are given are absent, attributes that
  // are not given have their defaults.
  Index call(OpId op, Inputs inputs, const std::vector<Named>& given = {});
  // The same, as one call whatever it is.
  Index plain(OpId op, Inputs inputs, const std::vector<Named>& given = {});
  // The call of the site, of other inputs.
  Index again(const Site& site, std::span<const Index> inputs);
  // A node that its role describes; its op is a name alone.
  Index given(const ir::Type& type, Inputs inputs, NodeRole role, std::span<const Attr> attrs = {});
  NodeRole& role(Index x) { return made_.roles[x]; }  // of a node that was made here
  Index with_kind(Index x, Kind kind);                // x was made here
  Index constant(DType dtype, double value, Dims shape = {}, Kind kind = Kind::Array);
  Index affine(const Dims& shape, AffineIndex index);
  Index cast(Index x, DType dtype);  // x itself where that is its dtype
  Index reshape(Index x, const Dims& shape);
  Index flat(Index x) { return reshape(x, {ir::element_count(shape(x))}); }
  Index broadcast(Index x, const Dims& shape);
  Index slice(Index x, std::size_t axis, std::int64_t start, std::int64_t stop, std::int64_t step = 1);
  // Broadcast along an axis of one.
  Index repeated(Index x, std::size_t axis, std::int64_t count);
  Index concatenate(Inputs parts, std::size_t axis);
  // The program ends with the error where some element of the condition is true.
  void refuse_if(Index condition, ir::Error error);
  // Something is told as the eager kernels tell it, by an event of these flags, after which the plan runs. False, and nothing
  // is done, beside draws, which cannot be done twice.
  bool tell(unsigned flags);

  // ---- what is known ----
  const ir::Type& type(Index x) const { return block().type(x); }
  const Dims& shape(Index x) const { return type(x).shape; }
  DType dtype(Index x) const { return type(x).dtype; }
  Index input(Index x, std::size_t k) const { return block().inputs(x)[k]; }
  // Of a constant without axes; null for others.
  const runtime::Array* constant_scalar(Index x) const;
  // A real one as float64.
  std::optional<double> real_number(Index x) const;
  // The value of a constant Python integer that the dtype does not hold; null for others.
  const runtime::Array* out_of_range(Index x, DType dtype) const;
  runtime::Runtime& runtime() const { return runtime_; }
  bool standalone() const { return standalone_; }
  bool draws();  // some call of the block is a draw

 private:
  std::vector<Attr> full(OpId op, const std::vector<Named>& given);
  Index add(OpId op, std::span<const Index> inputs, std::span<const Attr> attrs, const ir::Type& type);
  // A new node that stands for the call; kNoIndex: it stays.
  Index written_out(const Site& site);
  // A finite Python number that is infinite in float16: told of, as the eager kernel does; the arithmetic goes on with
  // infinity.
  bool overflows_half(OpId op, std::span<const Index> inputs) const;
  Index overflowing_half(const Site& site);
  // Up to the first call that is written out, the block is the one that is read.
  const ir::Block& block() const { return copied_ ? made_.block : from_; }
  void copy_before();
  void forget(Index first);
  bool is_ours(const ir::BlockNode& node) const;

  runtime::Runtime& runtime_;
  const ir::Block& from_;
  std::span<const ArgumentInfo> arguments_;
  bool standalone_;
  std::optional<bool> draws_;
  Expanded made_;
  Index at_ = 0;  // the node that is read
  bool copied_ = false;
  std::vector<Index> place_;                                  // by node that was read, when the block is copied
  std::unordered_map<ir::AttrsId, std::vector<Attr>> attrs_;  // an unrolled loop has few different ones
};

// ---- what writes a call out: a new node that stands for it, or kNoIndex, after which what was begun is forgotten ----

using Write = Index (*)(Expander& to, const Site& site);

// products.cpp
Index einsum(Expander& to, const Site& site);
Index stack_of_products(Expander& to, const Site& site);
Index product_with_number(Expander& to, const Site& site);
Index vdot(Expander& to, const Site& site);
Index outer(Expander& to, const Site& site);
Index kron(Expander& to, const Site& site);
Index matrix_power(Expander& to, const Site& site);
Index multi_dot(Expander& to, const Site& site);
Index covariance(Expander& to, const Site& site);
// functions.cpp: norms and element-wise functions
Index norm(Expander& to, const Site& site);
Index is_close(Expander& to, const Site& site);
Index round(Expander& to, const Site& site);
Index clip(Expander& to, const Site& site);
Index comparison(Expander& to, const Site& site);
Index selection(Expander& to, const Site& site);
Index imaginary_part(Expander& to, const Site& site);
Index integer_power(Expander& to, const Site& site);
Index made_real(Expander& to, const Site& site);
// reductions.cpp
Index reduced(Expander& to, const Site& site);
Index spread(Expander& to, const Site& site);
Index scanned(Expander& to, const Site& site);
Index traced(Expander& to, const Site& site);
// What zero divided by zero gives, and tells of.
Index invalid(Expander& to, const ir::Type& type);
// The fold, in the kernel of the one on which it depends.
Index together(Expander& to, Index fold, Prim prim, Order order, const Attr& axis);
// extremes.cpp
Index place_of_extreme(Expander& to, const Site& site);
Index complex_extreme(Expander& to, OpId op, Index x, const Attr& axis, const Attr& keepdims);
// routines.cpp: rows for routines
Index sorted(Expander& to, const Site& site);
Index searched(Expander& to, const Site& site);
Index median_along(Expander& to, Index x, std::size_t axis);
Index complex_product(Expander& to, Index x, const Attr& axis, const Dims& result);
Index complex_product_scan(Expander& to, Index x, std::int64_t axis);
// moves.cpp
Index in_column_order(Expander& to, const Site& site);
Index reshape_columns(Expander& to, Index x, Dims shape);
Index full_like(Expander& to, const Site& site);
Index triangle(Expander& to, const Site& site);
Index diagonal_matrix(Expander& to, const Site& site);
Index roll(Expander& to, const Site& site);
Index tile(Expander& to, const Site& site);
Index repeat(Expander& to, const Site& site);
Index pad(Expander& to, const Site& site);
// indices.cpp
Index getitem(Expander& to, const Site& site);
Index setitem(Expander& to, const Site& site);
Index take(Expander& to, const Site& site);
Index take_along_axis(Expander& to, const Site& site);
// The elements of the first input that arrays choose.
Index chosen(Expander& to, const ir::Type& type, Inputs inputs, Indexing indexing);

}  // namespace autoray::codegen::expansion
