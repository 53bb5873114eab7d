// A plan as native code: a table of steps over buffers whose places are known. Most steps call a generated kernel; what is not
// generated (linear algebra, large products, draws) goes through the runtime's dispatch.
//
// A program is constant: calls from several threads each take a frame (the memory of intermediates and the table of pointers).
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "ir/graph/block.h"
#include "runtime/runtime.h"

namespace autoray::codegen {

// Where a value's memory is: intermediates lie in one arena, results in arrays of their own, calls of the runtime give what
// they give, and constants belong to the program.
enum class Home : std::uint8_t { Arena, Argument, Output, Dynamic, Constants };

struct Place {
  Home home = Home::Arena;
  std::uint32_t number = 0;  // of the argument, output or dynamic array
  std::int64_t offset = 0;   // bytes
  friend bool operator==(const Place&, const Place&) = default;
};

// A value: where its first element is, and how the others follow.
struct Located {
  Place place;
  ir::Type type;
  ir::Dims strides;  // bytes
  bool present = true;
};

struct RuntimeCall {
  ir::OpId op;
  runtime::BackendId backend;
  std::vector<ir::Attr> attrs;
  std::vector<Located> inputs;
  std::vector<std::uint32_t> groups;
  std::vector<ir::Type> types;
  std::uint32_t first_dynamic = 0;  // one for each result
  bool random = false;              // the input behind the operands is the generator
  std::string reason;               // why no code was generated
  ir::SourceId source = ir::kNoSource;
};

struct ProgramStep {
  KernelFunction kernel = nullptr;  // null: a runtime call, or a program that is not for this process
  std::uint32_t first = 0;          // in `buffers`; of a runtime call: its number
  std::uint32_t first_argument = 0;
  std::uint32_t number = 0;  // of the kernel
  bool call = false;
};

class Program {
 public:
  Program() = default;
  ~Program();
  Program(const Program&) = delete;

  // Arrays by argument number, of the types and strides that the program was made for; results by number. Floating-point events
  // are told as numpy tells them, after the run: `events` is set when some kernel caused one that the runtime's state reports.
  void run(runtime::Runtime& runtime, std::span<const runtime::Array> arguments, std::vector<runtime::Array>& results,
           bool& events) const;

  // For people and tests: every step with its kernel's number, then every kernel's text.
  std::string text() const;

  std::vector<ProgramStep> steps;
  std::vector<Place> buffers;           // of all kernel steps, one after the other
  std::vector<std::int64_t> limits;     // bytes before and after each of them that belong to its array (checking mode)
  std::vector<std::int64_t> arguments;  // of all kernel steps
  std::vector<RuntimeCall> calls;
  std::vector<Located> results;
  std::vector<std::int64_t> output_bytes;
  std::vector<char> constants;
  std::uint32_t dynamic_count = 0;
  std::uint32_t argument_count = 0;
  std::int64_t arena_bytes = 0;
  std::vector<CompiledKernel> kernels;
  std::vector<std::string> kernel_texts;
  std::vector<Kernel> sources;  // of the kernels
  std::size_t fresh_kernels = 0;
  bool checks_bounds = false;
  // Patches: which entries of the table start at which base.
  void finish();

 private:
  struct Frame;
  Frame* take_frame(runtime::Runtime& runtime) const;
  std::size_t base_of(const Place& place) const;
  void set_base(Frame& frame, std::size_t base, char* address) const;
  void call_runtime(runtime::Runtime& runtime, const RuntimeCall& call, Frame& frame,
                    std::span<const runtime::Array> arguments) const;

  struct Patch {
    std::uint32_t entry;
    std::int64_t offset;
  };
  std::vector<std::vector<Patch>> patches_;
  mutable std::atomic<Frame*> spare_{nullptr};
};

}  // namespace autoray::codegen
