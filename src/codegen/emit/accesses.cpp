// What a kernel takes up and puts down: points and vectors, dense, with gaps, by indices, and of both parts of complex numbers.
#include <algorithm>
#include <cstddef>
#include <numeric>

#include "codegen/context.h"
#include "codegen/emit/emitter.h"

namespace autoray::codegen {

Value* Emitter::from_memory(Value* v, DType dtype, int width) {
  if (dtype == DType::Float16) return b_.CreateBitCast(v, widened(b_.getHalfTy(), width));
  return dtype == DType::Bool ? to_bool(v) : v;
}

// Whether a vector of points is taken up or put down item by item.
bool Emitter::has_gaps(std::size_t axis) const {
  auto gaps = [&](const Access& access) {
    return access.buffer != kNoBuffer && !fixed_along(access, axis) && !dense_along(access, axis) &&
           !paired_along(access, axis);
  };
  return std::ranges::any_of(nest_->loads, gaps) ||
         std::ranges::any_of(nest_->stores, [&](const Store& s) { return gaps(s.to); });
}

// A pointer; of an Index, its value at that place.
Value* Emitter::advanced(Value* pointer, Value* index, const Number& stride) {
  if (stride == Number{true, 0}) return pointer;
  Value* step = b_.CreateMul(index, number(stride));
  return pointer->getType()->isIntegerTy() ? b_.CreateAdd(pointer, step) : b_.CreatePtrAdd(pointer, step);
}

// In the checking mode: the pointer, or a place of no harm after telling the context.
Value* Emitter::checked(Value* pointer, std::uint16_t buffer, std::int64_t bytes) {
  if (!options_.check_bounds) return pointer;
  auto callee = module_.getOrInsertFunction("autoray_check_access", b_.getPtrTy(), b_.getPtrTy(), b_.getInt64Ty(),
                                            b_.getPtrTy(), b_.getInt64Ty());
  return b_.CreateCall(callee, {kernel_context_, b_.getInt64(buffer), pointer, b_.getInt64(static_cast<std::uint64_t>(bytes))});
}

Value* Emitter::load(const Access& access, Value* pointer, const Place& place) {
  if (access.newest != kNoRegister && place.width == 1 && (nest_->extents.empty() || place.newest))
    return registers_[access.newest];
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
    } else if (access.fresh && place.last) {
      v = item_by_item(access, first, place, type, align);
    } else {
      v = b_.CreateAlignedLoad(vector, first, align);
    }
  } else if (paired_along(access, place.axis) && !options_.check_bounds) {
    v = one_part(access, first, place, type, align);
  } else {
    v = by_lanes(access, first, place, type, align);
  }
  if (place.newest && place.width > 1) {
    std::vector<int> lanes(static_cast<std::size_t>(place.width));
    std::iota(lanes.begin(), lanes.end(), 0);
    lanes.back() = 0;
    v = b_.CreateShuffleVector(v, lanes);
  }
  return from_memory(v, dtype, place.width);
}

// What lanes beyond the mask compute with causes no floating-point event that the others do not: the first one's value.
Value* Emitter::idle(Value* first, const Place& place, llvm::Type* type, llvm::Align align) {
  return splat(b_.CreateAlignedLoad(type, first, align), place.width);
}

Value* Emitter::index(const Access& access, Value* at, const Place& place) {
  if (fixed_along(access, place.axis)) return splat(at, place.width);
  Value* first = advanced(at, place.index, access.strides[place.axis]);
  return place.width == 1 ? first : b_.CreateAdd(splat(first, place.width), lane_steps(access, place));
}

