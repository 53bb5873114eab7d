// Calls that the runtime's kernels compose of others (einsum of many factors, stacks of products, norms, isclose), written out
// as those before roles are given. They are the same calls in the same order and dtypes as the kernels make, so that the bits
// are the same; what cannot be compiled in pieces stays one call.
#pragma once

#include <deque>
#include <initializer_list>
#include <optional>

#include "codegen/builder.h"

namespace autoray::codegen {

// A block without such calls, and numbers of its own: constants whose nodes are numbered behind the block's arguments.
struct Decomposed {
  explicit Decomposed(ir::GraphTables& tables) : block(tables) {}
  ir::Block block;
  std::vector<ArgumentInfo> arguments;  // by number: of the block, then of its own
  std::deque<runtime::Array> numbers;   // what the latter point to
};
// Nothing where the block has no such call: a large one is not copied for it. `standalone`: there will be no runtime whose
// products are faster.
std::optional<Decomposed> decompose(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments,
                                    bool standalone);

// A product of matrices of more multiply-adds is OpenBLAS's: the same bound as the eager kernels', because the order of the
// sums changes there.
inline bool is_large_product(double rows, double columns, double summed) {
  constexpr double kSmallProduct = 32 * 32 * 32;
  return rows * columns != 1 && rows * columns * summed > kSmallProduct;
}

// ---- for those who write calls out ----

// A call that may be written out, of inputs in the new block.
struct Site {
  const ir::BlockNode& node;
  std::span<const ir::Index> inputs;
  const std::vector<ir::Attr>& attrs;
  const ir::Type& type;
};

class Decomposer {
 public:
  Decomposer(runtime::Runtime& runtime, const ir::Block& from, std::span<const ArgumentInfo> arguments, bool standalone);
  std::optional<Decomposed> run() &&;

  // The result of a new call, itself written out where it can be; attributes that are not given have their defaults. Inputs
  // that are not given are absent.
  ir::Index call(ir::OpId id, std::initializer_list<ir::Index> inputs, std::vector<ir::Attr> attrs = {});
  // The same, as one call whatever it is.
  ir::Index plain(ir::OpId id, std::span<const ir::Index> inputs, std::vector<ir::Attr> attrs = {});
  ir::Index number(double value, ir::DType dtype, ir::Kind kind = ir::Kind::Array);
  // x itself where that is its dtype.
  ir::Index cast(ir::Index x, ir::DType dtype);
  ir::Index reshaped(ir::Index x, const ir::Dims& shape);
  ir::Index with_kind(ir::Index x, ir::Kind kind);  // x was made here

  const ir::Type& type(ir::Index i) const { return block().type(i); }
  const ir::Dims& shape(ir::Index i) const { return type(i).shape; }
  ir::DType dtype(ir::Index i) const { return type(i).dtype; }
  // The value of a constant Python integer that the dtype does not hold; null for others.
  const runtime::Array* out_of_range(ir::Index i, ir::DType dtype) const;
  bool standalone() const { return standalone_; }

 private:
  std::vector<ir::Attr> full(ir::OpId id, std::vector<ir::Attr> attrs);
  ir::Index add(ir::BlockNode node, std::span<const ir::Index> inputs, const std::vector<ir::Attr>& attrs,
                const ir::Type& type);
  ir::Index written_out(const Site& site);
  // Up to the first call that is written out, the block is the one that is read.
  const ir::Block& block() const { return copied_ ? made_.block : from_; }
  void copy_before();

  runtime::Runtime& runtime_;
  const ir::Block& from_;
  bool standalone_;
  Decomposed made_;
  ir::Index old_ = 0;  // the node that is read
  bool copied_ = false;
  std::vector<ir::Index> place_;  // by node that was read, when the block is copied
};

// What stands for a call; kNoIndex: it stays.
using Decomposition = ir::Index (*)(Decomposer& to, const Site& site);
Decomposition product_decomposition(ir::OpId op);
Decomposition composition(ir::OpId op);  // of norms and element-wise functions

}  // namespace autoray::codegen
