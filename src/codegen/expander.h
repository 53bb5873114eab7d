// One run of expand(): the block that is read, and the one that is written.
#pragma once

#include "codegen/expand.h"
#include "ir/error.h"

namespace autoray::codegen {

class Expander {
 public:
  Expander(runtime::Runtime& runtime, const ir::Block& from, std::span<const ArgumentInfo> arguments, bool standalone)
      : runtime_(runtime), from_(from), arguments_(arguments), standalone_(standalone), to_{ir::Block(*from.tables), {}} {}
  bool may_expand(ir::Index i);
  Expanded run();

 private:
  using Index = ir::Index;
  using Named = std::pair<std::string_view, ir::Attr>;
  using Inputs = std::vector<Index>;

  // What stands for the node in the new block, always a node of its own; kNoIndex: the node itself.
  Index written_out(Index i);
  void forget(Index first);
  // ---- reductions (expand.cpp) ----
  Index spread(Index i);
  Index scanned(Index i);
  Index masked(Index i);
  Index started(Index i);
  Index traced(Index i);
  // The fold, in the kernel of the one on which it depends.
  Index together(Index fold, Prim prim, Order order, const ir::Attr& axis);
  // ---- extremes (expand_extremes.cpp) ----
  Index place_of_extreme(Index i);
  Index complex_extreme(ir::OpId op, Index x, const ir::Attr& axis, const ir::Attr& keepdims);
  Index numbered(Index x, ir::Dims axes);
  // ---- rows for routines (expand_routines.cpp) ----
  Index sorted(Index i);
  Index searched(Index i);
  // What a routine makes of the rows along an axis, of their length.
  Index by_rows(Index x, std::int64_t axis, ir::DType result, Routine routine);
  Index median_along(Index x, std::size_t axis);
  Index complex_product(Index x, const ir::Attr& axis, const ir::Dims& result);
  Index complex_product_scan(Index x, std::int64_t axis);
  // ---- what is refused, or told of, when it is seen (expand_checked.cpp) ----
  void refuse_if(Index condition, ir::Error error);
  Index integer_power(Index i);
  Index masked_spread(Index i);
  Index covariance(Index i);
  // Something is told as the eager kernels tell it, by an event of these flags, after which the plan runs. False, and nothing
  // is done, beside draws, which cannot be done twice.
  bool tell(unsigned flags);
  Index mean_of_nothing(Index i);
  Index made_real(Index i);
  bool overflows_half(Index i) const;
  Index overflowing_half(Index i);
  // ---- movements and creation (expand_moves.cpp) ----
  Index in_column_order(Index i);
  Index reshape_columns(Index x, ir::Dims shape);
  Index full_like(Index i);
  Index triangle(Index i);
  Index diagonal_matrix(Index i);
  Index roll(Index i);
  Index tile(Index i);
  Index repeat(Index i);
  Index pad(Index i);
  Index ramp(Index edge, std::size_t axis, std::int64_t width, bool up, ir::DType dtype);
  Index pad_constant(Index i, Index x, std::span<const std::pair<std::int64_t, std::int64_t>> widths);
  // ---- indices (expand_indices.cpp) ----
  struct Choice {
    ir::Attr::Tuple basic;  // the index with whole axes for arrays
    Indexing indexing;
  };
  std::optional<Choice> choice(const ir::Dims& shape, const ir::Attr::Tuple& index, std::span<const Index> arrays,
                               std::size_t first_input) const;
  Index getitem(Index i);
  Index setitem(Index i);
  Index set_masked(Index i, const ir::Attr::Tuple& path, const ir::Dims& place, const ir::Attr::Tuple& index);
  Index set_counted(Index i, ir::Attr::Tuple path, const ir::Dims& place, const ir::Attr::Tuple& index, std::int64_t count);
  // A new version of x with the value written where the path leads.
  Index put(Index x, std::span<const ir::Attr> path, Index value);
  Index along(Index x, std::span<const ir::Attr> path);
  // A new version of the first input, with the second written where arrays choose behind the path.
  Index updated(const ir::Type& type, Inputs inputs, ir::Attr::Tuple path, Indexing indexing);
  Index take(Index i);
  Index take_along_axis(Index i);
  Index chosen(const ir::Type& type, Inputs inputs, Indexing indexing);

  // ---- the node that is read ----
  const ir::Attr& attr(Index i, std::string_view name);
  const ir::Type& type(Index i) const { return from_.type(i); }
  ir::DType dtype(Index i) const { return from_.type(i).dtype; }
  // Its k-th input in the new block; kNoIndex where it is absent.
  Index input(Index i, std::size_t k) const;
  std::size_t inputs(Index i) const { return from_.inputs(i).size(); }
  // A constant of one element.
  const runtime::Array* constant_scalar(Index i) const;
  // A Python integer that the dtype does not hold is the eager kernel's business.
  bool weak_out_of_range(Index i, ir::DType dtype) const;

  // ---- the block that is written ----
  const ir::Type& made(Index x) const { return to_.block.type(x); }
  const ir::Dims& shape(Index x) const { return made(x).shape; }
  Index call(ir::OpId op, Inputs inputs, std::initializer_list<Named> given = {}) {
    return call(op, std::move(inputs), std::vector<Named>(given));
  }
  Index call(ir::OpId op, Inputs inputs, const std::vector<Named>& given);
  Index given(const ir::Type& type, Inputs inputs, NodeRole role);
  Index constant(ir::DType dtype, double value, ir::Dims shape = {});
  Index affine(const ir::Dims& shape, AffineIndex index);
  Index cast(Index x, ir::DType dtype);
  Index reshape(Index x, const ir::Dims& shape);
  Index flat(Index x) { return reshape(x, {ir::element_count(shape(x))}); }
  Index slice(Index x, std::size_t axis, std::int64_t start, std::int64_t stop, std::int64_t step = 1);
  // Broadcast along an axis of one.
  Index repeated(Index x, std::size_t axis, std::int64_t count);
  Index concatenate(Inputs parts, std::size_t axis);

  runtime::Runtime& runtime_;
  const ir::Block& from_;
  std::span<const ArgumentInfo> arguments_;
  bool standalone_;
  bool draws_ = false;  // some call of the block is a draw
  Expanded to_;
  std::vector<Index> new_of_;
  std::unordered_map<std::uint64_t, bool> plain_;  // by attributes and op: nothing of it is composed
  std::uint8_t backend_ = 0;
  ir::SourceId source_ = ir::kNoSource;
  ir::AttrsId attrs_id_ = 0;
  std::vector<ir::Attr> attrs_;  // of the node that is read
  bool attrs_known_ = false;
};

}  // namespace autoray::codegen
