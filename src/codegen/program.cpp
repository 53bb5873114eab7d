#include "codegen/program.h"

#include <cstring>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"

namespace autoray::codegen {

using runtime::Array;
using runtime::Runtime;
using runtime::Storage;
using runtime::StoragePtr;

Program::~Program() {
  for (auto& frame : spare_) delete frame.load();
}

// Bases in order: arena, constants, arguments, outputs, dynamic arrays.
std::size_t Program::base_of(const Place& place) const {
  switch (place.home) {
    case Home::Arena: return 0;
    case Home::Constants: return 1;
    case Home::Argument: return 2 + place.number;
    case Home::Output: return 2 + argument_count + place.number;
    case Home::Dynamic: return 2 + argument_count + output_bytes.size() + place.number;
  }
  return 0;
}

void Program::finish() {
  patches_.assign(2 + argument_count + output_bytes.size() + dynamic_count, {});
  for (std::size_t i = 0; i < buffers.size(); ++i)
    patches_[base_of(buffers[i])].push_back({static_cast<std::uint32_t>(i), buffers[i].offset});
  std::vector<int> uses(output_bytes.size());
  for (const Located& result : results)
    if (result.place.home == Home::Output) ++uses[result.place.number];
  result_bases_.clear();
  for (const Located& result : results) result_bases_.push_back(static_cast<std::uint32_t>(base_of(result.place)));
  looks_before_ = !calls.empty();  // draws cannot be made twice
  shared_outputs_.clear();
  for (int n : uses) shared_outputs_.push_back(n > 1);
}

void Program::change_base(Frame& frame, std::size_t base, char* address) const {
  frame.bases[base] = address;
  for (const Patch& patch : patches_[base]) {
    frame.table[patch.entry] = address + patch.offset;
    if (checks_bounds)
      frame.limits[patch.entry] = {address + patch.offset - limits[2 * patch.entry],
                                   address + patch.offset + limits[2 * patch.entry + 1]};
  }
}

Program::Frame& Program::other_frame(Runtime& runtime) const {
  for (auto& place : spare_) {
    Frame* frame = place.load(std::memory_order_relaxed);
    if (frame && runtime::replace_shared<Frame*>(place, frame, nullptr, std::memory_order_acquire)) return *frame;
  }
  auto frame = std::make_unique<Frame>();
  frame->bases.resize(patches_.size());
  frame->table.resize(buffers.size());
  if (checks_bounds) frame->limits.resize(buffers.size());
  frame->given.resize(argument_count);
  frame->dynamic.resize(dynamic_count);
  frame->outputs.resize(output_bytes.size());
  // The arena belongs to the program, not to the script's arrays: it stays from call to call.
  frame->arena =
      StoragePtr(Storage::allocate(static_cast<std::size_t>(std::max<std::int64_t>(arena_bytes, 64)), &runtime.budget()));
  set_base(*frame, 0, frame->arena->data());
  set_base(*frame, 1, const_cast<char*>(constants.data()));
  for (const auto& [number, array] : fixed) {
    frame->given[number] = &array;
    set_base(*frame, 2 + number, array.data);
  }
  return *frame.release();
}

void Program::forget_dynamic(Frame& frame) {
  for (Array& a : frame.dynamic) a = Array();
}

void Program::put_elsewhere(Frame& frame) const {
  for (auto& place : spare_)
    if (runtime::replace_shared<Frame*>(place, nullptr, &frame, std::memory_order_release)) return;
  delete &frame;
}

// Generated functions do not carry what clang's check of indirect calls reads in front of a function.
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
unsigned
Program::Call::run(std::span<char* const> into) {
  const Program& p = program_;
  Frame& frame = frame_;
  for (std::size_t o = 0, n = p.output_bytes.size(); o < n; ++o) {
    char* memory;
    if (into.empty()) {
      Storage* made = Storage::allocate(static_cast<std::size_t>(p.output_bytes[o]), &runtime_.budget());
      frame.outputs[o] = StoragePtr(made);
      memory = made->data();
    } else {
      memory = into[o];
    }
    p.set_base(frame, 2 + p.argument_count + o, memory);
  }
  unsigned events = 0;
  const bool looks_before = p.looks_before_.load(std::memory_order_relaxed);
  if (looks_before) runtime::clear_fp();
  quiet_ = false;
  char* const* table = frame.table.data();
  const std::int64_t* numbers = p.arguments.data();
  const bool checks_bounds = p.checks_bounds;
  for (const ProgramStep& step : p.steps) {
    if (step.kernel) [[likely]] {
      if (checks_bounds) frame.context.limits = frame.limits.data() + step.first;
      std::int32_t status = step.kernel(&frame.context, table + step.first, numbers + step.first_argument);
      if (status) [[unlikely]]
        index_failed(p.checks[step.first_check + static_cast<std::uint32_t>(status) - 1]);
      if (frame.context.stopped) [[unlikely]] {
        frame.context.stopped = false;
        runtime_.poll();
        // Another call has answered the request.
        throw ir::Error(ir::ErrorClass::KeyboardInterrupt, "interrupted").with_code(705);
      }
      if (checks_bounds && frame.context.failed_buffer >= 0) [[unlikely]]
        throw ir::Error(ir::ErrorClass::SystemError, "kernel " + std::to_string(step.number) + " reaches outside its buffer " +
                                                         std::to_string(std::exchange(frame.context.failed_buffer, -1)));
      runtime_.poll();
    } else {
      events |= _mm_getcsr() & runtime::kFpEvents;
      try {
        call_runtime(p.calls[step.first]);
      } catch (ir::Error& error) {
        error.with_source(p.calls[step.first].source);
        throw;
      }
      runtime::clear_fp();
    }
  }
  const unsigned last = _mm_getcsr() & runtime::kFpEvents;
  quiet_ = last == 0;
  if (last && !looks_before) [[unlikely]] {
    p.looks_before_.store(true, std::memory_order_relaxed);
    return run(into);
  }
  return events | last;
}

void Program::Call::index_failed(const IndexCheck& check) const {
  if (check.known) throw ir::Error(*check.known).with_source(check.source);
  throw ir::Error(check.error, check.before + std::to_string(frame_.context.failed_index) + check.after)
      .with_source(check.source);
}

Array Program::Call::take_result(std::size_t number) {
  const Located& result = program_.results[number];
  StoragePtr storage;
  bool writable = result.writable;
  runtime::BackendId backend = 0;
  switch (result.place.home) {
    case Home::Output:
      if (StoragePtr& made = frame_.outputs[result.place.number]; program_.shared_outputs_[result.place.number])
        storage = made;
      else
        storage = std::move(made);
      break;
    case Home::Dynamic: storage = frame_.dynamic[result.place.number].storage; break;
    case Home::Argument: {
      const Array& given = *frame_.given[result.place.number];
      storage = given.storage;
      writable = given.writable;
      backend = given.backend;
      break;
    }
    default: break;
  }
  return {std::move(storage),
          frame_.bases[program_.result_bases_[number]] + result.place.offset,
          result.type.dtype,
          writable,
          backend,
          result.type.shape,
          result.strides};
}

std::vector<Array> Program::run(Runtime& runtime, std::span<const Array> given, unsigned& events) const {
  Call call(*this, runtime);
  for (std::size_t number = 0; number < given.size(); ++number) call.argument(number, given[number]);
  events = call.run();
  std::vector<Array> values(results.size());
  for (std::size_t r = 0; r < values.size(); ++r) values[r] = call.take_result(r);
  return values;
}

Array Program::Call::array_at(const Located& value, runtime::BackendId backend) const {
  Array array;
  switch (value.place.home) {
    case Home::Arena: array.storage = frame_.arena; break;
    case Home::Output: array.storage = frame_.outputs[value.place.number]; break;
    case Home::Dynamic: array.storage = frame_.dynamic[value.place.number].storage; break;
    case Home::Argument: array.storage = frame_.given[value.place.number]->storage; break;
    case Home::Constants: break;
  }
  array.data = frame_.bases[program_.base_of(value.place)] + value.place.offset;
  array.dtype = value.type.dtype;
  array.shape = value.type.shape;
  array.strides = value.strides;
  array.backend = backend;
  return array;
}

void Program::Call::call_runtime(const RuntimeCall& call) {
  Runtime& runtime = runtime_;
  Frame& frame = frame_;
  std::vector<Array> arrays;
  std::vector<runtime::Operand> operands;
  arrays.reserve(call.inputs.size());
  for (const Located& input : call.inputs) {
    if (!input.present) {
      operands.push_back({});
      continue;
    }
    arrays.push_back(array_at(input, call.backend));
    operands.push_back({&arrays.back(), input.type.kind});
  }
  const ir::Op& op = ir::op(call.op);
  std::size_t data = operands.size() - (call.random ? 2 : 0);
  std::vector<Array> out(call.types.size());
  const runtime::Entry& entry = runtime.entry(call.backend, call.op);
  if (!entry.kernel)
    throw ir::Error(ir::ErrorClass::NotImplementedError, "'" + std::string(op.path) + "' has no kernel on backend '" +
                                                             std::string(runtime.backend_name(call.backend)) + "'")
        .with_code(502);
  runtime::KernelCall kernel{.runtime = runtime,
                             .op = op,
                             .backend = call.backend,
                             .in = std::span(operands).first(data),
                             .groups = call.groups,
                             .attrs = call.attrs,
                             .types = call.types,
                             .out = out,
                             .dynamic_out = &out};
  if (call.random) kernel.random = reinterpret_cast<runtime::BitGenerator*>(operands[data].array->data);
  const Array place = call.into ? array_at(*call.into, call.backend) : Array();
  if (call.into) out[0] = place;
  kernel.provider = entry.provided_by;
  kernel.library = entry.library;
  entry.kernel(kernel);
  runtime::tell_of_conversions(runtime, op);
  if (call.into) {
    // A kernel that composes its result has made it elsewhere.
    bool made = out[0].data == place.data && out[0].strides == place.strides;
    if (!made) runtime::copy_into(runtime, out[0], place);
    return;
  }
  for (std::size_t k = 0; k < out.size(); ++k) {
    // What is a view of an operand would change with the next use of its memory.
    bool own = out[k].storage && out[k].dtype == call.types[k].dtype && out[k].c_contiguous();
    for (const Array& a : arrays) own = own && out[k].storage.get() != a.storage.get();
    if (!own) out[k] = runtime::converted(runtime, out[k], call.types[k].dtype);
    std::size_t slot = call.first_dynamic + k;
    frame.dynamic[slot] = std::move(out[k]);
    program_.set_base(frame, 2 + program_.argument_count + program_.output_bytes.size() + slot, frame.dynamic[slot].data);
  }
}

std::string Program::text() const {
  std::string text = "autoray program 1\n";
  auto place = [](const Place& p) {
    static constexpr const char* kNames[] = {"arena", "argument", "output", "dynamic", "constants"};
    std::string t = kNames[static_cast<int>(p.home)];
    if (p.home != Home::Arena && p.home != Home::Constants) t += std::to_string(p.number);
    return t + "+" + std::to_string(p.offset);
  };
  text += "arena " + std::to_string(arena_bytes) + " bytes, " + std::to_string(kernels.size()) + " kernels\n";
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const ProgramStep& step = steps[s];
    if (step.call) {
      const RuntimeCall& call = calls[step.first];
      text += "call " + std::string(ir::op(call.op).path) + " (" + call.reason + ")";
      for (const Located& input : call.inputs) text += " " + (input.present ? place(input.place) : std::string("none"));
      text += " -> " + (call.into ? place(call.into->place) : "dynamic" + std::to_string(call.first_dynamic)) + "\n";
      continue;
    }
    text += step.routine ? std::string(routines[step.number].routine.name) : "kernel " + std::to_string(step.number);
    std::size_t end = buffers.size();
    for (std::size_t t = s + 1; t < steps.size(); ++t)
      if (!steps[t].call) {
        end = steps[t].first;
        break;
      }
    for (std::size_t i = step.first; i < end; ++i) text += " " + place(buffers[i]);
    text += "\n";
  }
  for (std::size_t k = 0; k < kernel_texts.size(); ++k) text += "kernel " + std::to_string(k) + ":\n" + kernel_texts[k];
  return text;
}

}  // namespace autoray::codegen
