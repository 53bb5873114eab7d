// From the values of a call to what a kernel takes: parameters by numpy's signature, operands as arrays, attributes.
// A call whose arguments are all arrays in position allocates nothing here.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "ir/signature.h"
#include "runtime/kernel.h"
#include "runtime/objects.h"
#include "runtime/runtime.h"
#include "runtime/value.h"

namespace autoray::runtime {

// A row's signature with what binding needs at hand.
struct OpBinding {
  explicit OpBinding(const ir::Op& op);

  ir::Signature signature;
  std::vector<ir::Attr> default_attrs;  // of the attribute parameters, in order
  std::vector<int> attr_of;             // parameter -> attribute index, -1 for operands
  int operand_parameters = 0;
  int out = -1;                // the parameter `out` when the signature lists it
  bool only_operands = false;  // every parameter is a plain operand: the fast path applies
};

// Which parameter each argument fills; entries stay null where the default applies. Throws TypeError with Python's wording.
using Slots = ir::SmallVector<const Value*, 12>;
// Keywords that every ufunc takes besides its signature.
struct UfuncKeywords {
  const Value* out = nullptr;
  const Value* where = nullptr;
  const Value* dtype = nullptr;
  const Value* casting = nullptr;
  const Value* order = nullptr;

  bool any() const { return out || where || dtype || casting || order; }
};
struct VarArguments {
  std::vector<Value> positional;  // gathered for *args
  Ref<Dict> keywords;             // gathered for **kwargs; null without
};
void bind_arguments(const ir::Op& op, const OpBinding& binding, const Arguments& arguments, Slots& slots, UfuncKeywords& ufunc,
                    VarArguments& var);

// An optional operand is there to be read: neither None nor numpy's where=True, which masks nothing.
inline bool optional_given(const ir::Parameter& parameter, const Value* value) {
  if (!value || value->is_none()) return false;
  const bool* by_default = parameter.default_value.get<bool>();
  return !(by_default && value->is_bool() && value->as_bool() == *by_default);
}

// Operands of one call. Scalars become 0-d arrays over memory of this object; lists become arrays.
class OperandList {
 public:
  OperandList() = default;
  ~OperandList();
  OperandList(const OperandList&) = delete;

  void add(Runtime& runtime, const Value& value);
  // Ops whose results may be views need operands with storage of their own, which outlives the call.
  void own_items() { item_places_ = 0; }
  void add_array(Array array, ir::Kind kind = ir::Kind::Array);  // keeps it
  void add_borrowed(const Array* array, ir::Kind kind) { operands_.push_back({array, kind}); }
  void add_absent() { operands_.push_back({}); }
  void begin_group() { groups_.push_back(0); }
  void count() { ++groups_.back(); }

  std::span<const Operand> operands() const { return operands_; }
  std::span<const std::uint32_t> groups() const { return groups_; }
  // Operand i becomes this array, no longer weak.
  void replace(std::size_t i, Array array);
  Operand& operator[](std::size_t i) { return operands_[i]; }

 private:
  Array* new_array();

  static constexpr int kInline = 3;
  ir::SmallVector<Operand, 4> operands_;
  ir::SmallVector<std::uint32_t, 4> groups_;
  int inline_count_ = 0;
  int item_places_ = kInline;
  alignas(Array) unsigned char inline_arrays_[kInline][sizeof(Array)];
  alignas(16) char inline_items_[kInline][16];
  std::vector<std::unique_ptr<Array>> more_arrays_;
};

}  // namespace autoray::runtime
