// What writes one kernel as LLVM IR; its functions stand in the files that the sections name.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "codegen/emit/emit.h"
#include "runtime/reduction/order.h"

namespace autoray::codegen {

using ir::DType;
using llvm::Value;

inline constexpr int kLanes = runtime::kSumLanes;
inline constexpr std::int64_t kBlock = runtime::kSumBlock;
inline constexpr int kLast = 4;                // terms at a sum's end that may have been written just now
inline constexpr std::int64_t kBurst = 64;     // points of which each array's lines are read at once
inline constexpr std::int64_t kRow = 64;       // blocks that are folded one behind the other
inline constexpr std::int64_t kUnrolled = 24;  // vectors times accesses of a row that is written out
// Turns between two looks for a stop of a loop over vectors, and of one over rows: together some ten milliseconds.
inline constexpr std::int64_t kTurns = 4096, kRows = 64;

inline bool is_float(DType dtype) { return ir::is_real_floating(dtype); }

// One kernel at a time.
class Emitter {
 public:
  Emitter(const Kernel& kernel, llvm::Module& module, const std::string& function_name, const EmitOptions& options)
      : kernel_(kernel),
        module_(module),
        context_(module.getContext()),
        b_(context_),
        options_(options),
        name_(function_name) {}

  void run();

 private:
  // Where a vector of points lies: along `axis` from `index`, `width` of them; with a mask where fewer are left. `last`: they
  // end a few terms before the end of a single sum; `newest`: they are its very last, of which the last one takes up what the
  // turn before put down. In a vector that lane is the first one once more: whoever asks adds the newest term by itself.
  struct Place {
    std::size_t axis = 0;
    Value* index = nullptr;
    int width = 1;
    Value* mask = nullptr;
    bool last = false;
    bool newest = false;
  };
  struct Pointers {
    std::vector<Value*> loads, stores;  // at the current place of the outer dimensions
  };

  // ---- emit.cpp: nests ----
  void emit_nests();
  void emit_turns();
  void find_waiting();
  void emit_nest();
  void emit_row(const Pointers& pointers, std::size_t axis);
  void emit_points(const Pointers& pointers, std::size_t axis, Value* begin, Value* end, bool few = false);
  bool needs_whole_vectors() const;
  bool row_rest_alone(std::size_t axis) const;
  void finish_row(const Pointers& pointers, const Place& place, std::vector<Value*>& values);
  std::vector<Value*> load_all(const Pointers& pointers, const Place& place);
  void compute(std::vector<Value*>& values, const Pointers& pointers, const Place& place);
  void hoist(const Pointers& pointers, std::size_t axis);
  Pointers bases();
  Pointers moved(const Pointers& from, std::size_t axis, Value* index);
  void around(std::vector<std::size_t> axes, Pointers pointers, const std::function<void(const Pointers&)>& body);
  int vector_width() const;

  // ---- flow.cpp: loops, branches, and looks for a stop ----
  llvm::Function* make_function(llvm::FunctionType* type, const std::string& name, bool internal);
  void loop(Value* count, std::int64_t step, const std::function<void(Value*)>& body, Value* begin = nullptr);
  std::vector<Value*> fold_loop(Value* begin, Value* end, std::int64_t step, std::vector<Value*> carried,
                                const std::function<std::vector<Value*>(Value*, const std::vector<Value*>&)>& body);
  void poll();
  bool is_long(Value* turns, std::int64_t most) const;
  void long_loop(Value* count, std::int64_t step, std::int64_t turns, const std::function<void(Value*)>& body,
                 Value* begin = nullptr);
  std::vector<Value*> long_fold_loop(Value* begin, Value* end, std::int64_t step, std::vector<Value*> carried,
                                     const std::function<std::vector<Value*>(Value*, const std::vector<Value*>&)>& body);
  void branch(Value* condition, const std::function<void()>& yes, const std::function<void()>& no);
  Value* either(Value* condition, const std::function<Value*()>& yes, const std::function<Value*()>& no);
  void when(Value* condition, const std::function<void()>& body);
  std::vector<Value*> changed_when(Value* condition, const std::vector<Value*>& values,
                                   const std::function<std::vector<Value*>(std::vector<Value*>)>& change);

