#include "codegen/emit/emit.h"

#include <llvm/IR/IntrinsicsX86.h>

#include <algorithm>

#include "codegen/emit/emitter.h"

namespace autoray::codegen {

void Emitter::run() {
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
  kernel_.turns ? emit_turns() : emit_nests();
  // Streamed stores are seen by other threads after a fence alone.
  if (streamed_any_) b_.CreateIntrinsic(llvm::Intrinsic::x86_sse_sfence, {}, {});
  b_.CreateRet(b_.getInt32(0));
}

void Emitter::emit_nests() {
  for (std::size_t k = 0; k < kernel_.nests.size(); ++k) {
    nest_ = &kernel_.nests[k];
    if (k + 1 < kernel_.nests.size() && kernel_.nests[k + 1].in_turn)
      emit_map_and_fold(*nest_, kernel_.nests[++k]);
    else
      emit_nest();
  }
}

// What comes from the item that the turn before put down, in a register or by way of memory.
void Emitter::find_waiting() {
  std::vector<bool> registers(kernel_.registers.size());
  for (const Nest& nest : kernel_.nests) {
    std::vector<bool>& waits = waiting_.emplace_back(nest.body.size());
    for (std::size_t i = 0; i < nest.body.size(); ++i) {
      const Instr& instr = nest.body[i];
      const auto number = static_cast<std::size_t>(instr.immediate);
      switch (instr.prim) {
        case Prim::Load:
        case Prim::Gather: waits[i] = nest.loads[number].fresh || nest.loads[number].newest != kNoRegister; break;
        case Prim::Register: waits[i] = registers[number]; break;
        default: break;
      }
      for (ValueId operand : {instr.a, instr.b, instr.c, instr.d})
        if (operand != kNoValue && waits[operand]) waits[i] = true;
    }
    for (auto [value, reg] : nest.registers) registers[reg] = waits[value == kNoValue ? nest.folded : value];
  }
}

void Emitter::emit_turns() {
  find_waiting();
  std::vector<std::uint16_t> carried;
  std::vector<Value*> now;
  for (const Nest& nest : kernel_.nests)
    for (const Access& access : nest.loads) {
      if (access.newest == kNoRegister) continue;
      if (std::ranges::find(carried, access.newest) != carried.end()) continue;
      carried.push_back(access.newest);
      Place last;
      if (!nest.extents.empty()) last.index = b_.CreateSub(number(nest.extents.back()), b_.getInt64(1));
      now.push_back(load({access.buffer, access.part, access.strides}, buffers_[access.buffer], last));
    }
  const std::vector<Value*> first_buffers = buffers_, first_arguments = arguments_;
  // What grows by numbers that are given goes on from turn to turn, too.
  auto goes_on = [](const Number& growth) { return !growth.constant; };
  const auto growth = std::span(kernel_.turns->growth);
  const auto buffers = growth.first(buffers_.size()), arguments = growth.subspan(buffers_.size());
  for (std::size_t i = 0; i < buffers_.size(); ++i)
    if (goes_on(buffers[i])) now.push_back(buffers_[i]);
  fold_loop(b_.getInt64(0), number(kernel_.turns->count), 1, now, [&](Value* turn, const std::vector<Value*>& values) {
    if (options_.polls)
      when(b_.CreateIsNull(b_.CreateAnd(b_.CreateAdd(turn, b_.getInt64(1)), b_.getInt64(kTurns - 1))), [&] { poll(); });
    auto value = values.begin();
    for (std::uint16_t reg : carried) registers_[reg] = *value++;
    for (std::size_t i = 0; i < buffers_.size(); ++i)
      buffers_[i] = goes_on(buffers[i]) ? *value++ : advanced(first_buffers[i], turn, buffers[i]);
    for (std::size_t i = 0; i < arguments_.size(); ++i) arguments_[i] = advanced(first_arguments[i], turn, arguments[i]);
    emit_nests();
    std::vector<Value*> next;
    for (std::uint16_t reg : carried) next.push_back(registers_[reg]);
    for (std::size_t i = 0; i < buffers_.size(); ++i)
      if (goes_on(buffers[i]))
        next.push_back(b_.CreatePtrAdd(buffers_[i], first_arguments[static_cast<std::size_t>(buffers[i].value)]));
    return next;
  });
}

void Emitter::emit_nest() {
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

void Emitter::emit_row(const Pointers& pointers, std::size_t axis) {
  int width = vector_width();
  hoist(pointers, axis);
  const Number& extent = nest_->extents[axis];
  const bool alone = row_rest_alone(axis);
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
  streamed(pointers, [&] { emit_points(pointers, axis, b_.getInt64(0), number(extent)); });
}

// The points from `begin` to `end`: whole vectors, and what is left. `few`: no turn is so long that a stop has to be looked
// for.
void Emitter::emit_points(const Pointers& pointers, std::size_t axis, Value* begin, Value* end, bool few) {
  const int width = vector_width();
  auto point = [&](const Place& place) {
    std::vector<Value*> values = load_all(pointers, place);
    finish_row(pointers, place, values);
  };
  Value* count = b_.CreateSub(end, begin);
  Value* whole = b_.CreateAdd(begin, b_.CreateAnd(count, b_.getInt64(static_cast<std::uint64_t>(-width))));
  auto vectors = [&](Value* i) { point({axis, i, width, nullptr}); };
  few ? loop(whole, width, vectors, begin) : long_loop(whole, width, kTurns, vectors, begin);
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(count); constant && constant->getSExtValue() % width == 0) return;
  if (row_rest_alone(axis)) {
    loop(end, 1, [&](Value* i) { point({axis, i, 1, nullptr}); }, whole);
    return;
  }
  when(b_.CreateICmpSLT(whole, end), [&] { point({axis, whole, width, mask_of(b_.CreateSub(end, whole), width)}); });
}

// Whether numbers have other bits alone than in a vector.
bool Emitter::needs_whole_vectors() const {
  return std::ranges::any_of(nest_->body,
                             [](const Instr& instr) { return instr.prim == Prim::Function || instr.prim == Prim::Library; });
}

// What is left of a row that has gaps is computed point by point, where that gives the same bits.
bool Emitter::row_rest_alone(std::size_t axis) const { return has_gaps(axis) && !needs_whole_vectors(); }

void Emitter::finish_row(const Pointers& pointers, const Place& place, std::vector<Value*>& values) {
  compute(values, pointers, place);
  store_all(pointers, place, values);
}

// Values of the body's loads alone: they come before every store of a row that is written out.
std::vector<Value*> Emitter::load_all(const Pointers& pointers, const Place& place) {
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

void Emitter::compute(std::vector<Value*>& values, const Pointers& pointers, const Place& place) {
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
      if (width == 1 && is_late_quotient(instr)) {
        values[i] = late_quotient(instr, values);
        continue;
      }
      values[i] =
          apply(instr, from, values[instr.a], instr.b == kNoValue ? nullptr : values[instr.b],
                instr.c == kNoValue ? nullptr : values[instr.c], width, instr.d == kNoValue ? nullptr : values[instr.d]);
    }
  }
}

