#include "codegen/emit.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include <array>
#include <cstddef>
#include <functional>
#include <numeric>

#include "codegen/context.h"

namespace autoray::codegen {

using ir::DType;
using llvm::Value;

namespace {

constexpr int kLanes = 16;              // of the pairwise order (runtime/reduction/order.h)
constexpr std::int64_t kBlock = 256;    // and its block
constexpr std::int64_t kRow = 64;       // blocks that are folded one behind the other
constexpr std::int64_t kUnrolled = 24;  // vectors times accesses of a row that is written out

bool is_float(DType dtype) { return ir::is_real_floating(dtype); }

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

  void run() {
    auto* pointer = b_.getPtrTy();
    auto* type = llvm::FunctionType::get(b_.getInt32Ty(), {pointer, pointer, pointer}, false);
    function_ = make_function(type, name_, false);
    kernel_context_ = function_->getArg(0);
    b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", function_));
    for (std::size_t i = 0; i < kernel_.buffers.size(); ++i)
      buffers_.push_back(b_.CreateLoad(pointer, b_.CreateConstGEP1_64(pointer, function_->getArg(1), i)));
    for (std::size_t i = 0; i < kernel_.arguments; ++i)
      arguments_.push_back(b_.CreateLoad(b_.getInt64Ty(), b_.CreateConstGEP1_64(b_.getInt64Ty(), function_->getArg(2), i)));
    registers_.resize(kernel_.registers.size());
    for (const Nest& nest : kernel_.nests) {
      nest_ = &nest;
      emit_nest();
    }
    b_.CreateRet(b_.getInt32(0));
  }

 private:
  // ---- small helpers ----

  llvm::Function* make_function(llvm::FunctionType* type, const std::string& name, bool internal) {
    auto* f = llvm::Function::Create(type, internal ? llvm::GlobalValue::InternalLinkage : llvm::GlobalValue::ExternalLinkage,
                                     name, module_);
    f->addFnAttr(llvm::Attribute::NoUnwind);
    f->addFnAttr("min-legal-vector-width", "512");
    f->addFnAttr("prefer-vector-width", "512");
    return f;
  }
  llvm::Type* scalar_type(DType dtype) {
    switch (dtype) {
      case DType::Bool: return b_.getInt1Ty();
      case DType::Float16: return b_.getHalfTy();
      case DType::Float32: return b_.getFloatTy();
      case DType::Float64: return b_.getDoubleTy();
      default: return b_.getIntNTy(8 * static_cast<unsigned>(ir::itemsize(dtype)));
    }
  }
  // As it lies in memory: a bool is a byte, a half its bits.
  llvm::Type* stored_type(DType dtype) {
    return dtype == DType::Bool ? b_.getInt8Ty() : dtype == DType::Float16 ? b_.getInt16Ty() : scalar_type(dtype);
  }
  Value* from_memory(Value* v, DType dtype, int width) {
    if (dtype == DType::Float16) return b_.CreateBitCast(v, widened(b_.getHalfTy(), width));
    return dtype == DType::Bool ? to_bool(v) : v;
  }
  static llvm::Type* widened(llvm::Type* type, int width) {
    return width == 1 ? type : llvm::FixedVectorType::get(type, static_cast<unsigned>(width));
  }
  Value* splat(Value* scalar, int width) {
    return width == 1 ? scalar : b_.CreateVectorSplat(static_cast<unsigned>(width), scalar);
  }
  Value* number(const Number& n) {
    return n.constant ? b_.getInt64(static_cast<std::uint64_t>(n.value)) : arguments_[static_cast<std::size_t>(n.value)];
  }
  Value* constant(DType dtype, std::int64_t bits) {
    if (is_float(dtype)) {
      double real;
      __builtin_memcpy(&real, &bits, sizeof real);
      return llvm::ConstantFP::get(scalar_type(dtype), real);
    }
    return llvm::ConstantInt::get(scalar_type(dtype), static_cast<std::uint64_t>(bits), true);
  }
  Value* lane_numbers(int width) {
    std::vector<llvm::Constant*> lanes;
    for (int i = 0; i < width; ++i) lanes.push_back(b_.getInt64(static_cast<std::uint64_t>(i)));
    return llvm::ConstantVector::get(lanes);
  }
  // for (i = 0; i < count; i += step) body(i). Nothing where a constant count is no step.
  void loop(Value* count, std::int64_t step, const std::function<void(Value*)>& body, Value* begin = nullptr) {
    auto* before = b_.GetInsertBlock();
    auto* f = before->getParent();
    auto* head = llvm::BasicBlock::Create(context_, "loop", f);
    auto* inside = llvm::BasicBlock::Create(context_, "body", f);
    auto* after = llvm::BasicBlock::Create(context_, "after", f);
    b_.CreateBr(head);
    b_.SetInsertPoint(head);
    auto* i = b_.CreatePHI(b_.getInt64Ty(), 2);
    i->addIncoming(begin ? begin : b_.getInt64(0), before);
    b_.CreateCondBr(b_.CreateICmpSLT(i, count), inside, after);
    b_.SetInsertPoint(inside);
    body(i);
    i->addIncoming(b_.CreateAdd(i, b_.getInt64(static_cast<std::uint64_t>(step)), "", true, true), b_.GetInsertBlock());
    b_.CreateBr(head);
    b_.SetInsertPoint(after);
  }
  // The same, carrying values from turn to turn.
  std::vector<Value*> fold_loop(Value* begin, Value* end, std::int64_t step, std::vector<Value*> carried,
                                const std::function<std::vector<Value*>(Value*, const std::vector<Value*>&)>& body) {
    auto* before = b_.GetInsertBlock();
    auto* f = before->getParent();
    auto* head = llvm::BasicBlock::Create(context_, "loop", f);
    auto* inside = llvm::BasicBlock::Create(context_, "body", f);
    auto* after = llvm::BasicBlock::Create(context_, "after", f);
    b_.CreateBr(head);
    b_.SetInsertPoint(head);
    auto* i = b_.CreatePHI(b_.getInt64Ty(), 2);
    i->addIncoming(begin, before);
    std::vector<llvm::PHINode*> phis;
    std::vector<Value*> now;
    for (Value* v : carried) {
      phis.push_back(b_.CreatePHI(v->getType(), 2));
      phis.back()->addIncoming(v, before);
      now.push_back(phis.back());
    }
    b_.CreateCondBr(b_.CreateICmpSLE(b_.CreateAdd(i, b_.getInt64(static_cast<std::uint64_t>(step))), end), inside, after);
    b_.SetInsertPoint(inside);
    std::vector<Value*> next = body(i, now);
    i->addIncoming(b_.CreateAdd(i, b_.getInt64(static_cast<std::uint64_t>(step))), b_.GetInsertBlock());
    for (std::size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(next[k], b_.GetInsertBlock());
    b_.CreateBr(head);
    b_.SetInsertPoint(after);
    now.insert(now.begin(), i);
    return now;
  }

  // ---- loops that may be long ----

  // Ends the kernel, or the function of it that is being written, where somebody asked the run to stop.
  void poll() {
    if (!options_.polls) return;
    auto field = [&](std::size_t offset) { return b_.CreateConstGEP1_64(b_.getInt8Ty(), kernel_context_, offset); };
    auto* asked = b_.CreateAlignedLoad(b_.getInt32Ty(), b_.CreateLoad(b_.getPtrTy(), field(offsetof(Context, stop))),
                                       llvm::Align(alignof(std::atomic<int>)));
    asked->setAtomic(llvm::AtomicOrdering::Monotonic);
    when(b_.CreateIsNotNull(asked), [&] {
      auto* f = b_.GetInsertBlock()->getParent();
      b_.CreateStore(b_.getInt8(1), field(offsetof(Context, stopped)));
      b_.CreateRet(llvm::Constant::getNullValue(f->getReturnType()));
      b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "never", f));
    });
  }
  // Turns between two looks of a loop over vectors, and of one over rows: together some ten milliseconds.
  static constexpr std::int64_t kTurns = 4096, kRows = 64;
  bool is_long(Value* turns, std::int64_t most) const {
    auto* constant = llvm::dyn_cast<llvm::ConstantInt>(turns);
    return options_.polls && !(constant && constant->getSExtValue() <= most);
  }
  // As loop, in pieces of so many turns.
  void long_loop(Value* count, std::int64_t step, std::int64_t turns, const std::function<void(Value*)>& body,
                 Value* begin = nullptr) {
    if (!is_long(count, turns * step)) return loop(count, step, body, begin);
    loop(
        count, turns * step,
        [&](Value* from) {
          Value* next = b_.CreateAdd(from, b_.getInt64(static_cast<std::uint64_t>(turns * step)));
          Value* more = b_.CreateICmpSLT(next, count);
          loop(b_.CreateSelect(more, next, count), step, body, from);
          when(more, [&] { poll(); });
        },
        begin);
  }
  // As fold_loop.
  std::vector<Value*> long_fold_loop(Value* begin, Value* end, std::int64_t step, std::vector<Value*> carried,
                                     const std::function<std::vector<Value*>(Value*, const std::vector<Value*>&)>& body) {
    if (is_long(end, kTurns * step)) {
      carried = fold_loop(begin, end, kTurns * step, std::move(carried), [&](Value* from, const std::vector<Value*>& now) {
        Value* next = b_.CreateAdd(from, b_.getInt64(static_cast<std::uint64_t>(kTurns * step)));
        std::vector<Value*> values = fold_loop(from, next, step, now, body);
        values.erase(values.begin());
        poll();
        return values;
      });
      begin = carried.front();
      carried.erase(carried.begin());
    }
    return fold_loop(begin, end, step, std::move(carried), body);
  }

  // ---- one point, or one vector of points, of the nest ----

  // Where a vector of points lies: along `axis` from `index`, `width` of them; with a mask where fewer are left.
  struct Place {
    std::size_t axis = 0;
    Value* index = nullptr;
    int width = 1;
    Value* mask = nullptr;
  };
  struct Pointers {
    std::vector<Value*> loads, stores;  // at the current place of the outer dimensions
  };

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

