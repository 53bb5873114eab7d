// What a running Engine knows: its backends and their dispatch tables, memory, warnings, limits and random state. One thread
// runs a Runtime at a time. See dispatch.h for how a call finds its kernel.
#pragma once

#include <xmmintrin.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/op.h"
#include "runtime/backend.h"
#include "runtime/kernel.h"
#include "runtime/objects.h"
#include "runtime/value.h"

namespace autoray::ir {
struct Plan;
}
namespace autoray::runtime {

class Recorder;      // lazy/recorder.h
class Deferral;      // lazy/deferral.h
class Captures;      // lazy/captures.h
struct OpBinding;    // bind.h: a row's signature, prepared for binding
struct QuickLoop;    // elementwise/quick.h: the short way of small calls
struct RandomState;  // runtime/random: the legacy np.random stream and seeds for new generators

// How operations of the script are computed: at once, or recorded and computed where their values are needed, as they stand,
// with equal ones shared while recording, with what depends on half of the leaves folded, or after all passes.
enum class Defer : std::uint8_t { Off, Plain, Shared, Folded, Passes, Native };

struct RuntimeOptions {
  std::string backend = "numpy";  // the native backend that `import numpy` is bound to
  std::int64_t max_memory = -1;   // bytes of all live arrays; -1: no limit
  double timeout_seconds = 0;     // 0: none
  Defer defer = Defer::Off;
};

// What numpy's errstate says of a floating-point event.
enum class FpAction : std::uint8_t { Ignore, Warn, Raise };
struct FpState {
  FpAction divide = FpAction::Warn, over = FpAction::Warn, under = FpAction::Ignore, invalid = FpAction::Warn;
};

// One line of --explain: which library computed what.
struct ExplainEntry {
  std::string op;
  std::string operands;  // "float64 (50,), float64 (50,)"
  std::string backend;   // the backend dispatch chose
  std::string provider;  // the backend whose kernel ran (inherited or own), or "registered function"
  std::string library;
};

// The kernel, loop or function that an (op, backend) pair runs.
struct Entry {
  Kernel kernel = nullptr;
  HostFunction host = nullptr;
  std::string_view library;  // of a kernel
  BackendId provided_by = 0;
  Ref<Callable> registered;  // register_function's; what `do` calls instead
};

// The events that numpy tells of; that a result is inexact or an operand denormal is none, and clearing their flags costs as
// much as a small loop.
inline constexpr unsigned kFpEvents = 0x1d;
// Forgets floating-point events of earlier work, so that check_fp tells of the loops between.
inline void clear_fp() {
  if (unsigned flags = _mm_getcsr(); flags & kFpEvents) _mm_setcsr(flags & ~0x3fu);
}

class Runtime {
 public:
  explicit Runtime(const RuntimeOptions& options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;

  // ---- arrays ----
  Array allocate(ir::DType dtype, std::span<const std::int64_t> shape);  // C order, uninitialised
  Array allocate_zeroed(ir::DType dtype, std::span<const std::int64_t> shape);
  MemoryBudget& budget() { return *budget_; }
  // While it lives, new arrays are work arrays: outside the memory limit, unless they are charged afterwards. A plan knows the
  // bytes of its values exactly, and what a kernel makes and drops while it runs is none of them.
  class WorkArrays {
   public:
    explicit WorkArrays(Runtime& runtime) : runtime_(runtime), outer_(std::exchange(runtime.charged_, runtime.work_)) {}
    ~WorkArrays() { runtime_.charged_ = outer_; }
    WorkArrays(const WorkArrays&) = delete;

   private:
    Runtime& runtime_;
    MemoryBudget* outer_;
  };
  MemoryBudget& work_budget() { return *work_; }
  // Which new arrays are charged to.
  MemoryBudget& charged_budget() { return *charged_; }

  // ---- calling ops from C++: kernels compose through these, on the backend given ----
  // Infers, dispatches to the backend's kernel (registered functions do not take part), returns the results.
  std::vector<Array> run(ir::OpId id, BackendId backend, std::span<const Operand> operands,
                         std::span<const std::uint32_t> groups, std::span<const ir::Attr> attrs);
  // For ops without sequences: `attrs` in signature order; trailing ones take their defaults. One result.
  Array run1(ir::OpId id, BackendId backend, std::initializer_list<const Array*> operands,
             std::initializer_list<ir::Attr> attrs = {});

  // ---- calling ops with values ----
  // Binds numpy's signature, converts operands, runs `backend`'s kernel (registered functions belong to `do`). `random`: the
  // stream that a draw changes; null for the legacy stream of `np.random`.
  // `dispatched`: through `do` (a recorded call then runs the function registered for it).
  Value call(ir::OpId id, BackendId backend, const Arguments& arguments, BitGenerator* random = nullptr,
             bool dispatched = false);
  const ir::Signature& signature(ir::OpId id);
  std::span<const ir::Attr> default_attrs(ir::OpId id);
  const OpBinding& binding(ir::OpId id);

  // ---- backends ----
  BackendId native_backend() const { return native_; }  // what `import numpy` is bound to
  std::optional<BackendId> find_backend(std::string_view name) const;
  std::string_view backend_name(BackendId id) const;
  std::size_t backend_count() const { return backends_.size(); }
  const Backend& backend(BackendId id) const { return *backends_[id]; }
  Entry& entry(BackendId backend, ir::OpId id) { return entries_[backend * ir::kOpCount + static_cast<std::size_t>(id)]; }
  // The loop of an element-wise op; null when the backend and its bases have none.
  Loop loop(BackendId backend, ir::OpId id, ir::DType dtype) const {
    return loops_[(backend * ir::kOpCount + static_cast<std::size_t>(id)) * ir::kDTypeCount + static_cast<std::size_t>(dtype)];
  }
  BackendId loop_provider(BackendId backend, ir::OpId id, ir::DType dtype) const {
    return loop_providers_[(backend * ir::kOpCount + static_cast<std::size_t>(id)) * ir::kDTypeCount +
                           static_cast<std::size_t>(dtype)];
  }

  // ---- recording (lazy/recorder.h) ----
  Recorder& recorder() {  // made at first use
    if (!recorder_) [[unlikely]]
      make_recorder();
    return *recorder_;
  }
  bool has_lazy_arrays() const;
  Deferral* deferral() const { return deferral_.get(); }  // null: operations are computed at once
  // Where the script stands, as a call stack in the recorder's tables; set by whoever runs it.
  std::uint32_t (*current_source)(void* context) = nullptr;
  void* source_context = nullptr;
  Captures* captures = nullptr;  // of the function that autojit traces; null: none is traced
  // Filled at first use; see elementwise/quick.h.
  QuickLoop& quick_loop(BackendId backend, ir::OpId id, ir::DType dtype);

  // ---- limits and interruption: polled between kernels and inside long loops; throws KeyboardInterrupt or a limit error ----
  void poll() {
    if (interrupt_.load(std::memory_order_relaxed)) [[unlikely]]
      raise_interrupt();
  }
  // Async-signal-safe: asks the running script to stop.
  enum class Stop : int { None, Interrupt, Timeout };
  void request_stop(Stop reason) { interrupt_.store(static_cast<int>(reason), std::memory_order_relaxed); }
  void clear_stop() { interrupt_.store(0, std::memory_order_relaxed); }
  const std::atomic<int>& stop_word() const { return interrupt_; }  // not 0: asked for; what generated code looks at
  bool stop_requested() const { return interrupt_.load(std::memory_order_relaxed) != 0; }

  // ---- warnings and floating-point events ----
  // numpy's RuntimeWarning and friends: to stderr, once a source line.
  void warn(ir::ErrorClass category, const std::string& message);
  std::function<void(ir::ErrorClass, const std::string&)> on_warning;
  FpState fp_state;
  // After loops ran: looks at the CPU's flags, warns or raises as fp_state says ("divide by zero encountered in divide").
  void check_fp(std::string_view op_name) {
    if (_mm_getcsr() & kFpEvents) [[unlikely]]
      report_fp(op_name);
  }
  void clear_fp() { runtime::clear_fp(); }  // forgets them

  // ---- objects of the language that exist once: types, modules, by name ----
  std::unordered_map<std::string, Value> language_objects;

  // ---- dispatch state (dispatch.h) ----
  std::optional<BackendId> default_backend;  // set_backend and backend_like
  // register_function under names that are no ops, or for backends that are not native: "backend/name" -> function.
  std::unordered_map<std::string, Ref<Callable>> registered;
  bool ops_registered = false;  // some entry has, or had, a registered function
  // register_dispatch: op or function name -> dispatcher(*args, **kwargs) -> backend name.
  std::unordered_map<std::string, Ref<Callable>> dispatchers;
  // register_backend: the name of a class -> the backend of its values.
  std::unordered_map<std::string, std::string> class_backends;

  // ---- explain ----
  // Runs the plans of what is computed lazily; empty: run_plan.
  std::function<std::vector<Array>(const ir::Plan&, std::vector<Array>)> plan_executor;
  std::function<void(const ExplainEntry&)> on_explain;  // set: every dispatched call is told

  std::shared_ptr<RandomState> random;  // made at first use
  // Text output of the script (print): stdout unless the embedder says otherwise.
  std::function<void(std::string_view)> write_stdout;
  std::function<void(std::string_view)> write_stderr;

 private:
  [[noreturn]] void raise_interrupt();
  void report_fp(std::string_view op_name);
  std::optional<ir::Error>* raised_later_ = nullptr;  // where report_fp leaves what it would throw; null: it throws
  Value call_bound(ir::OpId id, BackendId backend, const Arguments& arguments, BitGenerator* random);

  MemoryBudget* budget_;
  MemoryBudget* work_;
  MemoryBudget* charged_;  // one of the two
  BackendId native_ = 0;
  void make_recorder();
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Deferral> deferral_;
  std::vector<const Backend*> backends_;
  std::vector<Entry> entries_;
  std::vector<Loop> loops_;
  std::vector<BackendId> loop_providers_;
  std::unique_ptr<QuickLoop[]> quick_loops_;
  std::vector<std::unique_ptr<OpBinding>> bindings_;
  std::atomic<int> interrupt_{0};
};

}  // namespace autoray::runtime