// A load from behind the access: offsets differ from lane to lane, or are one number.
Value* Emitter::gather(const Access& access, Value* pointer, Value* offset, const Place& place) {
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

Value* Emitter::lane_pointers(const Access& access, Value* pointer, Value* offset, const Place& place) {
  if (!fixed_along(access, place.axis)) {
    pointer = advanced(pointer, place.index, access.strides[place.axis]);
    offset = b_.CreateAdd(offset, lane_steps(access, place));
  }
  return b_.CreateGEP(b_.getInt8Ty(), pointer, offset);
}

// Both parts are loaded, and the other one left: its own load finds them loaded.
Value* Emitter::one_part(const Access& access, Value* first, const Place& place, llvm::Type* type, llvm::Align align) {
  Value* begin = b_.CreateConstGEP1_64(type, first, -std::int64_t{access.part});
  auto* vector = widened(type, 2 * place.width);
  std::vector<int> lanes;
  for (int k = 0; k < place.width; ++k) lanes.push_back(2 * k + access.part);
  if (!place.mask) return b_.CreateShuffleVector(b_.CreateAlignedLoad(vector, begin, align), lanes);
  Value* both = b_.CreateMaskedLoad(vector, begin, align, both_parts(place), llvm::Constant::getNullValue(vector));
  Value* part = b_.CreateShuffleVector(both, lanes);
  return b_.CreateSelect(place.mask, part, idle(first, place, type, align));
}

Value* Emitter::both_parts(const Place& place) {
  std::vector<int> twice;
  for (int k = 0; k < 2 * place.width; ++k) twice.push_back(k / 2);
  return b_.CreateShuffleVector(place.mask, twice);
}

// A processor hands a number on from a store that is under way to a load of that number, but not several numbers to the load of
// a vector, which waits until they are in the cache. Volatile: else they become one load.
Value* Emitter::item_by_item(const Access& access, Value* first, const Place& place, llvm::Type* type, llvm::Align align) {
  const int end = place.width - (place.newest && access.newest != kNoRegister), before = std::max(place.width - kLast, 0);
  Value* v = llvm::PoisonValue::get(widened(type, place.width));
  if (before) {
    std::vector<int> lanes(static_cast<std::size_t>(place.width));
    std::iota(lanes.begin(), lanes.end(), 0);
    v = b_.CreateShuffleVector(b_.CreateAlignedLoad(widened(type, before), first, align), lanes);
  }
  for (int k = before; k < end; ++k)
    v = b_.CreateInsertElement(v, b_.CreateAlignedLoad(type, b_.CreateConstGEP1_64(type, first, k), align, /*isVolatile=*/true),
                               k);
  return v;
}

Value* Emitter::by_lanes(const Access& access, Value* first, const Place& place, llvm::Type* type, llvm::Align align) {
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

// What an access adds from lane to lane.
Value* Emitter::lane_steps(const Access& access, const Place& place) {
  return b_.CreateMul(lane_numbers(place.width), splat(number(access.strides[place.axis]), place.width));
}

Value* Emitter::lane_pointers(const Access& access, Value* first, const Place& place) {
  return b_.CreateGEP(b_.getInt8Ty(), first, lane_steps(access, place));
}

Value* Emitter::lane_numbers(int width) {
  std::vector<llvm::Constant*> lanes;
  for (int i = 0; i < width; ++i) lanes.push_back(b_.getInt64(static_cast<std::uint64_t>(i)));
  return llvm::ConstantVector::get(lanes);
}

Value* Emitter::mask_of(Value* count, int width) { return b_.CreateICmpSLT(lane_numbers(width), splat(count, width)); }

// The one number of a row where the value is one.
Value* Emitter::scalar_or_lanes(const std::vector<Value*>& values, ValueId v) {
  return !uniform_.empty() && uniform_[v] ? uniform_[v] : values[v];
}

void Emitter::store(const Access& access, Value* pointer, const Place& place, Value* v, bool streams) {
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
    else if (streams)
      stream(v, first);
    else
      b_.CreateAlignedStore(v, first, align);
  } else {
    b_.CreateMaskedScatter(v, lane_pointers(access, first, place), align, place.mask);
  }
}

// Lanes are written in their order: the last of equal places stays.
void Emitter::scatter(const Access& access, Value* pointer, Value* offset, const Place& place, Value* v) {
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

// Stores of both parts side by side become one.
bool Emitter::store_both(const Access& re, const Access& im, Value* pointer, const Place& place, Value* x, Value* y) {
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

void Emitter::store_all(const Pointers& pointers, const Place& place, const std::vector<Value*>& values) {
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
    store(stores[i].to, pointers.stores[i], place, values[stores[i].value], streams_ && is_streamed(stores[i]));
  }
}

// The kernel ends with 1 + the check's number where an index is below -size, or size and more.
Value* Emitter::check(const Instr& instr, Value* index, Value* size, Value* told, int width) {
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

}  // namespace autoray::codegen
