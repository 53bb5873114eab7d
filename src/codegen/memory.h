// Where every value of a block lies. What a node makes has a root; views share
// their operand's, updates take over their base's where nobody needs the old
// version, and the operands of stack and concatenate are made inside the
// result. Intermediates are then packed into one arena by their life.
#pragma once

#include <map>

#include "codegen/layout.h"
#include "codegen/roles.h"

namespace autoray::codegen {

using RootId = std::uint32_t;
inline constexpr RootId kNoRoot = 0xffffffffu;

// Memory that a node makes.
struct Root {
  std::int64_t bytes = 0;
  Home home = Home::Arena;
  std::uint32_t number = 0;
  std::int64_t offset = 0;
  std::int64_t before = 0;                   // of an argument: the bytes before its first element (checking mode)
  ir::Index first = ir::kNoIndex, last = 0;  // groups that use it
};

// Where a node's elements are: in a root's memory.
struct Where {
  RootId root = kNoRoot;
  Layout layout;
};

class Memory {
 public:
  // Movements that turn out to copy become calls among the roles. Outputs and
  // dynamic arrays are counted in the program.
  Memory(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments, Roles& roles,
         Program& program);

  RootId new_root(std::int64_t bytes, Home home = Home::Arena, std::uint32_t number = 0);
  // A number of the program's own.
  RootId constant(ir::DType dtype, double value);
  // The group uses the root's memory.
  void touch(RootId root, ir::Index group);
  // Gives offsets in the arena, when every use is known.
  void pack(ir::Index groups);
  Place place(RootId root, std::int64_t offset) const;

  // Where operand k of a join lies in its result, and whether it is made there.
  Where part_of_join(ir::Index join, std::size_t operand) const;
  // Of an operand that is made there.
  Where part_of_join(ir::Index operand) const;
  bool made_in_join(ir::Index join, std::size_t operand) const;
  RootId first_dynamic_root(ir::Index call) const { return first_dynamic_root_.at(call); }

  std::vector<Root> roots;
  std::vector<Where> where;          // by node
  std::vector<ir::Index> root_node;  // by node: the node that makes the memory in which it lies
  std::vector<bool> in_place;        // by node: an update that writes into its first operand
  std::vector<bool> joined;          // by node: it is made inside the result of a join
  // By node, of those: it has dense memory of its own too, because others read it, and stands in the join at wide strides.
  std::vector<bool> beside;

 private:
  void first_layouts();
  void last_uses();
  void placements();
  void make_roots();
  void make_root(ir::Index i, bool result);
  Layout made_layout(ir::Index i) const;

  runtime::Runtime& runtime_;
  const ir::Block& block_;
  std::span<const ArgumentInfo> arguments_;
  Roles& roles_;
  Program& program_;
  std::vector<bool> result_, has_views_, read_twice_;
  std::vector<ir::Index> last_use_;
  std::unordered_map<ir::Index, std::pair<ir::Index, std::size_t>> placed_;  // operand -> its join and number
  std::unordered_map<ir::Index, RootId> first_dynamic_root_;
  std::map<std::pair<ir::DType, double>, RootId> constants_;
};

// Dense with the first axis fastest, and not dense in C's order.
bool fortran_order(const Layout& layout, ir::DType dtype);

}  // namespace autoray::codegen
