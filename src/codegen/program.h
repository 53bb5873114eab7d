// A plan as native code: a table of steps over buffers whose places are known. Most steps call a generated kernel; what is not
// generated calls a routine of the runtime (sorts), a kernel of it with a place for the result (draws, large products), or
// goes through its dispatch (linear algebra).
//
// A program is constant: calls from several threads each take a frame (the memory of intermediates and the table of pointers).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "ir/error.h"
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
  bool writable = true;  // of a result
};

struct RuntimeCall {
  ir::OpId op;
  runtime::BackendId backend;
  std::vector<ir::Attr> attrs;
  std::vector<Located> inputs;
  std::vector<std::uint32_t> groups;
  std::vector<ir::Type> types;
  std::uint32_t first_dynamic = 0;  // one for each result
  std::optional<Located> into;      // where the kernel makes its only result; else dynamic arrays are what it gives
  bool random = false;              // the input behind the operands is the generator
  std::string reason;               // why no code was generated
  ir::SourceId source = ir::kNoSource;
};

// The error of a kernel's check: the number that it found stands between the texts.
struct IndexCheck {
  ir::ErrorClass error{};
  std::string before, after;
  std::shared_ptr<const ir::Error> known;  // the whole error, where no number is part of it
  ir::SourceId source = ir::kNoSource;
};

// A routine of the runtime that works on the program's memory as a kernel does.
struct Routine {
  std::string_view name;
  KernelFunction function = nullptr;
};

// What a step calls by such a function, for people.
struct RoutineCall {
  ir::OpId op;
  ir::Type operand;
  Routine routine;
};

struct ProgramStep {
  KernelFunction kernel = nullptr;  // null: a runtime call, or a program that is not for this process
  std::uint32_t first = 0;          // in `buffers`; of a runtime call: its number
  std::uint32_t first_argument = 0;
  std::uint32_t number = 0;  // of the kernel, or of the routine's call
  std::uint32_t first_check = 0;
  bool call = false;
  bool routine = false;
};

class Program {
  struct Frame;

 public:
  Program() = default;
  ~Program();
  Program(const Program&) = delete;

  // One run, which allocates its results alone: the arguments, then `run`, then each result once.
  class Call {
   public:
    Call(const Program& program, runtime::Runtime& runtime)
        : program_(program),
          runtime_(runtime),
          place_(program.spare_[thread_place()]),
          frame_(program.take_frame(runtime, place_)) {
      frame_.context.stop = &runtime.stop_word();
    }
    ~Call() {
      program_.give_back(frame_, place_);
      // Eager loops tell of whatever flag they find. A look at the flags waits for the arithmetic before it: none is needed
      // where the last one found nothing.
      if (!quiet_) runtime::clear_fp();
    }
    Call(const Call&) = delete;
    // Of the type and the strides that the program was made for; the array outlives the Call. All but the fixed ones.
    void argument(std::size_t number, const runtime::Array& array) {
      frame_.given[number] = &array;
      program_.set_base(frame_, 2 + number, array.data);
    }
    std::span<const runtime::Array* const> arguments() const { return frame_.given; }
    // `into`: the caller's memory for each output, of output_bytes; empty: arrays are allocated. Gives the floating-point
    // events that numpy tells of and some kernel caused, as bits of the processor's flags.
    unsigned run(std::span<char* const> into = {});
    runtime::Array take_result(std::size_t number);

   private:
    runtime::Array array_at(const Located& value, runtime::BackendId backend) const;
    void call_runtime(const RuntimeCall& call);
    [[noreturn]] void index_failed(const IndexCheck& check) const;
    const Program& program_;
    runtime::Runtime& runtime_;
    std::atomic<Frame*>& place_;  // the thread's
    Frame& frame_;
    bool quiet_ = true;  // no event's flag is set by this call
  };
  // The same at once: arrays by argument number, results by number.
  std::vector<runtime::Array> run(runtime::Runtime& runtime, std::span<const runtime::Array> arguments, unsigned& events) const;

  // For people and tests: every step with its kernel's number, then every kernel's text.
  std::string text() const;

  std::vector<ProgramStep> steps;
  std::vector<Place> buffers;           // of all kernel steps, one after the other
  std::vector<std::int64_t> limits;     // bytes before and after each of them that belong to its array (checking mode)
  std::vector<std::int64_t> arguments;  // of all kernel steps
  std::vector<IndexCheck> checks;       // of all kernel steps
  std::vector<RuntimeCall> calls;
  std::vector<RoutineCall> routines;
  std::vector<Located> results;
  std::vector<std::int64_t> output_bytes;
  std::vector<char> constants;
  std::uint32_t dynamic_count = 0;
  std::uint32_t argument_count = 0;
  // Arguments that every call has: by number, before the first call.
  std::vector<std::pair<std::uint32_t, runtime::Array>> fixed;
  std::int64_t arena_bytes = 0;
  std::vector<CompiledKernel> kernels;
  std::vector<std::string> kernel_texts;
  std::vector<Kernel> sources;  // of the kernels
  CompileCounts counts;
  bool checks_bounds = false;
  // Patches: which entries of the table start at which base.
  void finish();

 private:
  // The memory of a call: what does not change stays in it for the next one.
  struct Frame {
    runtime::StoragePtr arena;
    std::vector<char*> bases;  // what the table was made for
    std::vector<char*> table;
    std::vector<Limits> limits;
    std::vector<const runtime::Array*> given;  // by argument
    std::vector<runtime::Array> dynamic;
    std::vector<runtime::StoragePtr> outputs;
    Context context;
  };
  Frame& take_frame(runtime::Runtime& runtime, std::atomic<Frame*>& place) const {
    Frame* frame = place.load(std::memory_order_relaxed);
    if (frame && runtime::replace_shared<Frame*>(place, frame, nullptr, std::memory_order_acquire)) [[likely]]
      return *frame;
    return other_frame(runtime);
  }
  void give_back(Frame& frame, std::atomic<Frame*>& place) const {
    if (dynamic_count) forget_dynamic(frame);
    for (runtime::StoragePtr& s : frame.outputs)
      if (s) s = runtime::StoragePtr();
    if (!runtime::replace_shared<Frame*>(place, nullptr, &frame, std::memory_order_release)) [[unlikely]]
      put_elsewhere(frame);
  }
  Frame& other_frame(runtime::Runtime& runtime) const;  // of another place, or a new one
  void put_elsewhere(Frame& frame) const;
  static void forget_dynamic(Frame& frame);
  std::size_t base_of(const Place& place) const;
  void set_base(Frame& frame, std::size_t base, char* address) const {
    if (frame.bases[base] != address) change_base(frame, base, address);
  }
  void change_base(Frame& frame, std::size_t base, char* address) const;

  struct Patch {
    std::uint32_t entry;
    std::int64_t offset;
  };
  std::vector<std::vector<Patch>> patches_;
  // Whether calls look at the flags before they start, too, which takes as long as fifty instructions. Where none was set
  // afterwards, none was before; where some was, such a call has run once more.
  mutable std::atomic<bool> looks_before_{false};
  std::vector<char> shared_outputs_;         // by output: several results lie in it
  std::vector<std::uint32_t> result_bases_;  // by result
  // Frames that no call uses: a thread looks at its own place.
  static constexpr std::size_t kSpareFrames = 16;
  static std::size_t thread_place() {
    static thread_local char mark;
    return (reinterpret_cast<std::uintptr_t>(&mark) * 0x9e3779b97f4a7c15u >> 32) % kSpareFrames;
  }
  mutable std::array<std::atomic<Frame*>, kSpareFrames> spare_{};
};

}  // namespace autoray::codegen
