// The nests of one kernel, from the nodes of a group: element-wise values are
// computed at every point of the nest that needs them, values of one element
// live in registers, and what others need is stored.
#pragma once

#include "codegen/draft.h"
#include "codegen/groups.h"

namespace autoray::codegen {

class KernelBuilder {
 public:
  KernelBuilder(runtime::Runtime& runtime, const ir::Block& block, Roles& roles, Memory& memory, const Groups& groups)
      : runtime_(runtime), block_(block), roles_(roles), memory_(memory), groups_(groups) {
    decide_stores();
  }
  KernelDraft kernel(ir::Index group);

 private:
  bool is_view(ir::Index i) const { return roles_[i].role == Role::View; }
  std::int64_t count(ir::Index i) const { return ir::element_count(block_.type(i).shape); }
  void decide_stores();
  bool inside(ir::Index x) const { return groups_.of[x] == group_; }
  bool inlined(ir::Index x);
  bool single(ir::Index x) const { return count(x) == 1; }
  void visit_pointwise(ir::Index i);
  void flush();
  // The element-wise nodes inside this kernel that the targets need over the
  // same shape, ascending; scalars that they need first.
  std::vector<ir::Index> closure(std::span<const ir::Index> targets, std::vector<ir::Index>& scalars_needed, bool of_scalars);
  // A nest under construction, with what was loaded already.
  struct Emission {
    NestDraft draft;
    std::unordered_map<ir::Index, Parts> values;
    ir::Dims shape;  // of the points
  };
  void begin(Emission& e, const ir::Dims& shape);
  Parts load(Emission& e, ir::Index x);
  // Both parts of complex memory.
  Parts load_walk(Emission& e, const Walk& walk);
  Parts evaluate(Emission& e, ir::Index i);
  void store(NestDraft& draft, Parts value, const Walk& walk);
  // ---- indices (kernel_indices.cpp) ----
  Parts affine_index(Emission& e, const AffineIndex& index);
  ir::Dims numbered_by_memory(ir::Index x, ir::Dims axes) const;
  // What arrays of integers choose at a point.
  Parts gather(Emission& e, ir::Index i);
  // Bytes from the place that the other axes walk to: of an operand with these strides.
  ValueId index_offset(Emission& e, ir::Index i, const ir::Dims& strides);
  ValueId index_at(Emission& e, ir::Index x, std::size_t first);
  ValueId constant_number(Emission& e, std::int64_t value);
  static ir::Dims walked(const Indexing& indexing, const Layout& layout, std::size_t rank);
  // A nest for each array of integers, over its own elements.
  void check_indices(ir::Index i);
  Walk walk_of(ir::Index i) const;
  // Where the value belongs: its own memory, and its part of a join beside.
  void store_all(Emission& e, ir::Index t);
  void map(std::span<const ir::Index> targets, const ir::Dims& shape);
  // ---- updates (kernel_updates.cpp) ----
  // Writes in place, which end a kernel: with what computes their values in one nest, where no point of it reads what another
  // one writes.
  void updates(std::span<const ir::Index> list);
  bool update_directly(std::span<const ir::Index> list);
  Walk updated_place(ir::Index i, ir::Dims& shape) const;
  // Values of single elements: into registers, and stored where somebody else
  // needs them.
  void scalars(std::vector<ir::Index> targets);
  // Complex values have two neighbours.
  std::uint16_t new_registers(ir::DType dtype);
  void give_register(NestDraft& draft, ir::Index i, Parts v);
  void store_single(NestDraft& draft, ir::Index i, Parts v);
  // The operand's value over its own shape: computed where it is one of this
  // kernel's, else loaded.
  Parts operand_value(Emission& e, ir::Index x);
  void scalars_for(ir::Index x);
  void fold(ir::Index i);
  void scan(ir::Index i);
  // The operand's terms over its own shape; what is folded becomes the innermost dimensions.
  Parts terms(Emission& e, ir::Index i, ir::Dims& order);
  // A fold of complex numbers is one of each part; `parts` are the terms.
  void fold_terms(ir::Index i, const NestDraft& draft, Parts terms, std::int64_t n, Order order);
  // The terms in memory of their own, in the order in which they are folded.
  NestDraft with_copied_terms(const NestDraft& draft);
  void finish_fold(ir::Index i, std::span<NestDraft> parts, std::int64_t n);
  // The strides of a fold's result by the operand's kept axes: keepdims leaves
  // axes of extent 1 between them.
  ir::Dims kept_strides(ir::Index i);
  Parts after(Emission& e, ir::Index i, Parts v, std::int64_t n);
  void product(ir::Index i);
  // A factor of a product, walked as `shape`, is copied: dimensions `first` to `last` - 1 become the innermost ones.
  void make_dense(std::vector<Walk>& loads, std::size_t number, const ir::Dims& shape, std::size_t first, std::size_t last);
  // target = x over its own shape.
  void copy(ir::Index x, const Walk& target, const ir::Dims& shape, ir::DType dtype);
  void join(ir::Index i);
  void update(ir::Index i);
  void add(NestDraft draft);

  runtime::Runtime& runtime_;
  const ir::Block& block_;
  Roles& roles_;
  Memory& memory_;
  const Groups& groups_;
  std::vector<bool> stored_, emitted_;  // by node: needed in memory; there, or in a register, already
  std::vector<bool> only_written_;      // by node: an update is all that needs it in memory
  std::vector<int> register_;           // by node; -1: none
  ir::Index group_ = 0;
  KernelDraft draft_;
  std::vector<ir::Index> open_;  // nodes of one shape that the next nest will store
  std::vector<std::uint32_t> seen_;
  std::uint32_t stamp_ = 0;
};

}  // namespace autoray::codegen