  // Whether a vector of points is taken up or put down item by item.
  bool has_gaps(std::size_t axis) const {
    auto gaps = [&](const Access& access) {
      return access.buffer != kNoBuffer && !fixed_along(access, axis) && !dense_along(access, axis) &&
             !paired_along(access, axis);
    };
    return std::ranges::any_of(nest_->loads, gaps) ||
           std::ranges::any_of(nest_->stores, [&](const Store& s) { return gaps(s.to); });
  }

  // A pointer; of an Index, its value at that place.
  Value* advanced(Value* pointer, Value* index, const Number& stride) {
    if (stride == Number{true, 0}) return pointer;
    Value* step = b_.CreateMul(index, number(stride));
    return pointer->getType()->isIntegerTy() ? b_.CreateAdd(pointer, step) : b_.CreatePtrAdd(pointer, step);
  }
  Value* to_bool(Value* v) { return b_.CreateICmpNE(v, llvm::Constant::getNullValue(v->getType())); }

  // In the checking mode: the pointer, or a place of no harm after telling the context.
  Value* checked(Value* pointer, std::uint16_t buffer, std::int64_t bytes) {
    if (!options_.check_bounds) return pointer;
    auto callee = module_.getOrInsertFunction("autoray_check_access", b_.getPtrTy(), b_.getPtrTy(), b_.getInt64Ty(),
                                              b_.getPtrTy(), b_.getInt64Ty());
    return b_.CreateCall(callee,
                         {kernel_context_, b_.getInt64(buffer), pointer, b_.getInt64(static_cast<std::uint64_t>(bytes))});
  }

