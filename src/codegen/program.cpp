#include "codegen/program.h"

#include <cstring>

#include "ir/error.h"
#include "runtime/convert.h"

namespace autoray::codegen {

using runtime::Array;
using runtime::Runtime;
using runtime::Storage;
using runtime::StoragePtr;

struct Program::Frame {
  StoragePtr arena;
  std::vector<char*> bases;  // what the table was made for
  std::vector<char*> table;
  std::vector<Limits> limits;
  std::vector<Array> dynamic;
  std::vector<StoragePtr> outputs;
  Context context;
};

Program::~Program() { delete spare_.load(); }

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
}

Program::Frame* Program::take_frame(Runtime& runtime) const {
  if (Frame* frame = spare_.exchange(nullptr)) return frame;
  auto frame = std::make_unique<Frame>();
  frame->bases.resize(patches_.size());
  frame->table.resize(buffers.size());
  if (checks_bounds) frame->limits.resize(buffers.size());
  frame->dynamic.resize(dynamic_count);
  frame->outputs.resize(output_bytes.size());
  // The arena belongs to the program, not to the script's arrays: it stays from call to call.
  frame->arena =
      StoragePtr(Storage::allocate(static_cast<std::size_t>(std::max<std::int64_t>(arena_bytes, 64)), &runtime.budget()));
  set_base(*frame, 0, frame->arena->data());
  set_base(*frame, 1, const_cast<char*>(constants.data()));
  return frame.release();
}

void Program::set_base(Frame& frame, std::size_t base, char* address) const {
  if (frame.bases[base] == address) return;
  frame.bases[base] = address;
  for (const Patch& patch : patches_[base]) {
    frame.table[patch.entry] = address + patch.offset;
    if (checks_bounds)
      frame.limits[patch.entry] = {address + patch.offset - limits[2 * patch.entry],
                                   address + patch.offset + limits[2 * patch.entry + 1]};
  }
}

// Generated functions do not carry what clang's check of indirect calls reads in front of a function.
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
void Program::run(Runtime& runtime, std::span<const Array> given, std::vector<Array>& values, bool& events) const {
  struct Lease {
    const Program& program;
    Frame* frame;
    ~Lease() {
      for (Array& a : frame->dynamic) a = Array();
      for (StoragePtr& s : frame->outputs) s = StoragePtr();
      Frame* none = nullptr;
      if (!program.spare_.compare_exchange_strong(none, frame)) delete frame;
    }
  } lease{*this, take_frame(runtime)};
  Frame& frame = *lease.frame;
  for (std::size_t a = 0; a < given.size(); ++a) set_base(frame, 2 + a, given[a].data);
  for (std::size_t o = 0; o < output_bytes.size(); ++o) {
    frame.outputs[o] = StoragePtr(Storage::allocate(static_cast<std::size_t>(output_bytes[o]), &runtime.budget()));
    set_base(frame, 2 + argument_count + o, frame.outputs[o]->data());
  }
  runtime.clear_fp();
  char* const* table = frame.table.data();
  const std::int64_t* numbers = arguments.data();
  for (const ProgramStep& step : steps) {
    if (step.kernel) [[likely]] {
      if (checks_bounds) frame.context.limits = frame.limits.data() + step.first;
      step.kernel(&frame.context, table + step.first, numbers + step.first_argument);
      if (frame.context.failed_buffer >= 0) [[unlikely]]
        throw ir::Error(ir::ErrorClass::SystemError, "kernel " + std::to_string(step.number) + " reaches outside its buffer " +
                                                         std::to_string(std::exchange(frame.context.failed_buffer, -1)));
      runtime.poll();
    } else {
      unsigned before = _mm_getcsr();
      events = events || (before & runtime::kFpEvents);
      call_runtime(runtime, calls[step.first], frame, given);
      runtime.clear_fp();
    }
  }
  events = events || (_mm_getcsr() & runtime::kFpEvents);
  values.clear();
  for (const Located& result : results) {
    Array array;
    switch (result.place.home) {
      case Home::Output: array.storage = frame.outputs[result.place.number]; break;
      case Home::Dynamic: array.storage = frame.dynamic[result.place.number].storage; break;
      case Home::Argument: array.storage = given[result.place.number].storage; break;
      default: break;
    }
    array.data = frame.bases[base_of(result.place)] + result.place.offset;
    array.dtype = result.type.dtype;
    array.shape = result.type.shape;
    array.strides = result.strides;
    if (result.place.home == Home::Argument) {
      array.writable = given[result.place.number].writable;
      array.backend = given[result.place.number].backend;
    }
    values.push_back(std::move(array));
  }
}

void Program::call_runtime(Runtime& runtime, const RuntimeCall& call, Frame& frame, std::span<const Array> given) const {
  std::vector<Array> arrays;
  std::vector<runtime::Operand> operands;
  arrays.reserve(call.inputs.size());
  for (const Located& input : call.inputs) {
    if (!input.present) {
      operands.push_back({});
      continue;
    }
    Array array;
    switch (input.place.home) {
      case Home::Arena: array.storage = frame.arena; break;
      case Home::Output: array.storage = frame.outputs[input.place.number]; break;
      case Home::Dynamic: array.storage = frame.dynamic[input.place.number].storage; break;
      case Home::Argument: array.storage = given[input.place.number].storage; break;
      case Home::Constants: break;
    }
    array.data = frame.bases[base_of(input.place)] + input.place.offset;
    array.dtype = input.type.dtype;
    array.shape = input.type.shape;
    array.strides = input.strides;
    array.backend = call.backend;
    arrays.push_back(std::move(array));
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
  kernel.provider = entry.provided_by;
  kernel.library = entry.library;
  entry.kernel(kernel);
  for (std::size_t k = 0; k < out.size(); ++k) {
    // What is a view of an operand would change with the next use of its memory.
    bool own = out[k].storage && out[k].dtype == call.types[k].dtype && out[k].c_contiguous();
    for (const Array& a : arrays) own = own && out[k].storage.get() != a.storage.get();
    if (!own) out[k] = runtime::converted(runtime, out[k], call.types[k].dtype);
    std::size_t slot = call.first_dynamic + k;
    frame.dynamic[slot] = std::move(out[k]);
    set_base(frame, 2 + argument_count + output_bytes.size() + slot, frame.dynamic[slot].data);
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
      text += " -> dynamic" + std::to_string(call.first_dynamic) + "\n";
      continue;
    }
    text += "kernel " + std::to_string(step.number);
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