// What is the same along the row is computed once before it.
void Emitter::hoist(const Pointers& pointers, std::size_t axis) {
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

Emitter::Pointers Emitter::bases() {
  Pointers p;
  auto base = [&](const Access& access) -> Value* {
    if (access.buffer == kNoBuffer) return b_.getInt64(0);
    return b_.CreateConstGEP1_64(stored_type(kernel_.buffers[access.buffer]), buffers_[access.buffer], access.part);
  };
  for (const Access& access : nest_->loads) p.loads.push_back(base(access));
  for (const Store& s : nest_->stores) p.stores.push_back(base(s.to));
  return p;
}

Emitter::Pointers Emitter::moved(const Pointers& from, std::size_t axis, Value* index) {
  Pointers p = from;
  auto move = [&](Value*& pointer, const Access& access) {
    if (axis < access.strides.size()) pointer = advanced(pointer, index, access.strides[axis]);
  };
  for (std::size_t i = 0; i < p.loads.size(); ++i) move(p.loads[i], nest_->loads[i]);
  for (std::size_t i = 0; i < p.stores.size(); ++i) move(p.stores[i], nest_->stores[i].to);
  return p;
}

// Loops over the given dimensions around the body.
void Emitter::around(std::vector<std::size_t> axes, Pointers pointers, const std::function<void(const Pointers&)>& body) {
  if (axes.empty()) return body(pointers);
  std::size_t axis = axes.front();
  axes.erase(axes.begin());
  long_loop(number(nest_->extents[axis]), 1, kRows, [&](Value* i) { around(axes, moved(pointers, axis, i), body); });
}

int Emitter::vector_width() const {
  std::int64_t largest = 1;
  for (const Instr& instr : nest_->body) largest = std::max(largest, static_cast<std::int64_t>(ir::itemsize(instr.dtype)));
  return static_cast<int>(options_.vector_bytes / largest);
}

void emit(const Kernel& kernel, llvm::Module& module, const std::string& function_name, const EmitOptions& options) {
  Emitter(kernel, module, function_name, options).run();
}

}  // namespace autoray::codegen