  Value* load(const Access& access, Value* pointer, const Place& place) {
    DType dtype = kernel_.buffers[access.buffer];
    auto* type = stored_type(dtype);
    llvm::Align align(ir::itemsize(dtype));
    Value* v;
    if (fixed_along(access, place.axis)) {
      v = b_.CreateAlignedLoad(type, checked(pointer, access.buffer, item(access.buffer)), align);
      return splat(from_memory(v, dtype, 1), place.width);
    }
    Value* first = advanced(pointer, place.index, access.strides[place.axis]);
    if (place.width == 1 || options_.check_bounds) {
      first = checked(first, access.buffer, item(access.buffer));
    }
    if (place.width == 1) {
      v = b_.CreateAlignedLoad(type, first, align);
    } else if (dense_along(access, place.axis) && !options_.check_bounds) {
      auto* vector = widened(type, place.width);
      if (place.mask) {
        v = b_.CreateMaskedLoad(vector, first, align, place.mask, idle(first, place, type, align));
      } else {
        v = b_.CreateAlignedLoad(vector, first, align);
      }
    } else if (paired_along(access, place.axis) && !options_.check_bounds) {
      v = one_part(access, first, place, type, align);
    } else {
      v = by_lanes(access, first, place, type, align);
    }
    return from_memory(v, dtype, place.width);
  }
  // What lanes beyond the mask compute with causes no floating-point event that the others do not: the first one's value.
  Value* idle(Value* first, const Place& place, llvm::Type* type, llvm::Align align) {
    if (zeros_idle_) return llvm::Constant::getNullValue(widened(type, place.width));
    return splat(b_.CreateAlignedLoad(type, first, align), place.width);
  }
  // Zeros cause none where they are only added and multiplied among themselves.
  bool zeros_are_harmless(std::size_t axis) const {
    return !options_.check_bounds && std::ranges::all_of(nest_->body, [&](const Instr& instr) {
      switch (instr.prim) {
        case Prim::Load: return !fixed_along(nest_->loads[static_cast<std::size_t>(instr.immediate)], axis);
        case Prim::Add:
        case Prim::Subtract:
        case Prim::Multiply:
        case Prim::Negative:
        case Prim::Fabs: return true;
        default: return false;
      }
    });
  }
  Value* index(const Access& access, Value* at, const Place& place) {
    if (fixed_along(access, place.axis)) return splat(at, place.width);
    Value* first = advanced(at, place.index, access.strides[place.axis]);
    return place.width == 1 ? first : b_.CreateAdd(splat(first, place.width), lane_steps(access, place));
  }
  // A load from behind the access: offsets differ from lane to lane, or are one number.
  Value* gather(const Access& access, Value* pointer, Value* offset, const Place& place) {
    if (!offset->getType()->isVectorTy()) return load(access, b_.CreatePtrAdd(pointer, offset), place);
    DType dtype = kernel_.buffers[access.buffer];
    auto* type = stored_type(dtype);
    llvm::Align align(ir::itemsize(dtype));
    Value* from = lane_pointers(access, pointer, offset, place);
    Value *first = b_.CreateExtractElement(from, std::uint64_t{0}), *v;
    if (options_.check_bounds) {
      v = splat(b_.CreateAlignedLoad(type, checked(first, access.buffer, item(access.buffer)), align), place.width);
      for (int k = 1; k < place.width; ++k) {
        Value* p = b_.CreateExtractElement(from, k);
        if (place.mask) p = b_.CreateSelect(b_.CreateExtractElement(place.mask, k), p, first);
        v = b_.CreateInsertElement(v, b_.CreateAlignedLoad(type, checked(p, access.buffer, item(access.buffer)), align), k);
      }
    } else {
      auto* vector = widened(type, place.width);
      Value* mask = place.mask ? place.mask : splat(b_.getTrue(), place.width);
      Value* others = place.mask ? splat(b_.CreateAlignedLoad(type, first, align), place.width)
                                 : static_cast<Value*>(llvm::PoisonValue::get(vector));
      v = b_.CreateMaskedGather(vector, from, align, mask, others);
    }
    return from_memory(v, dtype, place.width);
  }
  // Lanes are written in their order: the last of equal places stays.
  void scatter(const Access& access, Value* pointer, Value* offset, const Place& place, Value* v) {
    if (!offset->getType()->isVectorTy()) return store(access, b_.CreatePtrAdd(pointer, offset), place, v);
    DType dtype = kernel_.buffers[access.buffer];
    if (dtype == DType::Bool) v = b_.CreateZExt(v, widened(b_.getInt8Ty(), place.width));
    if (dtype == DType::Float16) v = b_.CreateBitCast(v, widened(b_.getInt16Ty(), place.width));
    llvm::Align align(ir::itemsize(dtype));
    Value* to = lane_pointers(access, pointer, offset, place);
    if (place.mask && !options_.check_bounds) {
      b_.CreateMaskedScatter(v, to, align, place.mask);
      return;
    }
    for (int k = 0; k < place.width; ++k) {
      auto one = [&] {
        Value* p = checked(b_.CreateExtractElement(to, k), access.buffer, item(access.buffer));
        b_.CreateAlignedStore(b_.CreateExtractElement(v, k), p, align);
      };
      if (place.mask)
        when(b_.CreateExtractElement(place.mask, k), one);
      else
        one();
    }
  }
  Value* lane_pointers(const Access& access, Value* pointer, Value* offset, const Place& place) {
    if (!fixed_along(access, place.axis)) {
      pointer = advanced(pointer, place.index, access.strides[place.axis]);
      offset = b_.CreateAdd(offset, lane_steps(access, place));
    }
    return b_.CreateGEP(b_.getInt8Ty(), pointer, offset);
  }
  // The kernel ends with 1 + the check's number where an index is below -size, or size and more.
  Value* check(const Instr& instr, Value* index, Value* size, Value* told, int width) {
    Value* bad = b_.CreateICmpUGE(b_.CreateAdd(index, size), b_.CreateShl(size, 1));
    when(width == 1 ? bad : b_.CreateOrReduce(bad), [&] {
      Value* found = told;
      if (width > 1) {
        auto* bits = b_.getIntNTy(static_cast<unsigned>(width));
        found = b_.CreateExtractElement(
            told, b_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, b_.CreateBitCast(bad, bits), b_.getFalse()));
      }
      // An object has no context.
      when(b_.CreateIsNotNull(kernel_context_), [&] {
        b_.CreateStore(found, b_.CreateConstGEP1_64(b_.getInt8Ty(), kernel_context_, offsetof(Context, failed_index)));
      });
      b_.CreateRet(b_.getInt32(static_cast<std::uint32_t>(1 + instr.immediate)));
      b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "never", b_.GetInsertBlock()->getParent()));
    });
    return index;
  }
  // Both parts are loaded, and the other one left: its own load finds them loaded.
  Value* one_part(const Access& access, Value* first, const Place& place, llvm::Type* type, llvm::Align align) {
    Value* begin = b_.CreateConstGEP1_64(type, first, -std::int64_t{access.part});
    auto* vector = widened(type, 2 * place.width);
    std::vector<int> lanes;
    for (int k = 0; k < place.width; ++k) lanes.push_back(2 * k + access.part);
    if (!place.mask) return b_.CreateShuffleVector(b_.CreateAlignedLoad(vector, begin, align), lanes);
    Value* both = b_.CreateMaskedLoad(vector, begin, align, both_parts(place), llvm::Constant::getNullValue(vector));
    Value* part = b_.CreateShuffleVector(both, lanes);
    return zeros_idle_ ? part : b_.CreateSelect(place.mask, part, idle(first, place, type, align));
  }
  Value* both_parts(const Place& place) {
    std::vector<int> twice;
    for (int k = 0; k < 2 * place.width; ++k) twice.push_back(k / 2);
    return b_.CreateShuffleVector(place.mask, twice);
  }
  // Stores of both parts side by side become one.
  bool store_both(const Access& re, const Access& im, Value* pointer, const Place& place, Value* x, Value* y) {
    bool together = re.buffer == im.buffer && re.part == 0 && im.part == 1 && place.width > 1 && !options_.check_bounds &&
                    paired_along(re, place.axis) && re.strides == im.strides;
    if (!together) return false;
    llvm::Align align(ir::itemsize(kernel_.buffers[re.buffer]));
    Value* first = advanced(pointer, place.index, re.strides[place.axis]);
    std::vector<int> lanes;
    for (int k = 0; k < place.width; ++k) {
      lanes.push_back(k);
      lanes.push_back(k + place.width);
    }
    Value* both = b_.CreateShuffleVector(x, y, lanes);
    if (place.mask)
      b_.CreateMaskedStore(both, first, align, both_parts(place));
    else
      b_.CreateAlignedStore(both, first, align);
    return true;
  }
  void store_all(const Pointers& pointers, const Place& place, const std::vector<Value*>& values) {
    auto& stores = nest_->stores;
    for (std::size_t i = 0; i < stores.size(); ++i) {
      if (stores[i].offset != kNoValue) {
        scatter(stores[i].to, pointers.stores[i], scalar_or_lanes(values, stores[i].offset), place, values[stores[i].value]);
        continue;
      }
      if (i + 1 < stores.size() && stores[i + 1].offset == kNoValue &&
          store_both(stores[i].to, stores[i + 1].to, pointers.stores[i], place, values[stores[i].value],
                     values[stores[i + 1].value])) {
        ++i;
        continue;
      }
      store(stores[i].to, pointers.stores[i], place, values[stores[i].value]);
    }
  }
  // What an access adds from lane to lane.
  Value* lane_steps(const Access& access, const Place& place) {
    return b_.CreateMul(lane_numbers(place.width), splat(number(access.strides[place.axis]), place.width));
  }
  Value* lane_pointers(const Access& access, Value* first, const Place& place) {
    return b_.CreateGEP(b_.getInt8Ty(), first, lane_steps(access, place));
  }
  // The one number of a row where the value is one.
  Value* scalar_or_lanes(const std::vector<Value*>& values, ValueId v) {
    return !uniform_.empty() && uniform_[v] ? uniform_[v] : values[v];
  }
  Value* by_lanes(const Access& access, Value* first, const Place& place, llvm::Type* type, llvm::Align align) {
    auto* vector = widened(type, place.width);
    if (place.mask && !options_.check_bounds)
      return b_.CreateMaskedGather(vector, lane_pointers(access, first, place), align, place.mask,
                                   idle(first, place, type, align));
    // One by one where all are there: a gather is no faster anywhere, and a scatter takes AMD's processors ten times as long.
    Value* v = splat(b_.CreateAlignedLoad(type, first, align), place.width);
    for (int k = 1; k < place.width; ++k) {
      Value* offset = b_.CreateMul(b_.getInt64(static_cast<std::uint64_t>(k)), number(access.strides[place.axis]));
      if (place.mask) offset = b_.CreateSelect(b_.CreateExtractElement(place.mask, k), offset, b_.getInt64(0));
      Value* p = checked(b_.CreatePtrAdd(first, offset), access.buffer, item(access.buffer));
      v = b_.CreateInsertElement(v, b_.CreateAlignedLoad(type, p, align), k);
    }
    return v;
  }
  void store(const Access& access, Value* pointer, const Place& place, Value* v) {
    DType dtype = kernel_.buffers[access.buffer];
    if (dtype == DType::Bool) v = b_.CreateZExt(v, widened(b_.getInt8Ty(), place.width));
    if (dtype == DType::Float16) v = b_.CreateBitCast(v, widened(b_.getInt16Ty(), place.width));
    llvm::Align align(ir::itemsize(dtype));
    Value* first = place.axis < access.strides.size() ? advanced(pointer, place.index, access.strides[place.axis]) : pointer;
    if (place.width == 1) {
      b_.CreateAlignedStore(v, checked(first, access.buffer, item(access.buffer)), align);
    } else if (options_.check_bounds || (!place.mask && !dense_along(access, place.axis))) {
      for (int k = 0; k < place.width; ++k) {
        Value* offset = b_.CreateMul(b_.getInt64(static_cast<std::uint64_t>(k)), number(access.strides[place.axis]));
        Value* lane = b_.CreateExtractElement(v, k);
        if (place.mask) {
          Value* live = b_.CreateExtractElement(place.mask, k);
          offset = b_.CreateSelect(live, offset, b_.getInt64(0));
          lane = b_.CreateSelect(live, lane, b_.CreateExtractElement(v, std::uint64_t{0}));
        }
        b_.CreateAlignedStore(lane, checked(b_.CreatePtrAdd(first, offset), access.buffer, item(access.buffer)), align);
      }
    } else if (dense_along(access, place.axis)) {
      if (place.mask)
        b_.CreateMaskedStore(v, first, align, place.mask);
      else
        b_.CreateAlignedStore(v, first, align);
    } else {
      b_.CreateMaskedScatter(v, lane_pointers(access, first, place), align, place.mask);
    }
  }

  // Values of the body's loads alone: they come before every store of a row that is written out.
  std::vector<Value*> load_all(const Pointers& pointers, const Place& place) {
    std::vector<Value*> values(nest_->body.size(), nullptr);
    for (std::size_t i = 0; i < nest_->body.size(); ++i)
      if (!uniform_.empty() && uniform_[i]) {
        values[i] = splat(uniform_[i], place.width);
      } else if (nest_->body[i].prim == Prim::Load) {
        auto number = static_cast<std::size_t>(nest_->body[i].immediate);
        values[i] = load(nest_->loads[number], pointers.loads[number], place);
      }
    return values;
  }
  void compute(std::vector<Value*>& values, const Pointers& pointers, const Place& place) {
    int width = place.width;
    pair_ = {};
    for (std::size_t i = 0; i < nest_->body.size(); ++i) {
      const Instr& instr = nest_->body[i];
      if (values[i]) continue;
      if (instr.prim == Prim::Index || instr.prim == Prim::Gather) {
        auto number = static_cast<std::size_t>(instr.immediate);
        const Access& access = nest_->loads[number];
        values[i] = instr.prim == Prim::Index ? index(access, pointers.loads[number], place)
                                              : gather(access, pointers.loads[number], scalar_or_lanes(values, instr.a), place);
        continue;
      }
      if (instr.prim == Prim::Register) {
        values[i] = splat(registers_[static_cast<std::size_t>(instr.immediate)], width);
      } else if (instr.prim == Prim::Constant) {
        values[i] = splat(constant(instr.dtype, instr.immediate), width);
      } else {
        DType from = nest_->body[instr.a].dtype;
        values[i] =
            apply(instr, from, values[instr.a], instr.b == kNoValue ? nullptr : values[instr.b],
                  instr.c == kNoValue ? nullptr : values[instr.c], width, instr.d == kNoValue ? nullptr : values[instr.d]);
      }
    }
  }

  // What is the same along the row is computed once before it.
  void hoist(const Pointers& pointers, std::size_t axis) {
    uniform_.assign(nest_->body.size(), nullptr);
    pair_ = {};
    for (std::size_t i = 0; i < nest_->body.size(); ++i) {
      const Instr& instr = nest_->body[i];
      auto at = [&](ValueId v) { return v == kNoValue ? nullptr : uniform_[v]; };
      if (instr.prim == Prim::Load) {
        auto number = static_cast<std::size_t>(instr.immediate);
        if (fixed_along(nest_->loads[number], axis))
          uniform_[i] = load(nest_->loads[number], pointers.loads[number], {axis, nullptr, 1, nullptr});
      } else if (instr.prim == Prim::Index || instr.prim == Prim::Gather) {
        auto number = static_cast<std::size_t>(instr.immediate);
        if (!fixed_along(nest_->loads[number], axis)) continue;
        Place point{axis, nullptr, 1, nullptr};
        if (instr.prim == Prim::Index)
          uniform_[i] = pointers.loads[number];
        else if (Value* offset = at(instr.a))
          uniform_[i] = gather(nest_->loads[number], pointers.loads[number], offset, point);
      } else if (instr.prim == Prim::Register) {
        uniform_[i] = registers_[static_cast<std::size_t>(instr.immediate)];
      } else if (instr.prim == Prim::Constant) {
        uniform_[i] = constant(instr.dtype, instr.immediate);
      } else {
        bool all = at(instr.a);
        for (ValueId other : {instr.b, instr.c, instr.d}) all = all && (other == kNoValue || at(other));
        if (all) uniform_[i] = apply(instr, nest_->body[instr.a].dtype, at(instr.a), at(instr.b), at(instr.c), 1, at(instr.d));
      }
    }
  }

  // ---- primitives ----

  Value* apply(const Instr& instr, DType from, Value* x, Value* y, Value* z, int width, Value* w = nullptr) {
    bool real = is_float(from), is_signed = ir::is_signed_integer(from);
    switch (instr.prim) {
      case Prim::Cast: return cast(x, from, instr.dtype, width);
      case Prim::Add: return real ? b_.CreateFAdd(x, y) : b_.CreateAdd(x, y);
      case Prim::Subtract: return real ? b_.CreateFSub(x, y) : b_.CreateSub(x, y);
      case Prim::Multiply: return real ? b_.CreateFMul(x, y) : b_.CreateMul(x, y);
      case Prim::Divide: return real ? b_.CreateFDiv(x, y) : is_signed ? b_.CreateSDiv(x, y) : b_.CreateUDiv(x, y);
      case Prim::Negative: return real ? b_.CreateFNeg(x) : b_.CreateNeg(x);
      case Prim::Sqrt: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x);
      case Prim::Fabs: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
      case Prim::Copysign: return b_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, x, y);
      case Prim::Floor: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::floor, x);
      case Prim::Ceil: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::ceil, x);
      case Prim::Trunc: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, x);
      case Prim::Rint: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::nearbyint, x);
      case Prim::Maximum:
      case Prim::Minimum: {
        bool max = instr.prim == Prim::Maximum;
        if (from == DType::Bool) return max ? b_.CreateOr(x, y) : b_.CreateAnd(x, y);
        // Of floats: unordered only where a or b is NaN; a itself when it is.
        if (real) {
          Value* first = max ? b_.CreateFCmpOGE(x, y) : b_.CreateFCmpOLE(x, y);
          return b_.CreateSelect(b_.CreateOr(first, b_.CreateFCmpUNO(x, x)), x, y);
        }
        Value* first = is_signed ? (max ? b_.CreateICmpSGE(x, y) : b_.CreateICmpSLE(x, y))
                                 : (max ? b_.CreateICmpUGE(x, y) : b_.CreateICmpULE(x, y));
        return b_.CreateSelect(first, x, y);
      }
      case Prim::Equal: return real ? b_.CreateFCmpOEQ(x, y) : b_.CreateICmpEQ(x, y);
      case Prim::NotEqual: return real ? b_.CreateFCmpUNE(x, y) : b_.CreateICmpNE(x, y);
      case Prim::Less: return real ? b_.CreateFCmpOLT(x, y) : is_signed ? b_.CreateICmpSLT(x, y) : b_.CreateICmpULT(x, y);
      case Prim::LessEqual: return real ? b_.CreateFCmpOLE(x, y) : is_signed ? b_.CreateICmpSLE(x, y) : b_.CreateICmpULE(x, y);
      case Prim::And: return b_.CreateAnd(x, y);
      case Prim::Or: return b_.CreateOr(x, y);
      case Prim::Xor: return b_.CreateXor(x, y);
      case Prim::Not: return b_.CreateNot(x);
      case Prim::ShiftLeft:
      case Prim::ShiftRight: return shift(instr.prim, from, x, y);
      case Prim::Select: return b_.CreateSelect(x, y, z);
      case Prim::Check: return check(instr, x, y, z, width);
      case Prim::Library: return call_library(static_cast<LibraryFunction>(instr.immediate), from, x, y, width);
      case Prim::Divided:
        if (options_.tells_events) tell_division(y);
        return x;
      case Prim::Complex: return complex_part(static_cast<int>(instr.immediate), from, {x, y, z, w}, width);
      case Prim::Function: return call_function(static_cast<int>(instr.immediate), from, x, y, width);
      default: return x;
    }
  }
  // Counts outside the width give 0, or the sign.
  Value* shift(Prim prim, DType from, Value* x, Value* n) {
    auto* type = x->getType();
    Value* bits = llvm::ConstantInt::get(type, 8 * ir::itemsize(from));
    Value* inside = b_.CreateICmpULT(n, bits);
    if (prim == Prim::ShiftLeft) {
      Value* safe = b_.CreateSelect(inside, n, llvm::Constant::getNullValue(type));
      return b_.CreateSelect(inside, b_.CreateShl(x, safe), llvm::Constant::getNullValue(type));
    }
    Value* most = llvm::ConstantInt::get(type, 8 * ir::itemsize(from) - 1);
    Value* safe = b_.CreateSelect(inside, n, most);
    if (ir::is_signed_integer(from)) return b_.CreateAShr(x, safe);
    return b_.CreateSelect(inside, b_.CreateLShr(x, safe), llvm::Constant::getNullValue(type));
  }
  Value* cast(Value* x, DType from, DType to, int width) {
    if (from == to) return x;
    auto* type = widened(scalar_type(to), width);
    bool from_float = is_float(from), to_float = is_float(to);
    if (to == DType::Bool) return from_float ? b_.CreateFCmpUNE(x, llvm::Constant::getNullValue(x->getType())) : to_bool(x);
    if (from == DType::Bool) return to_float ? b_.CreateUIToFP(x, type) : b_.CreateZExt(x, type);
    if (from == DType::Float64 && to == DType::Float16) x = to_odd(x);
    if (from_float && to_float)
      return ir::itemsize(from) < ir::itemsize(to) ? b_.CreateFPExt(x, type) : b_.CreateFPTrunc(x, type);
    if (!from_float && to_float) return ir::is_signed_integer(from) ? b_.CreateSIToFP(x, type) : b_.CreateUIToFP(x, type);
    if (from_float) return float_to_integer(x, to, type);
    if (ir::itemsize(from) >= ir::itemsize(to)) return b_.CreateTrunc(x, type);
    return ir::is_signed_integer(from) ? b_.CreateSExt(x, type) : b_.CreateZExt(x, type);
  }
  // float64 as float32, inexact ones with an odd last bit: rounding that once more to float16 is rounding once.
  Value* to_odd(Value* x) {
    int width =
        x->getType()->isVectorTy() ? static_cast<int>(llvm::cast<llvm::FixedVectorType>(x->getType())->getNumElements()) : 1;
    auto *single = widened(b_.getFloatTy(), width), *bits = widened(b_.getInt32Ty(), width);
    Value* near = b_.CreateFPTrunc(x, single);
    Value* back = b_.CreateFPExt(near, x->getType());
    Value* number = b_.CreateBitCast(near, bits);
    Value* even = b_.CreateICmpEQ(b_.CreateAnd(number, llvm::ConstantInt::get(bits, 1)), llvm::Constant::getNullValue(bits));
    Value* inexact = b_.CreateFCmpONE(back, x);
    Value* below = b_.CreateFCmpOLT(b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, back),
                                    b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x));
    Value* step = b_.CreateSelect(below, llvm::ConstantInt::get(bits, 1), llvm::Constant::getAllOnesValue(bits));
    Value* odd = b_.CreateSelect(b_.CreateAnd(even, inexact), b_.CreateAdd(number, step), number);
    return b_.CreateBitCast(odd, single);
  }
  // ir::to_integer: the guarded conversion of integer_rules.h.
  Value* float_to_integer(Value* x, DType to, llvm::Type* type) {
    auto real = [&](double v) { return llvm::ConstantFP::get(x->getType(), v); };
    int bits = static_cast<int>(8 * ir::itemsize(to));
    auto power = [](int n) { return __builtin_ldexp(1.0, n); };
    // A value that does not fit is replaced before the conversion, whose result would be undefined.
    Value* zero = real(0);
    if (ir::is_signed_integer(to)) {
      Value* fits = b_.CreateAnd(b_.CreateFCmpOGE(x, real(-power(bits - 1))), b_.CreateFCmpOLT(x, real(power(bits - 1))));
      Value* converted = b_.CreateFPToSI(b_.CreateSelect(fits, x, zero), type);
      return b_.CreateSelect(fits, converted, llvm::ConstantInt::get(type, std::uint64_t{1} << (bits - 1)));
    }
    Value* fits = b_.CreateAnd(b_.CreateFCmpOGT(x, real(-1)), b_.CreateFCmpOLT(x, real(power(bits))));
    Value* converted = b_.CreateFPToUI(b_.CreateSelect(fits, x, zero), type);
    Value* negative = b_.CreateAnd(b_.CreateFCmpOGE(x, real(-power(63))), b_.CreateFCmpOLT(x, zero));
    auto* wide = type->isVectorTy() ? static_cast<llvm::Type*>(llvm::FixedVectorType::get(
                                          b_.getInt64Ty(), llvm::cast<llvm::FixedVectorType>(type)->getNumElements()))
                                    : b_.getInt64Ty();
    Value* wrapped = b_.CreateTruncOrBitCast(b_.CreateFPToSI(b_.CreateSelect(negative, x, zero), wide), type);
    return b_.CreateSelect(fits, converted, b_.CreateSelect(negative, wrapped, llvm::Constant::getNullValue(type)));
  }
  Value* call_library(LibraryFunction function, DType dtype, Value* x, Value* y, int width) {
    auto* type = scalar_type(dtype);
    auto callee = module_.getOrInsertFunction(library_symbol(function, dtype == DType::Float32), type, type, type);
    auto call = [&](Value* p, Value* q) {
      auto* result = b_.CreateCall(callee, {p, q});
      result->setDoesNotThrow();
      result->setOnlyAccessesInaccessibleMemory();
      return static_cast<Value*>(result);
    };
    if (width == 1) return call(x, y);
    Value* result = llvm::PoisonValue::get(x->getType());
    for (int k = 0; k < width; ++k)
      result = b_.CreateInsertElement(result, call(b_.CreateExtractElement(x, k), b_.CreateExtractElement(y, k)), k);
    return result;
  }
  // Vector functions take whole vectors: narrower ones are padded with their first lane.
  Value* call_function(int function, DType dtype, Value* x, Value* y, int width) {
    int lanes = options_.vector_bytes / static_cast<int>(ir::itemsize(dtype));
    auto* vector = llvm::FixedVectorType::get(scalar_type(dtype), static_cast<unsigned>(lanes));
    auto callee = y ? module_.getOrInsertFunction(vector_symbol(function, dtype == DType::Float32), vector, vector, vector)
                    : module_.getOrInsertFunction(vector_symbol(function, dtype == DType::Float32), vector, vector);
    auto call = [&](Value* p, Value* q) {
      auto* result = q ? b_.CreateCall(callee, {p, q}) : b_.CreateCall(callee, {p});
      // Values alone: equal calls of equal operands are one, and one that nobody needs goes.
      result->setDoesNotThrow();
      result->setOnlyAccessesInaccessibleMemory();
      return static_cast<Value*>(result);
    };
    if (width == lanes) return call(x, y);
    if (width == 1) {
      Value* r = call(b_.CreateVectorSplat(static_cast<unsigned>(lanes), x),
                      y ? b_.CreateVectorSplat(static_cast<unsigned>(lanes), y) : nullptr);
      return b_.CreateExtractElement(r, std::uint64_t{0});
    }
    if (width < lanes) {
      std::vector<int> pad, cut;
      for (int k = 0; k < lanes; ++k) pad.push_back(k < width ? k : 0);
      for (int k = 0; k < width; ++k) cut.push_back(k);
      Value* r = call(b_.CreateShuffleVector(x, pad), y ? b_.CreateShuffleVector(y, pad) : nullptr);
      return b_.CreateShuffleVector(r, cut);
    }
    Value* joined = nullptr;
    for (int part = 0; part < width; part += lanes) {
      std::vector<int> take;
      for (int k = 0; k < lanes; ++k) take.push_back(part + k);
      Value* r = call(b_.CreateShuffleVector(x, take), y ? b_.CreateShuffleVector(y, take) : nullptr);
      std::vector<int> both;
      for (int k = 0; k < part + lanes; ++k) both.push_back(k);
      if (!joined) {
        joined = r;
      } else {
        // Both sides of a shuffle have one length.
        std::vector<int> longer;
        for (int k = 0; k < part; ++k) longer.push_back(k < lanes ? k : -1);
        joined = b_.CreateShuffleVector(joined, b_.CreateShuffleVector(r, longer), both);
      }
    }
    return joined;
  }
  void tell_division(Value* divisor) {
    Value* zero = b_.CreateICmpEQ(divisor, llvm::Constant::getNullValue(divisor->getType()));
    if (zero->getType()->isVectorTy()) zero = b_.CreateOrReduce(zero);
    when(zero, [&] { b_.CreateCall(module_.getOrInsertFunction("autoray_divided_by_zero", b_.getVoidTy())); });
  }
  // One call gives both parts: they are asked for one after the other. The parts of a second operand may be absent.
  Value* complex_part(int which, DType dtype, const std::array<Value*, 4>& operands, int width) {
    const int function = which / 2, part = which % 2;
    if (part == 1 && pair_.function == function && pair_.operands == operands) return pair_.imaginary;
    auto* type = operands[0]->getType();
    auto slot = [&] {
      auto& entry = b_.GetInsertBlock()->getParent()->getEntryBlock();
      llvm::IRBuilder<> at(&entry, entry.begin());
      return at.CreateAlloca(type);
    };
    std::vector<Value*> arguments;
    for (Value* operand : operands) {
      if (!operand) break;
      arguments.push_back(slot());
      b_.CreateStore(operand, arguments.back());
    }
    Value *re = slot(), *im = slot();
    arguments.insert(arguments.end(), {re, im, b_.getInt64(static_cast<std::uint64_t>(width))});
    std::vector<llvm::Type*> types;
    for (Value* argument : arguments) types.push_back(argument->getType());
    auto callee = module_.getOrInsertFunction(complex_symbol(function, dtype == DType::Float32),
                                              llvm::FunctionType::get(b_.getVoidTy(), types, false));
    auto* call = b_.CreateCall(callee, arguments);
    call->setDoesNotThrow();
    call->setOnlyAccessesInaccessibleMemOrArgMem();
    Value* real = b_.CreateLoad(type, re);
    pair_ = {function, operands, b_.CreateLoad(type, im)};
    return part ? pair_.imaginary : real;
  }
  Value* combine(Value* x, Value* y) {
    Instr instr{nest_->fold, fold_dtype_};
    return apply(instr, fold_dtype_, x, y, nullptr, 1);
  }
  Value* identity(int width) {
    auto* type = widened(scalar_type(fold_dtype_), width);
    switch (nest_->fold) {
      case Prim::Multiply: return is_float(fold_dtype_) ? llvm::ConstantFP::get(type, 1.0) : llvm::ConstantInt::get(type, 1);
      case Prim::And: return llvm::Constant::getAllOnesValue(type);
      default: return llvm::Constant::getNullValue(type);
    }
  }

  // ---- nests ----

  Pointers bases() {
    Pointers p;
    auto base = [&](const Access& access) -> Value* {
      if (access.buffer == kNoBuffer) return b_.getInt64(0);
      return b_.CreateConstGEP1_64(stored_type(kernel_.buffers[access.buffer]), buffers_[access.buffer], access.part);
    };
    for (const Access& access : nest_->loads) p.loads.push_back(base(access));
    for (const Store& s : nest_->stores) p.stores.push_back(base(s.to));
    return p;
  }
  Pointers moved(const Pointers& from, std::size_t axis, Value* index) {
    Pointers p = from;
    auto move = [&](Value*& pointer, const Access& access) {
      if (axis < access.strides.size()) pointer = advanced(pointer, index, access.strides[axis]);
    };
    for (std::size_t i = 0; i < p.loads.size(); ++i) move(p.loads[i], nest_->loads[i]);
    for (std::size_t i = 0; i < p.stores.size(); ++i) move(p.stores[i], nest_->stores[i].to);
    return p;
  }
  // Loops over the given dimensions around the body.
  void around(std::vector<std::size_t> axes, Pointers pointers, const std::function<void(const Pointers&)>& body) {
    if (axes.empty()) return body(pointers);
    std::size_t axis = axes.front();
    axes.erase(axes.begin());
    long_loop(number(nest_->extents[axis]), 1, kRows, [&](Value* i) { around(axes, moved(pointers, axis, i), body); });
  }
  int vector_width() const {
    std::int64_t largest = 1;
    for (const Instr& instr : nest_->body) largest = std::max(largest, static_cast<std::int64_t>(ir::itemsize(instr.dtype)));
    return static_cast<int>(options_.vector_bytes / largest);
  }
  Value* mask_of(Value* count, int width) { return b_.CreateICmpSLT(lane_numbers(width), splat(count, width)); }

  void emit_nest() {
    uniform_.clear();
    fold_dtype_ = nest_->folds ? nest_->body[nest_->folded].dtype : DType::Float64;
    if (nest_->folds) return emit_fold();
    if (nest_->extents.empty()) {
      Pointers pointers = bases();
      Place point;
      std::vector<Value*> values = load_all(pointers, point);
      compute(values, pointers, point);
      store_all(pointers, point, values);
      for (auto [value, reg] : nest_->registers) registers_[reg] = values[value];
      return;
    }
    std::vector<std::size_t> outer;
    for (std::size_t i = 0; i + 1 < nest_->extents.size(); ++i) outer.push_back(i);
    std::size_t last = nest_->extents.size() - 1;
    around(outer, bases(), [&](const Pointers& pointers) { emit_row(pointers, last); });
  }
  void finish_row(const Pointers& pointers, const Place& place, std::vector<Value*>& values) {
    compute(values, pointers, place);
    store_all(pointers, place, values);
  }
  void emit_row(const Pointers& pointers, std::size_t axis) {
    int width = vector_width();
    hoist(pointers, axis);
    const Number& extent = nest_->extents[axis];
    // What is left of a row that has gaps is computed point by point, where that gives the same bits.
    const bool alone = has_gaps(axis) && std::ranges::none_of(nest_->body, [](const Instr& instr) {
                         return instr.prim == Prim::Function || instr.prim == Prim::Library;
                       });
    auto accesses = static_cast<std::int64_t>(nest_->loads.size() + nest_->stores.size());
    if (extent.constant && (extent.value + width - 1) / width * accesses <= kUnrolled) {
      std::vector<Place> places;
      std::vector<std::vector<Value*>> values;
      for (std::int64_t i = 0, taken = 0; i < extent.value; i += taken) {
        Place place{axis, b_.getInt64(static_cast<std::uint64_t>(i)), width, nullptr};
        if (extent.value - i == 1 || (alone && extent.value - i < width))
          place.width = 1;
        else if (extent.value - i < width)
          place.mask = mask_of(b_.getInt64(static_cast<std::uint64_t>(extent.value - i)), width);
        taken = place.width;
        places.push_back(place);
        values.push_back(load_all(pointers, place));
      }
      for (std::size_t k = 0; k < places.size(); ++k) finish_row(pointers, places[k], values[k]);
      return;
    }
    Value* n = number(extent);
    Value* whole = b_.CreateAnd(n, b_.getInt64(static_cast<std::uint64_t>(-width)));
    long_loop(whole, width, kTurns, [&](Value* i) {
      Place place{axis, i, width, nullptr};
      std::vector<Value*> values = load_all(pointers, place);
      finish_row(pointers, place, values);
    });
    if (extent.constant && extent.value % width == 0) return;
    if (alone) {
      loop(
          n, 1,
          [&](Value* i) {
            Place place{axis, i, 1, nullptr};
            std::vector<Value*> values = load_all(pointers, place);
            finish_row(pointers, place, values);
          },
          whole);
      return;
    }
    when(b_.CreateICmpSLT(whole, n), [&] {
      Place place{axis, whole, width, mask_of(b_.CreateSub(n, whole), width)};
      std::vector<Value*> values = load_all(pointers, place);
      finish_row(pointers, place, values);
    });
  }
  void branch(Value* condition, const std::function<void()>& yes, const std::function<void()>& no) {
    auto* f = b_.GetInsertBlock()->getParent();
    auto *then = llvm::BasicBlock::Create(context_, "then", f), *otherwise = llvm::BasicBlock::Create(context_, "else", f),
         *after = llvm::BasicBlock::Create(context_, "after", f);
    b_.CreateCondBr(condition, then, otherwise);
    b_.SetInsertPoint(then);
    yes();
    b_.CreateBr(after);
    b_.SetInsertPoint(otherwise);
    no();
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
  }
  Value* either(Value* condition, const std::function<Value*()>& yes, const std::function<Value*()>& no) {
    Value* values[2];
    llvm::BasicBlock* ends[2];
    branch(
        condition, [&] { values[0] = yes(), ends[0] = b_.GetInsertBlock(); },
        [&] { values[1] = no(), ends[1] = b_.GetInsertBlock(); });
    auto* result = b_.CreatePHI(values[0]->getType(), 2);
    for (int k = 0; k < 2; ++k) result->addIncoming(values[k], ends[k]);
    return result;
  }
  void when(Value* condition, const std::function<void()>& body) {
    auto* f = b_.GetInsertBlock()->getParent();
    auto* yes = llvm::BasicBlock::Create(context_, "then", f);
    auto* after = llvm::BasicBlock::Create(context_, "after", f);
    b_.CreateCondBr(condition, yes, after);
    b_.SetInsertPoint(yes);
    body();
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
  }

  // ---- folds ----

  void emit_fold() {
    std::size_t folded = nest_->extents.size() - 1;
    // Which dimension do vectors run along? The folded one where the loads are dense there; else a kept one where they are.
    auto dense = [&](std::size_t axis) {
      bool any = false;
      for (const Access& access : nest_->loads) {
        if (access.buffer == kNoBuffer || fixed_along(access, axis)) continue;
        if (!dense_along(access, axis) && !paired_along(access, axis)) return false;
        any = true;
      }
      return any;
    };
    std::size_t across = folded;
    if (nest_->order == Order::Sequential || !dense(folded))
      for (std::size_t axis = folded; axis-- > 0;)
        if (dense(axis)) {
          across = axis;
          break;
        }
    // Without a dense dimension to go side by side along, each chain is one of numbers.
    if (nest_->scans && across == folded) {
      std::vector<std::size_t> rows(folded);
      std::iota(rows.begin(), rows.end(), std::size_t{0});
      return around(rows, bases(), [&](const Pointers& pointers) { scan(pointers, {folded, b_.getInt64(0), 1, nullptr}); });
    }
    // Term by term means one point of the result a lane.
    if (nest_->order == Order::Sequential && across == folded && folded > 0) across = folded - 1;
    if (nest_->order == Order::Sequential && folded == 0) return fold_alone(bases(), 1);
    std::vector<std::size_t> outer;
    for (std::size_t axis = 0; axis < folded; ++axis)
      if (axis != across) outer.push_back(axis);
    if (tiled(outer, across)) {
      std::size_t rows = outer.back();
      outer.pop_back();
      return around(outer, bases(), [&](const Pointers& pointers) { fold_tiles(pointers, rows, across); });
    }
    if (across == folded && side_by_side(outer)) {
      std::size_t rows = outer.back();
      outer.pop_back();
      return around(outer, bases(), [&](const Pointers& pointers) { fold_rows(pointers, rows); });
    }
    around(outer, bases(), [&](const Pointers& pointers) {
      if (across == folded)
        fold_row(pointers);
      else
        fold_columns(pointers, across, nest_->extents[across], number(nest_->extents[across]));
    });
  }
  void give(const Pointers& pointers, const Place& place, Value* result) {
    for (std::size_t i = 0; i < nest_->stores.size(); ++i) store(nest_->stores[i].to, pointers.stores[i], place, result);
    for (auto [value, reg] : nest_->registers) registers_[reg] = result;
  }
  Value* term(const Pointers& pointers, const Place& place) {
    std::vector<Value*> values = load_all(pointers, place);
    compute(values, pointers, place);
    return values[nest_->folded];
  }
  // One chain of additions.
  void fold_alone(const Pointers& pointers, int) {
    std::size_t folded = nest_->extents.size() - 1;
    auto result = long_fold_loop(b_.getInt64(0), number(nest_->extents[folded]), 1, {identity(1)},
                                 [&](Value* i, const std::vector<Value*>& now) {
                                   return std::vector<Value*>{combine(now[0], term(pointers, {folded, i, 1, nullptr}))};
                                 });
    give(pointers, {folded, b_.getInt64(0), 1, nullptr}, result[1]);
  }

  // The same, giving every value on the way; the first is the first term itself.
  void scan(const Pointers& pointers, const Place& place) {
    std::size_t along = nest_->extents.size() - 1;
    Value* first = term(pointers, place);
    give(pointers, place, first);
    long_fold_loop(b_.getInt64(1), number(nest_->extents[along]), 1, {first}, [&](Value* i, const std::vector<Value*>& now) {
      Pointers here = moved(pointers, along, i);
      Value* total = combine(now[0], term(here, place));
      give(here, place, total);
      return std::vector<Value*>{total};
    });
  }

  // Along the folded dimension, which the loads follow densely (or by gathers).
  void fold_row(const Pointers& pointers) {
    std::size_t folded = nest_->extents.size() - 1;
    const Number& extent = nest_->extents[folded];
    Value* result;
    bool ordered = nest_->order == Order::Pairwise;
    if (!ordered || (extent.constant && extent.value <= kBlock)) {
      result = fold_block(pointers, b_.getInt64(0), extent, number(extent));
    } else {
      // Most rows are of one block.
      Value* n = number(extent);
      auto tree = [&] {
        return fold_tree(pointers, n, 1, kRow * kBlock + kBlock - 1,
                         [&](const Pointers& inner, Value* begin, Value* count) { return fold_blocks(inner, begin, count); });
      };
      result = extent.constant ? tree()
                               : either(
                                     b_.CreateICmpSLE(n, b_.getInt64(kBlock)),
                                     [&] { return fold_block(pointers, b_.getInt64(0), Number{false, 0}, n); }, tree);
    }
    Place point{folded, b_.getInt64(0), 1, nullptr};
    give(pointers, point, result);
  }
  // Rows of one block, some at a time: what they share is loaded once, and their lanes are joined in common vectors.
  static constexpr std::int64_t kRowsTogether = 4;
  bool side_by_side(const std::vector<std::size_t>& outer) const {
    std::size_t folded = nest_->extents.size() - 1;
    const Number& n = nest_->extents[folded];
    return nest_->order == Order::Pairwise && !outer.empty() && vector_width() >= kRowsTogether && zeros_are_harmless(folded) &&
           !(n.constant && n.value > kBlock) && !paired_anywhere(folded);
  }
  bool paired_anywhere(std::size_t axis) const {
    return std::ranges::any_of(nest_->loads, [&](const Access& access) { return paired_along(access, axis); });
  }
  void fold_rows(const Pointers& pointers, std::size_t rows) {
    Value *n = number(nest_->extents.back()), *m = number(nest_->extents[rows]);
    auto alone = [&](Value* first) { long_loop(m, 1, kRows, [&](Value* i) { fold_row(moved(pointers, rows, i)); }, first); };
    auto together = [&] {
      Value* whole = b_.CreateAnd(m, b_.getInt64(static_cast<std::uint64_t>(-kRowsTogether)));
      long_loop(whole, kRowsTogether, kRows, [&](Value* i) { fold_four(pointers, rows, i); });
      alone(whole);
    };
    if (nest_->extents.back().constant)
      together();
    else
      branch(b_.CreateICmpSLE(n, b_.getInt64(kBlock)), together, [&] { alone(b_.getInt64(0)); });
  }
  void fold_four(const Pointers& pointers, std::size_t rows, Value* first) {
    std::size_t folded = nest_->extents.size() - 1;
    uniform_.assign(nest_->body.size(), nullptr);
    const int width = std::min(vector_width(), kLanes), parts = kLanes / width;
    std::vector<Pointers> row;
    for (std::int64_t r = 0; r < kRowsTogether; ++r)
      row.push_back(moved(pointers, rows, b_.CreateAdd(first, b_.getInt64(static_cast<std::uint64_t>(r)))));
    auto add = [&](Value* at, std::vector<Value*> now, Value* left) {
      for (std::size_t r = 0; r < row.size(); ++r)
        for (int p = 0; p < parts; ++p) {
          auto offset = b_.getInt64(static_cast<std::uint64_t>(p * width));
          Value* mask = left ? mask_of(b_.CreateSub(left, offset), width) : nullptr;
          Value*& lanes = now[r * static_cast<std::size_t>(parts) + static_cast<std::size_t>(p)];
          Value* sum = combine(lanes, term(row[r], {folded, b_.CreateAdd(at, offset), width, mask}));
          lanes = mask ? b_.CreateSelect(mask, sum, lanes) : sum;
        }
      return now;
    };
    Value* n = number(nest_->extents[folded]);
    std::vector<Value*> lanes(row.size() * static_cast<std::size_t>(parts), identity(width));
    auto done = fold_loop(b_.getInt64(0), n, kLanes, lanes,
                          [&](Value* at, const std::vector<Value*>& now) { return add(at, now, nullptr); });
    zeros_idle_ = true;
    lanes = add(done[0], {done.begin() + 1, done.end()}, b_.CreateSub(n, done[0]));
    zeros_idle_ = false;
    std::vector<Value*> joined;
    for (auto part = lanes.begin(); part != lanes.end(); part += parts)
      joined.push_back(vectors_together({part, part + parts}));
    Value* sums = rows_together(std::move(joined), width);
    for (std::size_t i = 0; i < nest_->stores.size(); ++i)
      store(nest_->stores[i].to, pointers.stores[i], {rows, first, static_cast<int>(kRowsTogether), nullptr}, sums);
  }
  // The tree over the lanes of each vector: halves are added until one lane a vector is left, in vectors of several.
  Value* rows_together(std::vector<Value*> vectors, int width) {
    int lanes = width, rows = 1;  // of one vector
    while (lanes > 1) {
      std::vector<int> low, high;
      const bool pairs = vectors.size() > 1;
      for (int r = 0; r < (pairs ? 2 : 1) * rows; ++r)
        for (int k = 0; k < lanes / 2; ++k) {
          low.push_back(r * lanes + k);
          high.push_back(r * lanes + lanes / 2 + k);
        }
      std::vector<Value*> next;
      for (std::size_t k = 0; k < vectors.size(); k += pairs ? 2 : 1) {
        Value *a = vectors[k], *b = pairs ? vectors[k + 1] : llvm::PoisonValue::get(a->getType());
        next.push_back(combine(b_.CreateShuffleVector(a, b, low), b_.CreateShuffleVector(a, b, high)));
      }
      vectors = std::move(next);
      lanes /= 2;
      if (pairs) rows *= 2;
    }
    return vectors[0];
  }
  // Up to 256 terms from `begin`, or any number where the order is free: lanes, then a tree over the lanes.
  Value* fold_block(const Pointers& pointers, Value* begin, const Number& extent, Value* n) {
    std::size_t folded = nest_->extents.size() - 1;
    int width = vector_width();
    hoist(pointers, folded);
    if (nest_->order == Order::Pairwise) width = std::min(width, kLanes);
    // Where the order is free, as many chains as the processor has instructions under way.
    int parts = nest_->order == Order::Pairwise ? kLanes / width : extent.constant && extent.value < kLanes * width ? 1 : 4;
    std::int64_t step = std::int64_t{width} * parts;
    bool extreme = nest_->fold == Prim::Maximum || nest_->fold == Prim::Minimum;
    std::vector<Value*> lanes;
    if (extreme) {
      Value* first = term(pointers, {folded, begin, 1, nullptr});
      lanes.assign(static_cast<std::size_t>(parts), splat(first, width));
    } else {
      lanes.assign(static_cast<std::size_t>(parts), identity(width));
    }
    auto chunk = [&](Value* at, std::vector<Value*> now) {
      for (int p = 0; p < parts; ++p) {
        Value* index = b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(p * width)));
        auto k = static_cast<std::size_t>(p);
        now[k] = combine(now[k], term(pointers, {folded, index, width, nullptr}));
      }
      return now;
    };
    auto partial = [&](Value* at, Value* left, std::vector<Value*> now, int p) {
      Value* mask = mask_of(left, width);
      auto k = static_cast<std::size_t>(p);
      now[k] = b_.CreateSelect(mask, combine(now[k], term(pointers, {folded, at, width, mask})), now[k]);
      return now;
    };
    if (extent.constant && extent.value <= kBlock &&
        (extent.value + width - 1) / width * static_cast<std::int64_t>(nest_->loads.size()) <= 2 * kUnrolled) {
      std::int64_t i = 0;
      auto at = [&](std::int64_t k) { return b_.CreateAdd(begin, b_.getInt64(static_cast<std::uint64_t>(k))); };
      for (; i + step <= extent.value; i += step) lanes = chunk(at(i), lanes);
      for (int p = 0; i < extent.value; ++p, i += width) {
        std::int64_t left = extent.value - i;
        if (left >= width)
          lanes[static_cast<std::size_t>(p)] =
              combine(lanes[static_cast<std::size_t>(p)], term(pointers, {folded, at(i), width, nullptr}));
        else
          lanes = partial(at(i), b_.getInt64(static_cast<std::uint64_t>(left)), lanes, p);
      }
      return lanes_together(lanes, width);
    }
    Value* end = b_.CreateAdd(begin, n);
    // In the fixed order a block is short.
    auto done = nest_->order == Order::Pairwise ? fold_loop(begin, end, step, lanes, chunk)
                                                : long_fold_loop(begin, end, step, lanes, chunk);
    Value* at = done[0];
    lanes.assign(done.begin() + 1, done.end());
    // The rest of a chunk, a vector at a time.
    zeros_idle_ = zeros_are_harmless(folded);
    if (zeros_idle_) {
      for (int p = 0; p < parts; ++p) {
        Value* from = b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(p * width)));
        lanes = partial(from, b_.CreateSub(end, from), lanes, p);
      }
      zeros_idle_ = false;
      return lanes_together(lanes, width);
    }
    for (int p = 0; p < parts; ++p) {
      Value* from = b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(p * width)));
      Value* left = b_.CreateSub(end, from);
      auto* before = b_.GetInsertBlock();
      std::vector<Value*> changed;
      llvm::BasicBlock* inside = nullptr;
      when(b_.CreateICmpSGT(left, b_.getInt64(0)), [&] {
        changed = partial(from, left, lanes, p);
        inside = b_.GetInsertBlock();
      });
      auto k = static_cast<std::size_t>(p);
      auto* phi = b_.CreatePHI(lanes[k]->getType(), 2);
      phi->addIncoming(lanes[k], before);
      phi->addIncoming(changed[k], inside);
      lanes[k] = phi;
    }
    return lanes_together(lanes, width);
  }
  // Up to kRow blocks and a rest: one loop reads them all, which is what the processor fetches ahead of best. Their sums are
  // joined as the rule says, by which the rest belongs to the last block.
  Value* fold_blocks(const Pointers& pointers, Value* begin, Value* n) {
    auto* type = scalar_type(fold_dtype_);
    auto& entry = b_.GetInsertBlock()->getParent()->getEntryBlock();
    llvm::IRBuilder<> first(&entry, entry.begin());
    Value* sums = first.CreateAlloca(type, first.getInt64(static_cast<std::uint64_t>(kRow + 1)));
    auto at = [&](Value* block) { return b_.CreateGEP(type, sums, block); };
    loop(n, kBlock, [&](Value* i) {
      Value *left = b_.CreateSub(n, i), *most = b_.getInt64(kBlock);
      Value* count = b_.CreateSelect(b_.CreateICmpSLT(left, most), left, most);
      Value* sum = fold_block(pointers, b_.CreateAdd(begin, i), Number{false, 0}, count);
      b_.CreateStore(sum, at(b_.CreateLShr(i, log2_of(kBlock))));
    });
    Value* whole = b_.CreateLShr(n, log2_of(kBlock));
    Value *one = b_.getInt64(1), *last = b_.CreateSub(whole, one);
    Value* has_rest = b_.CreateICmpNE(b_.CreateAnd(n, b_.getInt64(kBlock - 1)), b_.getInt64(0));
    when(b_.CreateAnd(has_rest, b_.CreateICmpSGT(whole, b_.getInt64(0))),
         [&] { b_.CreateStore(combine(b_.CreateLoad(type, at(last)), b_.CreateLoad(type, at(whole))), at(last)); });
    return b_.CreateCall(joined_blocks(), {sums, b_.CreateSelect(b_.CreateICmpSGT(whole, one), whole, one)});
  }
  static unsigned log2_of(std::int64_t power) {
    return static_cast<unsigned>(__builtin_ctzll(static_cast<std::uint64_t>(power)));
  }
  // A function that joins n sums as a tree: the first half of them, rounded down, then the others.
  llvm::Function* joined_blocks() {
    auto* type = scalar_type(fold_dtype_);
    auto* f = make_function(llvm::FunctionType::get(type, {b_.getPtrTy(), b_.getInt64Ty()}, false), name_ + ".join", true);
    auto outside = b_.saveIP();
    auto block = [&](const char* name) { return llvm::BasicBlock::Create(context_, name, f); };
    b_.SetInsertPoint(block("entry"));
    auto *one = block("one"), *several = block("several"), *two = block("two"), *more = block("more");
    Value *sums = f->getArg(0), *n = f->getArg(1);
    auto item = [&](std::uint64_t number) { return b_.CreateLoad(type, b_.CreateConstGEP1_64(type, sums, number)); };
    b_.CreateCondBr(b_.CreateICmpEQ(n, b_.getInt64(1)), one, several);
    b_.SetInsertPoint(one);
    b_.CreateRet(item(0));
    b_.SetInsertPoint(several);
    b_.CreateCondBr(b_.CreateICmpEQ(n, b_.getInt64(2)), two, more);
    b_.SetInsertPoint(two);
    Value* first = item(0);
    b_.CreateRet(combine(first, item(1)));
    b_.SetInsertPoint(more);
    Value* half = b_.CreateLShr(n, 1);
    Value* left = b_.CreateCall(f, {sums, half});
    Value* right = b_.CreateCall(f, {b_.CreateGEP(type, sums, half), b_.CreateSub(n, half)});
    b_.CreateRet(combine(left, right));
    b_.restoreIP(outside);
    return f;
  }
  Value* vectors_together(std::vector<Value*> vectors) {
    for (std::size_t count = vectors.size(); count > 1; count /= 2)
      for (std::size_t k = 0; k < count / 2; ++k) vectors[k] = combine(vectors[k], vectors[k + count / 2]);
    return vectors[0];
  }
  Value* lanes_together(std::vector<Value*> lanes, int width) {
    Value* v = vectors_together(std::move(lanes));
    for (int w = width; w > 1; w /= 2) {
      std::vector<int> low, high;
      for (int k = 0; k < w / 2; ++k) {
        low.push_back(k);
        high.push_back(k + w / 2);
      }
      if (w == 2) {
        v = combine(b_.CreateExtractElement(v, std::uint64_t{0}), b_.CreateExtractElement(v, std::uint64_t{1}));
      } else {
        v = combine(b_.CreateShuffleVector(v, low), b_.CreateShuffleVector(v, high));
      }
    }
    return v;
  }

  // n terms by the rule of runtime/reduction/order.h: a function that calls itself for the halves, so that its size does not
  // depend on n; up to `most` terms are `block`'s. What it needs of the kernel is handed on.
  Value* fold_tree(const Pointers& pointers, Value* n, int width, std::int64_t most,
                   const std::function<Value*(const Pointers&, Value*, Value*)>& block) {
    std::vector<Value*> environment;
    std::vector<llvm::Type*> types = {b_.getInt64Ty(), b_.getInt64Ty()};
    auto hand_on = [&](const std::vector<Value*>& values) {
      environment.insert(environment.end(), values.begin(), values.end());
    };
    std::vector<Value*> held;
    for (Value* r : registers_)
      if (r) held.push_back(r);
    environment.push_back(kernel_context_);
    hand_on(pointers.loads);
    hand_on(arguments_);
    hand_on(held);
    for (Value* v : environment) types.push_back(v->getType());
    auto* result_type = widened(scalar_type(fold_dtype_), width);
    auto* f = make_function(llvm::FunctionType::get(result_type, types, false), name_ + ".fold", true);
    std::vector<Value*> given = {b_.getInt64(0), n};
    given.insert(given.end(), environment.begin(), environment.end());
    Value* result = b_.CreateCall(f, given);
    // The function's body, with its own parameters for everything.
    auto outside = b_.saveIP();
    auto saved_arguments = arguments_;
    auto saved_registers = registers_;
    auto* saved_context = kernel_context_;
    b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", f));
    std::size_t at = 2;
    auto take = [&] { return static_cast<Value*>(f->getArg(static_cast<unsigned>(at++))); };
    Pointers inner;
    kernel_context_ = take();
    for (std::size_t i = 0; i < pointers.loads.size(); ++i) inner.loads.push_back(take());
    for (Value*& a : arguments_) a = take();
    for (Value*& r : registers_)
      if (r) r = take();
    Value *begin = f->getArg(0), *count = f->getArg(1);
    auto* split = llvm::BasicBlock::Create(context_, "split", f);
    auto* leaf = llvm::BasicBlock::Create(context_, "leaf", f);
    b_.CreateCondBr(b_.CreateICmpSGT(count, b_.getInt64(static_cast<std::uint64_t>(most))), split, leaf);
    b_.SetInsertPoint(split);
    poll();
    Value* half = b_.CreateAnd(b_.CreateLShr(count, 1), b_.getInt64(static_cast<std::uint64_t>(-kBlock)));
    Value* head = b_.CreateSelect(b_.CreateICmpSLT(half, b_.getInt64(kBlock)), b_.getInt64(kBlock), half);
    std::vector<Value*> deeper = {begin, head};
    for (std::size_t i = 2; i < f->arg_size(); ++i) deeper.push_back(f->getArg(static_cast<unsigned>(i)));
    Value* left = b_.CreateCall(f, deeper);
    deeper[0] = b_.CreateAdd(begin, head);
    deeper[1] = b_.CreateSub(count, head);
    Value* right = b_.CreateCall(f, deeper);
    b_.CreateRet(combine(left, right));
    b_.SetInsertPoint(leaf);
    b_.CreateRet(block(inner, begin, count));
    arguments_ = std::move(saved_arguments);
    registers_ = std::move(saved_registers);
    kernel_context_ = saved_context;
    b_.restoreIP(outside);
    return result;
  }

  // Products term by term: tiles of rows and vectors of columns, so that what is loaded serves more than one sum. Every sum has
  // the order that it has alone; equal loads of a tile are one after common subexpressions are found. Columns are the outer
  // loop: their part of the second factor stays near while the rows go by.
  static constexpr std::int64_t kTileRows = 4;
  std::int64_t tile_vectors() const { return options_.vector_bytes == 64 ? 4 : 2; }  // as many sums as registers hold
  bool tiled(const std::vector<std::size_t>& outer, std::size_t across) const {
    if (nest_->order != Order::Sequential || nest_->scans || outer.empty() || options_.check_bounds) return false;
    const Number &rows = nest_->extents[outer.back()], &columns = nest_->extents[across];
    return !(rows.constant && rows.value < kTileRows) && !(columns.constant && columns.value < tile_vectors() * vector_width());
  }
  void fold_tiles(const Pointers& pointers, std::size_t rows, std::size_t across) {
    std::int64_t columns = tile_vectors() * vector_width();
    Value *m = number(nest_->extents[rows]), *n = number(nest_->extents[across]);
    Value* whole_rows = b_.CreateAnd(m, b_.getInt64(static_cast<std::uint64_t>(-kTileRows)));
    Value* whole_columns = b_.CreateAnd(n, b_.getInt64(static_cast<std::uint64_t>(-columns)));
    long_loop(whole_columns, columns, 1, [&](Value* j) {
      Pointers at = moved(pointers, across, j);
      long_loop(whole_rows, kTileRows, kRows, [&](Value* i) { fold_tile(moved(at, rows, i), rows, kTileRows, across); });
      Pointers rest = moved(at, rows, whole_rows);
      loop(b_.CreateSub(m, whole_rows), 1, [&](Value* i) { fold_tile(moved(rest, rows, i), rows, 1, across); });
    });
    const Number& extent = nest_->extents[across];
    if (extent.constant && extent.value % columns == 0) return;
    Pointers rest = moved(pointers, across, whole_columns);
    Number left{extent.constant, extent.constant ? extent.value % columns : 0};
    long_loop(m, 1, kRows, [&](Value* i) { fold_columns(moved(rest, rows, i), across, left, b_.CreateSub(n, whole_columns)); });
  }
  void fold_tile(const Pointers& pointers, std::size_t rows, std::int64_t count, std::size_t across) {
    std::size_t folded = nest_->extents.size() - 1;
    int width = vector_width();
    std::vector<Pointers> row;
    std::vector<Place> place;
    for (std::int64_t r = 0; r < count; ++r) row.push_back(moved(pointers, rows, b_.getInt64(static_cast<std::uint64_t>(r))));
    for (std::int64_t v = 0; v < tile_vectors(); ++v)
      place.push_back({across, b_.getInt64(static_cast<std::uint64_t>(v * width)), width, nullptr});
    std::vector<Value*> sums(row.size() * place.size(), identity(width));
    auto done =
        fold_loop(b_.getInt64(0), number(nest_->extents[folded]), 1, sums, [&](Value* k, const std::vector<Value*>& now) {
          std::vector<Value*> next;
          for (const Pointers& p : row)
            for (const Place& at : place) next.push_back(combine(now[next.size()], term(moved(p, folded, k), at)));
          return next;
        });
    for (std::size_t r = 0; r < row.size(); ++r)
      for (std::size_t v = 0; v < place.size(); ++v) give(row[r], place[v], done[1 + r * place.size() + v]);
  }

  // Across a kept dimension: one result a lane.
  void fold_columns(const Pointers& pointers, std::size_t across, const Number& extent, Value* n) {
    int width = vector_width();
    Value* whole = b_.CreateAnd(n, b_.getInt64(static_cast<std::uint64_t>(-width)));
    if (!extent.constant || extent.value >= width)
      long_loop(whole, width, kRows, [&](Value* j) { fold_column(pointers, {across, j, width, nullptr}); });
    if (extent.constant && extent.value % width == 0) return;
    when(b_.CreateICmpSLT(whole, n),
         [&] { fold_column(pointers, {across, whole, width, mask_of(b_.CreateSub(n, whole), width)}); });
  }
  void fold_column(const Pointers& pointers, const Place& place) {
    if (nest_->scans) return scan(pointers, place);
    std::size_t folded = nest_->extents.size() - 1;
    Value* n = number(nest_->extents[folded]);
    auto at = [&](const Pointers& from, Value* i) { return moved(from, folded, i); };
    Value* result;
    if (nest_->order == Order::Pairwise) {
      const Number& extent = nest_->extents[folded];
      if (extent.constant && extent.value <= kBlock) {
        result = column_block(pointers, place, b_.getInt64(0), n);
      } else {
        // The column's place goes into the pointers, which the recursion hands on.
        Pointers shifted = moved(pointers, place.axis, place.index);
        if (place.mask) {
          // A mask is rebuilt from the number of lanes that is left.
          result = fold_tree_masked(shifted, place, n);
        } else {
          result = fold_tree(shifted, n, place.width, kBlock, [&](const Pointers& inner, Value* begin, Value* count) {
            return column_block(inner, {place.axis, b_.getInt64(0), place.width, nullptr}, begin, count);
          });
        }
      }
    } else {
      bool extreme = nest_->fold == Prim::Maximum || nest_->fold == Prim::Minimum;
      Value* start = extreme ? term(pointers, place) : identity(place.width);
      // In a free order as many rows as keep the processor busy.
      std::int64_t rows = nest_->order == Order::Any ? 4 : 1;
      std::vector<Value*> chains(static_cast<std::size_t>(rows), start);
      auto done = fold_loop(b_.getInt64(0), n, rows, chains, [&](Value* i, std::vector<Value*> now) {
        for (std::int64_t r = 0; r < rows; ++r) {
          Value*& chain = now[static_cast<std::size_t>(r)];
          chain = combine(chain, term(at(pointers, b_.CreateAdd(i, b_.getInt64(static_cast<std::uint64_t>(r)))), place));
        }
        return now;
      });
      chains.assign(done.begin() + 1, done.end());
      result = lanes_together(std::move(chains), 1);
      if (rows > 1)
        result = fold_loop(done[0], n, 1, {result}, [&](Value* i, const std::vector<Value*>& now) {
          return std::vector<Value*>{combine(now[0], term(at(pointers, i), place))};
        })[1];
    }
    give(pointers, place, result);
  }
  Value* fold_tree_masked(const Pointers& shifted, const Place& place, Value* n) {
    // The lanes as a register of their own would need a type; a mask of i1 lanes is handed on through the arguments instead.
    Value* bits =
        b_.CreateZExt(b_.CreateBitCast(place.mask, b_.getIntNTy(static_cast<unsigned>(place.width))), b_.getInt64Ty());
    arguments_.push_back(bits);
    Value* result = fold_tree(shifted, n, place.width, kBlock, [&](const Pointers& inner, Value* begin, Value* count) {
      Value* mask = b_.CreateBitCast(b_.CreateTrunc(arguments_.back(), b_.getIntNTy(static_cast<unsigned>(place.width))),
                                     widened(b_.getInt1Ty(), place.width));
      return column_block(inner, {place.axis, b_.getInt64(0), place.width, mask}, begin, count);
    });
    arguments_.pop_back();
    return result;
  }
  // Up to 256 terms of each column: sixteen lanes, a vector register each, then the tree over them.
  Value* column_block(const Pointers& pointers, const Place& place, Value* begin, Value* n) {
    std::size_t folded = nest_->extents.size() - 1;
    const Number& extent = nest_->extents[folded];
    std::vector<Value*> lanes(kLanes, identity(place.width));
    auto add = [&](Value* at, std::vector<Value*>& now, int lane) {
      Value* index = b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(lane)));
      auto k = static_cast<std::size_t>(lane);
      now[k] = combine(now[k], term(moved(pointers, folded, index), place));
    };
    auto turn = [&](Value* at, std::vector<Value*> now) {
      for (int lane = 0; lane < kLanes; ++lane) add(at, now, lane);
      return now;
    };
    Value* end = b_.CreateAdd(begin, n);
    Value* at = begin;
    bool known = extent.constant && extent.value <= kBlock;
    if (!known || extent.value >= kLanes) {
      auto done = fold_loop(begin, end, kLanes, lanes, turn);
      at = done[0];
      lanes.assign(done.begin() + 1, done.end());
    }
    if (known) {
      for (int lane = 0; lane < extent.value % kLanes; ++lane) add(at, lanes, lane);
    } else {
      for (int lane = 0; lane + 1 < kLanes; ++lane) {
        auto k = static_cast<std::size_t>(lane);
        Value* old = lanes[k];
        auto* before = b_.GetInsertBlock();
        llvm::BasicBlock* inside = nullptr;
        when(b_.CreateICmpSLT(b_.CreateAdd(at, b_.getInt64(k)), end), [&] {
          add(at, lanes, lane);
          inside = b_.GetInsertBlock();
        });
        auto* phi = b_.CreatePHI(old->getType(), 2);
        phi->addIncoming(old, before);
        phi->addIncoming(lanes[k], inside);
        lanes[k] = phi;
      }
    }
    return lanes_together(std::move(lanes), 1);
  }

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
  std::vector<Value*> uniform_;  // by instruction: the one value of a row; null where it varies
  bool zeros_idle_ = false;      // lanes beyond a mask hold zeros; the mask may have none
};

}  // namespace

std::string vector_symbol(int function, bool single) {
  return "autoray_vector_" + std::to_string(function) + (single ? "_f32" : "_f64");
}

std::string complex_symbol(int function, bool single) {
  return "autoray_complex_" + std::to_string(function) + (single ? "_f32" : "_f64");
}

void emit(const Kernel& kernel, llvm::Module& module, const std::string& function_name, const EmitOptions& options) {
  Emitter(kernel, module, function_name, options).run();
}

}  // namespace autoray::codegen