  // ---- accesses.cpp: what is loaded and stored ----
  Value* from_memory(Value* v, DType dtype, int width);
  bool has_gaps(std::size_t axis) const;
  Value* advanced(Value* pointer, Value* index, const Number& stride);
  Value* checked(Value* pointer, std::uint16_t buffer, std::int64_t bytes);
  Value* load(const Access& access, Value* pointer, const Place& place);
  Value* idle(Value* first, const Place& place, llvm::Type* type, llvm::Align align);
  Value* index(const Access& access, Value* at, const Place& place);
  Value* gather(const Access& access, Value* pointer, Value* offset, const Place& place);
  Value* lane_pointers(const Access& access, Value* pointer, Value* offset, const Place& place);
  Value* one_part(const Access& access, Value* first, const Place& place, llvm::Type* type, llvm::Align align);
  Value* both_parts(const Place& place);
  Value* item_by_item(const Access& access, Value* first, const Place& place, llvm::Type* type, llvm::Align align);
  Value* by_lanes(const Access& access, Value* first, const Place& place, llvm::Type* type, llvm::Align align);
  Value* lane_steps(const Access& access, const Place& place);
  Value* lane_pointers(const Access& access, Value* first, const Place& place);
  Value* lane_numbers(int width);
  Value* mask_of(Value* count, int width);
  Value* scalar_or_lanes(const std::vector<Value*>& values, ValueId v);
  void store(const Access& access, Value* pointer, const Place& place, Value* v, bool streams = false);
  void scatter(const Access& access, Value* pointer, Value* offset, const Place& place, Value* v);
  bool store_both(const Access& re, const Access& im, Value* pointer, const Place& place, Value* x, Value* y);
  void store_all(const Pointers& pointers, const Place& place, const std::vector<Value*>& values);
  Value* check(const Instr& instr, Value* index, Value* size, Value* told, int width);
  std::int64_t item(std::uint16_t buffer) const { return static_cast<std::int64_t>(ir::itemsize(kernel_.buffers[buffer])); }
  static bool fixed_along(const Access& access, std::size_t axis) {
    return axis >= access.strides.size() || access.strides[axis] == Number{true, 0};
  }
  bool dense_along(const Access& access, std::size_t axis) const {
    return axis < access.strides.size() && access.strides[axis] == Number{true, item(access.buffer)};
  }
  // Parts of complex numbers side by side.
  bool paired_along(const Access& access, std::size_t axis) const {
    return axis < access.strides.size() && access.strides[axis] == Number{true, 2 * item(access.buffer)};
  }

  // ---- primitives.cpp ----
  llvm::Type* scalar_type(DType dtype);
  llvm::Type* stored_type(DType dtype);
  Value* constant(DType dtype, std::int64_t bits);
  Value* apply(const Instr& instr, DType from, Value* x, Value* y, Value* z, int width, Value* w = nullptr);
  bool is_late_quotient(const Instr& instr) const;
  Value* late_quotient(const Instr& instr, const std::vector<Value*>& values);
  Value* product_with_low(ValueId x, const std::vector<Value*>& values, Value* low);
  Value* shift(Prim prim, DType from, Value* x, Value* n);
  Value* cast(Value* x, DType from, DType to, int width);
  Value* to_odd(Value* x);
  Value* float_to_integer(Value* x, DType to, llvm::Type* type);
  static llvm::Type* widened(llvm::Type* type, int width) {
    return width == 1 ? type : llvm::FixedVectorType::get(type, static_cast<unsigned>(width));
  }
  static int width_of(Value* v) {
    auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(v->getType());
    return vector ? static_cast<int>(vector->getNumElements()) : 1;
  }
  Value* splat(Value* scalar, int width) {
    return width == 1 ? scalar : b_.CreateVectorSplat(static_cast<unsigned>(width), scalar);
  }
  Value* number(const Number& n) {
    return n.constant ? b_.getInt64(static_cast<std::uint64_t>(n.value)) : arguments_[static_cast<std::size_t>(n.value)];
  }
  Value* to_bool(Value* v) { return b_.CreateICmpNE(v, llvm::Constant::getNullValue(v->getType())); }

  // ---- calls.cpp: of functions outside of the kernel ----
  void align_frame();
  Value* call_library(LibraryFunction function, DType dtype, Value* x, Value* y, int width);
  Value* call_function(int function, DType dtype, Value* x, Value* y, int width);
  void tell_division(Value* divisor);
  Value* complex_part(int which, DType dtype, const std::array<Value*, 4>& operands, int width);

  // ---- folds.cpp ----
  void emit_fold();
  void give(const Pointers& pointers, const Place& place, Value* result);
  Value* term(const Pointers& pointers, const Place& place);
  Value* combine(Value* x, Value* y);
  Value* identity(int width);
  void fold_alone(const Pointers& pointers);
  void scan(const Pointers& pointers, const Place& place);
  void fold_row(const Pointers& pointers);
  Value* fold_block(const Pointers& pointers);
  bool side_by_side(const std::vector<std::size_t>& outer) const;
  bool paired_anywhere(std::size_t axis) const;
  void fold_rows(const Pointers& pointers, std::size_t rows);
  void fold_four(const Pointers& pointers, std::size_t rows, Value* first);
  std::vector<Value*> halved_rows(const std::vector<Value*>& vectors);
  Value* joined(std::vector<Value*> values);

  // ---- pairwise.cpp: sums in the order of runtime/reduction/order.h ----
  Value* fold_blocks(const Pointers& pointers, Value* begin, Value* n,
                     const std::function<void(Value* begin, Value* count)>& prepare = nullptr);
  using AddTerms = std::function<std::vector<Value*>(Value* at, int width, std::vector<Value*>)>;
  llvm::Function* joined_blocks();
  Value* fold_tree(const Pointers& pointers, Value* n, int width, std::int64_t most,
                   const std::function<Value*(const Pointers&, Value*, Value*)>& block);
  Value* ordered_block(const Pointers& pointers, Value* begin, const Number& extent, Value* n, bool whole = false);
  bool written_out(const Number& extent, int width) const;
  Value* narrow_term(const Pointers& pointers, const Place& place);
  void add_rest(Value* begin, const Number& extent, Value* n, std::vector<Value*>& lanes,
                const std::function<std::vector<Value*>(std::vector<Value*>)>& halve, const AddTerms& add);
  Value* add_up_to_newest(const Pointers& pointers, Value* n, std::vector<Value*> lanes, const AddTerms& add);
  std::vector<Value*> halved(std::vector<Value*> lanes);
  Value* vectors_together(std::vector<Value*> vectors);
  Value* lanes_together(std::vector<Value*> lanes);

  // ---- streams.cpp: arrays that no cache holds ----
  bool is_streamed(const Store& store) const;
  void stream(Value* v, Value* pointer);
  void streamed(const Pointers& pointers, const std::function<void()>& body);
  void for_each_dense(const Pointers& pointers, Value* index, const std::function<void(Value* place, std::int64_t item)>& f);
  void prefetch(const Pointers& pointers, Value* index);
  void read_burst(const Pointers& pointers, Value* index);
  void emit_map_and_fold(const Nest& map, const Nest& fold);

  // ---- columns.cpp: folds with one result a lane ----
  std::int64_t tile_vectors() const { return options_.vector_bytes == 64 ? 4 : 2; }  // as many sums as registers hold
  bool tiled(const std::vector<std::size_t>& outer, std::size_t across) const;
  void fold_tiles(const Pointers& pointers, std::size_t rows, std::size_t across);
  void fold_tile(const Pointers& pointers, std::size_t rows, std::int64_t count, std::size_t across);
  void fold_columns(const Pointers& pointers, std::size_t across, const Number& extent, Value* n);
  void fold_column(const Pointers& pointers, const Place& place);
  Value* fold_tree_masked(const Pointers& shifted, const Place& place, Value* n);
  Value* column_block(const Pointers& pointers, const Place& place, Value* begin, Value* n);

  const Kernel& kernel_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::IRBuilder<> b_;
  const EmitOptions& options_;
  std::string name_;
  const Nest* nest_ = nullptr;
  DType fold_dtype_ = DType::Float64;
  llvm::Function* function_ = nullptr;
  Value* kernel_context_ = nullptr;
  std::vector<Value*> buffers_, arguments_, registers_;
  // The newest call that gave both parts of a complex number.
  struct {
    int function = -1;
    std::array<Value*, 4> operands{};
    Value* imaginary = nullptr;
  } pair_;
  std::vector<std::vector<bool>> waiting_;  // of a kernel of turns, by nest and instruction: what waits for the turn before
  std::vector<Value*> uniform_;             // by instruction: the one value of a row; null where it varies
  bool streams_ = false;                    // the nest's large results pass the caches by
  bool streamed_any_ = false;
  std::vector<Value*> copies_;  // by store of a nest whose block is folded: where its values go as well; null: nowhere
};

}  // namespace autoray::codegen
